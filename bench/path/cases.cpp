#include "bench/path/cases.h"

#include <fmt/format.h>

#include <random>
#include <set>

namespace maclane::bench {
namespace {

constexpr uint32_t ip4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}
constexpr uint32_t kWanIp = ip4(203, 0, 113, 2);
constexpr uint32_t kWanGateway = ip4(203, 0, 113, 1);
constexpr uint32_t kLanGateway = ip4(192, 168, 88, 2);
constexpr MacAddr kWanNextHop{{0x02, 0xcc, 0, 0, 0, 1}};
constexpr MacAddr kLanNextHop{{0x02, 0xcc, 0, 0, 0, 2}};
constexpr MacAddr kLanMac{{0x02, 0xbb, 0, 0, 0, 2}};  // of the macvlan on the LAN

constexpr unsigned kAttached = 24;  // vports with a device of their own

constexpr std::string_view kMasquerade =
    "    nat:\n      - {chain: srcnat, out-interface: out, action: masquerade}\n";

MacAddr vport_mac(unsigned n) {
  return {{0x02, 0xdd, 0, 0, static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)}};
}

std::string mac_text(const MacAddr& m) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", m.bytes[0], m.bytes[1],
                     m.bytes[2], m.bytes[3], m.bytes[4], m.bytes[5]);
}

/// One wire port and this many attached macvlans on it; ring ports 2 and up are the kernel devices
/// of the first.
Case bridged_case(const std::string& id, const std::string& title, double goal, unsigned vports) {
  Case c;
  c.id = id;
  c.title = title;
  c.goal = goal;
  c.world.yaml =
      "interface:\n  ethernet:\n    - {name: wan, device: net_ring0}\n"
      "    - {name: lan, device: net_ring1}\n  macvlan:\n";
  for (unsigned i = 0; i < vports; ++i) {
    c.world.yaml +=
        fmt::format("    - {{name: v{}, interface: lan, mac-address: \"{}\", mode: bridge{}}}\n", i,
                    mac_text(vport_mac(i)), i < kAttached ? ", attach: tap" : "");
    c.flows.dst_macs.push_back(vport_mac(i));
  }
  for (unsigned i = 0; i < std::min(vports, kAttached); ++i) {
    c.world.attachments.emplace_back(fmt::format("v{}", i), 2 + i);
  }
  c.flows.count = std::max(vports, 1024u);
  c.flows.src_base = ip4(10, 0, 0, 0);
  c.flows.dst_base = ip4(198, 18, 0, 0);
  c.expected.routed = false;
  c.out_ports = {2};
  return c;
}

std::string random_routes(unsigned count, std::vector<uint32_t>* inside) {
  std::mt19937 random(7);
  std::string yaml;
  std::set<uint64_t> taken;
  while (taken.size() < count) {
    // Lengths as a full table has them: most of them /24, some shorter and some longer.
    const auto kind = static_cast<uint32_t>(random());
    const unsigned length = kind % 16 == 0 ? 28 : kind % 16 < 10 ? 24 : 16 + (kind >> 8) % 8;
    const uint32_t network =
        (ip4(11, 0, 0, 0) + static_cast<uint32_t>(random()) % ip4(90, 0, 0, 0)) &
        (~uint32_t{0} << (32 - length));
    if (!taken.insert(uint64_t{network} << 8 | length).second) continue;
    inside->push_back(network + 1);
    yaml +=
        fmt::format("    - {{dst-address: {}.{}.{}.{}/{}, gateway: 203.0.113.1}}\n", network >> 24,
                    network >> 16 & 255, network >> 8 & 255, network & 255, length);
  }
  return yaml;
}

Case established(const std::string& id, const std::string& title, double goal, unsigned rules,
                 bool nat, uint32_t sessions) {
  Case c = routed_case(id, title, goal,
                       filter_rules(rules) + (nat ? std::string(kMasquerade) : std::string()));
  c.flows.count = sessions;
  c.flows.dst_hosts = sessions >= 65536 ? 4096 : 256;
  c.world.max_sessions = std::max(sessions, 16384u);
  c.answered = true;
  if (nat) c.expected.masqueraded_as = kWanIp;
  return c;
}

/// The way out is a PPPoE session on a macvlan of the WAN.
Case through_pppoe(Case c) {
  constexpr uint16_t kSession = 0x1234;
  const std::string_view before = "    - {name: in,";
  c.world.yaml.insert(c.world.yaml.find(before),
                      "    - {name: below, interface: wan, mac-address: \"02:bb:00:00:00:03\"}\n");
  c.expected.pppoe_session = kSession;
  c.prepare = [](World& w) {
    w.neighbour("in", kLanGateway, kLanNextHop);
    // As a session that has been negotiated stands in a snapshot.
    auto& s = const_cast<Snapshot&>(w.snapshot());
    const IfIndex below = w.interface("below");
    Interface& out = s.interfaces[w.interface("out")];
    out.kind = IfKind::kPppoe;
    out.parent = below;
    out.mtu = 1492;
    out.pppoe_session = be16::from(kSession);
    out.pppoe_peer = kWanNextHop;
    s.pppoe_sessions.insert(MacAddr::from_key(pppoe_key(below, out.pppoe_session)),
                            w.interface("out"));
    s.index_arrivals();
  };
  return c;
}

/// The same, measured in the other direction.
Case of_replies(Case c) {
  c.replies = true;
  return c;
}

}  // namespace

std::string filter_rules(unsigned count) {
  std::string yaml = "  firewall:\n    filter:\n";
  for (unsigned i = 0; i + 1 < count; ++i) {
    switch (i % 4) {
      case 0:
        yaml +=
            fmt::format("      - {{chain: forward, src-address: 172.{}.{}.0/24, action: drop}}\n",
                        16 + i / 256 % 16, i % 256);
        break;
      case 1:
        yaml +=
            fmt::format("      - {{chain: forward, protocol: tcp, dst-port: {}, action: drop}}\n",
                        1024 + i % 60000);
        break;
      case 2:
        yaml += fmt::format(
            "      - {{chain: forward, dst-address: 100.{}.{}.{}, protocol: udp, dst-port: 53, "
            "action: accept}}\n",
            64 + i / 65536 % 64, i / 256 % 256, i % 256);
        break;
      default:
        yaml += fmt::format(
            "      - {{chain: forward, in-interface: wan, src-address: 192.0.{}.{}, action: "
            "drop}}\n",
            i / 256 % 256, i % 256);
    }
  }
  return yaml + "      - {chain: forward, in-interface: in, action: accept}\n";
}

Case routed_case(const std::string& id, const std::string& title, double goal,
                 const std::string& firewall, const std::string& more_routes) {
  Case c;
  c.id = id;
  c.title = title;
  c.goal = goal;
  c.world.yaml = fmt::format(
      "interface:\n  ethernet:\n    - {{name: wan, device: net_ring0}}\n"
      "    - {{name: lan, device: net_ring1}}\n  macvlan:\n"
      "    - {{name: out, interface: wan, mac-address: \"02:bb:00:00:00:01\"}}\n"
      "    - {{name: in, interface: lan, mac-address: \"{}\"}}\n"
      "ip:\n  address:\n    - {{address: 203.0.113.2/24, interface: out}}\n"
      "    - {{address: 192.168.88.1/24, interface: in}}\n"
      "  route:\n    - {{dst-address: 0.0.0.0/0, gateway: 203.0.113.1}}\n"
      "    - {{dst-address: 10.0.0.0/8, gateway: 192.168.88.2}}\n{}{}",
      mac_text(kLanMac), more_routes, firewall);
  c.flows.dst_macs = {kLanMac};
  c.flows.src_base = ip4(10, 0, 0, 0);
  c.flows.dst_base = ip4(198, 18, 0, 0);
  c.flows.dst_hosts = 256;
  c.flows.count = 1024;
  c.expected.dst_mac = kWanNextHop;
  c.prepare = [](World& w) {
    w.neighbour("out", kWanGateway, kWanNextHop);
    w.neighbour("in", kLanGateway, kLanNextHop);
  };
  return c;
}

std::vector<Case> path_cases() {
  std::vector<Case> all;
  all.push_back(bridged_case("l2-1", "L2: port to attached vport, 1 vport", 35, 1));
  all.push_back(bridged_case("l2-1000", "the same, 1000 vports", 40, 1000));
  all.back().prepare = [](World& w) {
    // They all stand before one device, so that what is measured is finding the vport.
    auto& s = const_cast<Snapshot&>(w.snapshot());
    const Interface& first = s.interfaces[w.interface("v0")];
    for (Interface& i : s.interfaces) {
      if (i.kind != IfKind::kMacvlan) continue;
      i.up = i.attached = true;
      i.attach_port = first.attach_port;
    }
    s.index_arrivals();
  };
  all.push_back(routed_case("l3", "L3 forward between vports, no rules, 1 route", 45, ""));
  {
    std::vector<uint32_t> inside;
    const std::string routes = random_routes(100000, &inside);
    all.push_back(
        routed_case("l3-100k", "the same, 100k routes, random destinations", 60, "", routes));
    all.back().flows.dst_list = std::move(inside);
    all.back().flows.count = 100000;
  }
  all.push_back(established("filter-10k", "stateful filter, 25 rules, 10k sessions, no NAT", 70, 25,
                            false, 10000));
  all.push_back(established("nat-1", "established through 25 rules + masquerade, 1 session", 70, 25,
                            true, 1));
  all.push_back(established("nat-10k", "the same, 10k sessions", 85, 25, true, 10000));
  all.push_back(established("nat-10k-imix", "the same, IMIX (7 of 64 bytes, 4 of 570, 1 of 1518)",
                            0, 25, true, 10000));
  all.back().flows.sizes = {60, 566, 60, 60, 566, 60, 1514, 60, 566, 60, 566, 60};
  all.push_back(established("nat-10k-1518", "the same, 1518 bytes", 0, 25, true, 10000));
  all.back().flows.sizes = {1514};
  all.push_back(established("nat-64k", "the same, 64k sessions", 95, 25, true, 65536));
  all.push_back(established("nat-1m", "the same, 1M sessions", 140, 25, true, 1000000));
  all.push_back(established("nat-4m", "the same, 4M sessions", 180, 25, true, 4000000));
  for (const uint32_t sessions : {10000u, 65536u, 1000000u}) {
    const std::string id = sessions == 10000u   ? "tcp-10k"
                           : sessions == 65536u ? "tcp-64k"
                                                : "tcp-1m";
    all.push_back(established(id,
                              fmt::format("TCP, established as above, {} sessions", id.substr(4)),
                              0, 25, true, sessions));
    all.back().flows.tcp = true;
    all.back().flows.sizes = {kTcpFrame};
    // Some of the rules drop TCP to ports that clients here have.
    const std::string filter = "    filter:\n";
    std::string& yaml = all.back().world.yaml;
    yaml.insert(yaml.find(filter) + filter.size(),
                "      - {chain: forward, connection-state: established, action: accept}\n");
  }
  all.push_back(established("nat-10k-fast",
                            "the 10k case with fasttrack-connection before its rules", 0, 25, true,
                            10000));
  {
    const std::string filter = "    filter:\n";
    std::string& yaml = all.back().world.yaml;
    yaml.insert(yaml.find(filter) + filter.size(),
                "      - {chain: forward, connection-state: established, action: "
                "fasttrack-connection}\n"
                "      - {chain: forward, connection-state: established, action: accept}\n");
  }
  all.push_back(of_replies(
      established("nat-10k-in", "the 10k case, the replies that come in", 0, 25, true, 10000)));
  all.push_back(through_pppoe(
      routed_case("pppoe-l3", "PPPoE: L3 forward into a session, no rules, 1 route", 0, "")));
  all.push_back(through_pppoe(
      established("pppoe-10k", "PPPoE: the 10k case into a session", 0, 25, true, 10000)));
  all.push_back(of_replies(through_pppoe(established(
      "pppoe-10k-in", "PPPoE: the same, the replies out of the session", 0, 25, true, 10000))));
  all.push_back(established("nat-10k-1000r", "the 10k case with 1000 rules in place of 25", 0, 1000,
                            true, 10000));
  {
    Case c = bridged_case("flood-24", "broadcast to 24 attached vports, per copy", 45, 24);
    c.flows.dst_macs = {MacAddr{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}};
    c.out_ports.clear();
    for (unsigned i = 0; i < 24; ++i) c.out_ports.push_back(2 + i);
    c.copies = 24;
    c.burst = 16;  // more would not fit a mempool's cache, and 64 not the flood budget
    all.push_back(std::move(c));
  }
  {
    Case c = established("new", "new session (25 rules, masquerade, port, index, expiry queue)",
                         600, 25, true, 262144);
    c.answered = false;
    c.churn = true;
    c.burst = 60;  // whole bursts without end are overload, under which not all may open
    all.push_back(std::move(c));
  }
  return all;
}

}  // namespace maclane::bench
