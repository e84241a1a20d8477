#include "control/script/in_full.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "control/model/nearest.h"
#include "control/model/value.h"

namespace maclane::script {
namespace {

using model::Property;

constexpr std::string_view kYesNo[] = {"yes", "no"};

std::vector<std::string_view> values_of(const Property& property) {
  if (property.type == model::Type::kBool) return {std::begin(kYesNo), std::end(kYesNo)};
  if (property.type != model::Type::kEnum) return {};
  std::vector<std::string_view> out(property.values.begin(), property.values.end());
  out.insert(out.end(), property.not_working.begin(), property.not_working.end());
  return out;
}

}  // namespace

tl::expected<std::string, std::string> in_full(const Property& property, std::string_view written) {
  const std::vector<std::string_view> values = values_of(property);
  if (values.empty() || written.empty()) return std::string(written);
  std::string out;
  if (property.has(Property::kNegatable) && written.starts_with('!')) {
    out = '!';
    written.remove_prefix(1);
  }
  const bool list = property.has(Property::kList);
  bool first = true;
  for (std::string_view part :
       list ? model::split_list(written) : std::vector<std::string_view>{written}) {
    if (!std::exchange(first, false)) out += ',';
    std::vector<std::string_view> begin_so;
    std::copy_if(values.begin(), values.end(), std::back_inserter(begin_so),
                 [&](std::string_view value) { return value.starts_with(part); });
    std::sort(begin_so.begin(), begin_so.end());
    begin_so.erase(std::unique(begin_so.begin(), begin_so.end()), begin_so.end());
    const bool whole = part.empty() || begin_so.empty() || begin_so.front() == part;
    if (!whole && begin_so.size() > 1) {
      return tl::make_unexpected(
          fmt::format("ambiguous value of {}, more than one possible value matches input: {} may "
                      "be {}",
                      property.name, part, model::any_of(begin_so)));
    }
    out += whole ? part : begin_so.front();
  }
  return out;
}

tl::expected<std::string, std::string> asked_for(const Property& property,
                                                 std::string_view written) {
  using model::Type;
  const bool few = property.type == Type::kEnum || property.type == Type::kBool ||
                   property.type == Type::kProtocol;
  const bool number = property.type == Type::kInteger && !property.has(Property::kReadOnly) &&
                      !property.has(Property::kList);
  if (written.empty() || !(few || number)) return std::string(written);
  if (number) {
    // One out of range is a number all the same.
    if (model::parse_integer(written) || model::normalize(property, written))
      return std::string(written);
    return tl::make_unexpected(
        fmt::format("{}: {}", property.name, model::normalize(property, written).error()));
  }
  auto full = in_full(property, written);
  if (!full) return tl::make_unexpected(fmt::format("{}: {}", property.name, full.error()));
  if (const auto canonical = model::normalize(property, *full); !canonical)
    return tl::make_unexpected(fmt::format("{}: {}", property.name, canonical.error()));
  return full;
}

}  // namespace maclane::script
