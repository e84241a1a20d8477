// Replies as JSON (D-8 to D-10). See rest_call.h.
#include <fmt/format.h>

#include "control/door/client_text.h"
#include "control/door/rest_call.h"
#include "control/observe/json_text.h"

namespace maclane::door {
namespace {

using observe::append_json;

void append_pair(std::string& out, bool& first, std::string_view name, std::string_view value) {
  if (!first) out += ',';
  first = false;
  append_json(out, name);
  out += ':';
  append_json(out, value);
}

void append_row(std::string& out, const model::PrintRow& row) {
  out += '{';
  bool first = true;
  if (!row.id.empty()) append_pair(out, first, ".id", row.id);
  for (const auto& [name, value] : row.fields) append_pair(out, first, name, value);
  out += '}';
}

}  // namespace

std::string_view http_reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Payload Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return status >= 500 ? "Internal Server Error" : "Bad Request";
  }
}

RestAnswer rest_error(int status, std::string detail) {
  RestAnswer out;
  out.status = status;
  out.detail = std::move(detail);
  return out;
}

RestAnswer rest_failure(const RestCall& call, const model::Failure& failure) {
  using Form = RestCall::Form;
  int status = 400;
  const bool missing = failure.category == Trouble::kMissing;
  if (failure.denied) {
    status = 403;
  } else if (missing && call.form != Form::kCommand) {
    const std::string_view message =
        failure.errors.empty() ? std::string_view{} : failure.errors.front().message;
    // D-10: an argument that is missing is the request's mistake.
    status = message.starts_with("no such command") ? 406
             : message.starts_with("missing =")     ? 400
                                                    : 404;
  }
  return rest_error(status, client_text(failure));
}

std::string rest_body(const RestAnswer& answer) {
  std::string out;
  if (answer.no_body) return out;
  if (answer.status >= 400) {
    out = fmt::format("{{\"error\":{},\"message\":", answer.status);
    append_json(out, http_reason(answer.status));
    if (!answer.detail.empty()) {
      out += ",\"detail\":";
      append_json(out, answer.detail);
    }
    return out + '}';
  }
  if (!answer.result.empty()) {
    out += '{';
    bool first = true;
    for (const auto& [name, value] : answer.result) append_pair(out, first, name, value);
    return out + '}';
  }
  if (answer.object && !answer.rows.empty()) {
    append_row(out, answer.rows.front());
    return out;
  }
  out += '[';
  for (const model::PrintRow& row : answer.rows) {
    if (&row != &answer.rows.front()) out += ',';
    append_row(out, row);
  }
  return out + ']';
}

}  // namespace maclane::door
