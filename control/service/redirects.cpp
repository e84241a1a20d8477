#include "control/service/redirects.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "control/observe/log.h"
#include "control/service/packet_build.h"
#include "control/service/text.h"

namespace maclane {
namespace {

constexpr uint8_t kLastCode = 3;  // for a network or a host, of a type of service or of all

/// Whether a way to an address is the one given, as far as its next hop goes.
template <typename Fits>
bool leads(const Snapshot& s, be32 address, Fits&& fits) {
  const NextHop& hop = s.next_hops[s.fib->lookup(address.host())];
  if (hop.alternatives.empty()) return fits(hop);
  return std::ranges::any_of(hop.alternatives,
                             [&](uint16_t way) { return fits(s.next_hops[way]); });
}

bool is_by(const NextHop& way, IfIndex interface, be32 gateway) {
  return way.kind == NextHop::Kind::kGateway && way.out_if == interface && way.gateway == gateway;
}

}  // namespace

Redirects::Redirects(PacketIo& io, const AddressBook& book, InterfaceName name)
    : io_(io), book_(book), name_(std::move(name)) {}

void Redirects::on_config(const ServiceConfig& config) {
  accept_ = config.accept_redirects;
  secure_ = config.secure_redirects;
  // What the routes below do not bear any more is forgotten.
  std::erase_if(ways_, [&](const auto& one) {
    return std::ranges::find(config.redirected, one.first) == config.redirected.end();
  });
}

void Redirects::hear(std::span<const uint8_t> packet, IfIndex in_if, bool related) {
  const Snapshot& s = io_.snapshot();
  Ip4Hdr ip;
  IcmpHdr icmp;
  if (!accept_ || s.fib == nullptr || (s.tracking && !related) || !read_ip4(packet, ip) ||
      !read_header(packet, ip.header_length(), icmp) || icmp.code > kLastCode)
    return;
  Ip4Hdr quoted;
  if (!read_ip4(packet.subspan(ip.header_length() + sizeof(icmp)), quoted) ||
      quoted.src != ip.dst || !book_.owns(quoted.src))
    return;
  be32 gateway;
  std::memcpy(&gateway.raw, &icmp.id, sizeof(gateway.raw));
  if (gateway == ip.src) return;
  const bool is_asked =
      leads(s, quoted.dst, [&](const NextHop& way) { return is_by(way, in_if, ip.src); });
  const bool is_near = leads(s, gateway, [&](const NextHop& way) {
    return way.kind == NextHop::Kind::kConnected && way.out_if == in_if;
  });
  if (!is_asked || !is_near) return;
  if (secure_ && std::ranges::none_of(
                     s.next_hops, [&](const NextHop& hop) { return is_by(hop, in_if, gateway); }))
    return;

  const uint64_t until = io_.now_ms() + kLifeMs;
  auto known = ways_.find(quoted.dst.host());
  if (known != ways_.end() && known->second.gateway == gateway) {
    known->second.until_ms = until;
    return;
  }
  if (!may_change()) return;
  changed_ = true;
  log::write(log::Level::kInfo, "route,info", "{} redirects {} to {}%{}", text_of(ip.src),
             text_of(quoted.dst), text_of(gateway), name_(in_if));
  if (known == ways_.end()) {
    make_room();
    ways_[quoted.dst.host()] = {in_if, ip.src, gateway, until};
  } else if (known->second.told_by == gateway) {
    ways_.erase(known);  // back to what the route says
  } else {
    known->second.gateway = gateway;
    known->second.until_ms = until;
  }
}

bool Redirects::may_change() {
  const uint64_t now = io_.now_ms();
  if (now >= window_ms_ + kGapMs) {
    window_ms_ = now;
    news_left_ = kNewsPerGap;
  }
  return news_left_ != 0 && news_left_-- != 0;
}

void Redirects::make_room() {
  if (ways_.size() < kMost) return;
  ways_.erase(
      std::ranges::min_element(ways_, {}, [](const auto& one) { return one.second.until_ms; }));
}

void Redirects::tick() {
  const uint64_t now = io_.now_ms();
  if (std::erase_if(ways_, [&](const auto& one) { return one.second.until_ms <= now; }) != 0)
    changed_ = true;
}

uint64_t Redirects::next_deadline() const {
  uint64_t next = kNever;
  for (const auto& [destination, way] : ways_) next = std::min(next, way.until_ms);
  return next;
}

bool Redirects::changed() {
  if (!changed_ || io_.now_ms() < published_ms_ + kGapMs) return false;
  published_ms_ = io_.now_ms();
  changed_ = false;
  return true;
}

void Redirects::add_learned(Learned& learned) const {
  for (const auto& [destination, way] : ways_)
    learned.redirects.push_back(
        {destination, way.told_by.host(), way.gateway.host(), name_(way.interface)});
}

}  // namespace maclane
