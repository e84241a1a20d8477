#include "tests/unit/service/fake_io.h"

#include <rte_mempool.h>

#include <new>
#include <utility>

#include "dataplane/net/checksum.h"

namespace maclane::test {
namespace {

rte_mempool* pool() {
  static rte_mempool* const instance =
      rte_pktmbuf_pool_create("service_test", 4096, 0, kPrivateSize, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
  return instance;
}

}  // namespace

FakeIo::FakeIo() {
  if (pool() == nullptr) throw std::bad_alloc();
}

FakeIo::~FakeIo() = default;

rte_mbuf* FakeIo::alloc() {
  rte_mbuf* m = no_buffers ? nullptr : rte_pktmbuf_alloc(pool());
  if (m != nullptr) new (rte_mbuf_to_priv(m)) PacketMessage{};
  return m;
}

bool FakeIo::inject(rte_mbuf* packet) {
  Bytes bytes(packet->pkt_len);
  EXPECT_EQ(read_head(packet, bytes), bytes.size());
  EXPECT_EQ(rte_mbuf_check(packet, 1, nullptr), 0);
  sent.push_back({message_of(packet), std::move(bytes)});
  rte_pktmbuf_free(packet);
  return true;
}

void FakeIo::free(rte_mbuf* packet, Drop reason, IfIndex) {
  ++drops[reason];
  rte_pktmbuf_free(packet);
}

void FakeIo::consume(rte_mbuf* packet) {
  ++consumed;
  rte_pktmbuf_free(packet);
}

rte_mbuf* FakeIo::packet(const Bytes& bytes, const PacketMessage& message) {
  rte_mbuf* m = make_packet(*this, bytes);
  EXPECT_NE(m, nullptr);
  message_of(m) = message;
  return m;
}

unsigned FakeIo::in_use() const {
  return rte_mempool_in_use_count(pool());
}

void ServiceTest::SetUp() {
  ASSERT_EQ(io.in_use(), 0u);
  Snapshot& s = io.published;
  s.interfaces.resize(9);
  s.domains.resize(2);
  const auto interface = [&](IfIndex i, IfKind kind, VportMode mode, bool attached) {
    Interface& n = s.interfaces[i];
    n.kind = kind;
    n.mode = mode;
    n.attached = attached;
    n.up = true;
    n.domain = i == 8 ? 1 : 0;
    n.parent = kind == IfKind::kMacvlan ? IfIndex{1} : kNoIf;
    n.mac = mac(static_cast<uint8_t>(i));
    if (kind == IfKind::kMacvlan) s.domains[0].vports.push_back(i);
  };
  interface(1, IfKind::kEthernet, VportMode::kBridge, false);
  interface(2, IfKind::kMacvlan, VportMode::kBridge, false);
  interface(3, IfKind::kMacvlan, VportMode::kPrivate, false);
  interface(4, IfKind::kMacvlan, VportMode::kBridge, false);
  interface(5, IfKind::kMacvlan, VportMode::kPrivate, false);
  interface(6, IfKind::kMacvlan, VportMode::kBridge, true);
  interface(7, IfKind::kMacvlan, VportMode::kPrivate, true);
  interface(8, IfKind::kEthernet, VportMode::kBridge, false);
  s.domains[0].parent = 1;
  s.domains[1].parent = 8;
  for (IfIndex i = 1; i <= 5; ++i) {
    config.addresses.push_back({i, addr(192, 168, 1, i), 24});
    s.interfaces[i].primary_address = addr(192, 168, 1, i);
  }
  config.addresses.push_back({8, addr(10, 1, 0, 1), 24});
  config.addresses.push_back({8, addr(10, 2, 0, 1), 30});
  s.interfaces[8].primary_address = addr(10, 1, 0, 1);
  config.icmp_rate_limit_ms = 0;
  services = std::make_unique<Services>(
      io, [](IfIndex i) { return "if" + std::to_string(i); }, 7);
  publish();
  io.take();
}

void ServiceTest::TearDown() {
  services.reset();
  EXPECT_EQ(io.in_use(), 0u) << "packets were leaked";
}

void ServiceTest::publish() {
  ++io.published.generation;
  services->on_config(config);
}

Bytes ServiceTest::arp_frame(uint16_t operation, const MacAddr& sender_mac, be32 sender,
                             const MacAddr& target_mac, be32 target, const MacAddr& dst) {
  Bytes out(42);
  write_header(out, 0, EtherHdr{dst, sender_mac, be16::from(kEtherArp)});
  write_header(out, 14,
               ArpHdr{be16::from(1), be16::from(kEtherIp4), 6, 4, be16::from(operation), sender_mac,
                      sender, target_mac, target});
  return out;
}

void ServiceTest::hear(const Bytes& frame, IfIndex in_if, IfIndex sender) {
  PacketMessage m;
  m.reason = PuntReason::kArp;
  m.in_if = in_if;
  m.out_if = sender;
  m.broadcast = (frame[0] & 1) != 0;
  punt(frame, m);
}

void ServiceTest::who_has(be32 sender, be32 target, IfIndex in_if) {
  hear(arp_frame(1, kPeerMac, sender, {}, target), in_if);
}

void ServiceTest::answer(IfIndex to, be32 sender, const MacAddr& sender_mac) {
  const MacAddr& own = io.published.interfaces[to].mac;
  hear(arp_frame(2, sender_mac, sender, own, services->addresses().source_for(to, sender), own),
       to);
}

void ServiceTest::punt(const Bytes& packet, const PacketMessage& message) {
  services->handle(io.packet(packet, message));
}

void ServiceTest::resolve(IfIndex out_if, be32 next_hop, uint16_t id, IfIndex in_if) {
  PacketMessage m;
  m.reason = PuntReason::kNeighbour;
  m.in_if = in_if;
  m.out_if = out_if;
  m.next_hop = next_hop;
  m.worker = 3;
  Bytes packet = udp(addr(10, 1, 0, 77), next_hop);
  packet[4] = static_cast<uint8_t>(id >> 8);
  packet[5] = static_cast<uint8_t>(id);
  punt(packet, m);
}

void ServiceTest::local(const Bytes& packet, IfIndex in_if, bool broadcast) {
  PacketMessage m;
  m.reason = PuntReason::kLocal;
  m.in_if = in_if;
  m.broadcast = broadcast;
  m.worker = 3;
  punt(packet, m);
}

void ServiceTest::advance(uint64_t ms) {
  const uint64_t end = io.now + ms;
  while (services->next_deadline() <= end) {
    io.now = std::max(io.now, services->next_deadline());
    services->tick();
  }
  io.now = end;
  services->tick();
}

NeighState ServiceTest::state(IfIndex interface, be32 address) {
  return io.neighbours().find(interface, address).state;
}

std::string ServiceTest::status(IfIndex interface, be32 address) {
  for (const ArpRow& row : services->arp_rows()) {
    if (row.interface == interface && row.address == address) return std::string(row.status);
  }
  return "";
}

Bytes ServiceTest::ip_packet(be32 src, be32 dst, uint8_t proto, const Bytes& payload,
                             uint16_t fragment, uint16_t id) {
  Bytes out(20 + payload.size());
  Ip4Hdr ip = make_ip4({src, dst, proto, 0, id, false}, out.size());
  ip.fragment = be16::from(fragment);
  ip.checksum = {};
  ip.checksum.raw = checksum(&ip, sizeof(ip));
  write_header(out, 0, ip);
  std::copy(payload.begin(), payload.end(), out.begin() + 20);
  return out;
}

Bytes ServiceTest::echo(be32 src, be32 dst, size_t data, uint8_t type) {
  Bytes icmp(8 + data);
  icmp[0] = type;
  icmp[4] = 0x12;
  icmp[5] = 0x34;
  icmp[7] = 9;
  for (size_t i = 0; i < data; ++i) icmp[8 + i] = static_cast<uint8_t>(i * 7);
  const uint16_t sum = checksum(icmp.data(), icmp.size());
  std::memcpy(icmp.data() + 2, &sum, 2);
  return ip_packet(src, dst, kProtoIcmp, icmp);
}

Bytes ServiceTest::udp(be32 src, be32 dst, size_t data) {
  Bytes payload(8 + data, 0x55);
  write_header(payload, 0,
               UdpHdr{be16::from(1000),
                      be16::from(2000),
                      be16::from(static_cast<uint16_t>(payload.size())),
                      {}});
  return ip_packet(src, dst, kProtoUdp, payload);
}

Bytes ServiceTest::tcp(be32 src, be32 dst, uint8_t flags, uint32_t seq, uint32_t ack, size_t data) {
  Bytes payload(20 + data, 0x66);
  TcpHdr h{};
  h.sport = be16::from(1000);
  h.dport = be16::from(80);
  h.seq = be32::from(seq);
  h.ack = be32::from(ack);
  h.data_offset = 5 << 4;
  h.flags = flags;
  write_header(payload, 0, h);
  return ip_packet(src, dst, kProtoTcp, payload);
}

bool l4_checksum_ok(const Bytes& packet) {
  Ip4Hdr ip;
  if (!read_ip4(packet, ip)) return false;
  const size_t at = ip.header_length();
  const size_t length = packet.size() - at;
  const uint32_t pseudo = ip.proto == kProtoIcmp
                              ? 0
                              : pseudo_sum(ip.src, ip.dst, ip.proto, static_cast<uint16_t>(length));
  return checksum(packet.data(), at) == 0 && checksum(packet.data() + at, length, pseudo) == 0;
}

}  // namespace maclane::test
