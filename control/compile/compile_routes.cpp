// Addresses and routes: next hops, the FIB, and the rows of /ip/route as people see them. Control
// thread.
//
// Two tables, as Linux has them. The local one holds the router's own addresses (while their
// interface is enabled, whatever its link) and broadcast addresses, and is asked first. The main
// one holds connected networks (distance 0, active while the interface is up) and static routes;
// of one destination the lowest distance with a way is active, and equals share. A gateway must
// lie in an active connected network, which is what RouterOS's scope 30 and target-scope 10 say, or
// be led to by other routes where target-scope says so (recursion.h). Tables of /routing/table hold
// routes alone, whose gateways main's networks lead to; which packet asks them is
// compile_policy.cpp's. And each interface has the way that answers leave by, if what they answer
// came in there: of the default routes through it, whatever their table and whether they are
// active, the one with the lowest distance.
#include <fmt/format.h>

#include <algorithm>

#include "control/compile/gateways.h"
#include "control/compile/next_hops.h"
#include "control/compile/parts.h"
#include "control/compile/recursion.h"
#include "control/compile/redirected.h"
#include "control/compile/route_parts.h"

namespace maclane::compile {
namespace {

using model::Ip4Prefix;
using Kind = NextHop::Kind;

constexpr uint32_t kLimitedBroadcast = 0xffffffff;
constexpr ptrdiff_t kMostGone = 64;  // rows passed over in looking for one of the compile before
constexpr Ip4Prefix kLoopback{0x7f000000, 8};  // never leaves the router, whatever the routes say

class Router {
 public:
  explicit Router(Work& work) : work_(work), hops_(work.snapshot.next_hops), gateways_(work) {}

  void run() {
    keep_texts();
    model::for_each(work_.tree, "/ip/address", [&](const model::View& row) { add_address(row); });
    current_.reset();
    for (const LearnedAddress& one : work_.learned.peers.addresses) {
      const Ip4Prefix prefix{one.address, one.length};
      add_address({one.interface, prefix, one.network == 0 ? prefix.network() : one.network, 0});
    }
    add_local(kLimitedBroadcast, {.kind = Kind::kBroadcast}, kBroadcast);
    gateways_.collect();
    model::for_each(work_.tree, "/routing/table", [&](const model::View& row) {
      if (!row.disabled()) tables_[std::string(row.raw("name"))];
    });
    work_.snapshot.return_ways.assign(work_.snapshot.interfaces.size(), 0);
    for (const LearnedRoute& one : work_.learned.peers.routes) add_learned(one);
    add_stored();
    if (!work_.errors.empty()) return;
    build();
  }

 private:
  enum LocalRank : uint16_t { kOwn, kBroadcast };
  /// 0 stands for "none" where there are too many, which is one error, at the first row of them.
  uint16_t hop(const NextHop& hop) {
    const auto index = hops_.add(hop);
    if (!index) too_many_hops();
    return index.value_or(0);
  }

  void too_many_hops() {
    if (!work_.errors.empty() || !current_) return;
    work_.errors.push_back(current_->error(
        current_->menu().path == "/ip/route" ? "gateway" : "address",
        fmt::format("addresses and routes lead to more than {} different next hops, which is the "
                    "most; let routes share gateways",
                    Fib4::kMaxNextHop)));
  }

  void add_local(uint32_t address, const NextHop& way, LocalRank rank) {
    local_.add({.destination = key_of(address, 32), .rank = rank, .way = hop(way)});
  }

  void add_address(const model::View& row) {
    const auto prefix = model::parse_prefix(row.raw("address"));
    if (row.disabled() || !prefix) return;
    current_ = row;
    const auto written = model::parse_ip4(row.raw("network"));
    add_address({std::string(row.raw("interface")), *prefix,
                 written.value_or(prefix->address) & prefix->mask(), row.row().id});
  }

  void add_address(const AddressInfo& one) {
    const std::string& name = one.interface;
    const IfIndex index = work_.state.names.index_of(name);
    if (index == kNoIf || work_.interface(index).attached) return;
    const Ip4Prefix* const prefix = &one.prefix;
    const Ip4Prefix network{one.network, prefix->length};
    const bool up = work_.interface(index).up;
    if (work_.enabled[index]) {
      add_local(prefix->address, {.kind = Kind::kLocal, .out_if = index}, kOwn);
      gateways_.add_own(prefix->address);
    }
    if (up && prefix->length <= 30) {
      const NextHop way{.kind = Kind::kBroadcast, .out_if = index};
      add_local(network.network(), way, kBroadcast);
      add_local(network.broadcast(), way, kBroadcast);
    }
    const uint64_t destination = key_of(network.address, network.length);
    work_.state.addresses.push_back(one);
    if (!gateways_.add_network(network, index, prefix->address)) return;
    RouteInfo info;
    info.dst = network;
    info.gateway = work_.state.routes.keep(name);
    info.active = up;
    info.connect = true;
    info.scope = kConnectedScope;
    info.target_scope = 5;
    if (up) info.immediate_gateway = info.gateway;
    info.pref_src = prefix->address;
    work_.state.routes.rows.push_back(info);
    if (!up) return;
    main_.add({.destination = destination,
               .way = hop({.kind = Kind::kConnected,
                           .out_if = index,
                           .pref_src = gateways_.source(index, prefix->address)})});
  }

  void add_learned(const LearnedRoute& one) {
    RouteInfo info;
    info.dst = {one.network, one.length};
    info.gateway = work_.state.routes.keep(one.gateway);
    info.distance = one.distance;
    info.pref_src = one.pref_src;
    info.learned = one.origin;
    info.table = work_.state.routes.keep(one.table);
    info.check = one.check;
    info.type = one.type;
    switch (one.type) {
      case LearnedRoute::Type::kUnicast:
        return add_by_gateway(info, one.check);
      case LearnedRoute::Type::kBlackhole:
        return add_route(info, hops_of({{.kind = Kind::kBlackhole}}, info));
      case LearnedRoute::Type::kUnreachable:
        return add_route(info, hops_of({{.kind = Kind::kUnreachable}}, info));
      case LearnedRoute::Type::kProhibit:
        return add_route(info, hops_of({{.kind = Kind::kProhibit}}, info));
    }
  }

  /// The texts of the table before, unless most of them are of routes that went.
  void keep_texts() {
    if (work_.previous == nullptr) return;
    const RouteTable& before = work_.previous->routes;
    if (before.texts->size() > 4096 + 4 * before.rows.size()) return;
    work_.state.routes.texts = before.texts;
    former_ = before.stored;
  }

  void add_stored() {
    const model::Menu& menu = *model::find_menu("/ip/route");
    const model::Rows& rows = work_.tree.rows(menu);
    std::vector<StoredRoute>& stored = work_.state.routes.stored;
    stored.reserve(rows.size());
    work_.state.routes.rows.reserve(work_.state.routes.rows.size() + rows.size());
    work_.state.routes.by_row.reserve(rows.size());
    auto former = former_.begin();
    for (const model::RowPtr& row : rows) {
      // Rows stand as they stood, but for those that went and came.
      const auto end = former + std::min(kMostGone, former_.end() - former);
      const auto same = std::ranges::find(former, end, row.get(), &StoredRoute::row);
      if (same == end) {
        stored.push_back(read_route(menu, *row, work_.state.routes));
      } else {
        stored.push_back(*same);
        former = same + 1;
      }
      current_.emplace(menu, *row);
      add_stored(stored.back());
    }
    add_recursive();
  }

  void add_stored(const StoredRoute& route) {
    if (route.kind == Kind::kNone) return;
    if (route.kind == Kind::kGateway) {
      if (is_recursive(route.info)) return recursive_.push_back(&route);
      return add_by_gateway(route.info, route.info.check);
    }
    RouteInfo info = route.info;
    info.check = GatewayProof::kNone;
    add_route(info, hops_of({{.kind = route.kind}}, info));
  }

  /// The routes whose gateways others lead to: those with the lowest target-scope first, as they
  /// may lead to those with a higher one.
  void add_recursive() {
    std::ranges::stable_sort(recursive_, {},
                             [](const auto* one) { return one->info.target_scope; });
    for (auto it = recursive_.begin(); it != recursive_.end();) {
      const uint8_t scope = (*it)->info.target_scope;
      std::map<std::string_view, Recursion> by_table;
      std::vector<std::pair<const StoredRoute*, std::vector<NextHop>>> found;
      for (; it != recursive_.end() && (*it)->info.target_scope == scope; ++it) {
        const FarGateway gateway = far_gateway((*it)->info.gateway);
        std::vector<NextHop> ways;
        RouteOffers* const offers = offers_of(gateway.table);
        if (offers != nullptr && !gateways_.is_own(*gateway.address)) {
          const auto known = by_table.try_emplace(gateway.table, work_, *offers, scope).first;
          ways = known->second.ways(be32::from(*gateway.address));
        }
        found.emplace_back(*it, std::move(ways));
      }
      for (auto& [route, ways] : found) add_recursive(*route, std::move(ways));
    }
  }

  void add_recursive(const StoredRoute& route, std::vector<NextHop> ways) {
    RouteInfo info = route.info;
    current_.emplace(*model::find_menu("/ip/route"), *route.row);
    info.immediate_gateway = work_.state.routes.keep(gateways_.text_of(ways));
    if (info.check != GatewayProof::kNone) {
      const FarGateway gateway = far_gateway(info.gateway);
      const be32 address = be32::from(*gateway.address);
      const bool by_ping = info.check == GatewayProof::kPing;
      if (by_ping && gateway.table != kMainTable)
        add_probes(work_.snapshot, address, ways, hops_of(ways, info));
      drop_lost(ways, by_ping, info, address);
    }
    add_route(info, hops_of(std::move(ways), info));
  }

  /// nullptr: the table is disabled.
  RouteOffers* offers_of(std::string_view table) {
    if (table.empty() || table == kMainTable) return &main_;
    const auto it = tables_.find(table);
    return it == tables_.end() ? nullptr : &it->second;
  }

  void add_by_gateway(RouteInfo info, GatewayProof check) {
    Gateways::Resolved& resolved = gateways_.resolve(info.gateway);
    info.immediate_gateway = resolved.immediate;
    if (check == GatewayProof::kNone && info.pref_src == 0) {
      if (resolved.hops.size() != resolved.ways.size())
        resolved.hops = hops_of(resolved.ways, info);
      return add_route(info, resolved.hops);
    }
    std::vector<NextHop> ways = resolved.ways;
    if (check != GatewayProof::kNone) drop_lost(ways, check == GatewayProof::kPing, info);
    add_route(info, hops_of(std::move(ways), info));
  }

  /// Leaves the ways whose gateway answers, as far as is known. far: the one to ping instead, which
  /// lies behind.
  void drop_lost(std::vector<NextHop>& ways, bool by_ping, RouteInfo& info,
                 std::optional<be32> far = std::nullopt) {
    const size_t lost = std::erase_if(ways, [&](const NextHop& way) {
      if (way.kind != Kind::kGateway) return false;
      const be32 asked = by_ping ? far.value_or(way.gateway) : way.gateway;
      work_.state.checked.push_back({by_ping, way.out_if, asked});
      return work_.learned.peers.lost_gateways.contains(
          {by_ping, std::string(work_.state.names.name_of(way.out_if)), asked.host()});
    });
    if (lost != 0) info.immediate_gateway = work_.state.routes.keep(gateways_.text_of(ways));
  }

  std::vector<uint16_t> hops_of(std::vector<NextHop> ways, const RouteInfo& info) {
    std::vector<uint16_t> hops;
    for (NextHop& way : ways) {
      if (info.pref_src != 0) way.pref_src = be32::from(info.pref_src);
      hops.push_back(hop(way));
    }
    return hops;
  }

  void add_route(const RouteInfo& info, const std::vector<uint16_t>& ways) {
    const Ip4Prefix dst = info.dst;
    const bool loopback =
        dst.length >= kLoopback.length && (dst.address & kLoopback.mask()) == kLoopback.address;
    RouteTable& all = work_.state.routes;
    const auto number = static_cast<uint32_t>(all.rows.size());
    if (info.row != 0) all.by_row.push_back({info.row, number});
    all.rows.push_back(info);
    if (ways.empty() || loopback) return;
    if (dst.length == 0) offer_return(info.distance, ways);
    RouteOffers* const offers = offers_of(info.table);
    if (offers == nullptr) return;
    for (const uint16_t way : ways)
      offers->add({key_of(dst.network(), dst.length), number, info.distance, way});
  }

  void offer_return(unsigned distance, const std::vector<uint16_t>& ways) {
    for (uint16_t way : ways) {
      const IfIndex out_if = work_.snapshot.next_hops[way].out_if;
      if (out_if == kNoIf) continue;
      const auto [best, fresh] = return_distance_.try_emplace(out_if, distance);
      if (!fresh && best->second <= distance) continue;
      best->second = distance;
      work_.snapshot.return_ways[out_if] = way;
    }
  }

  /// The way to a destination that the best offers make.
  Fib4Route take(uint64_t destination, std::span<const RouteOffer> best) {
    ways_.clear();
    for (const RouteOffer& one : best) {
      if (std::find(ways_.begin(), ways_.end(), one.way) == ways_.end()) ways_.push_back(one.way);
    }
    const auto leader = hops_.add_group(ways_);
    if (!leader) too_many_hops();
    return {static_cast<uint32_t>(destination >> 6), static_cast<uint8_t>(destination & 63),
            leader.value_or(0)};
  }

  /// A table's routes are active, and go into its FIB unless `hidden` has their destination.
  void take_table(RouteOffers& table, const RouteOffers* hidden, std::vector<Fib4Route>& routes) {
    table.settle([&](uint64_t destination, std::span<const RouteOffer> best) {
      for (const RouteOffer& one : best) {
        if (one.row != RouteOffer::kNoRow) work_.state.routes.rows[one.row].active = true;
      }
      if (hidden == nullptr || !hidden->contains(destination))
        routes.push_back(take(destination, best));
    });
  }

  void build() {
    std::vector<Fib4Route>& routes = work_.state.fib_routes;
    take_table(local_, nullptr, routes);
    routes.push_back({kLoopback.address, kLoopback.length, hop({.kind = Kind::kBlackhole})});
    std::sort(routes.begin(), routes.end(), by_destination);
    const auto own = static_cast<ptrdiff_t>(routes.size());
    take_table(main_, &local_, routes);
    std::inplace_merge(routes.begin(), routes.begin() + own, routes.end(), by_destination);
    for (auto& [name, table] : tables_) take_table(table, nullptr, work_.state.tables[name].routes);
    if (!std::ranges::is_sorted(work_.state.routes.by_row, {}, &RouteTable::Place::row))
      std::ranges::sort(work_.state.routes.by_row, {}, &RouteTable::Place::row);
    work_.snapshot.drop_hop = hop({.kind = Kind::kBlackhole});
    work_.snapshot.unreachable_hop = hop({.kind = Kind::kUnreachable});
    for (RouteInfo& info : work_.state.routes.rows) {
      if (!info.active) info.immediate_gateway = {};
    }
    const CompileState* const previous = work_.previous;
    work_.state.build_fib = previous != nullptr ? previous->build_fib : work_.fib_builders(false);
    redirect_routes(work_, hops_);
    work_.state.fib =
        fib_of(work_, main_routes(work_.state), previous != nullptr ? previous->fib : nullptr,
               previous != nullptr ? &main_routes(*previous) : nullptr, work_.state.build_fib);
    work_.snapshot.fib = work_.state.fib;
    for (auto& [name, table] : work_.state.tables) {
      make_fib(work_, table, previous != nullptr ? find_or_null(previous->tables, name) : nullptr);
    }
  }

  static bool by_destination(const Fib4Route& a, const Fib4Route& b) {
    return key_of(a.network, a.length) < key_of(b.network, b.length);
  }

  Work& work_;
  NextHops hops_;
  Gateways gateways_;
  RouteOffers local_, main_;
  std::map<std::string, RouteOffers, std::less<>> tables_;  // of /routing/table
  std::vector<uint16_t> ways_;                              // of take()
  std::vector<const StoredRoute*> recursive_;               // of CompileState::routes
  std::span<const StoredRoute> former_;                     // of the compile before
  std::unordered_map<IfIndex, unsigned> return_distance_;
  std::optional<model::View> current_;  // for errors
};

}  // namespace

void compile_routes(Work& work) {
  Router(work).run();
}

}  // namespace maclane::compile
