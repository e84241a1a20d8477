#include "control/service/ppp_link.h"

#include <algorithm>

#include "control/service/ppp_layers.h"

namespace maclane::ppp {
namespace {

constexpr uint16_t kSmallMtu = 1480;  // C-25
constexpr unsigned kPapTries = 5;
constexpr uint64_t kEchoMs = 1000;
constexpr unsigned kProbes = 3;
constexpr size_t kEchoHead = 8;  // packet header and magic number
constexpr unsigned kMostRestarts = 5;
constexpr uint64_t kHeldMs = 30'000;

}  // namespace

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

void Link::start(uint64_t now) {
  phase_ = Phase::kEstablish;
  heard_ms_ = now;
  lcp_->open(now);
}

void Link::end(const std::string& why) {
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
        if (!begins_again(now)) return end("the peer negotiates again and again");
        phase_ = Phase::kNetwork;
        port_.interrupted();
      }
      if (!ipcp_->opened() || phase_ == Phase::kUp) return;
      if (!usable(ipcp_->local)) return end("the peer gave no usable address");
      phase_ = Phase::kUp;
      up_ms_ = now;
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

/// The peer wants all of it once more. False: it has had that too often.
bool Link::begins_again(uint64_t now) {
  if (phase_ == Phase::kUp && now - up_ms_ >= kHeldMs) restarts_ = 0;
  return ++restarts_ <= kMostRestarts;
}

/// LCP opened, or does not stand any more.
void Link::settle(bool was_open, uint64_t now) {
  if (lcp_->failed()) return end("no LCP could be agreed on");
  if (was_open && !lcp_->opened()) {
    if (!begins_again(now)) return end("the peer negotiates again and again");
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
  if (lcp_->failed())
    return end(lcp_->heard() ? "no LCP could be agreed on" : "the peer does not answer LCP");
  ipcp_->tick(now);
  if (ipcp_->failed())
    return end(ipcp_->heard() ? "no IPCP could be agreed on" : "the peer does not answer IPCP");
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
