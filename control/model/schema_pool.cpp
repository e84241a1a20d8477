// The tables of /ip/pool (behaviour.md C-1): addresses to give away.
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr std::string_view kPools[] = {"/ip/pool"};
constexpr std::string_view kNone[] = {"none"};

constexpr Property kPool[] = {
    {.name = "name",
     .type = Type::kString,
     .flags = P::kRequired | P::kName,
     .max = 63,
     .help = "what DHCP servers call it"},
    {.name = "ranges",
     .type = Type::kIp4Set,
     .flags = P::kRequired | P::kList,
     .help = "its addresses: 192.168.99.10-192.168.99.254; several with commas"},
    {.name = "next-pool",
     .type = Type::kReference,
     .default_value = "none",
     .values = kNone,
     .reference = kPools,
     .help = "where addresses come from when this one has none left"},
    comment(),
    read_only("total", Type::kInteger, "addresses it has"),
    read_only("used", Type::kInteger, "those that somebody has"),
    read_only("available", Type::kInteger, "those that are left"),
};
constexpr std::string_view kPoolColumns[] = {"name",  "ranges", "next-pool",
                                             "total", "used",   "available"};
constexpr Property kPoolUsed[] = {
    read_only("pool", Type::kString, "the pool"),
    read_only("address", Type::kIp4, "an address of it"),
    read_only("owner", Type::kString, "which service gave it"),
    read_only("info", Type::kString, "who has it: the MAC address of a DHCP client"),
};
constexpr std::string_view kPoolUsedColumns[] = {"pool", "address", "owner", "info"};

constexpr Menu kMenus[] = {
    {"/ip/pool", Menu::Kind::kList, kPool, {}, kPoolColumns, {}, "addresses to give away"},
    {"/ip/pool/used",
     Menu::Kind::kState,
     kPoolUsed,
     {},
     kPoolUsedColumns,
     {},
     "addresses of pools that somebody has"},
};

}  // namespace

std::span<const Menu> pool_menus() {
  return kMenus;
}

}  // namespace maclane::model
