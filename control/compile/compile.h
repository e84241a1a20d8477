// Compile: the tree and what was learned about devices become a Snapshot, all or nothing.
//
// Nothing here changes the dataplane or what was compiled before. The caller applies a plan of
// ports (port_plan.h), compiles, and if that succeeds publishes the snapshot and keeps the state
// for the next time; if it fails, it throws the result away and nothing happened. Parts whose input
// did not change are shared with the snapshot before. Control thread only.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "control/compile/names.h"
#include "control/model/tree.h"
#include "control/model/value.h"
#include "control/model/value_firewall.h"
#include "control/service/learned.h"
#include "control/service/renames.h"
#include "dataplane/dataplane.h"

namespace maclane::compile {

/// What the world said: devices as they turned out to be, and their links. An ethernet or an
/// attachment that is not in here (not started yet, or failed) compiles as one that is down.
struct LearnedState {
  /// The router's clock, in its time zone.
  struct WallTime {
    unsigned weekday = 0;  // 0: Sunday
    uint32_t second = 0;   // of the day
  };
  struct Ethernet {
    PortInfo info;
    bool link_up = false;
  };
  std::map<std::string, Ethernet, std::less<>> ethernets;    // by interface name
  std::map<std::string, PortInfo, std::less<>> attachments;  // by macvlan name
  std::set<std::string, std::less<>> held;  // interfaces that loop protect keeps down
  unsigned workers = 1;                     // queue q of a port is polled by worker q % workers
  Renames renames;                          // of what the previous compile left
  Learned peers;                            // what services were told by DHCP servers and the like
  WallTime clock;
};

/// One address of the router in effect: a row of /ip/address, or learned.
struct AddressInfo {
  std::string interface;
  model::Ip4Prefix prefix;
  uint32_t network = 0;  // host order
  uint32_t row = 0;      // id of the stored row; 0: dynamic
};

/// One row of /ip/route, stored or dynamic, as it came out. Its texts are the RouteTable's, or of
/// the rows of CompileState::tree.
struct RouteInfo {
  model::Ip4Prefix dst;
  std::string_view gateway;            // as written; connected: the interface
  std::string_view immediate_gateway;  // "203.0.113.1%ether1", several with commas; "" if inactive
  uint32_t pref_src = 0;               // host order; 0: none
  std::string_view table;              // "": main
  uint8_t distance = 0;
  uint8_t scope = 30, target_scope = 10;
  bool active = false;                      // A, else I
  bool connect = false;                     // c, and then dynamic: D
  std::optional<LearnedFrom> learned = {};  // d, v, b, o, i, r or none of them, and dynamic too
  LearnedRoute::Type type = LearnedRoute::Type::kUnicast;  // of a learned one
  GatewayProof check = GatewayProof::kNone;                // of a learned one
  uint32_t row = 0;                                        // id of the stored row; 0: dynamic
};

/// A row of /ip/route as it was read: the next compile takes it over while the row is the same.
struct StoredRoute {
  const model::Row* row = nullptr;
  NextHop::Kind kind = NextHop::Kind::kNone;  // kGateway: as the gateway says; kNone: disabled
  RouteInfo info;
};

struct RouteTable {
  struct Place {
    uint32_t row = 0;
    uint32_t index = 0;  // into rows
  };
  std::vector<RouteInfo> rows;  // connected ones first, in the order of /ip/address
  std::vector<Place> by_row;    // by row
  std::vector<StoredRoute> stored;
  /// What views point to, shared with the tables before and after.
  std::shared_ptr<std::unordered_set<std::string>> texts =
      std::make_shared<std::unordered_set<std::string>>();
  /// Of a stored row; nullptr if it is disabled.
  [[nodiscard]] const RouteInfo* find(uint32_t row) const {
    const auto it = std::ranges::lower_bound(by_row, row, {}, &Place::row);
    return it == by_row.end() || it->row != row ? nullptr : &rows[it->index];
  }
  /// Equal texts are one.
  std::string_view keep(std::string_view text) {
    return text.empty() ? std::string_view() : *texts->emplace(text).first;
  }
};

/// One list of /ip/firewall/address-list: its enabled rows, and the set once a rule needed it.
struct AddressList {
  std::vector<model::RowPtr> rows;
  std::vector<TimedRange> timed;
  std::shared_ptr<const AddressSet> set;
};

/// Builds the FIBs of one table, one after another; nullptr and a sentence in *error if it cannot.
using FibBuilder = std::function<std::shared_ptr<const Fib4>(std::span<const Fib4Route> routes,
                                                             std::string* error)>;

/// What one compile leaves to the next, and to those who print.
struct CompileState {
  Names names;
  RouteTable routes;
  std::vector<AddressInfo> addresses;  // stored ones first
  struct Checked {
    bool ping = false;  // else by ARP
    IfIndex interface = kNoIf;
    be32 address{};
  };
  std::vector<Checked> checked;  // gateways of routes with check-gateway
  // for sharing
  model::Tree tree;
  struct Fib {
    std::shared_ptr<const Fib4> fib;
    std::vector<Fib4Route> routes;
    FibBuilder build;
  };
  std::shared_ptr<const Fib4> fib;
  std::vector<Fib4Route> fib_routes;
  std::vector<Fib4Route> redirected_routes;  // these, with what redirects change; empty: nothing
  std::vector<uint32_t> redirected;          // destinations whose redirects hold, host order
  FibBuilder build_fib;
  std::map<std::string, Fib, std::less<>> tables;  // of /routing/table, by name
  /// A table as rules with min-prefix see it, by its name and the longest prefix that is hidden.
  std::map<std::pair<std::string, uint8_t>, Fib> narrowed;
  /// A row of a menu of rules and what was made of it.
  struct KnownRow {
    static constexpr uint32_t kNone = 0xffffffff;
    const model::Row* row = nullptr;  // of `tree`; to compare, for its values are not at hand
    uint32_t id = 0;
    uint32_t rule = kNone;      // of Rules::set
    uint16_t chain = 0;         // of Rules::set, if it is enabled
    bool enabled = false;       // not disabled=yes
    bool jumps = false;         // its action is jump
    bool fills = false;         // its action adds to an address list
    bool stands_alone = false;  // the next compile can take the rule as it is
  };
  struct Rules {
    std::shared_ptr<const RuleSet> set;
    /// What rules remember, by row, with the row it was made for.
    std::unordered_map<uint32_t, std::pair<model::RowPtr, std::shared_ptr<RuleState>>> states;
    /// When rules are in force, and whether they were.
    std::vector<std::pair<model::WeekTime, bool>> times;
    /// What of each row every compile asks, in their order (rule_reuse.h).
    std::shared_ptr<const std::vector<KnownRow>> rows;
  };
  Rules raw, mangle, filter, nat;
  /// A PPPoE session whose TCP connections are told of its MTU, both ways.
  struct Clamp {
    IfIndex interface = kNoIf;
    uint16_t mss = 0;
    friend bool operator==(const Clamp&, const Clamp&) = default;
  };
  std::vector<Clamp> clamps;
  std::set<std::string, std::less<>> filling_lists;  // address lists that change by themselves
  std::vector<TimedRange> timed_ranges;
  std::unordered_map<std::string, AddressList> address_lists;
};

/// The name under which Names keeps the counter of FastTracked packets, as row 1.
inline constexpr std::string_view kFastTrackCounter = "fasttrack";

/// And of the clamps: as rows 2n for what interface n sends, 2n+1 for what it receives.
inline constexpr std::string_view kClampCounter = "mss-clamp";
[[nodiscard]] constexpr uint32_t clamp_row(IfIndex interface, bool sent) {
  return interface * 2u + (sent ? 0 : 1);
}

struct Compiled {
  std::unique_ptr<Snapshot> snapshot;
  std::unique_ptr<CompileState> state;  // keep it when the snapshot is published
};

/// Makes the builder of one table. small: of compact FIBs, for tables that only packets with
/// something to decide ask.
using FibBuilders = std::function<FibBuilder(bool small)>;
/// A Fib4Maker for each, for the daemon; needs EAL.
[[nodiscard]] FibBuilders rte_fib_builders();

/// Whether the same tree makes another snapshot by now: a rule's time has begun or ended, or an
/// index was only patched while rules were edited.
[[nodiscard]] bool is_outdated(const CompileState& state, const LearnedState::WallTime& now);

/// tree must be validated. previous: what the last published compile left, nullptr at start.
[[nodiscard]] Result<Compiled> compile_tree(const model::Tree& tree, const LearnedState& learned,
                                            const CompileState* previous,
                                            const FibBuilders& fib_builders);

/// A timeout of /ip/firewall/connection/tracking that is not set and that nat-profile=rfc has its
/// own value for; empty: it is what it says.
[[nodiscard]] std::string_view rfc_timeout(const model::View& tracking, std::string_view property);

}  // namespace maclane::compile
