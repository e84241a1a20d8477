// The tree of words made from the schema. See words.h.
#include <algorithm>

#include "control/script/words.h"

namespace maclane::script {
namespace {

using model::Menu;
using model::Property;
using Kind = Parameter::Kind;

/// Properties that hold scripts: commands in braces stand for their own text.
constexpr std::string_view kScripts[] = {"source", "on-event", "lease-script", "on-up",  "on-down",
                                         "script", "on-login", "on-logout",    "command"};

Parameter of_property(const Property& property, bool argument) {
  Parameter out;
  out.name = property.name;
  out.help = property.help;
  out.property = &property;
  const bool script =
      property.type == model::Type::kString &&
      std::find(std::begin(kScripts), std::end(kScripts), property.name) != std::end(kScripts);
  if (script) out.kind = Kind::kSource;
  if (argument && property.type == model::Type::kBool) out.kind = Kind::kFlag;
  return out;
}

void add(CommandWord& word, Parameter parameter) {
  if (word.find(parameter.name) == nullptr) word.parameters.push_back(std::move(parameter));
}

void add_properties(CommandWord& word, const Menu& menu) {
  for (const Property& property : menu.properties) {
    if (!property.has(Property::kReadOnly)) add(word, of_property(property, false));
  }
  for (std::string_view path : menu.gathers) {
    if (const Menu* other = model::find_menu(path)) add_properties(word, *other);
  }
}

void extend_print(CommandWord& word, const Menu& menu) {
  word.takes_where = true;
  for (Parameter& one : word.parameters) {
    if (one.name == "stats") one.kind = Kind::kFlag;
  }
  add(word, {"file", Kind::kValue, "writes it to this file", nullptr});
  add(word, {"append", Kind::kFlag, "with file: behind what it holds", nullptr});
  // A switch of the rows chooses those that have it: print dynamic.
  for (const Property& property : menu.properties) {
    if (property.type == model::Type::kBool) add(word, of_property(property, true));
  }
}

CommandWord word_of(const model::Command& command, const Menu& menu) {
  CommandWord word;
  word.name = command.name;
  word.help = command.help;
  for (const Property& argument : command.arguments) add(word, of_property(argument, true));
  if (command.has(model::Command::kProperties)) add_properties(word, menu);
  if (!command.positional.empty()) word.positional.emplace_back(command.positional);
  const auto also = [&](std::string_view argument) {
    if (word.find(argument) != nullptr) word.positional.emplace_back(argument);
  };
  if (command.name == "print") extend_print(word, menu);
  if (command.name == "export") word.takes_where = true;
  if (command.name == "find") word.is_find = true;
  if (command.name == "get") {
    if (menu.kind == Menu::Kind::kSettings) word.positional.clear();
    also("value-name");
  }
  if (command.name == "unset") also("value-name");
  if (command.name == "comment") also("comment");
  if (command.name == "move") also("destination");
  if (command.has(model::Command::kStreams)) {
    add(word, {"do", Kind::kBlock, "commands for each answer", nullptr});
    add(word, {"as-value", Kind::kFlag, "for scripts: the rows as an array", nullptr});
  }
  return word;
}

}  // namespace

const Words& Words::of_schema() {
  static const std::unique_ptr<const Words> words = [] {
    auto out = std::make_unique<Words>();
    for (const Menu& menu : model::menus()) {
      MenuWord& here = out->menu(menu.path);
      here.help = menu.help;
      if (menu.kind != Menu::Kind::kGroup) here.menu = &menu;
      for (const model::Command* command : model::commands_of(menu)) {
        const std::string name(command->name);
        const auto builtin = here.commands.find(name);
        if (builtin != here.commands.end()) continue;  // the language's own stands
        here.commands.emplace(name, word_of(*command, menu));
      }
    }
    return out;
  }();
  return *words;
}

}  // namespace maclane::script
