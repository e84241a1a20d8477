#include "control/service/ping.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "control/service/packet_build.h"
#include "dataplane/net/checksum.h"

namespace maclane {
namespace {

uint64_t now_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

uint32_t since(uint64_t then_us) {
  return static_cast<uint32_t>(std::min<uint64_t>(now_us() - then_us, UINT32_MAX));
}

std::string_view meaning(const IcmpHdr& icmp) {
  if (icmp.type == kIcmpTimeExceeded) return "TTL exceeded";
  if (icmp.type != kIcmpUnreachable) return "parameter problem";
  switch (icmp.code) {
    case 0:
      return "net unreachable";
    case 1:
      return "host unreachable";
    case 2:
      return "protocol unreachable";
    case 3:
      return "port unreachable";
    case 4:
      return "packet too large and cannot be fragmented";
    case 9:
    case 10:
    case 13:
      return "prohibited";
    default:
      return "unreachable";
  }
}

}  // namespace

std::optional<uint16_t> Ping::begin() {
  if (pings_.size() >= kMost) return std::nullopt;
  do {
    ++last_id_;
  } while (pings_.contains(last_id_));
  pings_.try_emplace(last_id_);
  return last_id_;
}

void Ping::end(uint16_t id) {
  pings_.erase(id);
}

be32 Ping::source_for(be32 target) {
  for (const IfIndex way : io_.ways_to(target)) {
    if (const be32 source = book_.source_for(way, target); source.raw != 0) return source;
  }
  return book_.all().empty() ? be32{} : book_.all().front().address;
}

bool Ping::ask(uint16_t id, uint16_t sequence, const Question& question) {
  const auto ping = pings_.find(id);
  if (ping == pings_.end() || ping->second.size() >= kMostWaiting) return false;
  const bool own = book_.owns(question.target) || is_loopback(question.target);
  if (!own && io_.ways_to(question.target).empty()) return false;
  Waiting waiting{now_us(), question.target, std::nullopt};
  if (own) {
    waiting.answer = Answer{question.target, question.size, 64, since(waiting.sent_us), {}};
    ping->second.insert_or_assign(sequence, waiting);
    return true;
  }
  const be32 source = question.source.raw != 0 ? question.source : source_for(question.target);
  if (source.raw == 0) return false;
  std::vector<uint8_t> bytes(std::max(question.size, kHeaders));
  for (size_t i = kHeaders; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i);
  IcmpHdr icmp{};
  icmp.type = kIcmpEcho;
  icmp.id = be16::from(id);
  icmp.sequence = be16::from(sequence);
  write_header(bytes, sizeof(Ip4Hdr), icmp);
  icmp.checksum.raw = checksum(bytes.data() + sizeof(Ip4Hdr), bytes.size() - sizeof(Ip4Hdr));
  write_header(bytes, sizeof(Ip4Hdr), icmp);
  const auto tos = static_cast<uint8_t>(question.dscp << 2);
  write_header(bytes, 0,
               make_ip4({source, question.target, kProtoIcmp, tos, icmp_.next_id(),
                         question.dont_fragment, question.ttl},
                        bytes.size()));
  if (!send_ip4(io_, bytes, false, 0)) return false;
  ping->second.insert_or_assign(sequence, waiting);
  return true;
}

Ping::Waiting* Ping::find(uint16_t id, uint16_t sequence) {
  const auto ping = pings_.find(id);
  if (ping == pings_.end()) return nullptr;
  const auto asked = ping->second.find(sequence);
  return asked == ping->second.end() ? nullptr : &asked->second;
}

std::optional<Ping::Answer> Ping::take(uint16_t id, uint16_t sequence) {
  Waiting* waiting = find(id, sequence);
  if (waiting == nullptr || !waiting->answer) return std::nullopt;
  const Answer answer = *waiting->answer;
  forget(id, sequence);
  return answer;
}

void Ping::forget(uint16_t id, uint16_t sequence) {
  if (const auto ping = pings_.find(id); ping != pings_.end()) ping->second.erase(sequence);
}

bool Ping::hear(std::span<const uint8_t> packet) {
  Ip4Hdr ip;
  IcmpHdr icmp;
  if (pings_.empty() || !read_ip4(packet, ip) || !read_header(packet, ip.header_length(), icmp)) {
    return false;
  }
  Waiting* waiting = find(icmp.id.host(), icmp.sequence.host());
  if (waiting == nullptr) return false;
  if (!waiting->answer) {
    waiting->answer = Answer{ip.src, ip.total_length.host(), ip.ttl, since(waiting->sent_us), {}};
  }
  return true;
}

void Ping::hear_error(std::span<const uint8_t> packet) {
  Ip4Hdr ip;
  IcmpHdr icmp;
  if (pings_.empty() || !read_ip4(packet, ip) || !read_header(packet, ip.header_length(), icmp)) {
    return;
  }
  const auto quoted = packet.subspan(ip.header_length() + sizeof(IcmpHdr));
  Ip4Hdr asked;
  IcmpHdr echo;
  // What is quoted may be cut, so its total length says nothing.
  if (!read_header(quoted, 0, asked) || asked.proto != kProtoIcmp ||
      asked.header_length() < sizeof(Ip4Hdr) || !read_header(quoted, asked.header_length(), echo) ||
      echo.type != kIcmpEcho) {
    return;
  }
  Waiting* waiting = find(echo.id.host(), echo.sequence.host());
  if (waiting == nullptr || waiting->answer || asked.dst != waiting->target) return;
  waiting->answer =
      Answer{ip.src, ip.total_length.host(), ip.ttl, since(waiting->sent_us), meaning(icmp)};
}

bool Ping::is_eager() const {
  if (pings_.empty()) return false;
  const uint64_t now = now_us();
  return std::any_of(pings_.begin(), pings_.end(), [&](const auto& ping) {
    return std::any_of(ping.second.begin(), ping.second.end(), [&](const auto& asked) {
      return !asked.second.answer && now - asked.second.sent_us < kQuickMs * 1000;
    });
  });
}

}  // namespace maclane
