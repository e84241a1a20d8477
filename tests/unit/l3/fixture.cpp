#include "tests/unit/l3/fixture.h"

#include <rte_eal.h>
#include <rte_mempool.h>

#include "dataplane/stage/l2.h"

namespace maclane {

// The frames that leave L3, instead of the real layer 2.
void l2_send(Worker&, rte_mbuf* m, IfIndex from) noexcept {
  test::Sent s{from, {}};
  s.frame.resize(m->pkt_len);
  const void* data = rte_pktmbuf_read(m, 0, m->pkt_len, s.frame.data());
  if (data != s.frame.data()) std::memcpy(s.frame.data(), data, m->pkt_len);
  test::sent().push_back(std::move(s));
  rte_pktmbuf_free(m);  // taken by the test, not a drop
}

namespace test {
namespace {

rte_mempool* pool() {
  static rte_mempool* p = [] {
    const char* argv[] = {
        "l3_test",  "--no-huge",      "--no-shconf",      "-m", "128", "--no-telemetry",
        "--no-pci", "--iova-mode=va", "--log-level=error"};
    if (rte_eal_init(9, const_cast<char**>(argv)) < 0) std::abort();
    return rte_pktmbuf_pool_create("l3", 4095, 0, kPrivateSize, 2048 + 128, 0);
  }();
  return p;
}

void put(std::vector<uint8_t>& v, const void* data, size_t n) {
  const auto* p = static_cast<const uint8_t*>(data);
  v.insert(v.end(), p, p + n);
}

MacAddr mac(uint8_t last) {
  return {{0x02, 0, 0, 0, 0, last}};
}

}  // namespace

std::vector<Sent>& sent() {
  static std::vector<Sent> s;
  return s;
}

bool Sent::checksums_ok() const {
  const Ip4Hdr& h = ip();
  if (checksum(&h, h.header_length()) != 0) return false;
  if (h.is_fragment()) return true;
  const auto* data = frame.data() + 14 + h.header_length();
  const auto length = static_cast<uint16_t>(h.total_length.host() - h.header_length());
  if (h.proto == kProtoIcmp) return checksum(data, length) == 0;
  if (h.proto == kProtoUdp && l4<UdpHdr>().checksum.raw == 0) return true;
  return checksum(data, length, pseudo_sum(h.src, h.dst, h.proto, length)) == 0;
}

void L3Test::SetUp() {
  sent().clear();
  pool_full = rte_mempool_avail_count(pool());
  neighbours = std::make_unique<NeighbourTable>(64);
  mc = std::make_unique<McFilters>(7);
  w = std::make_unique<Worker>(0, 1, 1024, 42, *neighbours, *mc, pool());
  w->punt = rte_ring_create("l3punt", 1024, -1, RING_F_SP_ENQ | RING_F_SC_DEQ);
  w->events = rte_ring_create_elem("l3event", sizeof(Event), 1024, -1, 0);
  w->now = {1, 100};

  snap = Snapshot{};
  snap.interfaces.resize(4);
  const auto interface = [&](IfIndex i, uint32_t address) {
    Interface& f = snap.interfaces[i];
    f.kind = IfKind::kEthernet;
    f.up = true;
    f.mac = mac(static_cast<uint8_t>(i));
    f.primary_address = be32::from(address);
  };
  interface(kLan, kLanIp);
  interface(kWan, kWanIp);
  interface(kIot, ip4(192, 168, 99, 1));
  using Kind = NextHop::Kind;
  snap.next_hops = {{},
                    {Kind::kLocal, kLan, {}, {}, {}},
                    {Kind::kLocal, kWan, {}, {}, {}},
                    {Kind::kLocal, kIot, {}, {}, {}},
                    {Kind::kConnected, kLan, {}, {}, {}},
                    {Kind::kConnected, kWan, {}, {}, {}},
                    {Kind::kConnected, kIot, {}, {}, {}},
                    {Kind::kGateway, kWan, be32::from(kGateway), {}, {}},
                    {Kind::kBroadcast, kLan, {}, {}, {}},
                    {Kind::kBlackhole, kNoIf, {}, {}, {}},
                    {Kind::kProhibit, kNoIf, {}, {}, {}},
                    {Kind::kUnreachable, kNoIf, {}, {}, {}}};
  const std::vector<Fib4Route> routes = {{kLanIp, 32, 1},
                                         {kWanIp, 32, 2},
                                         {ip4(192, 168, 99, 1), 32, 3},
                                         {ip4(192, 168, 88, 0), 24, 4},
                                         {ip4(203, 0, 113, 0), 24, 5},
                                         {ip4(192, 168, 99, 0), 24, 6},
                                         {0, 0, 7},
                                         {ip4(192, 168, 88, 255), 32, 8},
                                         {ip4(10, 1, 0, 0), 16, 9},
                                         {ip4(10, 2, 0, 0), 16, 10},
                                         {ip4(10, 3, 0, 0), 16, 11}};
  std::string error;
  snap.fib = Fib4::build(routes, &error, true);
  ASSERT_TRUE(snap.fib) << error;
  for (auto& t : snap.timeouts) t = 1000;
  neighbours->set(kLan, be32::from(kPc), mac(0x10), NeighState::kReachable);
  neighbours->set(kWan, be32::from(kGateway), mac(0x11), NeighState::kReachable);
  neighbours->set(kIot, be32::from(kIotHost), mac(0x12), NeighState::kReachable);
  publish();
}

void L3Test::TearDown() {
  (void)punted();
  w->fragments.expire(
      {1, w->now.cs + 1000000}, 100000,
      [](void*, rte_mbuf* m, IfIndex, Drop) { rte_pktmbuf_free(m); }, nullptr);
  rte_ring_free(w->punt);
  rte_ring_free(w->events);
  w.reset();
  EXPECT_EQ(rte_mempool_avail_count(pool()), pool_full) << "packets leaked";
}

void L3Test::publish() {
  ++snap.generation;
  take_up(*w, &snap);
}

std::vector<uint8_t> L3Test::ip_packet(uint32_t src, uint32_t dst, uint8_t proto,
                                       const std::vector<uint8_t>& payload, uint8_t ttl,
                                       uint16_t fragment, uint16_t id) {
  Ip4Hdr h{};
  h.version_ihl = 0x45;
  h.total_length = be16::from(static_cast<uint16_t>(20 + payload.size()));
  h.id = be16::from(id);
  h.fragment = be16::from(fragment);
  h.ttl = ttl;
  h.proto = proto;
  h.src = be32::from(src);
  h.dst = be32::from(dst);
  h.checksum.raw = checksum(&h, 20);
  std::vector<uint8_t> p;
  put(p, &h, 20);
  put(p, payload.data(), payload.size());
  return p;
}

std::vector<uint8_t> L3Test::udp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport,
                                 size_t data, uint8_t ttl, bool with_checksum) {
  UdpHdr u{be16::from(sport), be16::from(dport), be16::from(static_cast<uint16_t>(8 + data)), {}};
  std::vector<uint8_t> p;
  put(p, &u, 8);
  for (size_t i = 0; i < data; ++i) p.push_back(static_cast<uint8_t>(i));
  if (with_checksum) {
    const uint16_t sum = checksum(
        p.data(), p.size(),
        pseudo_sum(be32::from(src), be32::from(dst), kProtoUdp, static_cast<uint16_t>(p.size())));
    std::memcpy(p.data() + 6, &sum, 2);
  }
  return ip_packet(src, dst, kProtoUdp, p, ttl);
}

std::vector<uint8_t> L3Test::tcp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport,
                                 uint8_t flags, uint32_t seq, uint32_t ack) {
  TcpHdr t{};
  t.seq = be32::from(seq);
  t.ack = be32::from(ack);
  t.sport = be16::from(sport);
  t.dport = be16::from(dport);
  t.data_offset = 0x50;
  t.flags = flags;
  t.window = be16::from(1000);
  t.checksum.raw = checksum(&t, 20, pseudo_sum(be32::from(src), be32::from(dst), kProtoTcp, 20));
  std::vector<uint8_t> p;
  put(p, &t, 20);
  return ip_packet(src, dst, kProtoTcp, p);
}

std::vector<uint8_t> L3Test::echo(uint32_t src, uint32_t dst, uint16_t id, bool reply) {
  IcmpHdr h{reply ? kIcmpEchoReply : kIcmpEcho, 0, {}, be16::from(id), be16::from(1)};
  std::vector<uint8_t> p;
  put(p, &h, 8);
  for (uint8_t i = 0; i < 20; ++i) p.push_back(i);
  const uint16_t sum = checksum(p.data(), p.size());
  std::memcpy(p.data() + 2, &sum, 2);
  return ip_packet(src, dst, kProtoIcmp, p);
}

std::vector<uint8_t> L3Test::icmp_error(uint32_t src, uint32_t dst, uint8_t type, uint8_t code,
                                        const std::vector<uint8_t>& quoted) {
  IcmpHdr h{type, code, {}, {}, {}};
  std::vector<uint8_t> p;
  put(p, &h, 8);
  put(p, quoted.data(), quoted.size());
  const uint16_t sum = checksum(p.data(), p.size());
  std::memcpy(p.data() + 2, &sum, 2);
  return ip_packet(src, dst, kProtoIcmp, p);
}

void L3Test::run(const std::vector<std::vector<uint8_t>>& packets, IfIndex in_if, uint8_t flags) {
  sent().clear();
  L3Queue q;
  for (const auto& bytes : packets) {
    rte_mbuf* m = rte_pktmbuf_alloc(pool());
    ASSERT_NE(m, nullptr);
    std::memset(rte_pktmbuf_append(m, 14), 0x77, 14);
    if (!bytes.empty())
      std::memcpy(rte_pktmbuf_append(m, static_cast<uint16_t>(bytes.size())), bytes.data(),
                  bytes.size());
    rte_pktmbuf_adj(m, 14);
    ASSERT_TRUE(q.push(m, in_if, flags));
  }
  l3_input(*w, q);
  EXPECT_EQ(q.count, 0u);
}

std::vector<Punted> L3Test::punted() {
  std::vector<Punted> out;
  void* object = nullptr;
  while (rte_ring_dequeue(w->punt, &object) == 0) {
    auto* m = static_cast<rte_mbuf*>(object);
    Punted p{message_of(m), {}};
    p.data.assign(rte_pktmbuf_mtod(m, uint8_t*), rte_pktmbuf_mtod(m, uint8_t*) + m->data_len);
    out.push_back(std::move(p));
    rte_pktmbuf_free(m);
  }
  return out;
}

uint64_t L3Test::drops(Drop reason) const {
  uint64_t n = 0;
  for (const auto& row : w->counters.drops) n += row[static_cast<unsigned>(reason)];
  return n;
}

RuleCounter L3Test::rule(uint32_t slot) const {
  std::vector<RuleCounter> all(kMaxRuleCounters);
  w->walks.read(w->counters, all);
  return all[slot];
}

Draft L3Test::make(Action action, uint32_t counter) {
  Draft r;
  r.action = action;
  r.counter = counter;
  return r;
}

Draft L3Test::masquerade(uint32_t counter) {
  Draft r = make(Action::kMasquerade, counter);
  r.match = Rule::kOutInterface;
  r.out_if = kWan;
  return r;
}

namespace {
void add_chain(RuleSet& set, uint16_t& slot, std::vector<Draft> rules, const char* name) {
  if (rules.empty()) return;
  slot = static_cast<uint16_t>(set.chains.size());
  set.chains.push_back(
      {static_cast<uint32_t>(set.rules.size()), static_cast<uint32_t>(rules.size()), name});
  for (Draft& rule : rules) {
    set.add_more(rule, rule.with);
    set.rules.push_back(rule);
  }
}
}  // namespace

void L3Test::filter(std::vector<Draft> forward, std::vector<Draft> input,
                    std::vector<Draft> output) {
  auto set = std::make_shared<RuleSet>();
  add_chain(*set, set->forward, std::move(forward), "forward");
  add_chain(*set, set->input, std::move(input), "input");
  add_chain(*set, set->output, std::move(output), "output");
  snap.filter = set;
  publish();
}

void L3Test::mangle(std::vector<Draft> prerouting, std::vector<Draft> forward,
                    std::vector<Draft> postrouting) {
  auto set = std::make_shared<RuleSet>();
  add_chain(*set, set->prerouting, std::move(prerouting), "prerouting");
  add_chain(*set, set->forward, std::move(forward), "forward");
  add_chain(*set, set->postrouting, std::move(postrouting), "postrouting");
  snap.mangle = set;
  publish();
}

void L3Test::raw(std::vector<Draft> prerouting) {
  auto set = std::make_shared<RuleSet>();
  add_chain(*set, set->prerouting, std::move(prerouting), "prerouting");
  snap.raw = set;
  publish();
}

void L3Test::nat(std::vector<Draft> srcnat, std::vector<Draft> dstnat, std::vector<Draft> input,
                 std::vector<Draft> output) {
  auto set = std::make_shared<RuleSet>();
  add_chain(*set, set->srcnat, std::move(srcnat), "srcnat");
  add_chain(*set, set->dstnat, std::move(dstnat), "dstnat");
  add_chain(*set, set->input, std::move(input), "input");
  add_chain(*set, set->output, std::move(output), "output");
  snap.nat = set;
  publish();
}

}  // namespace test
}  // namespace maclane
