// The rules of firewall rows: chains and jumps, actions where they work, matchers that need others.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "control/model/validate.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

using Chains = std::map<std::string_view, std::vector<View>>;

bool is_builtin(std::string_view path, std::string_view chain) {
  if (path == "/ip/firewall/nat") return chain == "srcnat" || chain == "dstnat";
  return chain == "input" || chain == "forward" || chain == "output";
}

/// The chains reached from one, itself included.
std::set<std::string_view> reached(const Chains& chains, std::string_view from) {
  std::set<std::string_view> seen{from};
  std::vector<std::string_view> open{from};
  while (!open.empty()) {
    auto it = chains.find(open.back());
    open.pop_back();
    if (it == chains.end()) continue;
    for (const View& row : it->second) {
      if (row.get("action") != "jump" || !row.is_set("jump-target")) continue;
      if (seen.insert(row.raw("jump-target")).second) open.push_back(row.raw("jump-target"));
    }
  }
  return seen;
}

void check_jumps(Check& check, std::string_view path, const Chains& chains) {
  std::map<std::string_view, std::set<std::string_view>> reach;  // worked out once per chain
  for (const auto& [chain, rows] : chains) {
    for (const View& row : rows) {
      const bool jumps = row.get("action") == "jump";
      const std::string_view target = row.raw("jump-target");
      if (jumps && target.empty()) {
        check.add(row, "jump-target", "action=jump needs jump-target: the chain to go on in");
      } else if (!jumps && !target.empty()) {
        check.add(row, "jump-target", "only action=jump has a jump-target; leave it out");
      } else if (jumps && is_builtin(path, target)) {
        check.add(row, "jump-target",
                  fmt::format("{} is a built-in chain; jump to a chain of your own", target));
      } else if (jumps && !chains.contains(target)) {
        check.add(
            row, "jump-target",
            fmt::format("there is no chain named \"{}\": no rule has chain={}", target, target));
      } else if (jumps) {
        auto it = reach.find(target);
        if (it == reach.end()) it = reach.emplace(target, reached(chains, target)).first;
        if (it->second.contains(chain)) {
          check.add(row, "jump-target",
                    fmt::format("this jump goes in circles: {} comes back to {}", target, chain));
        }
      }
    }
  }
}

void check_matchers(Check& check, const View& row) {
  const auto protocol = split_negation(row.raw("protocol"));
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return !protocol.negated &&
           std::find(names.begin(), names.end(), protocol.value) != names.end();
  };
  for (std::string_view ports : {"src-port", "dst-port", "to-ports"}) {
    if (row.is_set(ports) && !is({"tcp", "udp", "sctp", "dccp", "udp-lite"})) {
      check.add(
          row, ports,
          "ports need a protocol that has them; add protocol: tcp, udp, sctp, dccp or udp-lite");
    }
  }
  if (row.is_set("icmp-options") && !is({"icmp"})) {
    check.add(row, "icmp-options", "icmp-options need protocol: icmp");
  }
  if (row.is_set("reject-with")) {
    if (row.get("action") != "reject") {
      check.add(row, "reject-with", "only action=reject has an answer; leave reject-with out");
    } else if (row.get("reject-with") == "tcp-reset" && !is({"tcp"})) {
      check.add(row, "reject-with", "tcp-reset answers TCP only; add protocol: tcp");
    }
  }
}

/// A built-in chain stands where one of the interfaces is not known.
void check_sides(Check& check, const View& row) {
  const std::string_view chain = row.raw("chain");
  const bool no_in = chain == "output" || chain == "srcnat";
  const bool no_out = chain == "input" || chain == "dstnat";
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

void check_nat_action(Check& check, const View& row, const std::set<std::string_view>& from_srcnat,
                      const std::set<std::string_view>& from_dstnat) {
  const std::string_view action = row.get("action");
  const std::string_view chain = row.raw("chain");
  const bool source = action == "masquerade" || action == "src-nat";
  const bool destination = action == "dst-nat" || action == "redirect";
  if (source && from_dstnat.contains(chain)) {
    std::string why = fmt::format(
        "{} changes the source and works only in srcnat and the chains it jumps to", action);
    if (chain != "dstnat") why += fmt::format("; {} is reached from dstnat", chain);
    check.add(row, "action", std::move(why));
  }
  if (destination && from_srcnat.contains(chain)) {
    std::string why = fmt::format(
        "{} changes the destination and works only in dstnat and the chains it jumps to", action);
    if (chain != "srcnat") why += fmt::format("; {} is reached from srcnat", chain);
    check.add(row, "action", std::move(why));
  }
  const bool has_target = row.is_set("to-addresses") || row.is_set("to-ports");
  if ((action == "dst-nat" || action == "src-nat") && !has_target) {
    check.add(row, "to-addresses", fmt::format("action={} needs to-addresses or to-ports", action));
  }
  if (!source && !destination && has_target) {
    check.add(row, row.is_set("to-addresses") ? "to-addresses" : "to-ports",
              fmt::format("action={} translates nothing; leave it out", action));
  }
  if ((action == "masquerade" || action == "redirect") && row.is_set("to-addresses")) {
    check.add(row, "to-addresses",
              fmt::format("{} takes the interface's own address; leave to-addresses out, or use {}",
                          action, source ? "src-nat" : "dst-nat"));
  }
}

void check_menu(Check& check, std::string_view path) {
  Chains chains;
  for_each(check.tree, path, [&](const View& row) {
    if (row.is_set("chain")) chains[row.raw("chain")].push_back(row);
  });
  check_jumps(check, path, chains);
  const bool is_nat = path == "/ip/firewall/nat";
  const auto from_srcnat = is_nat ? reached(chains, "srcnat") : std::set<std::string_view>{};
  const auto from_dstnat = is_nat ? reached(chains, "dstnat") : std::set<std::string_view>{};
  for (const auto& [chain, rows] : chains) {
    for (const View& row : rows) {
      check_matchers(check, row);
      check_sides(check, row);
      if (!is_nat) continue;
      check_nat_action(check, row, from_srcnat, from_dstnat);
      if (chain == "input" || chain == "output") {
        check.add(row, "chain",
                  fmt::format("NAT in chain {} is not yet working in this version; "
                              "srcnat and dstnat are",
                              chain));
      }
    }
  }
}

void check_address_lists(Check& check) {
  std::map<std::pair<std::string_view, std::string_view>, View> used;
  for_each(check.tree, "/ip/firewall/address-list", [&](const View& row) {
    const auto [it, fresh] = used.try_emplace({row.raw("list"), row.raw("address")}, row);
    if (!fresh) {
      check.add(row, "address",
                fmt::format("failure: already have such entry: {} is in {} ({})",
                            row.raw("address"), row.raw("list"), where(it->second)));
    }
  });
}

/// Settings of the window tracking that is not there yet: refused, never silently without effect.
void check_tracking(Check& check) {
  for_each(check.tree, "/ip/firewall/connection/tracking", [&](const View& row) {
    const auto refuse = [&](std::string_view property) {
      check.add(row, property,
                "needs TCP window tracking, which this version of Maclane does not have yet; leave "
                "it at its default");
    };
    if (row.get_bool("liberal-tcp-tracking")) refuse("liberal-tcp-tracking");
    if (row.get("tcp-max-retrans-timeout") != "5m") refuse("tcp-max-retrans-timeout");
  });
}

}  // namespace

void validate_firewall(Check& check) {
  check_tracking(check);
  check_menu(check, "/ip/firewall/filter");
  check_menu(check, "/ip/firewall/nat");
  check_address_lists(check);
}

}  // namespace maclane::model
