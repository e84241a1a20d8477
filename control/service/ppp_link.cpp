#include "control/service/ppp_link.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/service/ppp_auth.h"

namespace maclane::ppp {
namespace {

constexpr uint16_t kSmallestMru = 128;
constexpr uint16_t kUsualMru = 1492;                   // RFC 2516 7, where a peer says nothing
constexpr uint16_t kSmallMtu = 1480;                   // C-25
constexpr uint8_t kMd5 = 5, kMs1 = 0x80, kMs2 = 0x81;  // algorithms of CHAP
constexpr uint8_t kChallenge = 1, kResponse = 2, kSuccess = 3, kFailure = 4;
constexpr uint8_t kPapRequest = 1, kPapAck = 2, kPapNak = 3;
constexpr uint64_t kAuthRetryMs = 3000, kAuthPatienceMs = 30'000;
constexpr unsigned kPapTries = 5;
constexpr uint64_t kEchoMs = 1000;
constexpr unsigned kProbes = 3;
constexpr size_t kEchoHead = 8;  // packet header and magic number

be32 address_of(const Option& option) {
  return be32::from(option.number32().value_or(0));
}

bool usable(be32 address) {
  const uint32_t first = address.host() >> 24;
  return first != 0 && first != 127 && first < 224;
}

}  // namespace

class Link::Lcp final : public Negotiation {
 public:
  Lcp(Link& link, Send send) : Negotiation(std::move(send)), link_(link) { draw_magic(); }

  [[nodiscard]] uint32_t magic() const { return magic_; }
  [[nodiscard]] uint16_t peer_mru() const { return peer_mru_; }
  [[nodiscard]] Method method() const { return method_; }

 protected:
  std::vector<Option> wanted() override {
    std::vector<Option> out;
    if (ask_mru_) out.push_back(option16(kMru, link_.settings_.mru));
    if (ask_magic_) out.push_back(option32(kMagic, magic_));
    return out;
  }

  void forget_peer() override {
    peer_mru_ = kUsualMru;
    method_ = Method::kNone;
  }

  Verdict judge(const Option& option, Option& better) override {
    switch (option.type) {
      case kMru: {
        const auto mru = option.number16();
        if (!mru) return Verdict::kReject;
        if (*mru < kSmallestMru) {
          better = option16(kMru, kUsualMru);
          return Verdict::kNak;
        }
        peer_mru_ = *mru;
        return Verdict::kAck;
      }
      case kMagic: {
        const auto magic = option.number32();
        if (!magic) return Verdict::kReject;
        if (*magic != magic_ && *magic != 0) return Verdict::kAck;
        // Our own, come back (RFC 1661 6.4), or none.
        better = option32(kMagic, static_cast<uint32_t>(link_.random_()) | 1);
        return Verdict::kNak;
      }
      case kAuthentication:
        method_ = method_of(option);
        if (method_ != Method::kNone && link_.allowed(method_)) return Verdict::kAck;
        method_ = Method::kNone;
        if (link_.best() == Method::kNone) return Verdict::kReject;
        better = option_of(link_.best());
        return Verdict::kNak;
      default:
        return Verdict::kReject;  // compression of headers among them (RFC 2516 7)
    }
  }

  bool suggested(const Option& option) override {
    if (option.type == kMagic) draw_magic();
    // A smaller MRU than we can take is fine; a larger would not come through.
    if (option.type == kMru) {
      const uint16_t mru = option.number16().value_or(0);
      if (mru >= kSmallestMru && mru < link_.settings_.mru) link_.settings_.mru = mru;
    }
    return true;
  }

  bool rejected(const Option& option) override {
    if (option.type == kMagic) ask_magic_ = false;
    if (option.type == kMru) ask_mru_ = false;
    return true;
  }

 private:
  static Method method_of(const Option& option) {
    const Bytes& v = option.value;
    if (v.size() < 2) return Method::kNone;
    const auto protocol = static_cast<uint16_t>(v[0] << 8 | v[1]);
    if (protocol == kPap && v.size() == 2) return Method::kPap;
    if (protocol != kChap || v.size() != 3) return Method::kNone;
    switch (v[2]) {
      case kMd5:
        return Method::kChap;
      case kMs1:
        return Method::kMsChap1;
      case kMs2:
        return Method::kMsChap2;
      default:
        return Method::kNone;
    }
  }
  static Option option_of(Method method) {
    if (method == Method::kPap) return option16(kAuthentication, kPap);
    Option out = option16(kAuthentication, kChap);
    out.value.push_back(method == Method::kChap ? kMd5 : method == Method::kMsChap1 ? kMs1 : kMs2);
    return out;
  }
  void draw_magic() { magic_ = static_cast<uint32_t>(link_.random_()) | 1; }

  Link& link_;
  uint32_t magic_ = 1;
  uint16_t peer_mru_ = kUsualMru;
  Method method_ = Method::kNone;
  bool ask_mru_ = true, ask_magic_ = true;
};

class Link::Ipcp final : public Negotiation {
 public:
  Ipcp(Link& link, Send send)
      : Negotiation(std::move(send)), ask_dns_{link.settings_.dns, link.settings_.dns} {}

  be32 local{}, remote{};
  std::array<be32, 2> dns{};

 protected:
  std::vector<Option> wanted() override {
    std::vector<Option> out{option32(kAddress, local.host())};
    if (ask_dns_[0]) out.push_back(option32(kPrimaryDns, dns[0].host()));
    if (ask_dns_[1]) out.push_back(option32(kSecondaryDns, dns[1].host()));
    return out;
  }

  void forget_peer() override { remote = be32{}; }

  Verdict judge(const Option& option, Option&) override {
    if (option.type != kAddress || !option.number32()) return Verdict::kReject;
    const be32 asked = address_of(option);
    // Who has none gets none from us; the link does not need it.
    if (!usable(asked)) return Verdict::kReject;
    remote = asked;
    return Verdict::kAck;
  }

  bool suggested(const Option& option) override {
    if (option.type == kAddress) local = address_of(option);
    if (option.type == kPrimaryDns) dns[0] = address_of(option);
    if (option.type == kSecondaryDns) dns[1] = address_of(option);
    return true;
  }

  bool rejected(const Option& option) override {
    if (option.type == kPrimaryDns) ask_dns_[0] = false;
    if (option.type == kSecondaryDns) ask_dns_[1] = false;
    return option.type != kAddress;
  }

 private:
  std::array<bool, 2> ask_dns_;
};

Link::Link(Port& port, Settings settings, uint64_t seed)
    : port_(port), settings_(std::move(settings)), random_(seed) {
  lcp_ = std::make_unique<Lcp>(*this, [this](const Bytes& p) { port_.send(kLcp, p); });
  ipcp_ = std::make_unique<Ipcp>(*this, [this](const Bytes& p) { port_.send(kIpcp, p); });
}

Link::~Link() = default;

be32 Link::local() const {
  return ipcp_->local;
}
be32 Link::remote() const {
  return ipcp_->remote;
}
std::vector<be32> Link::dns() const {
  std::vector<be32> out;
  for (const be32 one : ipcp_->dns) {
    if (usable(one) && std::ranges::find(out, one) == out.end()) out.push_back(one);
  }
  return out;
}
uint16_t Link::mtu() const {
  const uint16_t most = std::min(settings_.mtu, lcp_->peer_mru());
  return small_ ? std::min(most, kSmallMtu) : most;
}

std::string_view Link::authentication() const {
  switch (method_) {
    case Method::kNone:
      return "none";
    case Method::kPap:
      return "pap";
    case Method::kChap:
      return "chap";
    case Method::kMsChap1:
      return "mschap1";
    case Method::kMsChap2:
      return "mschap2";
  }
  return "";
}

bool Link::allowed(Method method) const {
  switch (method) {
    case Method::kPap:
      return settings_.pap;
    case Method::kChap:
      return settings_.chap;
    case Method::kMsChap1:
      return settings_.mschap1;
    case Method::kMsChap2:
      return settings_.mschap2;
    case Method::kNone:
      break;
  }
  return false;
}

Link::Method Link::best() const {
  for (const Method one : {Method::kMsChap2, Method::kChap, Method::kMsChap1, Method::kPap}) {
    if (allowed(one)) return one;
  }
  return Method::kNone;
}

void Link::start(uint64_t now) {
  phase_ = Phase::kEstablish;
  heard_ms_ = now;
  lcp_->open(now);
}

void Link::end(std::string why) {
  phase_ = Phase::kDead;
  lcp_->close();
  ipcp_->close();
  auth_due_ms_ = echo_due_ms_ = probe_due_ms_ = kNever;
  port_.down(why);
}

void Link::close(std::string_view why) {
  if (phase_ == Phase::kDead) return;
  const auto* bytes = reinterpret_cast<const uint8_t*>(why.data());
  port_.send(kLcp, build(kTerminateRequest, lcp_->next_id(), {bytes, why.size()}));
  phase_ = Phase::kDead;
  lcp_->close();
  ipcp_->close();
  auth_due_ms_ = echo_due_ms_ = probe_due_ms_ = kNever;
}

void Link::receive(uint16_t protocol, std::span<const uint8_t> bytes, uint64_t now) {
  if (phase_ == Phase::kDead) return;
  const auto packet = read(bytes);
  if (!packet) return;
  heard_ms_ = now;
  const bool was_open = lcp_->opened();
  if (protocol == kLcp) {
    lcp(*packet, bytes, now);
    if (phase_ != Phase::kDead) settle(was_open, now);
    return;
  }
  if (!was_open) return;  // RFC 1661 3.4: silently
  switch (protocol) {
    case kPap:
      return pap(*packet, now);
    case kChap:
      return chap(*packet, now);
    case kIpcp: {
      if (phase_ < Phase::kNetwork) return;
      const bool ipcp_was_open = ipcp_->opened();
      if (packet->code == kTerminateRequest) {
        port_.send(kIpcp, build(kTerminateAck, packet->id, {}));
        return end("the peer ended IPCP");
      }
      if (packet->code >= kConfigureRequest && packet->code <= kConfigureReject) {
        ipcp_->receive(*packet, now);
      } else if (packet->code > kCodeReject) {
        port_.send(kIpcp, build(kCodeReject, ipcp_->next_id(), bytes.first(kHeader)));
      }
      if (ipcp_->failed()) return end("the peer gives no address");
      if (ipcp_was_open && !ipcp_->opened()) {
        phase_ = Phase::kNetwork;
        port_.interrupted();
      }
      if (!ipcp_->opened() || phase_ == Phase::kUp) return;
      if (!usable(ipcp_->local)) return end("the peer gave no usable address");
      phase_ = Phase::kUp;
      return port_.up();
    }
    default: {
      // RFC 1661 5.7: with the protocol and as much of the packet as one frame takes.
      Bytes data{static_cast<uint8_t>(protocol >> 8), static_cast<uint8_t>(protocol)};
      constexpr size_t kMost = 64;
      const auto head = bytes.first(std::min(bytes.size(), kMost));
      data.insert(data.end(), head.begin(), head.end());
      port_.send(kLcp, build(kProtocolReject, lcp_->next_id(), data));
    }
  }
}

void Link::lcp(const Packet& packet, std::span<const uint8_t> whole, uint64_t now) {
  switch (packet.code) {
    case kConfigureRequest:
    case kConfigureAck:
    case kConfigureNak:
    case kConfigureReject:
      lcp_->receive(packet, now);
      return;
    case kTerminateRequest: {
      port_.send(kLcp, build(kTerminateAck, packet.id, {}));
      const std::string said = words(packet.data);
      return end(said.empty() ? "the peer hung up" : "the peer hung up: " + said);
    }
    case kTerminateAck:
      return end("the peer hung up");
    case kCodeReject:
      return;
    case kProtocolReject:
      if (packet.data.size() >= 2 && (packet.data[0] << 8 | packet.data[1]) == kIpcp)
        return end("the peer carries no IPv4");
      return;
    case kEchoRequest: {
      if (!lcp_->opened() || packet.data.size() < sizeof(uint32_t)) return;
      Bytes data = option32(0, lcp_->magic()).value;
      data.insert(data.end(), packet.data.begin() + sizeof(uint32_t), packet.data.end());
      port_.send(kLcp, build(kEchoReply, packet.id, data));
      return;
    }
    case kEchoReply:
      // The large one came back, or the peer cut it, as some do: then it is no proof.
      if (probing_ && packet.data.size() + kHeader >= mtu()) {
        probing_ = false;
        probe_due_ms_ = kNever;
      }
      return;
    case kDiscardRequest:
      return;
    default:
      port_.send(kLcp, build(kCodeReject, lcp_->next_id(),
                             whole.first(std::min(whole.size(), size_t{64}))));
  }
}

/// LCP opened, or does not stand any more.
void Link::settle(bool was_open, uint64_t now) {
  if (lcp_->failed()) return end("no LCP could be agreed on");
  if (was_open && !lcp_->opened()) {
    const bool up = phase_ == Phase::kUp;
    phase_ = Phase::kEstablish;
    ipcp_->close();
    auth_due_ms_ = echo_due_ms_ = probe_due_ms_ = kNever;
    if (up) port_.interrupted();
  }
  if (!lcp_->opened() || phase_ != Phase::kEstablish) return;
  method_ = lcp_->method();
  small_ = false;
  if (settings_.keepalive_ms != 0) {
    echo_due_ms_ = now + settings_.keepalive_ms;
    if (settings_.probe_mtu && mtu() > kSmallMtu) {
      probing_ = true;
      probes_ = 0;
      probe(now);
    }
  }
  authenticate(now);
}

void Link::authenticate(uint64_t now) {
  if (method_ == Method::kNone) return network(now);
  phase_ = Phase::kAuthenticate;
  if (method_ == Method::kPap) {
    pap_tries_ = 0;
    pap_id_ = lcp_->next_id();
    return ask_pap(now);
  }
  auth_due_ms_ = now + kAuthPatienceMs;
}

void Link::ask_pap(uint64_t now) {
  constexpr size_t kMost = 255;
  Bytes data;
  for (const std::string& text : {settings_.user, settings_.password}) {
    const std::string part = text.substr(0, kMost);
    data.push_back(static_cast<uint8_t>(part.size()));
    data.insert(data.end(), part.begin(), part.end());
  }
  ++pap_tries_;
  auth_due_ms_ = now + kAuthRetryMs;
  port_.send(kPap, build(kPapRequest, pap_id_, data));
}

void Link::pap(const Packet& packet, uint64_t now) {
  if (method_ != Method::kPap || phase_ != Phase::kAuthenticate || packet.id != pap_id_) return;
  if (packet.code == kPapAck) return network(now);
  if (packet.code != kPapNak) return;
  const std::string said = packet.data.empty() ? std::string() : words(packet.data.subspan(1));
  end("authentication failed" + (said.empty() ? "" : ": " + said));
}

void Link::chap(const Packet& packet, uint64_t now) {
  if (method_ != Method::kChap && method_ != Method::kMsChap1 && method_ != Method::kMsChap2)
    return;
  if (packet.code == kChallenge) return respond(packet);  // also while it is up
  if (packet.code == kFailure) {
    const std::string said = words(packet.data);
    return end("authentication failed" + (said.empty() ? "" : ": " + said));
  }
  if (packet.code != kSuccess) return;
  if (method_ == Method::kMsChap2) {
    const std::string said = words(packet.data);
    if (expected_.empty() || !said.starts_with(expected_))
      return end("authentication failed: the server does not know the password");
  }
  if (phase_ == Phase::kAuthenticate) network(now);
}

void Link::respond(const Packet& challenge) {
  if (challenge.data.empty()) return;
  const size_t size = challenge.data[0];
  if (size == 0 || challenge.data.size() - 1 < size) return;
  const auto value = challenge.data.subspan(1, size);
  Bytes response;
  if (method_ == Method::kChap) {
    const Digest16 digest = chap_md5(challenge.id, settings_.password, value);
    response.assign(digest.begin(), digest.end());
  } else if (method_ == Method::kMsChap1) {
    if (size != 8) return;
    response.resize(24);  // no LAN Manager response (RFC 2433 A)
    const Response24 nt = nt_response(value.first<8>(), settings_.password);
    response.insert(response.end(), nt.begin(), nt.end());
    response.push_back(1);
  } else {
    if (size != 16) return;
    std::array<uint8_t, 16> peer{};
    for (uint8_t& byte : peer) byte = static_cast<uint8_t>(random_());
    const auto ours = value.first<16>();
    const Response24 nt = nt_response_v2(ours, peer, settings_.user, settings_.password);
    expected_ = authenticator_response(settings_.password, nt, ours, peer, settings_.user);
    response.assign(peer.begin(), peer.end());
    response.resize(24);
    response.insert(response.end(), nt.begin(), nt.end());
    response.push_back(0);
  }
  Bytes data{static_cast<uint8_t>(response.size())};
  data.insert(data.end(), response.begin(), response.end());
  data.insert(data.end(), settings_.user.begin(), settings_.user.end());
  port_.send(kChap, build(kResponse, challenge.id, data));
}

void Link::network(uint64_t now) {
  phase_ = Phase::kNetwork;
  auth_due_ms_ = kNever;
  ipcp_->open(now);
}

/// An echo request of so many bytes, or as many as it needs.
void Link::echo(size_t size) {
  Bytes data = option32(0, lcp_->magic()).value;
  if (size > kEchoHead) data.resize(size - kHeader);
  port_.send(kLcp, build(kEchoRequest, lcp_->next_id(), data));
}

void Link::probe(uint64_t now) {
  if (probes_++ == kProbes) {
    probing_ = false;
    probe_due_ms_ = kNever;
    small_ = true;
    if (phase_ == Phase::kUp) port_.up();
    return;
  }
  probe_due_ms_ = now + kEchoMs;
  echo(mtu());
}

void Link::keep_alive(uint64_t now) {
  const uint64_t silent = now - heard_ms_;
  if (silent < settings_.keepalive_ms) {
    echo_due_ms_ = heard_ms_ + settings_.keepalive_ms;
    return;
  }
  if (silent >= 2 * settings_.keepalive_ms) return end("the peer does not answer any more");
  echo(0);
  echo_due_ms_ = now + kEchoMs;
}

void Link::tick(uint64_t now) {
  if (phase_ == Phase::kDead) return;
  lcp_->tick(now);
  if (lcp_->failed()) return end("the peer does not answer LCP");
  ipcp_->tick(now);
  if (ipcp_->failed()) return end("the peer does not answer IPCP");
  if (auth_due_ms_ <= now) {
    if (method_ != Method::kPap || pap_tries_ >= kPapTries)
      return end("authentication failed: no answer");
    ask_pap(now);
  }
  if (probe_due_ms_ <= now) probe(now);
  if (echo_due_ms_ <= now) keep_alive(now);
}

uint64_t Link::next_deadline() const {
  return std::min(
      {lcp_->next_deadline(), ipcp_->next_deadline(), auth_due_ms_, echo_due_ms_, probe_due_ms_});
}

}  // namespace maclane::ppp
