// What follows a command: parameters with and without names, flags, blocks and where. See
// parser_parts.h.
#include <algorithm>

#include "control/model/nearest.h"
#include "control/script/parser_parts.h"

namespace maclane::script {
namespace {

using ParameterKind = Parameter::Kind;

/// The parameter of a name, or the only one that begins so.
const Parameter* named(const CommandWord& word, std::string_view name) {
  if (const Parameter* exact = word.find(name)) return exact;
  const Parameter* found = nullptr;
  for (const Parameter& one : word.parameters) {
    if (!one.name.starts_with(name)) continue;
    if (found != nullptr) return nullptr;
    found = &one;
  }
  return found;
}

bool is_read_only(const MenuWord& menu, std::string_view name) {
  const model::Property* property = menu.menu == nullptr ? nullptr : menu.menu->find(name);
  return property != nullptr && property->has(model::Property::kReadOnly);
}

}  // namespace

bool Parser::is_declared(std::string_view name) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (scope->names.contains(name)) return true;
    if (scope->function) return false;
  }
  return false;
}

bool Parser::unknown_parameter(const Command& command, const CommandWord& word, size_t offset,
                               std::string_view name) {
  std::string why;
  const MenuWord* menu = words_.root().at(command.path);
  if (word.takes_where && menu != nullptr && menu->has_property(name)) {
    why = "rows are chosen with where, as in: where " + std::string(name) + "=...";
  } else if (menu != nullptr && is_read_only(*menu, name) &&
             (command.name == "add" || command.name == "set")) {
    why = std::string(name) + " is read-only: the router fills it in; leave it out";
  } else if (name.empty()) {
    why = word.parameters.empty() ? command.name + " takes nothing more"
                                  : command.name + " takes no more values without a name here";
  } else {
    std::vector<std::string_view> names;
    for (const Parameter& one : word.parameters) names.push_back(one.name);
    if (word.takes_where) names.push_back("where");
    why =
        command.name + " has no parameter " + std::string(name) + model::did_you_mean(name, names);
  }
  return fail(offset, "expected end of command", std::move(why));
}

bool Parser::parse_arguments(Command& command, const CommandWord& word, const Around& around) {
  size_t next_positional = 0;
  while (true) {
    skip_blanks(false);
    if (failed()) return false;
    if (wanted(at_) && text_[at_ - 1] != '=') offer_parameters(at_, command, word);
    if (at_command_end()) {
      const MenuWord* const rows = word.is_find ? words_.root().at(command.path) : nullptr;
      if (rows != nullptr && wanted(at_)) offer_properties(at_, *rows);
      return true;
    }
    const bool where = keyword("where");
    if (word.is_find || (where && word.takes_where)) {
      const size_t begin = at_;
      if (where) at_ += 5;
      skip_blanks(false);
      Around inside = around;
      inside.menu = command.path;
      inside.rows = words_.root().at(command.path);
      if (wanted(at_) && inside.rows != nullptr) offer_properties(at_, *inside.rows);
      if (at_command_end()) {
        return word.is_find && !where
                   ? true
                   : fail(begin, "missing value for where",
                          "an expression was expected after where, as in: where disabled=no");
      }
      command.where = parse_where(inside);
      return command.where != nullptr;
    }
    if (!parse_argument(command, word, around, next_positional)) return false;
  }
}

bool Parser::parse_argument(Command& command, const CommandWord& word, const Around& around,
                            size_t& next_positional) {
  count_node();
  const size_t begin = at_;
  Argument argument;
  argument.place = place(begin);
  if (peek() == '!') {
    const size_t length = name_length(at_ + 1);
    const std::string_view name = text_.substr(at_ + 1, length);
    const bool ends = completion_ != nullptr && at_ + 1 + length == text_.size();
    if (ends && at_ + 1 >= completion_->begin) offer_unset(at_ + 1, command, word);
    const Parameter* parameter = length == 0 ? nullptr : named(word, name);
    if (parameter != nullptr || (word.any_parameter && length != 0)) {
      at_ += length + 1;
      argument.name = parameter != nullptr ? parameter->name : std::string(name);
      argument.unset = true;
      command.arguments.push_back(std::move(argument));
      return true;
    }
  }
  const size_t length = name_length(at_);
  const std::string_view name = text_.substr(at_, length);
  if (length != 0 && peek(length) == '=') {
    const Parameter* parameter = named(word, name);
    if (parameter == nullptr && !word.any_parameter) {
      return unknown_parameter(command, word, begin, name);
    }
    at_ += length + 1;
    argument.name = parameter != nullptr ? parameter->name : std::string(name);
    static const Parameter any;
    return parse_parameter(command, parameter != nullptr ? *parameter : any, std::move(argument),
                           around);
  }
  // A word alone: a flag, or the value of the next parameter that takes one without its name.
  const bool alone =
      length != 0 &&
      (begin + length >= text_.size() ||
       std::string_view(" \t\r\n;]})#\\").find(text_[begin + length]) != std::string_view::npos);
  const auto take_flag = [&](const Parameter& flag) {
    at_ += length;
    if (wanted(begin)) offer_parameters(begin, command, word);
    argument.name = flag.name;
    command.arguments.push_back(std::move(argument));
    return true;
  };
  const Parameter* exact = alone ? word.find(name) : nullptr;
  if (exact != nullptr && exact->kind == ParameterKind::kFlag) return take_flag(*exact);
  // The language's own commands take `else {` for `else={`.
  const bool positional =
      std::find(word.positional.begin(), word.positional.end(), name) != word.positional.end();
  if (exact != nullptr && word.builtin != Builtin::kNone && !positional) {
    at_ += length;
    argument.name = exact->name;
    return parse_parameter(command, *exact, std::move(argument), around);
  }
  while (next_positional < word.positional.size() &&
         command.find(word.positional[next_positional]) != nullptr) {
    ++next_positional;
  }
  if (alone && begin + length == text_.size()) {
    at_ = begin + length;
    if (wanted(begin)) offer_parameters(begin, command, word);
    at_ = begin;
  }
  if (next_positional < word.positional.size()) {
    const Parameter* parameter = word.find(word.positional[next_positional]);
    argument.name = parameter->name;
    return parse_parameter(command, *parameter, std::move(argument), around);
  }
  if (word.any_parameter) {
    argument.name = std::to_string(++next_positional);
    return parse_parameter(command, Parameter{}, std::move(argument), around);
  }
  const Parameter* meant = alone ? named(word, name) : nullptr;
  if (meant != nullptr && meant->kind == ParameterKind::kFlag) return take_flag(*meant);
  // RouterOS writes some properties that are on as a word alone: /routing/table/add name=x fib,
  // /ip/route/add blackhole.
  if (exact != nullptr && exact->property != nullptr &&
      exact->property->type == model::Type::kBool &&
      (exact->property->default_value == "true" ||
       exact->property->has(model::Property::kWritten))) {
    return take_flag(*exact);
  }
  if (meant != nullptr) return valueless(*meant, begin + length);
  return unknown_parameter(command, word, begin, name);
}

/// A parameter's name without = and a value; the text goes on at `end`.
bool Parser::valueless(const Parameter& parameter, size_t end) {
  size_t next = end;
  while (next < text_.size() && (text_[next] == ' ' || text_[next] == '\t')) ++next;
  const size_t stop = std::min(text_.find_first_of(" \t\r\n;]}", next), text_.size());
  std::string value(text_.substr(next, stop - next));
  const model::Property* property = parameter.property;
  if (value.empty() || value.find('=') != std::string::npos) {
    const bool is_bool = property != nullptr && property->type == model::Type::kBool;
    const bool is_enum = property != nullptr && !property->values.empty();
    value = is_bool ? "yes" : is_enum ? std::string(property->values.front()) : "...";
  }
  return fail(at_, "expected end of command",
              parameter.name + " needs a value: " + parameter.name + "=" + value);
}

bool Parser::parse_parameter(Command& command, const Parameter& parameter, Argument argument,
                             const Around& around) {
  skip_blanks(false);
  if (failed()) return false;
  argument.value_place = place(at_);
  const auto keep = [&] {
    command.arguments.push_back(std::move(argument));
    return true;
  };
  switch (parameter.kind) {
    case ParameterKind::kBlock:
    case ParameterKind::kFunction:
      if (peek() != '{') {
        return fail(
            at_, "syntax error",
            parameter.name + " takes commands in braces, as in " + parameter.name + "={ :put 1 }",
            at_end());
      }
      argument.block = parse_braces(around, parameter.kind == ParameterKind::kFunction);
      return argument.block != nullptr && keep();
    case ParameterKind::kVariable:
    case ParameterKind::kCounter: {
      std::string names;
      while (true) {
        std::string name;
        if (!parse_variable_name(name)) return false;
        declare(name);
        names += name;
        if (parameter.kind == ParameterKind::kVariable || peek() != ',') break;
        ++at_;
        names += ',';
      }
      if (!at_command_end() && peek() != ' ' && peek() != '\t' && peek() != '\\') {
        return fail(at_, "expected end of command",
                    "a variable's name has letters and digits; one with others stands in quotes");
      }
      auto literal = make(Expression::Kind::kLiteral, argument.value_place.offset);
      literal->literal = Value::text(names);
      literal->name = std::move(names);
      argument.value = std::move(literal);
      return keep();
    }
    case ParameterKind::kTarget:
      return parse_target(argument, around) && keep();
    case ParameterKind::kSource:
      if (peek() == '{') {
        const size_t open = at_;
        if (parse_braces(around, true) == nullptr) return false;
        auto literal = make(Expression::Kind::kLiteral, open);
        literal->name = text_.substr(open + 1, at_ - open - 2);
        literal->literal = Value::text(literal->name);
        argument.value = std::move(literal);
        return keep();
      }
      break;
    default:
      break;
  }
  if (at_command_end()) {
    if (wanted(at_)) offer_value(at_, command, parameter);
    auto literal = make(Expression::Kind::kLiteral, at_);
    literal->literal = Value::text("");
    argument.value = std::move(literal);
    return keep();
  }
  const size_t begin = at_;
  argument.value = parse_value(around);
  if (argument.value == nullptr) return false;
  if (wanted(begin)) offer_value(begin, command, parameter);
  return keep();
}

bool Parser::parse_variable_name(std::string& name) {
  const size_t begin = at_;
  if (peek() == '"') {
    auto text = parse_string({});
    if (text == nullptr) return false;
    if (text->kind != Expression::Kind::kLiteral || text->literal.as_text().empty()) {
      return fail(begin, "syntax error", "a variable's name was expected here");
    }
    name = text->literal.as_text();
    return true;
  }
  while (std::isalnum(static_cast<unsigned char>(peek())) != 0) ++at_;
  name = text_.substr(begin, at_ - begin);
  if (!name.empty()) return true;
  return fail(begin, "syntax error",
              "a variable's name was expected here: letters and digits, anything else in quotes",
              at_end());
}

bool Parser::parse_target(Argument& argument, const Around& around) {
  const size_t begin = at_;
  ExpressionPtr target;
  if (peek() == '(') {
    target = parse_paren(around);
  } else if (peek() == '$') {
    target = parse_variable();
  } else {
    if (wanted(at_)) offer_variables(at_);
    std::string name;
    if (!parse_variable_name(name)) return false;
    if (wanted(begin)) offer_variables(begin);
    auto variable = make(Expression::Kind::kVariable, begin);
    variable->name = std::move(name);
    target = std::move(variable);
  }
  if (target == nullptr) return false;
  const Expression* root = target.get();
  while (root->kind == Expression::Kind::kElement) root = root->parts.front().get();
  if (root->kind != Expression::Kind::kVariable) {
    return fail(begin, "syntax error",
                "set takes a variable or an element of one, as in :set ($list->0) 5");
  }
  // An element's array may come from outside, and so may a function's parameters.
  const bool free =
      root != target.get() || std::isdigit(static_cast<unsigned char>(root->name.front())) != 0;
  if (!free && !is_declared(root->name)) {
    return fail(root->place.offset, "syntax error",
                "there is no variable " + root->name + " here: declare it with :local or :global");
  }
  argument.value = std::move(target);
  return true;
}

}  // namespace maclane::script
