// /console/inspect, which tools ask what can be said where. See polled.h.
#include <algorithm>

#include "control/model/value.h"
#include "control/observe/polled.h"

namespace maclane::observe {
namespace {

using model::Command;
using model::Fields;
using model::Menu;
using model::Outcome;
using model::Property;

struct Place {
  const Menu* menu = nullptr;
  const Command* command = nullptr;
  const Property* argument = nullptr;
};

const Property* argument_of(const Menu& menu, const Command& command, std::string_view name) {
  if (const Property* own = command.find(name)) return own;
  const Property* property = command.has(Command::kProperties) ? menu.find(name) : nullptr;
  return property != nullptr && !property->has(Property::kReadOnly) ? property : nullptr;
}

Place find_place(std::string_view path) {
  Place out;
  out.menu = model::find_menu("/");
  std::string at;
  for (std::string_view part : model::split_list(path)) {
    if (part.empty()) continue;
    if (out.argument != nullptr) return {};
    if (out.command != nullptr) {
      out.argument = argument_of(*out.menu, *out.command, part);
      if (out.argument == nullptr) return {};
      continue;
    }
    const std::string below = at + "/" + std::string(part);
    if (const Menu* next = model::find_menu(below)) {
      out.menu = next;
      at = below;
    } else if (const Command* command = model::find_command(*out.menu, part)) {
      out.command = command;
    } else {
      return {};
    }
  }
  return out;
}

/// Everything below a place: name, dir, cmd or arg, and a help.
struct Child {
  std::string name;
  std::string_view type;
  std::string_view help;
};

std::vector<Child> children(const Place& place) {
  std::vector<Child> out;
  if (place.command != nullptr) {
    for (const Property& one : place.command->arguments)
      out.push_back({std::string(one.name), "arg", one.help});
    if (place.command->has(Command::kProperties)) {
      for (const Property& one : place.menu->properties) {
        if (!one.has(Property::kReadOnly)) out.push_back({std::string(one.name), "arg", one.help});
      }
    }
    return out;
  }
  const std::string prefix = place.menu->path == "/" ? "/" : std::string(place.menu->path) + "/";
  for (const Menu& one : model::menus()) {
    if (one.path == "/" || !one.path.starts_with(prefix)) continue;
    const std::string_view rest = one.path.substr(prefix.size());
    if (rest.find('/') == std::string_view::npos)
      out.push_back({std::string(rest), "dir", one.help});
  }
  for (const Command* one : model::commands_of(*place.menu))
    out.push_back({std::string(one->name), "cmd", one->help});
  return out;
}

model::PrintRow row_of(Fields fields) {
  model::PrintRow row;
  row.fields = std::move(fields);
  return row;
}

/// A line as it is typed, "/ip address ad": what goes before its last word is a path as well.
struct Begun {
  std::string path;
  std::string_view word;
  size_t offset = 0;  // of the word in the line
};

Begun begun_of(std::string_view path, std::string_view line) {
  Begun out{std::string(path), line};
  const size_t end = line.find_last_of("/ =");
  if (end == std::string_view::npos) return out;
  out.offset = end + 1;
  out.word = line.substr(out.offset);
  std::string before(line.substr(0, end));
  for (char& c : before) {
    if (c == '/' || c == ' ' || c == '=') c = ',';
  }
  out.path = line.starts_with('/') ? before : out.path + ',' + before;
  return out;
}

void add_values(const Property& property, const Begun& begun, Outcome& out) {
  std::vector<std::string_view> values(property.values.begin(), property.values.end());
  if (property.type == model::Type::kBool) values = {"yes", "no"};
  for (std::string_view value : values) {
    if (!value.starts_with(begun.word)) continue;
    out.rows.push_back(row_of({{"type", "completion"},
                               {"completion", std::string(value)},
                               {"offset", std::to_string(begun.offset)},
                               {"preference", "96"},
                               {"show", "true"},
                               {"style", "none"},
                               {"text", ""}}));
  }
}

}  // namespace

model::Answer<Outcome> inspect(const model::Call& call) {
  Outcome out;
  const std::string_view request = call.get("request");
  Begun begun{std::string(call.get("path")), {}};
  if (request == "completion") begun = begun_of(begun.path, call.get("input"));
  const Place place = find_place(begun.path);
  if (place.menu == nullptr) return out;  // as RouterOS: nothing is below what is not there
  if (request == "self") {
    const std::string_view type = place.argument != nullptr  ? "arg"
                                  : place.command != nullptr ? "cmd"
                                                             : "dir";
    out.rows.push_back(row_of({{"type", "self"},
                               {"name", std::string(call.get("path"))},
                               {"node-type", std::string(type)}}));
    return out;
  }
  if (place.argument != nullptr) {
    if (request == "completion") add_values(*place.argument, begun, out);
    if (request == "syntax")
      out.rows.push_back(row_of({{"type", "syntax"},
                                 {"symbol", std::string(place.argument->name)},
                                 {"symbol-type", "explanation"},
                                 {"nested", "0"},
                                 {"nonorm", "false"},
                                 {"text", std::string(place.argument->help)}}));
    return out;
  }
  for (const Child& child : children(place)) {
    if (request == "child") {
      out.rows.push_back(row_of(
          {{"type", "child"}, {"name", child.name}, {"node-type", std::string(child.type)}}));
    } else if (request == "syntax") {
      out.rows.push_back(row_of({{"type", "syntax"},
                                 {"symbol", child.name},
                                 {"symbol-type", "explanation"},
                                 {"nested", "1"},
                                 {"nonorm", "false"},
                                 {"text", std::string(child.help)}}));
    } else if (request == "completion" && child.name.starts_with(begun.word)) {
      out.rows.push_back(row_of({{"type", "completion"},
                                 {"completion", child.name},
                                 {"offset", std::to_string(begun.offset)},
                                 {"preference", child.type == "dir" ? "80" : "64"},
                                 {"show", "true"},
                                 {"style", std::string(child.type)},
                                 {"text", std::string(child.help)}}));
    }
  }
  return out;
}

}  // namespace maclane::observe
