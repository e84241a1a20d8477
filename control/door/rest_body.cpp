// Replies as JSON (D-8 to D-10). See rest_call.h.
#include <fmt/format.h>

#include "control/door/client_text.h"
#include "control/door/rest_call.h"

namespace maclane::door {
namespace {

/// Bytes of the UTF-8 letter that begins here; 0 if there is none.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const auto follows = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!follows(1) || !follows(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) > 0x9F) return 0;  // halves of surrogate pairs
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

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

void append_json(std::string& out, std::string_view text) {
  out += '"';
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte >= 0x80) {
      const size_t length = utf8_length(text.substr(i));
      if (length == 0) {
        out += "\xEF\xBF\xBD";
        ++i;
      } else {
        out.append(text, i, length);
        i += length;
      }
      continue;
    }
    ++i;
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += static_cast<char>(byte);
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      out += static_cast<char>(byte);
    }
  }
  out += '"';
}

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
