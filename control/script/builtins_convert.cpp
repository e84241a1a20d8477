// :convert, :serialize and :deserialize. See interpreter.h.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/model/nearest.h"
#include "control/script/interpreter.h"

namespace maclane::script {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kFormats[] = {
    "raw", "hex", "base64", "base32", "url", "num", "byte-array", "bit-array-lsb", "bit-array-msb"};
constexpr std::string_view kTransforms[] = {"none",    "lc",    "uc",   "lcfirst", "ucfirst",
                                            "reverse", "rot13", "crlf", "lf"};
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr size_t kMaxConverted = size_t{1} << 20;

using Bytes = tl::expected<std::string, std::string>;

tl::unexpected<std::string> wrong(std::string message) {
  return tl::make_unexpected(std::move(message));
}

/// Groups of bits as letters, padded to whole groups of bytes.
std::string to_base(std::string_view bytes, std::string_view letters, unsigned bits, size_t group) {
  std::string out;
  uint32_t held = 0;
  unsigned count = 0;
  for (const char letter : bytes) {
    const auto c = static_cast<unsigned char>(letter);
    held = held << 8 | c;
    count += 8;
    while (count >= bits) {
      count -= bits;
      out += letters[held >> count & ((1U << bits) - 1)];
    }
  }
  if (count != 0) out += letters[held << (bits - count) & ((1U << bits) - 1)];
  while (out.size() % group != 0) out += '=';
  return out;
}

Bytes from_base(std::string_view text, std::string_view letters, unsigned bits) {
  std::string out;
  uint32_t held = 0;
  unsigned count = 0;
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  for (char c : text) {
    const size_t value = letters.find(c);
    if (value == std::string_view::npos) return wrong("the text is not in that encoding");
    held = held << bits | static_cast<uint32_t>(value);
    count += bits;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(held >> count);
  }
  return out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

Bytes from_hex(std::string_view text, std::string_view mark) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (!mark.empty() && text[i] != mark.front()) {
      out += text[i] == '+' ? ' ' : text[i];
      ++i;
      continue;
    }
    i += mark.size();
    const int high = i + 1 < text.size() ? hex_value(text[i]) : -1;
    const int low = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
    if (high < 0 || low < 0) return wrong("the text is not in that encoding");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

Bytes from_numbers(const Value& value, bool bits, bool lsb) {
  std::string out;
  const Value list = value.is(Type::kArray) ? value : Value::array({{value}, {}});
  unsigned held = 0;
  unsigned count = 0;
  for (const Value& one : list.as_array().list) {
    const auto number = read_number(one.to_text());
    if (!number || *number < 0 || *number > (bits ? 1 : 255)) {
      return wrong(bits ? "an array of 0 and 1 was expected"
                        : "an array of numbers from 0 to 255 was expected");
    }
    if (!bits) {
      out += static_cast<char>(*number);
      continue;
    }
    held |= static_cast<unsigned>(*number) << (lsb ? count : 7 - count);
    if (++count < 8) continue;
    out += static_cast<char>(held);
    held = count = 0;
  }
  if (count != 0) out += static_cast<char>(held);
  return out;
}

Bytes decode(const Value& value, std::string_view from) {
  const std::string text = value.to_text();
  if (from.empty() || from == "raw") return text;
  if (from == "hex") return from_hex(text, "");
  if (from == "url") return from_hex(text, "%");
  if (from == "base64") return from_base(text, kBase64, 6);
  if (from == "base32") return from_base(text, kBase32, 5);
  if (from == "byte-array") return from_numbers(value, false, false);
  if (from == "bit-array-lsb") return from_numbers(value, true, true);
  if (from == "bit-array-msb") return from_numbers(value, true, false);
  const auto number = read_number(text);  // num: its bytes, the highest first
  if (!number) return wrong("a number was expected");
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) {
    const auto byte = static_cast<char>(static_cast<uint64_t>(*number) >> shift);
    if (byte != 0 || !out.empty() || shift == 0) out += byte;
  }
  return out;
}

std::string transformed(std::string text, std::string_view transform) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c; };
  if (transform == "lc") std::transform(text.begin(), text.end(), text.begin(), lower);
  if (transform == "uc") std::transform(text.begin(), text.end(), text.begin(), upper);
  if (transform == "lcfirst" && !text.empty()) text.front() = lower(text.front());
  if (transform == "ucfirst" && !text.empty()) text.front() = upper(text.front());
  if (transform == "reverse") std::reverse(text.begin(), text.end());
  if (transform == "rot13") {
    for (char& c : text) {
      const char base = lower(c);
      if (base >= 'a' && base <= 'z') c = static_cast<char>(c + (base < 'n' ? 13 : -13));
    }
  }
  if (transform == "crlf" || transform == "lf") {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
      if (text[i] == '\n' && transform == "crlf") out += '\r';
      out += text[i];
    }
    return out;
  }
  return text;
}

Value encode(const std::string& bytes, std::string_view to) {
  if (to.empty() || to == "raw") return Value::text(bytes);
  if (to == "base64") return Value::text(to_base(bytes, kBase64, 6, 4));
  if (to == "base32") return Value::text(to_base(bytes, kBase32, 5, 8));
  if (to == "hex" || to == "url") {
    std::string out;
    for (const char letter : bytes) {
      const auto c = static_cast<unsigned char>(letter);
      const bool plain = std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
      if (to == "url" && plain) {
        out += static_cast<char>(c);
      } else {
        out += to == "url" ? fmt::format("%{:02X}", c) : fmt::format("{:02x}", c);
      }
    }
    return Value::text(std::move(out));
  }
  if (to == "num") {
    uint64_t number = 0;
    for (const char c : bytes.substr(0, 8)) number = number << 8 | static_cast<unsigned char>(c);
    return Value::number(static_cast<int64_t>(number));
  }
  Array out;
  for (const char letter : bytes) {
    const auto c = static_cast<unsigned char>(letter);
    if (to == "byte-array") {
      out.list.push_back(Value::number(c));
      continue;
    }
    for (unsigned i = 0; i < 8; ++i) {
      out.list.push_back(Value::number(c >> (to == "bit-array-lsb" ? i : 7 - i) & 1));
    }
  }
  return Value::array(std::move(out));
}

Json to_json(const Value& value) {
  switch (value.type()) {
    case Type::kNothing:
    case Type::kNil:
      return nullptr;
    case Type::kBool:
      return value.as_bool();
    case Type::kNumber:
      return value.as_number();
    case Type::kArray: {
      const Array& array = value.as_array();
      Json out = array.keyed.empty() ? Json::array() : Json::object();
      for (size_t i = 0; i < array.list.size(); ++i) {
        if (array.keyed.empty()) {
          out.push_back(to_json(array.list[i]));
        } else {
          out[std::to_string(i)] = to_json(array.list[i]);
        }
      }
      for (const auto& [key, one] : array.keyed) out[key] = to_json(one);
      return out;
    }
    default:
      return value.to_text();
  }
}

Value from_json(const Json& json, bool typed) {
  if (json.is_boolean()) return Value::boolean(json.get<bool>());
  if (json.is_number_integer() || json.is_number_unsigned()) {
    return Value::number(json.get<int64_t>());
  }
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    const bool plain = !typed || text.find(',') != std::string::npos;
    return plain ? Value::text(text) : Value::literal(text);
  }
  if (json.is_array() || json.is_object()) {
    Array out;
    for (const auto& item : json.items()) {
      if (json.is_array()) {
        out.list.push_back(from_json(item.value(), typed));
      } else {
        out.keyed.insert_or_assign(item.key(), from_json(item.value(), typed));
      }
    }
    return Value::array(std::move(out));
  }
  return json.is_null() ? Value::nil() : Value::text(json.dump());
}

/// How deep brackets stand in each other, texts left out.
size_t depth_of(std::string_view json) {
  size_t depth = 0;
  size_t deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted && c == '\\') ++i;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  return deepest;
}

}  // namespace

Calculated convert(const Value& value, std::string_view from, std::string_view to,
                   std::string_view transform) {
  const auto check = [](std::string_view name, std::string_view given, auto& known) -> std::string {
    if (given.empty() || std::find(std::begin(known), std::end(known), given) != std::end(known)) {
      return {};
    }
    return fmt::format("input does not match any value of {}; it can be {}", name,
                       model::any_of(known));
  };
  for (const std::string& trouble : {check("from", from, kFormats), check("to", to, kFormats),
                                     check("transform", transform, kTransforms)}) {
    if (!trouble.empty()) return wrong(trouble);
  }
  auto bytes = decode(value, from);
  if (!bytes) return wrong(std::move(bytes.error()));
  if (bytes->size() > kMaxConverted) return wrong("convert takes at most 1 MiB");
  if ((to.starts_with("bit") || to.starts_with("byte")) && bytes->size() * 8 > kMaxElements) {
    return wrong("the array becomes too large");
  }
  return encode(transformed(std::move(*bytes), transform), to);
}

Calculated serialize(const Value& value, std::string_view to, std::string_view options) {
  if (to != "json") {
    return wrong("input does not match any value of to; this version of Maclane writes json");
  }
  // The text bounds what follows: an array that holds another many times grows without it.
  if (value.to_code().size() > kMaxText) return wrong("the value is too large");
  const bool pretty = options.find("json.pretty") != std::string_view::npos;
  return Value::text(
      to_json(value).dump(pretty ? 4 : -1, ' ', false, Json::error_handler_t::replace));
}

Calculated deserialize(const Value& value, std::string_view from, std::string_view options) {
  if (from != "json") {
    return wrong("input does not match any value of from; this version of Maclane reads json");
  }
  const std::string text = value.to_text();
  if (depth_of(text) >= kMaxNesting) return wrong("the JSON nests deeper than 63");
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return wrong("the text is not JSON");
  const bool typed = options.find("json.no-string-conversion") == std::string_view::npos;
  return from_json(json, typed);
}

}  // namespace maclane::script
