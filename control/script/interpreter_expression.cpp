// Values of expressions, variables and elements of arrays. See interpreter.h.
#include <fmt/format.h>

#include <algorithm>

#include "control/script/interpreter.h"
#include "control/script/rows.h"

namespace maclane::script {

using Kind = Expression::Kind;

namespace {

/// Whether an expression is the same for every row, and worked out without carrying anything out.
bool is_fixed(const Expression& expression, const MenuWord& menu) {
  switch (expression.kind) {
    case Kind::kLiteral:
      return true;
    case Kind::kVariable:
      return !menu.has_property(expression.name);
    case Kind::kText:
    case Kind::kElement:
      return std::all_of(expression.parts.begin(), expression.parts.end(),
                         [&](const ExpressionPtr& part) { return is_fixed(*part, menu); });
    default:
      return false;
  }
}

/// What a field is compared with, as it was written: 7.10 is an address to scripts, and a version
/// to whoever asks for it.
void as_written(const Expression& operand, Operator op, Value& value) {
  const bool several = op == Operator::kIn && value.is(Type::kArray);
  if (operand.kind == Kind::kLiteral && !operand.name.empty() && !several)
    value = Value::text(operand.name);
}

}  // namespace

bool Interpreter::read_variable(const std::string& name, Value& out) {
  // In a where expression the properties of the row go before variables, as in RouterOS.
  if (row_.row != nullptr) {
    const model::Property* property = row_.menu == nullptr ? nullptr : row_.menu->find(name);
    const std::string_view field = row_field(*row_.row, name);
    if (property != nullptr || !field.empty()) {
      out = property_value(property, field);
      return true;
    }
  }
  const Variable* variable = find(name);
  if (variable == nullptr) {
    out = Value{};
  } else {
    out = variable->global ? globals_.get(name) : variable->value;
  }
  return true;
}

bool Interpreter::evaluate(const Expression& expression, Value& out) {
  if (!step(expression.place)) return false;
  switch (expression.kind) {
    case Kind::kLiteral:
      out = expression.literal;
      return true;
    case Kind::kVariable:
      return read_variable(expression.name, out);
    case Kind::kProperty: {
      const model::Property* property =
          row_.menu == nullptr ? nullptr : row_.menu->find(expression.name);
      out = row_.row == nullptr ? Value{}
                                : property_value(property, row_field(*row_.row, expression.name));
      return true;
    }
    case Kind::kText: {
      std::string text;
      for (const auto& part : expression.parts) {
        Value value;
        if (!evaluate(*part, value)) return false;
        text += value.to_text();
        if (text.size() > kMaxText) return fail("a text has at most 4 MiB", expression.place);
      }
      out = Value::text(std::move(text));
      return true;
    }
    case Kind::kCommand: {
      // Several commands: the value is the last one's. :return ends them, and no more than them.
      out = expression.block->commands.empty() ? Value::nil() : Value{};
      for (const auto& command : expression.block->commands) {
        if (run_command(*command, out, true)) {
          // Code as such in brackets is carried out: [[:parse ":return 1"]].
          if (command->kind != Command::Kind::kValue || !out.is(Type::kFunction)) continue;
          const Value code = out;
          if (call_function(code.as_function(), {}, out)) continue;
        }
        if (flow_ != Flow::kReturn) return false;
        flow_ = Flow::kGoOn;
        out = std::exchange(returned_, {});
        break;
      }
      return true;
    }
    case Kind::kArray:
      return evaluate_array(expression, out);
    case Kind::kUnary: {
      Value value;
      if (!evaluate(*expression.parts.front(), value)) return false;
      // A bare property holds if it is set, or if it is true.
      if (expression.parts.front()->kind == Kind::kProperty && expression.op == Operator::kNot &&
          value.is(Type::kText)) {
        out = Value::boolean(value.as_text().empty());
        return true;
      }
      return keep(calculate(expression.op, value), expression.place, out);
    }
    case Kind::kBinary:
      return evaluate_binary(expression, out);
    case Kind::kElement:
      return evaluate_element(expression, out);
    case Kind::kQuote:
      out = Value::function({expression.block, Function::Kind::kQuoted});
      return true;
  }
  return true;
}

bool Interpreter::evaluate_binary(const Expression& expression, Value& out) {
  if (!evaluate(*expression.parts.front(), out)) return false;
  const Expression* left = expression.parts.front().get();
  for (size_t i = 0; i < expression.ops.size(); ++i) {
    Value right;
    const Expression& operand = *expression.parts[i + 1];
    if (!evaluate(operand, right)) return false;
    const Operator op = expression.ops[i];
    if (op == Operator::kAnd || op == Operator::kOr) {
      const auto as_truth = [](const Expression* of, Value& value) {
        if (of != nullptr && of->kind == Kind::kProperty && !value.is(Type::kBool)) {
          value = Value::boolean(!value.to_text().empty());
        }
      };
      as_truth(left, out);
      as_truth(&operand, right);
    }
    if (left != nullptr && left->kind == Kind::kProperty && row_.row != nullptr &&
        op != Operator::kAnd && op != Operator::kOr) {
      const model::Property* property =
          row_.menu == nullptr ? nullptr : row_.menu->find(left->name);
      Value answer;
      as_written(operand, op, right);
      if (!keep(compare_field(property, row_field(*row_.row, left->name), op, right), operand.place,
                answer)) {
        return false;
      }
      out = std::move(answer);
    } else if (op == Operator::kIn && operand.kind == Kind::kProperty && row_.row != nullptr) {
      out = Value::boolean(field_covers(row_field(*row_.row, operand.name), out));
    } else {
      Value answer;
      if (!keep(calculate(op, out, right), operand.place, answer)) return false;
      out = std::move(answer);
    }
    left = nullptr;
    if (!step(operand.place)) return false;
  }
  return true;
}

bool Interpreter::evaluate_element(const Expression& expression, Value& out) {
  if (!evaluate(*expression.parts.front(), out)) return false;
  for (size_t i = 1; i < expression.parts.size(); ++i) {
    Value key;
    if (!evaluate(*expression.parts[i], key)) return false;
    if (!out.is(Type::kArray)) {
      out = Value{};
      continue;
    }
    const Value* element = out.as_array().find(key);
    out = element == nullptr ? Value{} : Value(*element);
  }
  return true;
}

bool Interpreter::evaluate_array(const Expression& expression, Value& out) {
  out = Value::array({});
  Array array;
  for (size_t i = 0; i < expression.parts.size(); ++i) {
    Value element;
    if (!evaluate(*expression.parts[i], element)) return false;
    if (element.nesting() >= kMaxNesting) {
      return fail("arrays can stand in each other 64 deep, not more", expression.place);
    }
    if (expression.keys[i] == nullptr) {
      array.list.push_back(std::move(element));
      continue;
    }
    Value key;
    if (!evaluate(*expression.keys[i], key)) return false;
    array.keyed.insert_or_assign(key.to_text(), std::move(element));
  }
  out = Value::array(std::move(array));
  return true;
}

bool Interpreter::assign(const Expression& target, Value value) {
  if (target.kind == Kind::kVariable) {
    Variable* variable = find(target.name);
    if (variable == nullptr) {
      return fail("there is no variable " + target.name + " here", target.place);
    }
    if (!variable->global) {
      variable->value = std::move(value);
      return true;
    }
    const auto trouble = globals_.set(target.name, value);
    return trouble ? fail(*trouble, target.place) : true;
  }
  // An element: the arrays on the way are made where there are none.
  std::vector<Value> keys(target.parts.size() - 1);
  for (size_t i = 1; i < target.parts.size(); ++i) {
    if (!evaluate(*target.parts[i], keys[i - 1])) return false;
  }
  Value root;
  if (!evaluate(*target.parts.front(), root)) return false;
  std::vector<Value> way{std::move(root)};
  for (size_t i = 0; i + 1 < keys.size(); ++i) {
    const Value* next = way.back().is(Type::kArray) ? way.back().as_array().find(keys[i]) : nullptr;
    way.push_back(next == nullptr ? Value{} : Value(*next));
  }
  // Held alone, an array is changed where it stands: whoever fills one does not copy it each time.
  if (way.size() == 1) {
    Variable* variable = find(target.parts.front()->name);
    if (variable != nullptr && !variable->global && variable->value.is(Type::kArray)) {
      way.clear();
      const auto trouble = variable->value.put(keys.front(), std::move(value));
      return trouble ? fail(*trouble, target.place) : true;
    }
  }
  for (size_t i = keys.size(); i-- > 0;) {
    if (!way[i].is(Type::kArray)) way[i] = Value::array({});
    if (const auto trouble = way[i].put(keys[i], std::move(value))) {
      return fail(*trouble, target.place);
    }
    value = std::move(way[i]);
  }
  return assign(*target.parts.front(), std::move(value));
}

/// What rows are asked for is judged before any row is: a value that none can have is a mistake in
/// a menu without rows, too. False if it failed.
bool Interpreter::judge_where(const Expression& where, const MenuWord& menu) {
  if (where.kind != Kind::kUnary && where.kind != Kind::kBinary) return true;
  for (const auto& part : where.parts) {
    if (!judge_where(*part, menu)) return false;
  }
  if (where.kind == Kind::kUnary || where.parts.front()->kind != Kind::kProperty) return true;
  const Operator op = where.ops.front();
  const Expression& operand = *where.parts[1];
  if (op == Operator::kAnd || op == Operator::kOr || !is_fixed(operand, menu)) return true;
  const Row before = std::exchange(row_, Row{});
  Value asked;
  const bool known = evaluate(operand, asked);
  row_ = before;
  if (!known) return false;
  as_written(operand, op, asked);
  const model::Property* property =
      menu.menu == nullptr ? nullptr : menu.menu->find(where.parts.front()->name);
  Value answer;
  return keep(compare_field(property, "", op, asked), operand.place, answer);
}

bool Interpreter::matches_row(const Expression& where, const model::PrintRow& row,
                              const model::Menu* menu) {
  if (flow_ != Flow::kGoOn) return false;  // it failed on a row before
  const Row before = std::exchange(row_, Row{&row, menu});
  Value value;
  bool holds = evaluate(where, value);
  row_ = before;
  if (!holds) return false;
  if (where.kind == Kind::kProperty && !value.is(Type::kBool)) return !value.to_text().empty();
  const auto truth_of = truth(value);
  return truth_of ? *truth_of : fail(truth_of.error(), where.place);
}

bool Interpreter::argument(const Command& command, std::string_view name, Value& out) {
  const Argument* written = command.find(name);
  out = Value{};
  return written == nullptr || written->value == nullptr || evaluate(*written->value, out);
}

bool Interpreter::need(const Command& command, std::string_view name, Value& out) {
  const Argument* written = command.find(name);
  if (written == nullptr || written->value == nullptr) {
    return fail(fmt::format("missing value(s) of argument(s) {}", name), command.place);
  }
  return evaluate(*written->value, out);
}

bool Interpreter::condition(const Command& command, std::string_view name, bool& out) {
  Value value;
  if (!need(command, name, value)) return false;
  const auto truth_of = truth(value);
  if (!truth_of) return fail(truth_of.error(), command.find(name)->value_place);
  out = *truth_of;
  return true;
}

}  // namespace maclane::script
