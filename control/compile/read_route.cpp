// Rows of /ip/route as they stand (route_parts.h), the places of their properties looked up once.
// Control thread.
#include "control/compile/route_parts.h"
#include "control/model/value.h"

namespace maclane::compile {
namespace {

using Kind = NextHop::Kind;

struct RouteColumns {
  explicit RouteColumns(const model::Menu& of)
      : menu(of),
        dst(of.index("dst-address")),
        gateway(of.index("gateway")),
        distance(of.index("distance")),
        pref_src(of.index("pref-src")),
        table(of.index("routing-table")),
        blackhole(of.index("blackhole")),
        type(of.index("type")),
        check(of.index("check-gateway")),
        scope(of.index("scope")),
        target_scope(of.index("target-scope")),
        disabled(of.index("disabled")) {}

  /// A row's value, or the default.
  [[nodiscard]] std::string_view get(const model::Row& row, int column) const {
    const std::string_view value = row.at(column);
    return value.empty() && column >= 0 ? menu.properties[static_cast<size_t>(column)].default_value
                                        : value;
  }
  [[nodiscard]] uint8_t octet(const model::Row& row, int column) const {
    return static_cast<uint8_t>(model::parse_integer(get(row, column)).value_or(0));
  }

  const model::Menu& menu;
  int dst, gateway, distance, pref_src, table, blackhole, type, check, scope, target_scope,
      disabled;
};

}  // namespace

StoredRoute read_route(const model::Menu& menu, const model::Row& row, RouteTable& texts) {
  static const RouteColumns c(menu);
  StoredRoute route{.row = &row};
  const auto dst = model::parse_prefix(c.get(row, c.dst));
  if (c.get(row, c.disabled) == "true" || !dst) return route;
  const std::string_view type =
      c.get(row, c.blackhole) == "true" ? "blackhole" : c.get(row, c.type);
  route.kind = type == "blackhole"     ? Kind::kBlackhole
               : type == "prohibit"    ? Kind::kProhibit
               : type == "unreachable" ? Kind::kUnreachable
                                       : Kind::kGateway;
  const std::string_view how = c.get(row, c.check);
  const std::string_view table = c.get(row, c.table);
  RouteInfo& info = route.info;
  info.dst = {dst->network(), dst->length};
  info.gateway = texts.keep(row.at(c.gateway));
  info.distance = c.octet(row, c.distance);
  info.scope = c.octet(row, c.scope);
  info.target_scope = c.octet(row, c.target_scope);
  info.pref_src = model::parse_ip4(row.at(c.pref_src)).value_or(0);
  info.row = row.id;
  if (table != "main") info.table = texts.keep(table);
  info.check = how == "ping"  ? GatewayProof::kPing
               : how == "arp" ? GatewayProof::kArp
                              : GatewayProof::kNone;
  return route;
}

}  // namespace maclane::compile
