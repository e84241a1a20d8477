// Fuzz: what a wire says to ARP, to the DHCP servers and to loop protect, in any order and with
// time going by. The input is steps: a byte for what happens, one for the interface, one for the
// length, and the bytes of it.
#include "control/service/arp.h"
#include "control/service/dhcp_server.h"
#include "control/service/loop_protect.h"
#include "tests/fuzz/fuzz_io.h"

namespace {

using namespace maclane;  // NOLINT: a fuzz target is one file

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
  LoopProtect loops{io, [](IfIndex) { return std::string("if"); }};
  ServiceConfig config = network(io.published);

  Services() { configure(); }
  void configure() {
    ++io.published.generation;
    book.set(config.addresses);
    icmp.on_config(config);
    arp.on_config(config);
    loops.on_config(config);
    dhcp.on_config(config.dhcp_server);
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
      switch (what % 7) {
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
