// The reference page. See reference.h.
#include "control/door/reference.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/model/value.h"

namespace maclane::door {
namespace {

using model::Command;
using model::Menu;
using model::Property;
using model::Type;

/// Text in a cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    if (c == '\n') c = ' ';
    out += c;
  }
  return out;
}

std::string any_of(std::span<const std::string_view> values) {
  std::string out;
  for (std::string_view value : values) {
    if (value.empty()) continue;
    out += (out.empty() ? "" : " | ") + std::string(value);
  }
  return out;
}

std::string range(int64_t min, int64_t max, std::string (*text)(int64_t)) {
  if (max == INT64_MAX) return min == 0 ? std::string() : fmt::format(" from {}", text(min));
  return fmt::format(" {}..{}", text(min), text(max));
}

std::string number_text(int64_t number) {
  return std::to_string(number);
}

/// What one value is, without list and negation.
std::string one_value(const Property& property) {
  switch (property.type) {
    case Type::kString:
      return property.max == INT64_MAX ? "text"
                                       : fmt::format("text of at most {} characters", property.max);
    case Type::kBool:
      return "yes | no";
    case Type::kInteger:
      return "integer" + range(property.min, property.max, number_text);
    case Type::kTime:
      return "time" + range(property.min, property.max, model::format_time_ms);
    case Type::kAutoTime:
      return "auto | time" + range(property.min, property.max, model::format_time_ms);
    case Type::kMac:
      return "MAC address | auto";
    case Type::kIp4:
      return "IPv4 address";
    case Type::kIp4Prefix:
      return property.has(Property::kIp6Too) ? "IPv4 or IPv6 address/length"
                                             : "IPv4 address/length";
    case Type::kIp4Set:
      return "IPv4 address, address/length or address-address";
    case Type::kGateway:
      return "IPv4 address, address@table, address%interface or interface";
    case Type::kEnum:
      return any_of(property.values);
    case Type::kPorts:
      return "port or port-port";
    case Type::kProtocol:
      return "protocol, a name or 0..255";
    case Type::kIcmpOptions:
      return "type:code or type:code-code";
    case Type::kReference: {
      std::string out = "a name of " + any_of(property.reference);
      if (!property.values.empty()) out += " | " + any_of(property.values);
      return out;
    }
  }
  return {};
}

std::string notes(const Property& property) {
  std::string out(property.help);
  const auto add = [&](std::string_view sentence) {
    out += fmt::format("{}{}", out.empty() ? "" : ". ", sentence);
  };
  if (property.has(Property::kRequired)) add("Required");
  if (property.has(Property::kSecret)) add("Shown to those with the policy sensitive");
  if (property.has(Property::kWriteOnly)) add("Never shown");
  if (property.has(Property::kNotYet)) add("RouterOS has it, this version does not");
  if (!property.not_working.empty()) {
    add(fmt::format("Refused: {} ({})", any_of(property.not_working), property.not_working_reason));
  }
  if (property.has(Property::kOurs)) add("Not in RouterOS");
  return out;
}

void write_table(std::string& out, std::span<const Property> properties) {
  out += "| property | takes | default | |\n|---|---|---|---|\n";
  for (const Property& property : properties) {
    const bool read_only = property.has(Property::kReadOnly);
    out += fmt::format("| `{}` | {}{} | {} | {} |\n", property.name, read_only ? "read-only, " : "",
                       cell(takes(property)), cell(property.default_value), cell(notes(property)));
  }
  out += '\n';
}

void write_rows_from_start(std::string& out, const Menu& menu) {
  if (menu.initial.empty()) return;
  out += menu.has(Menu::kFixedRows) ? "Its rows are fixed:" : "There from the start:";
  std::string_view between = " ";
  for (const model::InitialRow& row : menu.initial) {
    out += between;
    between = "; ";
    std::string_view space;
    for (const auto& [property, value] : row.values) {
      out += fmt::format("{}`{}={}`", space, property, value);
      space = " ";
    }
  }
  out += ".\n\n";
}

void write_commands(std::string& out, const Menu& menu) {
  for (const Command& command : menu.commands) {
    out += fmt::format("`{}`: {}.", command.name, command.help);
    if (command.has(Command::kRows)) out += " Takes rows.";
    if (command.has(Command::kStreams)) out += " Goes on until it is stopped.";
    out += "\n\n";
    if (!command.arguments.empty()) write_table(out, command.arguments);
  }
}

std::string kind_of(const Menu& menu) {
  switch (menu.kind) {
    case Menu::Kind::kList:
      return "rows";
    case Menu::Kind::kOrdered:
      return "rows in order";
    case Menu::Kind::kSettings:
      return "settings";
    case Menu::Kind::kState:
      return "rows that the router makes";
    case Menu::Kind::kGroup:
      return "menus";
  }
  return {};
}

}  // namespace

std::string takes(const Property& property) {
  std::string out = one_value(property);
  if (property.has(Property::kList)) out += ", several with commas";
  if (property.has(Property::kNegatable)) out += ", `!` negates";
  return out;
}

std::string reference() {
  std::string out =
      "# Menus\n\nEvery menu of this version with its properties, as the schema has them. Rows "
      "are\n"
      "added, changed and removed with add, set, remove, enable, disable, comment, move and "
      "unset,\n"
      "shown with print, get, find and listen.\n\n";
  for (const Menu& menu : model::menus()) {
    out += fmt::format("## {}\n\n{} ({}{}).\n\n", menu.path, menu.help, kind_of(menu),
                       menu.has(Menu::kOurs) ? "; not in RouterOS" : "");
    write_rows_from_start(out, menu);
    if (!menu.properties.empty()) write_table(out, menu.properties);
    write_commands(out, menu);
  }
  return out;
}

}  // namespace maclane::door
