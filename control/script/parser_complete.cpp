// What can stand where a text ends. The parser itself finds it: each place where it takes a word
// offers the words that could be there, if the text ends within that word. See parser.h.
#include <algorithm>

#include "control/model/value.h"
#include "control/script/letters.h"
#include "control/script/parser_parts.h"

namespace maclane::script {

namespace {

/// What every value of is refused is nothing to offer.
bool is_refused(const model::Property* property) {
  return property != nullptr && property->has(model::Property::kNotYet);
}

}  // namespace

bool Parser::begins_command() const {
  const size_t last = text_.find_last_not_of(" \t");
  return last == std::string_view::npos ||
         std::string_view("\r\n;{[").find(text_[last]) != std::string_view::npos;
}

void Parser::offer(size_t begin, Completion::Kind kind, std::string_view text,
                   std::string_view help) {
  Completion& out = *completion_;
  if (begin > out.begin || out.candidates.empty()) {
    if (begin > out.begin) out.candidates.clear();
    out.begin = begin;
  }
  if (!text.starts_with(text_.substr(begin))) return;
  const auto same = std::find_if(out.candidates.begin(), out.candidates.end(),
                                 [&](const auto& one) { return one.text == text; });
  if (same == out.candidates.end()) {
    out.candidates.push_back({std::string(text), std::string(help), kind});
  }
}

void Parser::offer_path(size_t begin, const MenuWord& here, bool first, bool root) {
  completion_->menu = here.path;
  completion_->command.clear();
  completion_->property = nullptr;
  const auto offer_all = [&](const MenuWord& in, bool builtins_only) {
    for (const auto& [name, menu] : in.menus) {
      if (!builtins_only) offer(begin, Completion::Kind::kMenu, name, menu->help);
    }
    for (const auto& [name, command] : in.commands) {
      if (!builtins_only || command.builtin != Builtin::kNone) {
        offer(begin, Completion::Kind::kCommand, name, command.help);
      }
    }
  };
  // A colon asks for the language's own commands; an empty line in a menu for those of the menu.
  const bool colon = first && root && begin > 0 && text_[begin - 1] == ':';
  offer_all(here, colon);
  if (first && !root && &here != &words_.root() && begin < text_.size()) {
    offer_all(words_.root(), true);
  }
}

void Parser::offer_parameters(size_t begin, const Command& command, const CommandWord& word) {
  completion_->menu = command.path;
  completion_->command = command.name;
  completion_->property = nullptr;
  completion_->parameter.clear();
  for (const Parameter& one : word.parameters) {
    if (command.find(one.name) != nullptr || is_refused(one.property)) continue;
    const bool positional = std::find(word.positional.begin(), word.positional.end(), one.name) !=
                            word.positional.end();
    if (positional && (one.property == nullptr || one.name == "numbers")) continue;
    offer(begin, Completion::Kind::kParameter,
          one.kind == Parameter::Kind::kFlag ? one.name : one.name + "=", one.help);
  }
  if (word.takes_where) {
    offer(begin, Completion::Kind::kParameter, "where", "only rows for which this holds");
  }
  for (const std::string& name : word.positional) {
    const Parameter* parameter = word.find(name);
    if (parameter == nullptr || command.find(name) != nullptr) continue;
    completion_->begin = begin;
    completion_->parameter = parameter->name;
    completion_->property = parameter->property;
    break;
  }
}

void Parser::offer_value(size_t begin, const Command& command, const Parameter& parameter) {
  completion_->menu = command.path;
  completion_->command = command.name;
  completion_->parameter = parameter.name;
  completion_->property = parameter.property;
  completion_->compares = false;
  // A value without its name stands where the name of a parameter could.
  const bool named = begin > 0 && text_[begin - 1] == '=';
  if (begin > completion_->begin || (named && begin == completion_->begin)) {
    completion_->begin = begin;
    completion_->candidates.clear();
  }
  if (parameter.property != nullptr) offer_values_of(begin, *parameter.property);
}

/// The word is the last part of a list, and what follows "not".
void Parser::offer_values_of(size_t begin, const model::Property& property) {
  if (property.has(model::Property::kNegatable) && text_.substr(begin).starts_with('!')) ++begin;
  const size_t comma = text_.rfind(',');
  if (property.has(model::Property::kList) && comma != std::string_view::npos && comma >= begin)
    begin = comma + 1;
  completion_->begin = std::max(completion_->begin, begin);
  if (property.type == model::Type::kBool) {
    for (const char* word : {"no", "yes"}) offer(begin, Completion::Kind::kValue, word, "");
  }
  for (std::string_view value : property.values) {
    offer(begin, Completion::Kind::kValue, value, "");
  }
  if (property.type == model::Type::kProtocol) {
    for (int number = 0; number <= UINT8_MAX; ++number) {
      const std::string name = model::format_protocol(static_cast<uint8_t>(number));
      if (!is_digit(name.front())) offer(begin, Completion::Kind::kValue, name, "");
    }
  }
}

void Parser::offer_compared(size_t begin, const MenuWord& rows, const model::Property& property) {
  completion_->menu = rows.path;
  completion_->parameter = property.name;
  completion_->property = &property;
  completion_->compares = true;
  completion_->begin = begin;
  completion_->candidates.clear();
  offer_values_of(begin, property);
}

void Parser::offer_unset(size_t begin, const Command& command, const CommandWord& word) {
  completion_->menu = command.path;
  completion_->command = command.name;
  completion_->property = nullptr;
  completion_->parameter.clear();
  for (const Parameter& one : word.parameters) {
    const model::Property* property = one.property;
    if (property == nullptr || one.kind != Parameter::Kind::kValue || one.name == "numbers" ||
        property->has(model::Property::kRequired) || is_refused(property) ||
        command.find(one.name) != nullptr)
      continue;
    offer(begin, Completion::Kind::kParameter, one.name, one.help);
  }
}

void Parser::offer_properties(size_t begin, const MenuWord& rows) {
  completion_->menu = rows.path;
  completion_->property = nullptr;
  for (std::string_view name : rows.properties()) {
    const model::Property* property = rows.menu->find(name);
    if (is_refused(property)) continue;
    offer(begin, Completion::Kind::kProperty, name, property == nullptr ? "" : property->help);
  }
}

void Parser::offer_variables(size_t begin) {
  for (const Scope& scope : scopes_) {
    for (const std::string& name : scope.names) offer(begin, Completion::Kind::kVariable, name, "");
  }
}

Completion complete(const Words& words, std::string_view text, const ParseOptions& options) {
  Completion out;
  out.menu = options.menu;
  Parser parser(words, text, options);
  parser.watch(out);
  (void)parser.run();
  std::sort(out.candidates.begin(), out.candidates.end(),
            [](const auto& a, const auto& b) { return a.text < b.text; });
  return out;
}

}  // namespace maclane::script
