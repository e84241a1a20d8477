// The stack machine. See query.h.
#include "control/door/query.h"

#include <algorithm>

#include "control/model/value.h"

namespace maclane::door {
namespace {

/// The property's value; nullptr where the row has none.
const std::string* value_of(const model::PrintRow& row, std::string_view property) {
  if (property == ".id") return row.id.empty() ? nullptr : &row.id;
  for (const auto& [name, value] : row.fields) {
    if (name == property) return &value;
  }
  return nullptr;
}

std::string canonical(const model::Menu* menu, std::string_view name, std::string_view value) {
  const model::Property* property = menu == nullptr ? nullptr : menu->find(name);
  if (property == nullptr) return std::string(value);
  const auto out = model::normalize(*property, value);
  return out ? *out : std::string(value);
}

template <typename T>
int three_way(T left, T right) {
  return left < right ? -1 : left > right ? 1 : 0;
}

/// Values above the infinite true ones at the bottom.
class Stack {
 public:
  void push(bool value) {
    if (values_.size() < Query::kMaxStack) values_.push_back(value);
  }
  bool pop() {
    if (values_.empty()) return true;
    const bool value = values_.back();
    values_.pop_back();
    return value;
  }
  [[nodiscard]] bool at(size_t index) const {
    return index >= values_.size() || values_[values_.size() - 1 - index];
  }
  void keep(size_t index) {
    const bool value = at(index);
    values_.assign(1, value);
  }
  [[nodiscard]] bool all() const {
    return std::all_of(values_.begin(), values_.end(), [](bool b) { return b; });
  }

 private:
  std::vector<bool> values_;
};

}  // namespace

int compare_values(std::string_view left, std::string_view right) {
  const auto l = model::parse_integer(left);
  const auto r = model::parse_integer(right);
  if (l && r) return three_way(*l, *r);
  const auto left_ip = model::parse_prefix(left);
  const auto right_ip = model::parse_prefix(right);
  if (left_ip && right_ip) {
    const int by_address = three_way(left_ip->address, right_ip->address);
    return by_address != 0 ? by_address : three_way(left_ip->length, right_ip->length);
  }
  const auto left_time = model::parse_time_ms(left);
  const auto right_time = model::parse_time_ms(right);
  if (left_time && right_time) return three_way(*left_time, *right_time);
  return three_way(left, right);
}

bool Query::add_operations(std::string_view word, std::vector<Step>& steps) {
  using Kind = Step::Kind;
  bool after_index = false;
  for (size_t i = 0; i < word.size();) {
    if (word[i] >= '0' && word[i] <= '9') {
      size_t index = 0;
      for (; i < word.size() && word[i] >= '0' && word[i] <= '9'; ++i)
        index = std::min<size_t>(index * 10 + static_cast<size_t>(word[i] - '0'), kMaxStack);
      steps.push_back({i == word.size() ? Kind::kKeep : Kind::kIndex, {}, {}, index});
      after_index = true;
      continue;
    }
    switch (word[i]) {
      case '!':
        steps.push_back({Kind::kNot, {}, {}});
        break;
      case '&':
        steps.push_back({Kind::kAnd, {}, {}});
        break;
      case '|':
        steps.push_back({Kind::kOr, {}, {}});
        break;
      case '.':
        if (!after_index) steps.push_back({Kind::kCopy, {}, {}});
        break;
      default:
        return false;
    }
    after_index = false;
    ++i;
  }
  return true;
}

tl::expected<Query, std::string> Query::compile(const model::Menu* menu,
                                                const std::vector<std::string>& words) {
  using Kind = Step::Kind;
  Query out;
  if (words.size() > kMaxWords) {
    return tl::make_unexpected("the query has more than " + std::to_string(kMaxWords) + " words");
  }
  for (const std::string& word : words) {
    std::string_view rest = word;
    if (rest.empty()) return tl::make_unexpected("a word of the query is empty");
    if (rest.front() == '#') {
      if (!add_operations(rest.substr(1), out.steps_) || out.steps_.size() > kMaxStack) {
        return tl::make_unexpected("the query's operations \"" + word.substr(0, 64) +
                                   "\" must be indices, '!', '&', '|' and '.'");
      }
      continue;
    }
    Kind kind = Kind::kEqual;
    const char first = rest.front();
    if (first == '-' || first == '=' || first == '<' || first == '>') rest.remove_prefix(1);
    if (first == '<') kind = Kind::kLess;
    if (first == '>') kind = Kind::kGreater;
    const size_t equals = rest.find('=');
    const bool has_value = equals != std::string_view::npos && first != '-';
    const std::string_view name = has_value ? rest.substr(0, equals) : rest;
    if (name.empty() || (kind != Kind::kEqual && !has_value)) {
      return tl::make_unexpected("the query word \"" + word.substr(0, 64) +
                                 "\" must be name, -name, name=value, <name=value or >name=value");
    }
    if (!has_value) kind = first == '-' ? Kind::kLacks : Kind::kHas;
    out.steps_.push_back(
        {kind, std::string(name), has_value ? canonical(menu, name, rest.substr(equals + 1)) : ""});
  }
  return out;
}

bool Query::matches(const model::PrintRow& row) const {
  using Kind = Step::Kind;
  if (steps_.empty()) return true;
  Stack stack;
  for (const Step& step : steps_) {
    switch (step.kind) {
      case Kind::kHas:
        stack.push(value_of(row, step.property) != nullptr);
        break;
      case Kind::kLacks:
        stack.push(value_of(row, step.property) == nullptr);
        break;
      case Kind::kEqual: {
        const std::string* value = value_of(row, step.property);
        stack.push(value == nullptr ? step.value.empty() : *value == step.value);
        break;
      }
      case Kind::kLess:
      case Kind::kGreater: {
        const std::string* value = value_of(row, step.property);
        const int order = value == nullptr ? 0 : compare_values(*value, step.value);
        stack.push(step.kind == Kind::kLess ? order < 0 : order > 0);
        break;
      }
      case Kind::kIndex:
        stack.push(stack.at(step.index));
        break;
      case Kind::kKeep:
        stack.keep(step.index);
        break;
      case Kind::kNot:
        stack.push(!stack.pop());
        break;
      case Kind::kAnd:
      case Kind::kOr: {
        const bool right = stack.pop();
        const bool left = stack.pop();
        stack.push(step.kind == Kind::kAnd ? left && right : left || right);
        break;
      }
      case Kind::kCopy:
        stack.push(stack.at(0));
        break;
    }
  }
  return stack.all();
}

}  // namespace maclane::door
