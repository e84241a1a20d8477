// The rules of firewall rows: chains and jumps, actions where they work, matchers that need others.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "control/model/chains.h"
#include "control/model/validate.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

void check_jumps(Check& check, std::string_view path, const Jumps& graph) {
  std::map<std::string_view, std::set<std::string_view>> reach;  // worked out once per chain
  for (const auto& [chain, rows] : graph.by_chain()) {
    for (const View& row : rows) {
      const std::string_view target = row.raw("jump-target");
      if (target.empty()) {
        check.add(row, "jump-target", "action=jump needs jump-target: the chain to go on in");
      } else if (is_builtin_chain(path, target)) {
        check.add(row, "jump-target",
                  fmt::format("{} is a built-in chain; jump to a chain of your own", target));
      } else {  // a chain without rules, as yet, returns at once
        auto it = reach.find(target);
        if (it == reach.end()) it = reach.emplace(target, graph.reached(target)).first;
        if (it->second.contains(chain)) {
          check.add(row, "jump-target",
                    fmt::format("this jump goes in circles: {} comes back to {}", target, chain));
        }
      }
    }
  }
}

/// What says nothing, though it stands there: "0.0.0.0" and "0-65535" leave an address and a port
/// as they are (B-29).
bool names_addresses(const View& row) {
  const auto range = parse_ip4_set(row.raw("to-addresses"));
  return range && range->last != 0;
}
bool names_ports(const View& row) {
  const auto range = parse_port_range(row.raw("to-ports"));
  return range && !(range->first == 0 && (range->last == 0 || range->last == 65535));
}

/// Whether an action of NAT takes new addresses or ports. What another action would take may stand
/// at any rule, as in RouterOS: it is kept for when the action is set to that one.
bool takes_ports(std::string_view action) {
  return action == "masquerade" || action == "src-nat" || action == "dst-nat" ||
         action == "redirect" || action == "netmap" || action == "same" ||
         action == "endpoint-independent-nat";
}

void check_matchers(Check& check, const View& row) {
  const auto protocol = split_negation(row.raw("protocol"));
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return !protocol.negated &&
           std::find(names.begin(), names.end(), protocol.value) != names.end();
  };
  const std::string_view action = row.get("action");
  for (std::string_view ports : {"src-port", "dst-port", "port", "to-ports"}) {
    const bool asked =
        ports == "to-ports" ? takes_ports(action) && names_ports(row) : row.is_set(ports);
    const auto to = ports == "to-ports" && asked ? parse_port_range(row.raw(ports)) : std::nullopt;
    if (to && to->first == 0)
      check.add(
          row, ports,
          fmt::format("{} begins with 0, which is no port; write 1-{}", row.raw(ports), to->last));
    if (asked && !is({"tcp", "udp", "sctp", "dccp", "udp-lite"})) {
      check.add(
          row, ports,
          "ports need a protocol that has them; add protocol: tcp, udp, sctp, dccp or udp-lite");
    }
  }
  for (std::string_view tcp_only : {"tcp-flags", "tcp-mss", "tls-host"}) {
    if (row.is_set(tcp_only) && !is({"tcp"}))
      check.add(row, tcp_only, fmt::format("only TCP has {}; add protocol: tcp", tcp_only));
  }
  if ((action == "tarpit" || action == "change-mss") && !is({"tcp"}))
    check.add(row, "action", fmt::format("{} is for TCP only; add protocol: tcp", action));
  if (row.is_set("content") && row.is_set("tls-host"))
    check.add(row, "tls-host", "a rule has content or tls-host; write two rules, one jumping");
  if (row.is_set("icmp-options") && !is({"icmp"})) {
    check.add(row, "icmp-options", "icmp-options need protocol: icmp");
  }
  if (action == "reject" && row.get("reject-with") == "tcp-reset" && !is({"tcp"})) {
    check.add(row, "reject-with", "tcp-reset answers TCP only; add protocol: tcp");
  }
}

/// What an action cannot do without.
struct Argument {
  std::string_view action, name;
};
constexpr Argument kArguments[] = {
    {"add-src-to-address-list", "address-list"},
    {"add-dst-to-address-list", "address-list"},
    {"mark-connection", "new-connection-mark"},
    {"mark-packet", "new-packet-mark"},
    {"mark-routing", "new-routing-mark"},
    {"change-mss", "new-mss"},
    {"change-ttl", "new-ttl"},
    {"change-dscp", "new-dscp"},
    {"set-priority", "new-priority"},
};

void check_arguments(Check& check, const View& row) {
  const std::string_view action = row.get("action");
  for (const Argument& argument : kArguments) {
    if (action == argument.action && !row.is_set(argument.name))
      check.add(row, argument.name, fmt::format("action={} needs {}", action, argument.name));
  }
}

/// A built-in chain stands where one of the interfaces is not known.
void check_sides(Check& check, std::string_view path, const View& row) {
  const std::string_view chain = row.raw("chain");
  if (!is_builtin_chain(path, chain)) return;  // doubts.h
  const bool no_in = !knows_in(chain);
  const bool no_out = !knows_out(chain);
  const auto refuse = [&](bool impossible, std::string_view property, std::string_view side) {
    if (!impossible || !row.is_set(property)) return;
    check.add(row, property,
              fmt::format("{} interface matching is not possible in chain {}; leave it out", side,
                          chain));
  };
  refuse(no_in, "in-interface", "incoming");
  refuse(no_in, "in-interface-list", "incoming");
  refuse(no_out, "out-interface", "outgoing");
  refuse(no_out, "out-interface-list", "outgoing");
}

using Chains = std::set<std::string_view>;

/// The built-in chains of NAT, each with those that it leads to.
struct NatChains {
  Chains srcnat{"srcnat"}, dstnat{"dstnat"}, input{"input"}, output{"output"};
};

/// An action stands only where what it changes can still be changed.
void check_nat_place(Check& check, const View& row, const NatChains& from) {
  const std::string_view action = row.get("action");
  const std::string_view chain = row.raw("chain");
  const auto refuse = [&](std::string_view builtin, const Chains& reached, std::string_view what,
                          std::string_view right) {
    if (!reached.contains(chain)) return;
    std::string why =
        fmt::format("{} changes the {} and works only in {} and the chains reached from there",
                    action, what, right);
    if (chain != builtin) why += fmt::format("; {} is reached from {}", chain, builtin);
    check.add(row, "action", std::move(why));
  };
  if (action == "masquerade" || action == "src-nat") {
    // In input there is no interface that a packet leaves by, whose address it could take.
    const bool any = action == "src-nat";
    const std::string_view right = any ? "srcnat and input" : "srcnat";
    refuse("dstnat", from.dstnat, "source", right);
    refuse("output", from.output, "source", right);
    if (!any) refuse("input", from.input, "source", right);
  } else if (action == "dst-nat" || action == "redirect") {
    // What the router sends is at the router already.
    const bool any = action == "dst-nat";
    const std::string_view right = any ? "dstnat and output" : "dstnat";
    refuse("srcnat", from.srcnat, "destination", right);
    refuse("input", from.input, "destination", right);
    if (!any) refuse("output", from.output, "destination", right);
  } else if (action == "endpoint-independent-nat") {
    refuse("input", from.input, "way in and out", "srcnat and dstnat");
    refuse("output", from.output, "way in and out", "srcnat and dstnat");
  }
}

void check_nat_action(Check& check, const View& row, const NatChains& from) {
  const std::string_view action = row.get("action");
  const std::string_view chain = row.raw("chain");
  check_nat_place(check, row, from);
  const bool has_target = names_addresses(row) || names_ports(row);
  const bool endpoint = action == "endpoint-independent-nat";
  const bool either = action == "netmap" || action == "same";
  if (endpoint) {
    const auto protocol = split_negation(row.raw("protocol"));
    if (protocol.negated || protocol.value != "udp") {
      check.add(row, "action",
                "endpoint-independent-nat is for UDP; add protocol: udp. nat-profile=rfc in "
                "/ip/firewall/connection/tracking is for all protocols");
    }
    if (has_target && from.dstnat.contains(chain)) {
      check.add(row, names_addresses(row) ? "to-addresses" : "to-ports",
                "in dstnat endpoint-independent-nat leads to who has the outer port; leave it out");
    }
  }
  if ((action == "dst-nat" || action == "src-nat") && !has_target) {
    check.add(row, "to-addresses", fmt::format("action={} needs to-addresses or to-ports", action));
  }
  if (either && !names_addresses(row)) {
    check.add(row, "to-addresses", fmt::format("action={} needs to-addresses", action));
  }
  const auto range = parse_ip4_set(row.raw("to-addresses"));
  const uint32_t span = range ? range->first ^ range->last : 0;
  if (action == "netmap" && range && ((span & (span + 1)) != 0 || (range->first & span) != 0)) {
    check.add(row, "to-addresses",
              fmt::format("netmap keeps the host's part of an address and needs a whole prefix, "
                          "198.51.100.0/24; {} is none",
                          row.raw("to-addresses")));
  }
}

/// Behind the routing decision a routing mark comes too late.
void check_mark_routing(Check& check, const View& row,
                        const std::set<std::string_view>& behind_routing) {
  const std::string_view chain = row.raw("chain");
  if (row.get("action") != "mark-routing" || !behind_routing.contains(chain)) return;
  check.add(
      row, "action",
      "mark-routing works only in prerouting and output and the chains they jump to: where "
      "the packet goes is decided before chain " +
          (chain == "input" || chain == "forward" || chain == "postrouting"
               ? std::string(chain)
               : fmt::format("{}, which is reached from input, forward or postrouting", chain)));
}

/// How far a change of rules reaches beyond the rules that changed.
enum class Reach : uint8_t { kRules, kJumps, kEverything };

Reach reach_of(Check& check, const Menu& menu) {
  if (check.whole) return Reach::kEverything;
  Reach reach = Reach::kRules;
  const auto look = [&](const RowPtr& ptr) {
    const View row(menu, *ptr);
    if (row.get("action") == "jump") {
      reach = Reach::kEverything;  // what is reached from where may be different
    } else if (reach == Reach::kRules && !is_builtin_chain(menu.path, row.raw("chain"))) {
      reach = Reach::kJumps;  // a chain may have come or gone
    }
  };
  const RowsDiff& changes = check.diff(menu);
  for (const RowPtr& row : changes.added) look(row);
  for (const RowPtr& row : changes.removed) look(row);
  for (const RowsDiff::Changed& row : changes.changed) {
    look(row.before);
    look(row.after);
  }
  return reach;
}

void check_menu(Check& check, std::string_view path) {
  if (!check.concerns({path})) return;
  const Menu& menu = *find_menu(path);
  const Reach reach = reach_of(check, menu);
  const bool is_nat = path == "/ip/firewall/nat";
  NatChains from;
  std::set<std::string_view> behind_routing{"input", "forward", "postrouting"};
  if (reach != Reach::kRules) {
    const Jumps graph(check.tree, path);
    check_jumps(check, path, graph);
    if (is_nat) {
      from = {graph.reached("srcnat"), graph.reached("dstnat"), graph.reached("input"),
              graph.reached("output")};
    }
    for (std::string_view chain : {"input", "forward", "postrouting"})
      behind_routing.merge(graph.reached(chain));
  }
  check.for_asked(path, reach == Reach::kEverything, [&](const View& row) {
    if (!row.is_set("chain")) return;
    check_matchers(check, row);
    check_arguments(check, row);
    check_sides(check, path, row);
    check_mark_routing(check, row, behind_routing);
    if (is_nat) check_nat_action(check, row, from);
  });
}

void check_address_lists(Check& check) {
  constexpr std::string_view kPath = "/ip/firewall/address-list";
  if (!check.concerns({kPath})) return;
  check.for_asked(kPath, false, [&](const View& row) {
    if (!row.is_set("timeout")) return;
    check.add(row, "timeout",
              "a row with a timeout lives while the router runs and is no part of a configuration; "
              "leave timeout out, or add the row by a command");
  });
  check.for_each_twin(
      kPath, [](const View&) { return true; },
      [&](const View& row, const View& first) {
        check.add(row, "address",
                  fmt::format("failure: already have such entry: {} is in {} ({})",
                              row.raw("address"), row.raw("list"), where(first)));
      });
}

}  // namespace

void validate_firewall(Check& check) {
  check_menu(check, "/ip/firewall/raw");
  check_menu(check, "/ip/firewall/mangle");
  check_menu(check, "/ip/firewall/filter");
  check_menu(check, "/ip/firewall/nat");
  check_address_lists(check);
}

}  // namespace maclane::model
