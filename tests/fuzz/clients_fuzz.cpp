// Fuzz: what a wire says to the DHCP clients, to the watch for unknown DHCP servers, and what
// clients call themselves (lease_names.h), with time going by. The input is steps: a byte for what
// happens, one for details, one for the length, and the bytes.
#include <algorithm>

#include "control/service/dhcp_alert.h"
#include "control/service/dhcp_client.h"
#include "control/service/lease_names.h"
#include "tests/fuzz/fuzz_io.h"

namespace {

using namespace maclane;  // NOLINT: a fuzz target is one file

constexpr IfIndex kFirst = 1, kLast = 3;
const MacAddr kServer{{2, 0xac, 0, 0, 0, 1}};

/// Keeps the transaction that each interface asked for last.
class Wire final : public FuzzIo {
 public:
  std::array<uint32_t, kLast + 1> xid{};

 private:
  void said(const PacketMessage& message, std::span<const uint8_t> bytes) override {
    must(message.kind == InjectKind::kFrame);
    if (const auto dhcp = dhcp::read_frame(bytes, dhcp::kServerPort)) {
      must(dhcp->message.chaddr == published.interfaces[message.out_if].mac);
      // The watch's own questions ask for no options.
      if (dhcp->message.options.contains(dhcp::kParameterList))
        xid[message.out_if] = dhcp->message.xid;
    } else {
      must(bytes.size() >= 42 && bytes[12] == 0x08 && bytes[13] == 0x06);  // a probe
    }
  }
};

struct Network {
  Wire io;
  ServiceConfig config;
  DhcpClient clients{io, 1};
  DhcpAlert alert{io, 2};

  Network() {
    io.published.interfaces.resize(kLast + 1);
    io.published.domains.resize(1);
    io.published.domains[0].parent = kFirst;
    for (IfIndex i = kFirst; i <= kLast; ++i) {
      Interface& one = io.published.interfaces[i];
      one.kind = i == kFirst ? IfKind::kEthernet : IfKind::kMacvlan;
      one.up = true;
      one.parent = i == kFirst ? kNoIf : kFirst;
      one.mac = {{2, 0, 0, 0, 0, static_cast<uint8_t>(i)}};
      DhcpClientConfig client;
      client.interface = i;
      client.interface_name = "if" + std::to_string(i);
      config.dhcp_clients.push_back(client);
    }
    io.published.domains[0].vports = {2, 3};
    config.own_addresses = {be32::from(0xc0a80101)};
    config.dhcp_alerts = {{1, "if1", kFirst, {kServer}, 0, {}}, {2, "if2", 2, {}, 5000, {}}};
    configure();
  }
  void configure() {
    clients.on_config(config);
    alert.on_config(config.dhcp_alerts);
  }
  void hear(IfIndex in_if, uint8_t more, std::span<const uint8_t> frame) {
    rte_mbuf* m = io.punt(PuntReason::kDhcp, in_if, frame);
    if (m == nullptr) return;
    message_of(m).broadcast = (more & 0x80) != 0;
    alert.overhear(m);
    clients.handle(m);
  }
  /// A server's word with the client's own transaction, its options the input's.
  void serve(IfIndex in_if, uint8_t more, std::span<const uint8_t> bytes) {
    dhcp::Message m;
    m.op = 2;
    m.xid = io.xid[in_if];
    m.chaddr = io.published.interfaces[in_if].mac;
    m.yiaddr = be32::from((more & 4) != 0 ? 0xc0a80101u : 0xcb007100u + more);
    m.set(dhcp::kMessageType, dhcp::Bytes{(more & 8) != 0 ? uint8_t{5} : uint8_t{2}});
    m.set(dhcp::kServerId, 0xcb007101u);
    while (bytes.size() >= 2) {
      const size_t n = std::min<size_t>(bytes[1], bytes.size() - 2);
      const auto value = bytes.subspan(2, n);
      if (bytes[0] != 0 && bytes[0] != 255) m.options[bytes[0]] = {value.begin(), value.end()};
      bytes = bytes.subspan(2 + n);
    }
    dhcp::FrameFields fields;
    fields.src = (more & 16) != 0 ? kServer : MacAddr{{2, 0xad, 0, 0, 0, more}};
    fields.dst = m.chaddr;
    fields.ip_src = be32::from(0xcb007101);
    fields.ip_dst = be32::from(0xffffffff);
    fields.sport = dhcp::kServerPort;
    fields.dport = dhcp::kClientPort;
    hear(in_if, more, dhcp::build_frame(fields, m));
  }
  void probed(IfIndex in_if, std::span<const uint8_t> bytes) {
    rte_mbuf* m = io.punt(PuntReason::kArp, in_if, bytes);
    if (m == nullptr) return;
    clients.overhear(m);
    io.consume(m);
  }
  void tick(uint64_t ms) {
    io.now += ms;
    clients.tick();
    alert.tick();
    must(clients.next_deadline() > io.now && alert.next_deadline() > io.now);
  }
  void check() const {
    Learned learned;
    clients.add_learned(learned);
    must(learned.addresses.size() <= kLast);
    for (const LearnedAddress& one : learned.addresses)
      must(dhcp::is_host(be32::from(one.address)) && one.address != 0xc0a80101 && one.length != 0 &&
           one.length <= 32);
    for (const uint32_t id : {1u, 2u}) must(alert.unknown(id).size() <= DhcpAlert::kMostServers);
  }
};

/// A name is one part of small letters, digits, '-' and '_' before the suffix, or none.
void call_itself(std::span<const uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t cut = std::min(text.find(','), text.size());
  const std::string name =
      lease_name(text.substr(0, cut), "lan", text.substr(std::min(cut + 1, text.size())));
  if (name.empty()) return;
  must(name.size() > 4 && name.size() <= 253 && name.ends_with(".lan"));
  must(std::all_of(name.begin(), name.end() - 4, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  }));
  must(lease_name(name, "lan", "") == name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  {
    Network network;
    std::span<const uint8_t> rest(data, size);
    while (const auto step = take_step(rest)) {
      const auto [what, more, bytes] = *step;
      const auto in_if = static_cast<IfIndex>(kFirst + (more & 3) % kLast);
      switch (what % 8) {
        case 0:
          network.hear(in_if, more, bytes);
          break;
        case 1:
        case 2:
          network.serve(in_if, more, bytes);
          break;
        case 3:
          network.probed(in_if, bytes);
          break;
        case 4:
          call_itself(bytes);
          break;
        case 5:
          network.io.published.interfaces[in_if].up ^= (more & 0x40) != 0;
          network.configure();
          break;
        case 6:
          (void)((more & 0x40) != 0 ? network.clients.renew("if2")
                                    : network.clients.release("if3"));
          break;
        default:
          network.tick(uint64_t{more} * 100);
      }
      network.check();
    }
    network.tick(100'000);
  }
  must(rte_mempool_in_use_count(fuzz_pool()) == 0);
  return 0;
}
