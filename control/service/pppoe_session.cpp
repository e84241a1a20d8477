#include "control/service/pppoe_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/observe/log.h"
#include "control/service/packet_build.h"
#include "control/service/text.h"

namespace maclane {
namespace {

using pppoe::Bytes;
using pppoe::Tag;
using pppoe::TagValue;

constexpr uint64_t kSecond = 1000;
constexpr uint64_t kStartSpread = 500;
constexpr uint64_t kFirstWait = 2 * kSecond;
constexpr unsigned kMostDoublings = 4;  // 2, 4, 8, 16, 32 s
constexpr unsigned kRequests = 4;
constexpr uint64_t kFirstBackoff = 1 * kSecond, kLongestBackoff = 64 * kSecond;
constexpr uint64_t kHeld = 30 * kSecond;  // a session this long was a good one
constexpr size_t kUniqBytes = 8;
constexpr uint16_t kUsual = 1492;
constexpr uint16_t kDefaultMru = 1500;
constexpr uint16_t kPppoeBytes = 8;
constexpr size_t kLargestTag = 1024;  // of what is sent back

Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

std::string text_of(const Bytes* value) {
  return value == nullptr ? std::string() : ppp::words(*value);
}

}  // namespace

void PppoeClient::Client::log(std::string_view what) const {
  log::write(log::Level::kInfo, "pppoe,ppp,info", "{}: {}", config.name, what);
}

MacAddr PppoeClient::Client::mac() const {
  return owner.running(config.lower) == nullptr ? MacAddr{} : wire.mac;
}

void PppoeClient::Client::set_running(bool running, uint64_t now) {
  if (running == (state != State::kStopped)) return;
  if (running) {
    backoff_ms = 0;
    if (config.on_demand) owner.changed_ = true;  // packets may come
    return wait(now, random() % kStartSpread);
  }
  // Nothing can be sent any more, and who comes back begins anew.
  last_error = "the interface below is down";
  give_up();
  if (up_since_ms != 0) owner.changed_ = true;
  up_since_ms = 0;
  if (state == State::kSession) log("disconnected - the interface below is down");
  ended = std::move(link);
  state = State::kStopped;
  due_ms = kNever;
}

void PppoeClient::Client::wait(uint64_t now, uint64_t ms) {
  state = State::kWaiting;
  due_ms = config.on_demand ? kNever : now + ms;
  not_before_ms = now + ms;
}

void PppoeClient::Client::wanted(rte_mbuf* packet, uint64_t now) {
  if (held.size() >= kMostHeld)
    return owner.io_.free(packet, Drop::neigh_queue_full, message_of(packet).in_if);
  held.push_back(packet);
  if (state == State::kWaiting && due_ms == kNever) due_ms = std::max(now, not_before_ms);
}

void PppoeClient::Client::release() {
  for (rte_mbuf* one : std::exchange(held, {})) {
    PacketMessage& message = message_of(one);
    if (message.in_if == kNoIf) {  // the router's own: its source is no address of it any more
      owner.io_.free(one, Drop::neigh_failed, kNoIf);
      continue;
    }
    message.kind = InjectKind::kIpInput;
    message.out_if = kNoIf;
    owner.io_.inject(one);
  }
}

void PppoeClient::Client::give_up() {
  for (rte_mbuf* one : std::exchange(held, {}))
    owner.io_.free(one, Drop::neigh_failed, message_of(one).in_if);
}

uint16_t PppoeClient::Client::largest() const {
  const Interface* i = owner.running(config.lower);
  const int room = i == nullptr ? kUsual : std::max(i->mtu - kPppoeBytes, 0);
  const int wanted = std::max({config.max_mtu == 0 ? kUsual : config.max_mtu,
                               config.max_mru == 0 ? kUsual : config.max_mru});
  return static_cast<uint16_t>(std::min(wanted, room));
}

void PppoeClient::Client::discover(uint8_t code, const MacAddr& to, std::vector<TagValue> more) {
  pppoe::Discovery d;
  d.src = mac();
  d.dst = to;
  d.code = code;
  d.tags = {{Tag::kServiceName, bytes_of(config.service_name)}, {Tag::kHostUniq, uniq}};
  for (TagValue& tag : more) d.tags.push_back(std::move(tag));
  if (const uint16_t most = largest(); most > kUsual)  // RFC 4638
    d.tags.push_back(
        {Tag::kPppMaxPayload, {static_cast<uint8_t>(most >> 8), static_cast<uint8_t>(most)}});
  owner.send(config.lower, pppoe::build(d));
}

/// PADI, again and again until somebody offers.
void PppoeClient::Client::look(uint64_t now) {
  if (state != State::kLooking) {
    state = State::kLooking;
    tries = 0;
    unfit.clear();
    uniq = config.host_uniq;
    while (uniq.size() < kUniqBytes && config.host_uniq.empty())
      uniq.push_back(static_cast<uint8_t>(random()));
    log("dialing...");
  }
  if (tries == 2) {
    last_error = !unfit.empty() ? unfit
                 : config.service_name.empty()
                     ? "no access concentrator answers"
                     : fmt::format("no access concentrator answers for the service \"{}\"",
                                   config.service_name);
    log(last_error);
  }
  if (config.on_demand && tries == kRequests) return hang_up(std::string(last_error), false);
  due_ms = now + (kFirstWait << std::min(tries++, kMostDoublings));
  discover(pppoe::kPadi, kBroadcastMac, {});
}

/// PADR.
void PppoeClient::Client::ask(uint64_t now) {
  if (state != State::kAsking) {
    state = State::kAsking;
    tries = 0;
  }
  due_ms = now + (kFirstWait << std::min(tries++, kMostDoublings));
  discover(pppoe::kPadr, peer, echoed);
}

/// What an error tag says; "": there is none.
std::string PppoeClient::Client::refusal(const pppoe::Discovery& heard) {
  for (const auto& [type, name] :
       {std::pair{Tag::kServiceNameError, "service name error"},
        std::pair{Tag::kAcSystemError, "system error of the access concentrator"},
        std::pair{Tag::kGenericError, "error"}}) {
    const Bytes* value = heard.find(type);
    if (value == nullptr) continue;
    const std::string said = text_of(value);
    return fmt::format("{}{}{}", name, said.empty() ? "" : ": ", said);
  }
  return {};
}

void PppoeClient::Client::offered(const pppoe::Discovery& heard, uint64_t now) {
  if (state != State::kLooking || heard.src.is_multicast() || heard.src.is_zero()) return;
  const std::string ac = text_of(heard.find(Tag::kAcName));
  if (!config.ac_name.empty() && ac != config.ac_name) {
    unfit = fmt::format("the access concentrator \"{}\" answers, which is not ac-name", ac);
    return;
  }
  const Bytes wanted = bytes_of(config.service_name);
  const bool serves = std::ranges::any_of(heard.tags, [&](const TagValue& tag) {
    return tag.type == Tag::kServiceName && tag.value == wanted;
  });
  if (const std::string why = refusal(heard); !why.empty()) {
    last_error = unfit = why;  // another may offer better
    return;
  }
  if (!serves && !wanted.empty()) {
    unfit = fmt::format("the access concentrator \"{}\" has no service \"{}\"", ac,
                        config.service_name);
    return;
  }
  peer = heard.src;
  ac_name = ac;
  service_name =
      config.service_name.empty() ? text_of(heard.find(Tag::kServiceName)) : config.service_name;
  echoed.clear();
  for (const TagValue& tag : heard.tags) {
    if ((tag.type == Tag::kAcCookie || tag.type == Tag::kRelaySessionId) &&
        tag.value.size() <= kLargestTag)
      echoed.push_back(tag);
  }
  ask(now);
}

void PppoeClient::Client::not_answered(const pppoe::Discovery& heard) {
  if (state != State::kLooking || !unfit.empty()) return;
  unfit = fmt::format("the access concentrator \"{}\" answers, but not with our Host-Uniq",
                      text_of(heard.find(Tag::kAcName)));
}

void PppoeClient::Client::confirmed(const pppoe::Discovery& heard, uint64_t now) {
  if (state != State::kAsking || heard.src != peer) return;
  if (const std::string why = refusal(heard); !why.empty()) return hang_up(why, false);
  if (heard.session == 0 || heard.session == 0xffff)
    return hang_up("the access concentrator gave no session", false);
  session = heard.session;
  uint16_t most = std::min(largest(), kUsual);
  const Bytes* payload = heard.find(Tag::kPppMaxPayload);
  if (payload != nullptr && payload->size() == 2)
    most = std::min(largest(), std::max<uint16_t>(kUsual, static_cast<uint16_t>((*payload)[0] << 8 |
                                                                                (*payload)[1])));
  ppp::Settings settings;
  settings.user = config.user;
  settings.password = config.password;
  settings.pap = config.pap;
  settings.chap = config.chap;
  settings.mschap1 = config.mschap1;
  settings.mschap2 = config.mschap2;
  const uint16_t usual = std::min(most, kUsual);
  settings.mtu = config.max_mtu == 0 ? usual : std::min(config.max_mtu, most);
  settings.mru = config.max_mru == 0 ? usual : std::min(config.max_mru, most);
  // Who agreed to more than 1492 and then says nothing takes what PPP takes anyway (RFC 1661 6.1).
  settings.silent_mru = std::clamp(most, kUsual, kDefaultMru);
  settings.probe_mtu = config.max_mtu == 0;
  settings.dns = config.use_peer_dns;
  settings.keepalive_ms = config.keepalive_ms;
  state = State::kSession;
  due_ms = kNever;
  link = std::make_unique<ppp::Link>(*this, std::move(settings), random());
  link->start(now);
}

void PppoeClient::Client::padt() {
  pppoe::Discovery d;
  d.src = mac();
  d.dst = peer;
  d.code = pppoe::kPadt;
  d.session = session;
  d.tags = {{Tag::kHostUniq, uniq}};
  for (const TagValue& tag : echoed) d.tags.push_back(tag);
  owner.send(config.lower, pppoe::build(d));
}

void PppoeClient::Client::hang_up(std::string_view why, bool say_so) {
  const uint64_t now = owner.io_.now_ms();
  if (up_since_ms != 0) {
    owner.changed_ = true;
    if (now - up_since_ms >= kHeld) backoff_ms = 0;
    up_since_ms = 0;
  }
  if (say_so && state == State::kSession) {
    link->close(why);
    padt();
  }
  if (link != nullptr) ended = std::move(link);
  give_up();
  last_error = why;
  log(fmt::format("disconnected - {}", why));
  backoff_ms = std::clamp(backoff_ms * 2, kFirstBackoff, kLongestBackoff);
  wait(now, backoff_ms + random() % kStartSpread);
}

void PppoeClient::Client::send(uint16_t protocol, const ppp::Bytes& packet) {
  owner.send(config.lower,
             pppoe::build(pppoe::SessionFrame{mac(), peer, session, protocol, packet}));
}

void PppoeClient::Client::up() {
  owner.changed_ = true;
  if (up_since_ms != 0) return;  // only its MTU became another
  up_since_ms = owner.io_.now_ms();
  last_error.clear();
  log(fmt::format("connected, {} with {}", maclane::text_of(link->local()),
                  maclane::text_of(link->remote())));
}

void PppoeClient::Client::interrupted() {
  owner.changed_ = true;
  up_since_ms = 0;
  log("the access concentrator negotiates again");
}

void PppoeClient::Client::down(std::string_view why) {
  // The link has said its own good-bye, if it was its turn; the session ends all the same.
  if (state != State::kSession) return;
  padt();
  hang_up(why, false);
}

void PppoeClient::Client::tick(uint64_t now) {
  ended.reset();
  if (state == State::kSession) return link->tick(now);
  if (due_ms > now) return;
  switch (state) {
    case State::kStopped:
    case State::kSession:
      return;
    case State::kWaiting:
    case State::kLooking:
      return look(now);
    case State::kAsking:
      if (tries < kRequests) return ask(now);
      return hang_up("the access concentrator does not answer", false);
  }
}

uint64_t PppoeClient::Client::next_deadline() const {
  return state == State::kSession ? link->next_deadline() : due_ms;
}

}  // namespace maclane
