// Fuzz: the PPPoE clients as a whole against a concentrator that says anything, in any order, with
// time going by: discovery, LCP, authentication, IPCP, redial, scan, changes of the configuration.
// The input is steps: a byte for what happens, one for details, one for the length, and the bytes.
#include <map>
#include <string>

#include "control/service/ppp_packet.h"
#include "control/service/pppoe_client.h"
#include "tests/fuzz/fuzz_io.h"

namespace {

using namespace maclane;  // NOLINT: a fuzz target is one file
using pppoe::Discovery;
using pppoe::SessionFrame;
using pppoe::Tag;

constexpr IfIndex kFirst = 1, kLast = 2;
const MacAddr kAcs[] = {{{2, 0xac, 0, 0, 0, 1}}, {{2, 0xac, 0, 0, 0, 2}}};

MacAddr mac_of(IfIndex i) {
  return {{2, 0, 0, 0, 0, static_cast<uint8_t>(i)}};
}

/// Keeps what each interface said last, so that it can be answered.
class Line final : public FuzzIo {
 public:
  struct Heard {
    pppoe::Bytes uniq, service;
    uint16_t protocol = 0;
    pppoe::Bytes packet;
  };
  std::map<IfIndex, Heard> last;
  uint16_t session = 1;

 private:
  void said(const PacketMessage& message, std::span<const uint8_t> bytes) override {
    must(message.kind == InjectKind::kFrame);
    Heard& heard = last[message.out_if];
    if (const auto d = pppoe::read_discovery(bytes)) {
      must(d->src == mac_of(message.out_if));
      must((d->code == pppoe::kPadi) == d->dst.is_multicast());
      if (const auto* uniq = d->find(Tag::kHostUniq)) heard.uniq = *uniq;
      if (const auto* service = d->find(Tag::kServiceName)) heard.service = *service;
      return;
    }
    const auto frame = pppoe::read_session(bytes);
    must(frame && frame->src == mac_of(message.out_if) && !frame->dst.is_multicast());
    must(frame->session != 0 && frame->session != 0xffff && ppp::read(frame->packet));
    heard.protocol = frame->protocol;
    heard.packet.assign(frame->packet.begin(), frame->packet.end());
  }
};

struct Network {
  Line io;
  ServiceConfig config;
  PppoeClient clients{io, 1};
  uint64_t scan = 0;

  Network() {
    io.published.interfaces.resize(kLast + 1);
    for (IfIndex i = kFirst; i <= kLast; ++i) {
      Interface& one = io.published.interfaces[i];
      one.kind = IfKind::kMacvlan;
      one.up = true;
      one.mac = mac_of(i);
      one.mtu = i == kLast ? 1508 : 1500;
    }
    for (const char* name : {"a", "b", "c"}) {
      PppoeClientConfig one;
      one.name = name;
      one.lower = *name == 'c' ? kLast : kFirst;
      one.user = "user";
      one.password = "password";
      one.add_default_route = one.use_peer_dns = *name == 'a';
      if (*name == 'b') one.service_name = "internet";
      if (*name == 'c') one.max_mtu = one.max_mru = 1500;
      config.pppoe_clients.push_back(one);
    }
    clients.on_config(config);
  }

  void hear(IfIndex in_if, std::span<const uint8_t> frame) {
    if (rte_mbuf* m = io.punt(PuntReason::kPppoe, in_if, frame)) clients.handle(m);
  }
  void discover(IfIndex in_if, uint8_t more, std::span<const uint8_t> bytes) {
    constexpr uint8_t kCodes[] = {pppoe::kPado, pppoe::kPads, pppoe::kPadt, pppoe::kPado};
    Discovery d;
    d.src = kAcs[more >> 7];
    d.dst = mac_of(in_if);
    d.code = kCodes[more >> 1 & 3];
    d.session = (more & 8) != 0 ? io.session : more & 16;
    if ((more & 32) == 0) d.tags.push_back({Tag::kServiceName, io.last[in_if].service});
    if ((more & 64) == 0) d.tags.push_back({Tag::kHostUniq, io.last[in_if].uniq});
    while (bytes.size() >= 3) {
      const size_t n = std::min<size_t>(bytes[2], bytes.size() - 3);
      const auto value = bytes.subspan(3, n);
      d.tags.push_back(
          {static_cast<uint16_t>(bytes[0] << 8 | bytes[1]), {value.begin(), value.end()}});
      bytes = bytes.subspan(3 + n);
    }
    hear(in_if, pppoe::build(d));
  }
  void ppp(IfIndex in_if, uint8_t more, uint16_t protocol, std::span<const uint8_t> packet) {
    hear(in_if,
         pppoe::build(SessionFrame{kAcs[more >> 7], mac_of(in_if), io.session, protocol, packet}));
  }
  /// What was asked last is granted, refused, or answered as somebody would who means well.
  void answer(IfIndex in_if, uint8_t more) {
    constexpr uint8_t kCodes[] = {ppp::kConfigureAck, ppp::kConfigureNak, ppp::kConfigureReject,
                                  ppp::kConfigureAck};
    const Line::Heard heard = io.last[in_if];
    const auto packet = ppp::read(heard.packet);
    if (!packet) return;
    pppoe::Bytes data(packet->data.begin(), packet->data.end());
    uint8_t code = kCodes[more >> 1 & 3];
    if (heard.protocol == ppp::kPap) code = 2;
    if (heard.protocol == ppp::kIpcp && data.size() >= 6 && data[2] == 0) {
      code = ppp::kConfigureNak;
      data = ppp::build_options({ppp::option32(ppp::kAddress, 0x0a400107)});
    }
    ppp(in_if, more, heard.protocol, ppp::build(code, packet->id, data));
    if ((more & 8) == 0) return;
    const bool lcp = heard.protocol == ppp::kLcp;
    std::vector<ppp::Option> wanted{lcp ? ppp::option32(ppp::kMagic, 9)
                                        : ppp::option32(ppp::kAddress, 0x0a400001)};
    if (lcp && (more & 16) != 0) wanted.push_back(ppp::option16(ppp::kAuthentication, ppp::kPap));
    ppp(in_if, more, heard.protocol,
        ppp::build(ppp::kConfigureRequest, more, ppp::build_options(wanted)));
  }
  void change(uint8_t more) {
    PppoeClientConfig& one = config.pppoe_clients[more % config.pppoe_clients.size()];
    switch (more >> 2 & 3) {
      case 0:
        one.distance ^= 1;
        break;
      case 1:
        one.password += "x";
        break;
      case 2:
        io.published.interfaces[one.lower].up ^= 1;
        break;
      default: {
        const std::string before = one.name;
        one.name += one.name.size() > 8 ? "" : "n";
        clients.rename({{before, one.name}});
      }
    }
    clients.on_config(config);
  }
  void toggle_scan(IfIndex in_if) {
    if (scan == 0) {
      scan = clients.start_scan("line", in_if);
      return;
    }
    must(clients.offers(scan).size() <= 256);
    clients.stop_scan(scan);
    scan = 0;
  }
  void tick(uint64_t ms) {
    io.now += ms;
    clients.tick();
    must(clients.next_deadline() > io.now);  // what was due is done
  }
  /// What is learned is what can be used, of clients that say that they are connected.
  void check() {
    Learned learned;
    clients.add_learned(learned);
    for (const auto& [name, session] : learned.sessions) {
      must(session.id.host() != 0 && !session.peer.is_multicast() && session.mtu >= 128 &&
           session.mtu <= 1500);
      must(clients.status(name)->status == "connected");
    }
    must(learned.addresses.size() == learned.sessions.size());
    for (const LearnedAddress& one : learned.addresses)
      must(one.address >> 24 != 0 && one.address >> 24 != 127 && one.address >> 24 < 224);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  {
    Network network;
    std::span<const uint8_t> rest(data, size);
    while (const auto step = take_step(rest)) {
      const auto [what, more, bytes] = *step;
      const auto in_if = static_cast<IfIndex>(kFirst + (more & 1));
      const unsigned before = network.io.injected;
      constexpr uint16_t kProtocols[] = {ppp::kLcp,  ppp::kPap, ppp::kChap,
                                         ppp::kIpcp, 0x8057,    0x0021};
      switch (what % 9) {
        case 0:
          network.hear(in_if, bytes);
          break;
        case 1:
          network.discover(in_if, more, bytes);
          break;
        case 2:
        case 3:
          network.ppp(in_if, more, kProtocols[(what >> 4) % 6], bytes);
          break;
        case 4:
        case 5:
          network.answer(in_if, more);
          break;
        case 6:
          network.tick(uint64_t{more} * 40);
          break;
        case 7:
          network.change(more);
          break;
        default:
          network.io.session = (what & 0x80) != 0 ? more : network.io.session;
          if ((what & 0x40) != 0) network.toggle_scan(in_if);
      }
      must(network.io.injected - before <= 16);  // no answer to an answer without end
      network.check();
    }
    // Who hears nothing any more does not take a session for one that stands.
    for (unsigned i = 0; i < 100; ++i) network.tick(1000);
    Learned learned;
    network.clients.add_learned(learned);
    must(learned.sessions.empty());
    network.clients.end();
  }
  must(rte_mempool_in_use_count(fuzz_pool()) == 0);
  return 0;
}
