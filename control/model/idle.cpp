#include "control/model/idle.h"

#include <algorithm>

namespace maclane::model {
namespace {

/// A property, and of which rows its default is something: those where another one has this value.
struct Beside {
  std::string_view path, property, other, value;
};
constexpr std::string_view kNames = "/ip/dns/static";
constexpr Beside kBeside[] = {
    {"/ip/firewall/", "reject-with", "action", "reject"},
    {"/ip/firewall/nat", "same-not-by-dst", "action", "same"},
    {kNames, "mx-preference", "type", "MX"},
    {kNames, "srv-port", "type", "SRV"},
    {kNames, "srv-priority", "type", "SRV"},
    {kNames, "srv-weight", "type", "SRV"},
};

struct Silent {
  std::string_view path, property;
};
constexpr Silent kSilent[] = {
    {kNames, "type"},
    {kNames, "match-subdomain"},
    {"/ip/dhcp-server/network", "dhcp-option-set"},
    {"/ip/dhcp-server/lease", "always-broadcast"},
    {"/ip/dhcp-server/lease", "insert-queue-before"},
};

}  // namespace

bool is_idle_default(const View& row, const Property& property) {
  // RouterOS's defaults are taken; what the port's driver does is another thing.
  if (property.has(Property::kNotYet) && row.menu().path == "/interface/ethernet")
    return property.name != "disable-running-check";
  return std::any_of(std::begin(kBeside), std::end(kBeside), [&](const Beside& one) {
    return property.name == one.property && row.menu().path.starts_with(one.path) &&
           row.get(one.other) != one.value;
  });
}

bool is_silent_default(const View& row, const Property& property) {
  return std::any_of(std::begin(kSilent), std::end(kSilent), [&](const Silent& one) {
    return property.name == one.property && row.menu().path == one.path;
  });
}

}  // namespace maclane::model
