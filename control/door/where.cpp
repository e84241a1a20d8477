// Whether a row satisfies a where expression. See where.h; the text is read in where_parser.cpp.
#include "control/door/where.h"

#include <optional>

#include "control/model/value.h"

namespace maclane::door {
namespace {

constexpr size_t kMaxSubject = 1024;  // letters of a value that a regular expression looks at

/// -1, 0, 1 as the values stand to each other; nullopt if the row has none.
std::optional<int> order(const model::Property* property, std::string_view have,
                         std::string_view want) {
  if (have.empty()) return std::nullopt;
  const auto sign = [](auto a, auto b) { return a < b ? -1 : (a > b ? 1 : 0); };
  const bool is_time = property != nullptr && (property->type == model::Type::kTime ||
                                               property->type == model::Type::kAutoTime);
  if (!is_time) {
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
  const int text = have.compare(want);
  return sign(text, 0);
}

bool equal(const model::Property* property, std::string_view have, std::string_view want,
           std::string_view canonical) {
  if (have == want || have == canonical) return true;
  if (const auto b = model::parse_bool(want)) {
    // An unset switch is off.
    if (have.empty()) {
      const bool is_bool = property != nullptr && property->type == model::Type::kBool;
      return is_bool && !*b;
    }
    if (const auto a = model::parse_bool(have)) return *a == *b;
  }
  if (have.empty() || want.empty()) return false;
  if (property != nullptr && property->type == model::Type::kString) return false;
  const auto o = order(property, have, want);
  return o && *o == 0;
}

bool inside(std::string_view value, const model::Ip4Range& range) {
  if (value.empty()) return false;
  for (std::string_view part : model::split_list(value)) {
    const auto r = model::parse_ip4_set(part);
    if (!r || r->first < range.first || r->last > range.last) return false;
  }
  return true;
}

std::string field(const model::PrintRow& row, std::string_view name) {
  if (name == ".id") return row.id;
  if (name == "dynamic") return row.dynamic ? "true" : "false";
  return std::string(row.get(name));
}

}  // namespace

bool Where::matches(const model::PrintRow& row) const {
  return holds(nodes_[root_], row);
}

bool Where::holds(const Node& node, const model::PrintRow& row) const {
  switch (node.kind) {
    case Kind::kAnd:
      for (size_t part : node.parts)
        if (!holds(nodes_[part], row)) return false;
      return true;
    case Kind::kOr:
      for (size_t part : node.parts)
        if (holds(nodes_[part], row)) return true;
      return false;
    case Kind::kNot:
      return !holds(nodes_[node.parts.front()], row);
    default:
      break;
  }
  const std::string have = field(row, node.name);
  switch (node.kind) {
    case Kind::kIsSet: {
      const auto truth = node.value.empty() ? model::parse_bool(have) : std::nullopt;
      return truth ? *truth : !have.empty();
    }
    case Kind::kEqual:
      return equal(node.property, have, node.value, node.canonical);
    case Kind::kLess:
    case Kind::kGreater: {
      const auto o = order(node.property, have, node.canonical);
      return o && *o == (node.kind == Kind::kLess ? -1 : 1);
    }
    case Kind::kRegex: {
      try {
        return std::regex_search(have.substr(0, kMaxSubject), *node.regex);
      } catch (const std::regex_error&) {
        return false;  // the expression ran out of its bounds on this value
      }
    }
    case Kind::kIn:
      return inside(have, node.range);
    default:
      return false;
  }
}

}  // namespace maclane::door
