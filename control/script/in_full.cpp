#include "control/script/in_full.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "control/model/nearest.h"
#include "control/model/value.h"

namespace maclane::script {
namespace {

using model::Property;
using Wanted = tl::expected<std::string, std::string>;

constexpr std::string_view kYesNo[] = {"yes", "no"};
constexpr size_t kMostShown = 64;  // characters of a wrong value that are said back

/// What rows can be asked for in a property.
enum class Asked : uint8_t {
  kAnything,  // free text, names of rows, and what rows show beyond what can be set
  kFew,       // one of few values, as far as it is clear
  kNumber,
  kTime,
  kAddress,  // of IP or of Ethernet, ports, and what else has a form of its own
};

Asked how_asked(const Property& property) {
  using model::Type;
  const bool shown_only = property.has(Property::kReadOnly);
  switch (property.type) {
    case Type::kEnum:
    case Type::kBool:
    case Type::kProtocol:
      return Asked::kFew;
    case Type::kInteger:
      return shown_only || property.has(Property::kList) ? Asked::kAnything : Asked::kNumber;
    case Type::kTime:
    case Type::kAutoTime:
      return Asked::kTime;
    case Type::kMac:
    case Type::kIp4:
    case Type::kIp4Prefix:
    case Type::kIp4Set:
    case Type::kGateway:
    case Type::kPorts:
    case Type::kIcmpOptions:
      return Asked::kAddress;
    case Type::kString:
    case Type::kReference:
      break;
  }
  return Asked::kAnything;
}

std::vector<std::string_view> values_of(const Property& property) {
  if (property.type == model::Type::kBool) return {std::begin(kYesNo), std::end(kYesNo)};
  if (property.type != model::Type::kEnum) return {};
  std::vector<std::string_view> out(property.values.begin(), property.values.end());
  out.insert(out.end(), property.not_working.begin(), property.not_working.end());
  return out;
}

bool orders(Operator op) {
  return op == Operator::kLess || op == Operator::kLessEqual || op == Operator::kGreater ||
         op == Operator::kGreaterEqual;
}

/// What an address is to be in: an address, a prefix or a range. No row here has one of IPv6, but
/// it is none the less a prefix.
Wanted within(const Property& property, std::string_view written) {
  if (model::parse_ip4_set(written) || model::parse_ip6_prefix(written))
    return std::string(written);
  return tl::make_unexpected(fmt::format(
      "{}: \"{}\" is no set of addresses to be in; write 192.0.2.0/24 or 192.0.2.10-192.0.2.20",
      property.name, written.substr(0, kMostShown)));
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

Wanted asked_for(const Property& property, Operator op, std::string_view written) {
  const Asked asked = how_asked(property);
  const bool equals = op == Operator::kEqual || op == Operator::kUnequal;
  if (written.empty() || asked == Asked::kAnything ||
      !(equals || orders(op) || op == Operator::kIn))
    return std::string(written);
  if (op == Operator::kIn)
    return asked == Asked::kAddress ? within(property, written) : std::string(written);
  std::string full(written);
  if (asked == Asked::kFew) {
    if (!equals) return full;
    auto whole = in_full(property, written);
    if (!whole) return tl::make_unexpected(fmt::format("{}: {}", property.name, whole.error()));
    full = std::move(*whole);
  }
  // A number or a time out of range is one all the same.
  if (asked == Asked::kNumber && model::parse_integer(written)) return full;
  if (asked == Asked::kTime && model::parse_time_ms(written)) return full;
  if (const auto canonical = model::normalize(property, full); !canonical)
    return tl::make_unexpected(fmt::format("{}: {}", property.name, canonical.error()));
  return full;
}

}  // namespace maclane::script
