// Fuzz: what a wire says to ARP, to the DHCP servers, to loop protect and by ICMP redirects, in any
// order and with time going by. The input is steps: a byte for what happens, one for the interface,
// one for the length, and the bytes of it.
#include "control/service/arp.h"
#include "control/service/dhcp_server.h"
#include "control/service/loop_protect.h"
#include "control/service/redirects.h"
#include "tests/fuzz/fuzz_io.h"

namespace {

using namespace maclane;  // NOLINT: a fuzz target is one file

constexpr uint32_t kGateway = 0x0a010009, kNearer = 0x0a010014;
constexpr uint32_t kPoolFirst = 0xc0a80165, kPoolLast = 0xc0a8016a, kStatic = 0xc0a80105;

class Wire final : public FuzzIo {
 public:
  std::vector<IfIndex> ways_to(be32 address) override {
    return (address.host() & 1) != 0 ? std::vector<IfIndex>{3} : std::vector<IfIndex>{};
  }

 private:
  void said(const PacketMessage& message, std::span<const uint8_t> bytes) override {
    if (message.kind != InjectKind::kFrame || bytes.size() <= sizeof(EtherHdr) + sizeof(Ip4Hdr) ||
        bytes[12] != 0x08 || bytes[13] != 0x00)
      return;
    // What our servers say can be read, and offers what is theirs to give.
    const auto said = dhcp::read_frame(bytes, dhcp::kClientPort);
    must(said.has_value());
    const uint32_t given = said->message.yiaddr.host();
    must(given == 0 || given == kStatic || (given >= kPoolFirst && given <= kPoolLast));
  }
};

/// ether1 with a macvlan of each mode, and ether2, with servers on three of them.
ServiceConfig network(Snapshot& s) {
  ServiceConfig config;
  s.interfaces.resize(5);
  s.domains.resize(2);
  for (IfIndex i = 1; i <= 4; ++i) {
    Interface& n = s.interfaces[i];
    const bool macvlan = i == 2 || i == 4;
    n.kind = macvlan ? IfKind::kMacvlan : IfKind::kEthernet;
    n.mode = i == 4 ? VportMode::kPrivate : VportMode::kBridge;
    n.up = true;
    n.arp = i == 2 ? ArpMode::kProxy : i == 4 ? ArpMode::kReplyOnly : ArpMode::kEnabled;
    n.domain = i == 3 ? 1 : 0;
    n.parent = macvlan ? IfIndex{1} : kNoIf;
    n.mac = {{2, 0, 0, 0, 0, static_cast<uint8_t>(i)}};
    n.primary_address = be32::from(i == 3 ? 0x0a010001 : 0xc0a80100u + i);
    if (macvlan) s.domains[0].vports.push_back(i);
    config.addresses.push_back({i, n.primary_address, 24});
    config.loop_protect[i] = {1000, 2000, "revision"};
  }
  s.domains[0].parent = 1;
  s.domains[1].parent = 3;
  for (IfIndex i : {IfIndex{1}, IfIndex{2}, IfIndex{4}}) {
    DhcpServerConfig one;
    one.name = "dhcp" + std::to_string(i);
    one.interface = i;
    one.lease_s = 600;
    one.add_arp = i == 4;
    one.conflict_detection = i == 1;
    if (i == 2) one.relay = be32::from(0xffffffff);
    if (i != 4) one.ranges = {{"pool", kPoolFirst, kPoolLast}};
    config.dhcp_server.servers.push_back(std::move(one));
  }
  config.dhcp_server.leases.push_back(
      {7, "", kStatic, MacAddr{{2, 0xcc, 0, 0, 0, 1}}, {1, 2, 3}, 60, false, true, {}});
  config.dhcp_server.networks.push_back({0xc0a80100,
                                         24,
                                         0,
                                         {be32::from(0xc0a80101)},
                                         {},
                                         {},
                                         {},
                                         {},
                                         false,
                                         false,
                                         "lan",
                                         {},
                                         "boot",
                                         {}});
  return config;
}

struct Services {
  Wire io;
  AddressBook book;
  Icmp icmp{io, book, 1};
  Arp arp{io, book, icmp, [](IfIndex) { return std::string("if"); }, 1};
  DhcpServer dhcp{io, book, arp};
  Redirects redirects{io, book, [](IfIndex) { return std::string("if"); }};
  LoopProtect loops{io, [](IfIndex) { return std::string("if"); }};
  ServiceConfig config = network(io.published);

  Services() {
    static const auto fib = [] {
      const std::array<Fib4Route, 2> routes{{{0, 0, 1}, {0x0a010000, 24, 2}}};
      std::string error;
      return Fib4::build(routes, &error, true);
    }();
    io.published.fib = fib;
    io.published.next_hops = {
        NextHop{},
        {.kind = NextHop::Kind::kGateway, .out_if = 3, .gateway = be32::from(kGateway)},
        {.kind = NextHop::Kind::kConnected, .out_if = 3},
        {.kind = NextHop::Kind::kGateway, .out_if = 3, .gateway = be32::from(kNearer)}};
    config.accept_redirects = true;
    configure();
  }
  void configure() {
    ++io.published.generation;
    book.set(config.addresses);
    icmp.on_config(config);
    arp.on_config(config);
    loops.on_config(config);
    dhcp.on_config(config.dhcp_server);
    config.secure_redirects = !config.secure_redirects;
    redirects.on_config(config);
  }
  /// One to the router, its first checks behind it if there is something to quote.
  void redirect(std::span<const uint8_t> bytes, IfIndex in_if, uint8_t more) {
    if (bytes.size() < 4) return redirects.hear(bytes, in_if, (more & 0x80) != 0);
    std::vector<uint8_t> packet(sizeof(Ip4Hdr) + sizeof(IcmpHdr));
    const be32 us = be32::from(0x0a010001);
    IcmpHdr icmp{};
    icmp.type = kIcmpRedirect;
    icmp.code = static_cast<uint8_t>(more & 7);
    const be32 gateway = be32::from(kNearer - (bytes[0] & 1u));
    std::memcpy(static_cast<void*>(&icmp.id), &gateway, sizeof(gateway));
    write_header(packet, sizeof(Ip4Hdr), icmp);
    be32 far{};
    std::memcpy(&far.raw, bytes.data(), sizeof(far.raw));
    const Ip4Hdr quoted = make_ip4({us, far, kProtoUdp}, 28);
    const auto* head = reinterpret_cast<const uint8_t*>(&quoted);
    packet.insert(packet.end(), head, head + ((more & 8) != 0 ? bytes.size() % 20 : sizeof quoted));
    packet.insert(packet.end(), bytes.begin() + 4, bytes.end());
    write_header(packet, 0, make_ip4({be32::from(kGateway), us, kProtoIcmp}, packet.size()));
    redirects.hear(packet, in_if, (more & 0x80) == 0);
    Learned learned;
    redirects.add_learned(learned);
    must(learned.redirects.size() <= Redirects::kMost);
    for (const LearnedRedirect& one : learned.redirects)
      must(one.told_by == kGateway && (one.gateway == kNearer || one.gateway == kNearer - 1) &&
           one.destination >> 8 != kGateway >> 8);
  }
  void hear(PuntReason reason, IfIndex in_if, std::span<const uint8_t> frame, uint8_t what) {
    rte_mbuf* m = make_packet(io, frame);
    if (m == nullptr) return;
    PacketMessage& punt = message_of(m);
    punt.reason = reason;
    punt.in_if = in_if;
    punt.out_if = (what & 0x40) != 0 ? IfIndex{3} : kNoIf;
    punt.broadcast = (what & 0x80) != 0;
    punt.next_hop = be32::from(0x0a010000u + what);
    if (reason == PuntReason::kDhcp) {
      (void)dhcp.hear(m);
      io.consume(m);
    } else if (reason == PuntReason::kLoopProtect) {
      loops.handle(m);
    } else {
      if (reason == PuntReason::kArp) dhcp.overhear(m);
      arp.handle(m);
    }
  }
  void tick(uint64_t ms) {
    io.now += ms;
    arp.tick();
    loops.tick();
    dhcp.tick();
    redirects.tick();
    (void)redirects.changed();
  }
};

/// A message whose options are the input's, so that the first checks are behind it.
dhcp::Bytes message(std::span<const uint8_t> bytes, uint8_t what) {
  dhcp::Message m;
  m.xid = what;
  m.chaddr = {{2, 0xcc, 0, 0, 0, static_cast<uint8_t>(what & 15)}};
  if (bytes.size() >= 4) {
    m.set(dhcp::kMessageType, dhcp::Bytes{bytes[0]});
    if ((bytes[1] & 1) != 0) m.set(dhcp::kRequestedAddress, kPoolFirst + bytes[2] % 8);
    if ((bytes[1] & 2) != 0) m.set(dhcp::kServerId, 0xc0a80100u + bytes[3] % 8);
    if ((bytes[1] & 4) != 0) m.ciaddr = be32::from(kPoolFirst + bytes[2] % 8);
    if ((bytes[1] & 8) != 0) m.giaddr = be32::from(0xc0a80109);
    m.broadcast = (bytes[1] & 16) != 0;
    m.secs = bytes[3];
    bytes = bytes.subspan(4);
  }
  while (bytes.size() >= 2) {
    const size_t n = std::min<size_t>(bytes[1], bytes.size() - 2);
    const auto value = bytes.subspan(2, n);
    if (bytes[0] != 0 && bytes[0] != 255 && bytes[0] != dhcp::kMessageType)
      m.options[bytes[0]] = {value.begin(), value.end()};
    bytes = bytes.subspan(2 + n);
  }
  dhcp::FrameFields fields;
  fields.src = m.chaddr;
  fields.dst = MacAddr::from_key(0xffffffffffffULL);
  fields.ip_dst = be32::from(0xffffffff);
  return dhcp::build_frame(fields, m);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  {
    Services services;
    std::span<const uint8_t> rest(data, size);
    while (const auto step = take_step(rest)) {
      const auto [what, more, bytes] = *step;
      const auto in_if = static_cast<IfIndex>(1 + (more & 3));
      switch (what % 8) {
        case 0:
          services.hear(PuntReason::kArp, in_if, bytes, more);
          break;
        case 1:
          services.hear(PuntReason::kDhcp, in_if, message(bytes, more), more);
          break;
        case 2:
          services.hear(PuntReason::kDhcp, in_if, bytes, more);
          break;
        case 3:
          services.hear(PuntReason::kLoopProtect, in_if, bytes, more);
          break;
        case 4:
          services.hear(PuntReason::kNeighbour, in_if, bytes, more);
          break;
        case 5:
          services.tick(uint64_t{more} * 50);
          break;
        case 6:
          services.redirect(bytes, in_if, more);
          break;
        default:
          services.config.dhcp_server.servers[1].add_arp = (more & 4) != 0;
          services.configure();
      }
      // Addresses are given to as many as there are, conflicts and a static row among them.
      must(services.dhcp.leases().size() <= kPoolLast - kPoolFirst + 2);
    }
    services.tick(60'000);
    services.tick(60'000);
  }
  must(rte_mempool_in_use_count(fuzz_pool()) == 0);
  return 0;
}
