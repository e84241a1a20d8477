// Methods, paths and bodies. See rest_call.h.
#include "control/door/rest_call.h"

#include <algorithm>

#include "control/door/json_bounds.h"
#include "control/door/query.h"
#include "control/model/secrets.h"
#include "control/model/value.h"

namespace maclane::door {
namespace {

using model::Call;
using model::Menu;

constexpr std::string_view kPrefix = "/rest";
constexpr size_t kMostParameters = 256;

using Parameters = std::vector<std::pair<std::string, std::string>>;

tl::unexpected<RestError> wrong(int status, std::string detail) {
  return tl::make_unexpected(RestError{status, std::move(detail)});
}

struct Target {
  std::vector<std::string> parts;
  Parameters parameters;
};

tl::expected<Target, RestError> parse_target(std::string_view target) {
  Target out;
  const size_t question = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(0, question);
  if (!path.starts_with(kPrefix) || (path.size() > kPrefix.size() && path[kPrefix.size()] != '/'))
    return wrong(404, "no such command or directory: REST is under /rest");
  path.remove_prefix(kPrefix.size());
  for (size_t i = 0; i < path.size();) {
    const size_t end = std::min(path.find('/', i), path.size());
    if (end > i) {
      auto part = decode_url(path.substr(i, end - i), false);
      if (!part) return wrong(400, "the path is not in form: '%' is followed by two hex digits");
      out.parts.push_back(std::move(*part));
    }
    i = end + 1;
  }
  if (question == target.size()) return out;
  const std::string_view query = target.substr(question + 1);
  for (size_t i = 0; i < query.size();) {
    const size_t end = std::min(query.find('&', i), query.size());
    const std::string_view one = query.substr(i, end - i);
    i = end + 1;
    if (one.empty()) continue;
    const size_t equals = std::min(one.find('='), one.size());
    auto name = decode_url(one.substr(0, equals), true);
    auto value = decode_url(equals == one.size() ? "" : one.substr(equals + 1), true);
    if (!name || !value)
      return wrong(400, "the query is not in form: '%' is followed by two hex digits");
    if (out.parameters.size() >= kMostParameters) return wrong(400, "the query has too many parts");
    out.parameters.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

std::string join(const std::vector<std::string>& parts, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out.append("/").append(parts[i]);
  return out.empty() ? "/" : out;
}

bool plain(const std::vector<std::string>& parts, size_t count) {
  return std::all_of(
      parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(count),
      [](const std::string& p) { return p.find_first_of("/ ") == std::string::npos; });
}

const Menu* menu_of(const std::vector<std::string>& parts, size_t count) {
  return plain(parts, count) ? model::find_menu(join(parts, count)) : nullptr;
}

std::optional<std::string> text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number_integer()) return value.dump();
  if (value.is_null()) return "";
  if (!value.is_array()) return std::nullopt;
  std::string out;
  for (const Json& item : value) {
    const auto one = item.is_array() ? std::nullopt : text_of(item);
    if (!one) return std::nullopt;
    if (&item != &value.front()) out += ',';
    out += *one;
  }
  return out;
}

void split_into(std::vector<std::string>& out, std::string_view list) {
  for (size_t i = 0; i <= list.size();) {
    const size_t end = std::min(list.find(',', i), list.size());
    if (end > i) out.emplace_back(list.substr(i, end - i));
    i = end + 1;
  }
}

tl::expected<Json, RestError> parse_body(const std::string& body) {
  if (body.find_first_not_of(" \t\r\n") == std::string::npos) return Json::object();
  auto json = parse_bounded(with_decimal_numbers(body));
  if (!json) return wrong(400, json.error());
  if (!json->is_object()) return wrong(400, "the body is not a JSON object");
  return std::move(*json);
}

tl::expected<void, RestError> take_query(Call& call, const Menu* menu,
                                         const std::vector<std::string>& words) {
  if (words.empty()) return {};
  auto query = Query::compile(menu, words);
  if (!query) return wrong(400, query.error());
  call.filter = [query = std::move(*query)](const model::PrintRow& row) {
    return query.matches(row);
  };
  return {};
}

/// The members of a body as arguments.
tl::expected<void, RestError> take_body(RestCall& out, const Menu* menu, const std::string& body) {
  auto json = parse_body(body);
  if (!json) return tl::make_unexpected(json.error());
  std::vector<std::string> words;
  for (const auto& item : json->items()) {
    const std::string& key = item.key();
    const Json& value = item.value();
    if (key == ".query") {
      if (!value.is_array()) return wrong(400, ".query is a list of words");
      for (const Json& word : value) {
        const auto text = text_of(word);
        if (!text) return wrong(400, ".query is a list of words");
        words.push_back(*text);
      }
      continue;
    }
    const auto text = text_of(value);
    if (!text)
      return wrong(400, "the value of " + key.substr(0, 64) +
                            " must be a text, a whole number, true or false");
    if (key == ".proplist" || (key == "proplist" && out.call.command == "print")) {
      split_into(out.call.proplist, *text);
    } else {
      out.call.arguments.emplace_back(key, *text);
    }
  }
  return take_query(out.call, menu, words);
}

tl::expected<RestCall, RestError> get_call(const Target& target) {
  RestCall out;
  out.call.command = "print";
  const size_t count = target.parts.size();
  const Menu* menu = menu_of(target.parts, count);
  if (menu == nullptr && count > 0) {
    menu = menu_of(target.parts, count - 1);
    out.form = RestCall::Form::kRow;
    out.row = target.parts.back();
  }
  // Of "/" and of groups a last part is no row.
  if (menu == nullptr || menu->kind == Menu::Kind::kGroup)
    return wrong(404, "no such command or directory (" +
                          (count == 0 ? std::string("/") : target.parts.back().substr(0, 64)) +
                          "): no such command prefix");
  out.call.path = menu->path;
  std::vector<std::string> words;
  for (const auto& [name, value] : target.parameters) {
    if (name == ".proplist") {
      split_into(out.call.proplist, value);
    } else {
      words.push_back(std::string("=").append(name).append("=").append(value));
    }
  }
  if (out.form == RestCall::Form::kRow) out.call.arguments.emplace_back("from", out.row);
  if (auto taken = take_query(out.call, menu, words); !taken)
    return tl::make_unexpected(taken.error());
  return out;
}

tl::expected<RestCall, RestError> post_call(const Target& target, const std::string& body) {
  RestCall out;
  out.form = RestCall::Form::kCommand;
  const size_t count = target.parts.size();
  if (count == 0)
    return wrong(400, "no such command: POST names one, as in /rest/ip/address/print");
  const Menu* menu = menu_of(target.parts, count - 1);
  if (menu == nullptr)
    return wrong(404, "no such command or directory (" + target.parts[count - 1].substr(0, 64) +
                          "): no such command prefix");
  out.call.path = menu->path;
  out.call.command = target.parts.back() == "getall" ? "print" : target.parts.back();
  if (auto taken = take_body(out, menu, body); !taken) return tl::make_unexpected(taken.error());
  return out;
}

tl::expected<RestCall, RestError> edit_call(RestCall::Form form, const Target& target,
                                            const std::string& body) {
  RestCall out;
  out.form = form;
  const size_t count = target.parts.size();
  const Menu* menu = menu_of(target.parts, count);
  if (menu == nullptr && form != RestCall::Form::kCreated && count > 0) {
    menu = menu_of(target.parts, count - 1);
    out.row = target.parts.back();
  }
  if (menu == nullptr || menu->kind == Menu::Kind::kGroup)
    return wrong(404, "no such command or directory (" +
                          (count == 0 ? std::string("/") : target.parts.back().substr(0, 64)) +
                          "): no such command prefix");
  out.call.path = menu->path;
  out.call.command = form == RestCall::Form::kCreated   ? "add"
                     : form == RestCall::Form::kDeleted ? "remove"
                                                        : "set";
  const bool settings = menu->kind == Menu::Kind::kSettings;
  if (model::find_command(*menu, out.call.command) == nullptr)
    return wrong(406, "no such command or directory (" + out.call.command + ")");
  if (form != RestCall::Form::kCreated && settings != out.row.empty()) {
    return settings ? wrong(404, "no such item: these are settings, without rows")
                    : wrong(400, "missing =.id=: the path ends in the row, as in " +
                                     std::string(menu->path) + "/*1");
  }
  if (!out.row.empty()) out.call.arguments.emplace_back("numbers", out.row);
  if (form == RestCall::Form::kDeleted) return out;
  if (auto taken = take_body(out, menu, body); !taken) return tl::make_unexpected(taken.error());
  // The row stands in the path; some clients repeat it in the body.
  if (!out.row.empty()) {
    const auto first = out.call.arguments.begin() + 1;
    out.call.arguments.erase(
        std::remove_if(first, out.call.arguments.end(),
                       [](const auto& a) { return a.first == ".id" || a.first == "numbers"; }),
        out.call.arguments.end());
  }
  return out;
}

}  // namespace

std::optional<std::string> decode_url(std::string_view text, bool plus) {
  const auto hex = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1;
      const int low = high < 0 ? -1 : hex(text[i + 2]);
      if (low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high << 4 | low));
      i += 2;
    } else {
      out.push_back(plus && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::optional<BasicAuth> basic_auth(std::string_view header) {
  constexpr std::string_view kScheme = "basic ";
  if (header.size() < kScheme.size()) return std::nullopt;
  for (size_t i = 0; i < kScheme.size(); ++i) {
    if ((header[i] | 0x20) != (kScheme[i] | 0x20)) return std::nullopt;
  }
  header.remove_prefix(kScheme.size());
  while (!header.empty() && header.front() == ' ') header.remove_prefix(1);
  while (!header.empty() && header.back() == ' ') header.remove_suffix(1);
  const auto text = model::secrets::from_base64(header);
  if (!text) return std::nullopt;
  const size_t colon = text->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return BasicAuth{text->substr(0, colon), text->substr(colon + 1)};
}

tl::expected<RestCall, RestError> rest_call(std::string_view method, std::string_view target,
                                            const std::string& body) {
  const auto parsed = parse_target(target);
  if (!parsed) return tl::make_unexpected(parsed.error());
  if (method == "GET" || method == "HEAD") return get_call(*parsed);
  if (method == "POST") return post_call(*parsed, body);
  if (method == "PUT") return edit_call(RestCall::Form::kCreated, *parsed, body);
  if (method == "PATCH") return edit_call(RestCall::Form::kUpdated, *parsed, body);
  if (method == "DELETE") return edit_call(RestCall::Form::kDeleted, *parsed, body);
  return wrong(405, "the method is GET, PUT, PATCH, DELETE or POST");
}

}  // namespace maclane::door
