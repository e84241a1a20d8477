// The link proves its password: PAP (RFC 1334), CHAP (RFC 1994), MS-CHAP (RFC 2433, 2759).
#include <algorithm>

#include "control/service/ppp_auth.h"
#include "control/service/ppp_layers.h"

namespace maclane::ppp {
namespace {

constexpr uint8_t kChallenge = 1, kResponse = 2, kSuccess = 3, kFailure = 4;
constexpr uint8_t kPapRequest = 1, kPapAck = 2, kPapNak = 3;
constexpr uint64_t kAuthRetryMs = 3000, kAuthPatienceMs = 30'000;

}  // namespace

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

}  // namespace maclane::ppp
