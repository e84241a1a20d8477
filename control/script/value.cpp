// Values and what holds them. See value.h; how they read and write as text is in value_text.cpp.
#include "control/script/value.h"

#include <algorithm>
#include <utility>

#include "control/model/value.h"

namespace maclane::script {
namespace {

// What one value costs beside its letters: measured generously, it only has to be bounded.
constexpr size_t kTextCost = 64;
constexpr size_t kElementCost = 64;
constexpr size_t kKeyCost = 128;

thread_local std::shared_ptr<Budget> charged;

size_t cost_of(const Array& array) {
  return kTextCost + array.list.size() * kElementCost + array.keyed.size() * kKeyCost;
}

}  // namespace

Budget::Use::Use(std::shared_ptr<Budget> budget)
    : before_(std::exchange(charged, std::move(budget))) {}
Budget::Use::~Use() {
  charged = std::move(before_);
}
const std::shared_ptr<Budget>& Budget::current() {
  return charged;
}

struct Value::TextRep {
  explicit TextRep(std::string value) : text(std::move(value)), share(text.size() + kTextCost) {}
  std::string text;
  Share share;
};

struct Value::ArrayRep {
  explicit ArrayRep(Array value) : array(std::move(value)), share(cost_of(array)) {
    for (const Value& one : array.list) nesting = std::max(nesting, one.nesting());
    for (const auto& [key, one] : array.keyed) nesting = std::max(nesting, one.nesting());
    ++nesting;
  }
  Array array;
  Share share;
  uint32_t nesting = 0;
};

Value Value::nil() {
  return {Type::kNil, int64_t{0}};
}
Value Value::boolean(bool value) {
  return {Type::kBool, int64_t{value ? 1 : 0}};
}
Value Value::number(int64_t value) {
  return {Type::kNumber, value};
}
Value Value::time(int64_t nanoseconds) {
  return {Type::kTime, nanoseconds};
}
Value Value::text(std::string value) {
  return {Type::kText, std::make_shared<const TextRep>(std::move(value))};
}
Value Value::ip(uint32_t host_order) {
  return {Type::kIp, int64_t{host_order}};
}
Value Value::prefix(Prefix value) {
  return {Type::kPrefix, value};
}
Value Value::ip6(std::string text, bool prefix) {
  return {prefix ? Type::kIp6Prefix : Type::kIp6, std::make_shared<const TextRep>(std::move(text))};
}
Value Value::id(std::string text) {
  return {Type::kId, std::make_shared<const TextRep>(std::move(text))};
}
Value Value::array(Array value) {
  return {Type::kArray, std::make_shared<ArrayRep>(std::move(value))};
}
Value Value::function(Function value) {
  return {Type::kFunction, std::move(value)};
}

const std::string& Value::as_text() const {
  return std::get<std::shared_ptr<const TextRep>>(data_)->text;
}
const Array& Value::as_array() const {
  return std::get<std::shared_ptr<ArrayRep>>(data_)->array;
}

uint32_t Value::nesting() const {
  return type_ == Type::kArray ? std::get<std::shared_ptr<ArrayRep>>(data_)->nesting : 0;
}

std::optional<std::string> Value::put(const Value& key, Value element) {
  if (element.nesting() >= kMaxNesting) return "arrays can stand in each other 64 deep, not more";
  auto& rep = std::get<std::shared_ptr<ArrayRep>>(data_);
  if (rep.use_count() > 1) rep = std::make_shared<ArrayRep>(rep->array);
  Array& array = rep->array;
  rep->nesting = std::max(rep->nesting, element.nesting() + 1);
  if (!key.is(Type::kNumber)) {
    array.keyed.insert_or_assign(key.to_text(), std::move(element));
  } else {
    const int64_t index = key.as_number();
    if (index < 0 || index >= static_cast<int64_t>(kMaxElements)) {
      return "an array has places 0 to " + std::to_string(kMaxElements - 1);
    }
    const auto place = static_cast<size_t>(index);
    if (place >= array.list.size()) array.list.resize(place + 1);
    array.list[place] = std::move(element);
  }
  if (array.size() > kMaxElements) {
    return "an array has at most " + std::to_string(kMaxElements) + " elements";
  }
  rep->share.resize(cost_of(array));
  return std::nullopt;
}

std::string_view Value::type_name() const {
  switch (type_) {
    case Type::kNothing:
      return "nothing";
    case Type::kNil:
      return "nil";
    case Type::kBool:
      return "bool";
    case Type::kNumber:
      return "num";
    case Type::kTime:
      return "time";
    case Type::kText:
      return "str";
    case Type::kIp:
      return "ip";
    case Type::kPrefix:
      return "ip-prefix";
    case Type::kIp6:
      return "ip6";
    case Type::kIp6Prefix:
      return "ip6-prefix";
    case Type::kId:
      return "id";
    case Type::kFunction:
      return as_function().kind == Function::Kind::kCode     ? "code"
             : as_function().kind == Function::Kind::kQuoted ? "op"
                                                             : "array";
    case Type::kArray:
      break;
  }
  return "array";
}

std::string_view Value::spoken_type() const {
  switch (type_) {
    case Type::kBool:
      return "boolean";
    case Type::kNumber:
      return "integer number";
    case Type::kTime:
      return "time interval";
    case Type::kText:
      return "string";
    case Type::kIp:
      return "ip address";
    case Type::kPrefix:
      return "ip prefix";
    case Type::kIp6:
      return "ipv6 address";
    case Type::kIp6Prefix:
      return "ipv6 prefix";
    case Type::kId:
      return "internal number";
    case Type::kFunction:
      return "code";
    default:
      return type_name();
  }
}

const Value* Array::at(size_t index) const {
  if (index < list.size()) return &list[index];
  index -= list.size();
  if (index >= keyed.size()) return nullptr;
  return &std::next(keyed.begin(), static_cast<std::ptrdiff_t>(index))->second;
}

const Value* Array::find(const Value& key) const {
  if (key.is(Type::kNumber)) {
    const int64_t index = key.as_number();
    return index < 0 ? nullptr : at(static_cast<size_t>(index));
  }
  const auto found = keyed.find(key.to_text());
  return found == keyed.end() ? nullptr : &found->second;
}

}  // namespace maclane::script
