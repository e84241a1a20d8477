// Addresses and routes: next hops, the FIB, and the rows of /ip/route as people see them. Control
// thread.
//
// Two tables, as Linux has them. The local one holds the router's own addresses (while their
// interface is enabled, whatever its link) and broadcast addresses, and is asked first. The main
// one holds connected networks (distance 0, active while the interface is up) and static routes;
// of one destination the lowest distance with a way is active, and equals share. A gateway must
// lie in an active connected network, which is what RouterOS's scope 30 and target-scope 10 say.
// Tables of /routing/table hold routes alone, whose gateways main's networks lead to; which packet
// asks them is compile_policy.cpp's. And each interface has the way that answers leave by, if what
// they answer came in there: of the default routes through it, whatever their table and whether
// they are active, the one with the lowest distance.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/compile/next_hops.h"
#include "control/compile/parts.h"
#include "control/compile/route_parts.h"

namespace maclane::compile {
namespace {

using model::Ip4Prefix;

constexpr uint32_t kLimitedBroadcast = 0xffffffff;
constexpr Ip4Prefix kLoopback{0x7f000000, 8};  // never leaves the router, whatever the routes say

class Router {
 public:
  explicit Router(Work& work) : work_(work), hops_(work.snapshot.next_hops) {}

  void run() {
    model::for_each(work_.tree, "/ip/address", [&](const model::View& row) { add_address(row); });
    current_.reset();
    for (const LearnedAddress& one : work_.learned.peers.addresses) {
      const Ip4Prefix prefix{one.address, one.length};
      add_address({one.interface, prefix, one.network == 0 ? prefix.network() : one.network, 0});
    }
    add_local(kLimitedBroadcast, {.kind = NextHop::Kind::kBroadcast}, kBroadcast);
    collect_connected();
    model::for_each(work_.tree, "/routing/table", [&](const model::View& row) {
      if (!row.disabled()) tables_[std::string(row.raw("name"))];
    });
    work_.snapshot.return_ways.assign(work_.snapshot.interfaces.size(), 0);
    for (const LearnedRoute& one : work_.learned.peers.routes) add_learned(one);
    model::for_each(work_.tree, "/ip/route", [&](const model::View& row) { add_static(row); });
    if (!work_.errors.empty()) return;
    build();
  }

 private:
  using Entry = RouteEntry;
  using Table = RouteEntries;
  enum LocalRank : unsigned { kOwn, kBroadcast };
  struct Connected {
    IfIndex out_if = kNoIf;
    uint32_t address = 0;  // the router's own in this network
  };

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
    offer(local_, key_of(address, 32), rank, {hop(way)});
  }

  /// The primary address need not be named: it is what 0 means.
  [[nodiscard]] be32 source(const Connected& way) const {
    const be32 address = be32::from(way.address);
    return address == work_.interface(way.out_if).primary_address ? be32{} : address;
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
      add_local(prefix->address, {.kind = NextHop::Kind::kLocal, .out_if = index}, kOwn);
    }
    if (up && prefix->length <= 30) {
      const NextHop way{.kind = NextHop::Kind::kBroadcast, .out_if = index};
      add_local(network.network(), way, kBroadcast);
      add_local(network.broadcast(), way, kBroadcast);
    }
    const uint64_t destination = key_of(network.address, network.length);
    auto& members = networks_[destination];
    const auto known = std::find_if(members.begin(), members.end(),
                                    [&](const Connected& way) { return way.out_if == index; });
    work_.state.addresses.push_back(one);
    if (known != members.end()) return;  // its first address there has made the route
    members.push_back({index, prefix->address});
    RouteInfo info;
    info.dst = network;
    info.gateway = name;
    info.active = up;
    info.connect = true;
    if (up) info.immediate_gateway = name;
    info.pref_src = prefix->address;
    work_.state.routes.rows.push_back(std::move(info));
    if (!up) return;
    offer(main_, destination, 0,
          {hop({.kind = NextHop::Kind::kConnected,
                .out_if = index,
                .pref_src = source(members.back())})});
  }

  /// Leaves the networks that can be reached now.
  void collect_connected() {
    for (auto it = networks_.begin(); it != networks_.end();) {
      std::erase_if(it->second,
                    [&](const Connected& one) { return !work_.interface(one.out_if).up; });
      if (it->second.empty()) {
        it = networks_.erase(it);
      } else {
        has_length_[it->first & 63] = true;
        ++it;
      }
    }
  }

  [[nodiscard]] bool is_own(uint32_t address) const {
    auto it = local_.find(key_of(address, 32));
    return it != local_.end() && it->second.rank == kOwn;
  }

  /// The interfaces whose connected network an address lies in, by the longest prefix.
  [[nodiscard]] const std::vector<Connected>* connected(uint32_t address) const {
    for (int length = 32; length >= 0; --length) {
      if (!has_length_[static_cast<size_t>(length)]) continue;
      const Ip4Prefix prefix{address, static_cast<uint8_t>(length)};
      auto it = networks_.find(key_of(prefix.network(), prefix.length));
      if (it != networks_.end()) return &it->second;
    }
    return nullptr;
  }

  [[nodiscard]] IfIndex usable(std::string_view interface) const {
    const IfIndex index = work_.state.names.index_of(interface);
    if (index == kNoIf) return kNoIf;
    const Interface& one = work_.interface(index);
    return one.up && !one.attached ? index : kNoIf;
  }

  /// The ways a gateway stands for; none: it cannot be reached now. Many routes share few gateways.
  std::vector<NextHop> resolve(std::string_view gateway, std::string& immediate) {
    const auto [it, fresh] = resolved_.try_emplace(gateway);
    if (fresh) it->second.first = find_ways(gateway, it->second.second);
    immediate = it->second.second;
    return it->second.first;
  }

  std::vector<NextHop> find_ways(std::string_view gateway, std::string& immediate) const {
    const size_t percent = gateway.find('%');
    const auto address = model::parse_ip4(gateway.substr(0, percent));
    std::vector<NextHop> ways;
    if (!address || percent != std::string_view::npos) {
      const std::string_view interface = address ? gateway.substr(percent + 1) : gateway;
      const IfIndex index = usable(interface);
      if (index == kNoIf || (address && is_own(*address))) return {};
      immediate = gateway;
      NextHop way{.kind = NextHop::Kind::kConnected, .out_if = index};
      if (address) {
        way.kind = NextHop::Kind::kGateway;
        way.gateway = be32::from(*address);
      }
      return {way};
    }
    const std::vector<Connected>* members = is_own(*address) ? nullptr : connected(*address);
    if (members == nullptr) return {};
    for (const Connected& member : *members) {
      ways.push_back({.kind = NextHop::Kind::kGateway,
                      .out_if = member.out_if,
                      .gateway = be32::from(*address),
                      .pref_src = source(member)});
      immediate += fmt::format("{}{}%{}", immediate.empty() ? "" : ",", gateway,
                               work_.state.names.name_of(member.out_if));
    }
    return ways;
  }

  void add_learned(const LearnedRoute& one) {
    RouteInfo info;
    info.dst = {one.network, one.length};
    info.gateway = one.gateway;
    info.distance = one.distance;
    info.pref_src = one.pref_src;
    info.learned = one.origin;
    info.table = one.table;
    info.check = one.check;
    std::vector<NextHop> ways;
    switch (one.type) {
      case LearnedRoute::Type::kUnicast:
        ways = resolve(one.gateway, info.immediate_gateway);
        break;
      case LearnedRoute::Type::kBlackhole:
        ways.push_back({.kind = NextHop::Kind::kBlackhole});
        break;
      case LearnedRoute::Type::kUnreachable:
        ways.push_back({.kind = NextHop::Kind::kUnreachable});
        break;
      case LearnedRoute::Type::kProhibit:
        ways.push_back({.kind = NextHop::Kind::kProhibit});
        break;
    }
    info.type = one.type;
    if (one.check != GatewayProof::kNone)
      drop_lost(ways, one.check == GatewayProof::kPing, info.immediate_gateway);
    add_route(std::move(info), std::move(ways));
  }

  void add_static(const model::View& view) {
    static const RouteColumns c(view.menu());
    const model::Row& row = view.row();
    const auto dst = model::parse_prefix(c.get(row, c.dst));
    if (c.get(row, c.disabled) == "true" || !dst) return;
    current_ = view;
    RouteInfo info;
    info.dst = {dst->network(), dst->length};
    info.gateway = row.at(c.gateway);
    info.distance = static_cast<uint8_t>(model::parse_integer(c.get(row, c.distance)).value_or(0));
    info.pref_src = model::parse_ip4(row.at(c.pref_src)).value_or(0);
    info.row = row.id;
    if (const auto table = c.get(row, c.table); table != "main") info.table = table;
    const bool blackhole = c.get(row, c.blackhole) == "true";
    const std::string_view type = blackhole ? "blackhole" : c.get(row, c.type);
    std::vector<NextHop> ways;
    if (type == "blackhole") ways.push_back({.kind = NextHop::Kind::kBlackhole});
    if (type == "prohibit") ways.push_back({.kind = NextHop::Kind::kProhibit});
    if (type == "unreachable") ways.push_back({.kind = NextHop::Kind::kUnreachable});
    if (ways.empty()) ways = resolve(row.at(c.gateway), info.immediate_gateway);
    if (const std::string_view how = c.get(row, c.check); !how.empty() && how != "none")
      drop_lost(ways, how == "ping", info.immediate_gateway);
    add_route(std::move(info), std::move(ways));
  }

  /// Leaves the ways whose gateway answers, as far as is known.
  void drop_lost(std::vector<NextHop>& ways, bool by_ping, std::string& immediate) {
    const size_t lost = std::erase_if(ways, [&](const NextHop& way) {
      if (way.kind != NextHop::Kind::kGateway) return false;
      work_.state.checked.push_back({by_ping, way.out_if, way.gateway});
      return work_.learned.peers.lost_gateways.contains(
          {by_ping, std::string(work_.state.names.name_of(way.out_if)), way.gateway.host()});
    });
    if (lost == 0) return;
    immediate.clear();
    for (const NextHop& way : ways)
      immediate +=
          fmt::format("{}{}%{}", immediate.empty() ? "" : ",",
                      model::format_ip4(way.gateway.host()), work_.state.names.name_of(way.out_if));
  }

  void add_route(RouteInfo info, std::vector<NextHop> ways) {
    const Ip4Prefix dst = info.dst;
    const bool loopback =
        dst.length >= kLoopback.length && (dst.address & kLoopback.mask()) == kLoopback.address;
    std::vector<uint16_t> indexes;
    for (NextHop& way : ways) {
      if (info.pref_src != 0) way.pref_src = be32::from(info.pref_src);
      indexes.push_back(hop(way));
    }
    const size_t number = work_.state.routes.rows.size();
    if (info.row != 0) work_.state.routes.by_row.emplace(info.row, number);
    work_.state.routes.rows.push_back(std::move(info));
    if (indexes.empty() || loopback) return;
    const unsigned distance = work_.state.routes.rows[number].distance;
    if (dst.length == 0) offer_return(distance, indexes);
    const auto table = tables_.find(work_.state.routes.rows[number].table);
    const bool in_main = work_.state.routes.rows[number].table.empty();
    if (!in_main && table == tables_.end()) return;  // it is disabled
    offer(in_main ? main_ : table->second, key_of(dst.network(), dst.length), distance, indexes,
          number);
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

  void take(uint64_t destination, const Entry& entry, std::vector<Fib4Route>& routes) {
    const auto leader = hops_.add_group(entry.ways);
    if (!leader) too_many_hops();
    routes.push_back({static_cast<uint32_t>(destination >> 6),
                      static_cast<uint8_t>(destination & 63), leader.value_or(0)});
  }

  /// A table's routes are active, and go into its FIB unless `hidden` has their destination.
  void take_table(const Table& table, const Table& hidden, std::vector<Fib4Route>& routes) {
    for (const auto& [destination, entry] : table) {
      for (size_t row : entry.rows) work_.state.routes.rows[row].active = true;
      if (!hidden.contains(destination)) take(destination, entry, routes);
    }
  }

  void build() {
    std::vector<Fib4Route>& routes = work_.state.fib_routes;
    for (const auto& [destination, entry] : local_) take(destination, entry, routes);
    take_table(main_, local_, routes);
    routes.push_back(
        {kLoopback.address, kLoopback.length, hop({.kind = NextHop::Kind::kBlackhole})});
    for (const auto& [name, table] : tables_)
      take_table(table, {}, work_.state.tables[name].routes);
    work_.snapshot.drop_hop = hop({.kind = NextHop::Kind::kBlackhole});
    work_.snapshot.unreachable_hop = hop({.kind = NextHop::Kind::kUnreachable});
    for (RouteInfo& info : work_.state.routes.rows) {
      if (!info.active) info.immediate_gateway.clear();
    }
    const CompileState* const previous = work_.previous;
    work_.state.build_fib = previous != nullptr ? previous->build_fib : work_.fib_builders(false);
    work_.state.fib =
        fib_of(routes, previous != nullptr ? previous->fib : nullptr,
               previous != nullptr ? &previous->fib_routes : nullptr, work_.state.build_fib);
    work_.snapshot.fib = work_.state.fib;
    for (auto& [name, table] : work_.state.tables) {
      const CompileState::Fib* before = nullptr;
      if (previous != nullptr) {
        const auto known = previous->tables.find(name);
        if (known != previous->tables.end()) before = &known->second;
      }
      table.build = before != nullptr ? before->build : work_.fib_builders(true);
      table.fib = fib_of(table.routes, before != nullptr ? before->fib : nullptr,
                         before != nullptr ? &before->routes : nullptr, table.build);
    }
  }

  /// The FIB of these routes, which are sorted first: the one before if it was made of the same.
  std::shared_ptr<const Fib4> fib_of(std::vector<Fib4Route>& routes,
                                     std::shared_ptr<const Fib4> before,
                                     const std::vector<Fib4Route>* routes_before,
                                     const FibBuilder& build) {
    std::sort(routes.begin(), routes.end(), [](const Fib4Route& a, const Fib4Route& b) {
      return key_of(a.network, a.length) < key_of(b.network, b.length);
    });
    if (!work_.errors.empty()) return nullptr;
    const auto same = [](const Fib4Route& a, const Fib4Route& b) {
      return a.network == b.network && a.length == b.length && a.next_hop == b.next_hop;
    };
    if (before != nullptr && std::equal(routes.begin(), routes.end(), routes_before->begin(),
                                        routes_before->end(), same)) {
      return before;
    }
    std::string error;
    auto fib = build(routes, &error);
    if (fib == nullptr) work_.errors.push_back({std::move(error), "/ip/route", {}, {}, {}});
    return fib;
  }

  Work& work_;
  NextHops hops_;
  Table local_, main_;
  std::map<std::string, Table, std::less<>> tables_;  // of /routing/table
  std::unordered_map<IfIndex, unsigned> return_distance_;
  std::unordered_map<uint64_t, std::vector<Connected>> networks_;
  std::array<bool, 33> has_length_{};
  std::unordered_map<std::string_view, std::pair<std::vector<NextHop>, std::string>> resolved_;
  std::optional<model::View> current_;  // for errors
};

}  // namespace

void compile_routes(Work& work) {
  Router(work).run();
}

}  // namespace maclane::compile
