// Comparing what rows hold with what a where expression says. See rows.h.
#include "control/script/rows.h"

#include <algorithm>
#include <optional>

#include "control/model/value.h"
#include "control/script/in_full.h"

namespace maclane::script {
namespace {

using model::Property;
using PropertyType = model::Type;

bool is_time(const Property* property) {
  return property != nullptr &&
         (property->type == PropertyType::kTime || property->type == PropertyType::kAutoTime);
}

/// -1, 0, 1 as the texts stand to each other; nullopt if the row has none.
std::optional<int> order(const Property* property, std::string_view have, std::string_view want) {
  if (have.empty()) return std::nullopt;
  const auto sign = [](auto a, auto b) { return a < b ? -1 : (a > b ? 1 : 0); };
  if (!is_time(property)) {
    const auto a = model::parse_integer(have);
    const auto b = model::parse_integer(want);
    if (a && b) return sign(*a, *b);
    const auto x = model::parse_ip4(have);
    const auto y = model::parse_ip4(want);
    if (x && y) return sign(*x, *y);
  }
  const auto a = model::parse_time_ms(have);
  const auto b = model::parse_time_ms(want);
  if (a && b) return sign(*a, *b);
  return sign(have.compare(want), 0);
}

bool same(const Property* property, std::string_view have, std::string_view want,
          std::string_view canonical) {
  if (have == want || have == canonical) return true;
  if (const auto b = model::parse_bool(want)) {
    if (have.empty()) return property != nullptr && property->type == PropertyType::kBool && !*b;
    if (const auto a = model::parse_bool(have)) return *a == *b;
  }
  // What goes without saying is so for all that: type=A.
  if (have.empty() && property != nullptr && property->type == PropertyType::kEnum &&
      !property->has(Property::kHidden) && canonical == property->default_value)
    return true;
  if (have.empty() || want.empty()) return false;
  if (property != nullptr && property->type == PropertyType::kString) return false;
  const auto o = order(property, have, want);
  return o && *o == 0;
}

/// Whether one address, prefix or range lies in another.
bool lies_in(std::string_view inner, std::string_view outer) {
  const auto one = model::parse_ip4_set(inner);
  const auto range = model::parse_ip4_set(outer);
  return one && range && one->first >= range->first && one->last <= range->last;
}

bool inside(std::string_view field, std::string_view want) {
  const auto parts = model::split_list(field);
  return !field.empty() && std::all_of(parts.begin(), parts.end(),
                                       [&](std::string_view one) { return lies_in(one, want); });
}

}  // namespace

Value property_value(const model::Property* property, std::string_view text) {
  if (property == nullptr) {
    if (text == "true" || text == "false") return Value::boolean(text == "true");
    return Value::text(std::string(text));
  }
  if (property->has(Property::kList)) {
    Array out;
    for (std::string_view part : model::split_list(text)) {
      out.list.push_back(Value::text(std::string(part)));
    }
    return Value::array(std::move(out));
  }
  switch (property->type) {
    case PropertyType::kBool:
      return Value::boolean(text == "true");
    case PropertyType::kInteger:
      if (const auto number = read_number(text)) return Value::number(*number);
      break;
    case PropertyType::kTime:
    case PropertyType::kAutoTime:
      if (const auto time = read_time(text)) return Value::time(*time);
      break;
    case PropertyType::kIp4:
      if (const auto ip = model::parse_ip4(text)) return Value::ip(*ip);
      break;
    default:
      break;
  }
  return Value::text(std::string(text));
}

std::string_view row_field(const model::PrintRow& row, std::string_view name) {
  if (name == ".id") return row.id;
  if (name == "dynamic") return row.dynamic ? "true" : "false";
  return row.get(name);
}

bool field_covers(std::string_view field, const Value& value) {
  const std::string wanted = value.to_argument();
  const auto parts = model::split_list(field);
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view one) { return one == wanted || lies_in(wanted, one); });
}

Calculated compare_field(const model::Property* property, std::string_view field, Operator op,
                         const Value& value) {
  std::string want = value.to_argument();
  if (value.is(Type::kTime)) want = model::format_time_ms(value.as_time() / 1'000'000);
  const auto answer = [](bool yes) { return Value::boolean(yes); };
  if (op == Operator::kMatch) {
    auto found = matches(std::string(field), value.to_text());
    if (!found) return tl::make_unexpected(std::move(found.error()));
    return answer(*found);
  }
  if (property != nullptr && !value.is(Type::kArray)) {
    auto full = asked_for(*property, op, want);
    if (!full) return tl::make_unexpected(std::move(full.error()));
    want = std::move(*full);
  }
  if (op == Operator::kIn) {
    if (!value.is(Type::kArray)) return answer(inside(field, want));
    return calculate(op, Value::text(std::string(field)), value);
  }
  std::string canonical = want;
  if (property != nullptr && !want.empty()) {
    // "auto" for a MAC means unset: that is not what was asked for.
    if (auto normal = model::normalize(*property, want); normal && !normal->empty()) {
      canonical = std::move(*normal);
    }
  }
  switch (op) {
    case Operator::kEqual:
      return answer(same(property, field, want, canonical));
    case Operator::kUnequal:
      return answer(!same(property, field, want, canonical));
    default:
      break;
  }
  const auto o = order(property, field, canonical);
  if (!o) return answer(false);
  switch (op) {
    case Operator::kLess:
      return answer(*o < 0);
    case Operator::kGreater:
      return answer(*o > 0);
    case Operator::kLessEqual:
      return answer(*o <= 0);
    case Operator::kGreaterEqual:
      return answer(*o >= 0);
    default:
      return calculate(op, property_value(property, field), value);
  }
}

}  // namespace maclane::script
