// The JSON Schema (draft-07) of the YAML, for editors: generated from the menus' tables.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/door/yaml.h"
#include "control/door/yaml_path.h"

namespace maclane::door {
namespace {

using Json = nlohmann::ordered_json;
using model::Menu;
using model::Property;
using model::Type;

constexpr std::string_view kOctet = "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])";

std::string ip4() {
  return fmt::format("({0}\\.){{3}}{0}", kOctet);
}

Json text(const std::string& pattern) {
  return {{"type", "string"}, {"pattern", "^" + pattern + "$"}};
}

/// What one value of a property may be, without list and negation.
std::string pattern(const Property& property) {
  switch (property.type) {
    case Type::kTime:
      return "([0-9]+(w|d|h|m|s|ms|us)?)*([0-9]+:[0-9]{2}:[0-9]{2})?";
    case Type::kAutoTime:
      return "(auto|([0-9]+(w|d|h|m|s|ms|us)?)*([0-9]+:[0-9]{2}:[0-9]{2})?)";
    case Type::kMac:
      return "(auto|[0-9A-Fa-f]{2}([:.-][0-9A-Fa-f]{2}){5}|([0-9A-Fa-f]{4}\\.){2}[0-9A-Fa-f]{4})";
    case Type::kIp4:
      return ip4();
    case Type::kIp4Prefix:
      if (property.has(Property::kIp6Too))
        return fmt::format(
            "({0}(/([0-9]|[12][0-9]|3[0-2]|{0}))?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"
            "(/[0-9]{{1,3}})?)",
            ip4());
      return fmt::format("{0}(/([0-9]|[12][0-9]|3[0-2]|{0}))?", ip4());
    case Type::kIp4Set:
      return fmt::format("{0}(/([0-9]|[12][0-9]|3[0-2]|{0})|-{0})?", ip4());
    case Type::kPorts:
      return "[0-9]{1,5}(-[0-9]{1,5})?";
    case Type::kIcmpOptions:
      return "[0-9]{1,3}(:[0-9]{1,3}(-[0-9]{1,3})?)?";
    case Type::kInteger:
      return "[0-9]+";
    case Type::kEnum: {
      std::string any;
      for (std::string_view value : property.values)
        any += fmt::format("{}{}", any.empty() ? "" : "|", value);
      return "(" + any + ")";
    }
    default:
      return ".+";
  }
}

bool takes_numbers(Type type) {
  return type == Type::kInteger || type == Type::kTime || type == Type::kAutoTime ||
         type == Type::kPorts || type == Type::kProtocol || type == Type::kIcmpOptions;
}

Json value_schema(const Property& property) {
  const bool negatable = property.has(Property::kNegatable);
  const bool list = property.has(Property::kList);
  if (property.type == Type::kBool) return {{"enum", {true, false, "yes", "no", "true", "false"}}};
  if (property.type == Type::kEnum && !list) {
    Json values = Json::array();
    for (std::string_view value : property.values) {
      values.push_back(value);
      if (value == "yes") values.push_back(true);
      if (value == "no") values.push_back(false);
    }
    return {{"enum", values}};
  }
  if (property.type == Type::kString && !negatable) {
    Json out = {
        {"type", {"string", "number", "boolean"}}};  // YAML writes 12 and yes without quotes
    if (property.max != INT64_MAX) out["maxLength"] = property.max;
    return out;
  }
  std::string one = pattern(property);
  if (list) one = fmt::format("{0}( *, *{0})*", one);
  Json as_text = text(negatable ? "!? *" + one : one);
  Json ways = Json::array({as_text});
  if (takes_numbers(property.type)) {
    Json number = {{"type", "integer"}};
    if (property.type == Type::kInteger) {
      number["minimum"] = property.min;
      if (property.max != INT64_MAX) number["maximum"] = property.max;
    }
    ways.push_back(number);
  }
  if (list) {
    Json items = property.type == Type::kInteger || property.type == Type::kPorts
                     ? Json{{"type", {"string", "integer"}}}
                     : Json{{"type", "string"}};
    ways.push_back({{"type", "array"}, {"items", items}});
  }
  return ways.size() == 1 ? as_text : Json{{"anyOf", ways}};
}

std::string description(const Property& property) {
  std::string out(property.help);
  if (property.has(Property::kNotYet)) {
    out = "In RouterOS; not yet working in this version of Maclane.";
  }
  if (!property.default_value.empty()) {
    out += fmt::format("{}Default: {}.", out.empty() ? "" : " ", property.default_value);
  }
  return out;
}

Json row_schema(const Menu& menu) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Property& property : menu.properties) {
    if (property.has(Property::kReadOnly)) continue;
    Json one = value_schema(property);
    const std::string help = description(property);
    if (!help.empty()) one["description"] = help;
    properties[std::string(property.name)] = std::move(one);
    // A row that is there from the start need not be written in full.
    const bool whole = menu.initial.empty() || property.has(Property::kName);
    if (property.has(Property::kRequired) && whole) required.push_back(property.name);
  }
  if (std::any_of(menu.initial.begin(), menu.initial.end(),
                  [](const model::InitialRow& row) { return row.removable; })) {
    properties[std::string(kAbsent)] = {
        {"enum", {true, "yes"}}, {"description", "Takes away a row that is there from the start."}};
  }
  Json out = {{"type", "object"},
              {"description", menu.help},
              {"properties", properties},
              {"additionalProperties", false}};
  if (!required.empty()) out["required"] = required;
  return out;
}

}  // namespace

std::string json_schema() {
  Json root = {{"$schema", "http://json-schema.org/draft-07/schema#"},
               {"title", "Maclane configuration"},
               {"type", "object"},
               {"additionalProperties", false},
               {"properties", Json::object()}};
  for (const Menu& menu : model::menus()) {
    if (!is_writable(menu)) continue;
    Json* at = &root;
    const std::vector<std::string> keys = yaml_keys(menu);
    for (size_t i = 0; i + 1 < keys.size(); ++i) {
      Json& next = (*at)["properties"][keys[i]];
      if (next.is_null()) {
        next = {
            {"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
      }
      at = &next;
    }
    Json rows = row_schema(menu);
    (*at)["properties"][keys.back()] =
        menu.kind == Menu::Kind::kSettings
            ? rows
            : Json{{"type", "array"}, {"description", menu.help}, {"items", rows}};
  }
  return root.dump(2) + "\n";
}

}  // namespace maclane::door
