// /ip/firewall/connection and its tracking settings' state (behaviour.md B-19, B-23).
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <thread>

#include "control/model/value.h"
#include "control/observe/rows.h"
#include "control/router.h"
#include "control/service/text.h"

namespace maclane::observe {
namespace {

using model::Fields;
using model::View;

std::string_view helper_text(Helper helper) {
  switch (helper) {
    case Helper::kNone:
      return {};
    case Helper::kFtp:
      return "ftp";
    case Helper::kTftp:
      return "tftp";
    case Helper::kSip:
      return "sip";
    case Helper::kPptp:
      return "pptp";
  }
  return {};
}

std::string_view tcp_state_text(TcpState state) {
  switch (state) {
    case TcpState::kNone:
      return "none";
    case TcpState::kSynSent:
    case TcpState::kSynSent2:
      return "syn-sent";
    case TcpState::kSynRecv:
      return "syn-received";
    case TcpState::kEstablished:
      return "established";
    case TcpState::kFinWait:
      return "fin-wait";
    case TcpState::kCloseWait:
      return "close-wait";
    case TcpState::kLastAck:
      return "last-ack";
    case TcpState::kTimeWait:
      return "time-wait";
    case TcpState::kClose:
      return "close";
  }
  return "none";
}

constexpr unsigned kIndexBits = 26;
static_assert(kMaxWorkers <= 32);

/// The id of a connection: how often its place was given away, its worker, its place in that
/// worker's table. So no id is ever another connection's.
std::string connection_id(unsigned worker, uint32_t index, uint32_t sequence) {
  return fmt::format("*{:X}",
                     uint64_t{sequence} << 32 | 0x80000000u | worker << kIndexBits | index);
}

Status remove_connection(Router& router, std::string_view id) {
  uint64_t number = 0;
  const auto read = std::from_chars(id.data() + 1, id.data() + id.size(), number, 16);
  if (read.ec != std::errc() || (number & 0x80000000u) == 0)
    return fail(fmt::format("no such item: there is no connection {}", id));
  Request request;
  request.kind = Request::Kind::kRemoveSession;
  request.session = static_cast<uint32_t>(number) & ((1u << kIndexBits) - 1);
  request.sequence = static_cast<uint32_t>(number >> 32);
  const auto worker = static_cast<unsigned>(number >> kIndexBits & 31);
  // A worker takes some each round; who removes thousands waits for it, but not for one that
  // stands.
  constexpr auto kPatience = std::chrono::milliseconds(500);
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!router.request(worker, request)) {
    if (std::chrono::steady_clock::now() > give_up)
      return fail(fmt::format(
          "connection {} and those after it could not be removed, as worker {} takes no "
          "requests; try again",
          id, worker));
    std::this_thread::yield();
  }
  return {};
}

/// How fast it goes, and what of it passed no rules (B-25).
void add_flow(const Router& router, unsigned worker, uint32_t index, const Session& s,
              const SessionSide& side, uint32_t now_cs, Fields& f) {
  const auto rates = router.rates().of(worker, index, s, side, now_cs);
  FastTrackStart start;
  const bool fast = s.has(Session::kFastTracked);
  if (fast) start = router.dataplane().fast_track_start(worker, index);
  for (const uint8_t way : {kOriginal, kReply}) {
    const char* const prefix = way == kOriginal ? "orig" : "repl";
    f.emplace_back(fmt::format("{}-rate", prefix), std::to_string(rates[way]));
    const uint64_t packets = SessionTable::packets(s, side, way);
    const uint64_t bytes = s.leg(way).bytes;
    const auto since = [&](uint64_t now, uint64_t then) {
      return fast && now > then ? now - then : 0;
    };
    f.emplace_back(fmt::format("{}-fasttrack-packets", prefix),
                   std::to_string(since(packets, start.packets[way])));
    f.emplace_back(fmt::format("{}-fasttrack-bytes", prefix),
                   std::to_string(since(bytes, start.bytes[way])));
  }
}

model::PrintRow connection_row(const Router& router, unsigned worker, uint32_t index,
                               const Session& s, const SessionSide& side, uint32_t now_cs,
                               const Timeouts& timeouts, std::string_view mark) {
  model::PrintRow row;
  row.id = connection_id(worker, index, side.sequence.load(std::memory_order_relaxed));
  Fields& f = row.fields;
  const bool ports = has_ports(s.tuple(kOriginal));
  f.emplace_back("protocol", model::format_protocol(s.proto));
  const auto end = [&](const char* prefix, be32 address, be16 port) {
    f.emplace_back(fmt::format("{}-address", prefix), text_of(address));
    if (ports) f.emplace_back(fmt::format("{}-port", prefix), std::to_string(port.host()));
  };
  end("src", s.original.src, s.original.sport);
  end("dst", s.original.dst, s.original.dport);
  end("reply-src", s.reply.src, s.reply.sport);
  end("reply-dst", s.reply.dst, s.reply.dport);
  if (s.proto == kProtoTcp) f.emplace_back("tcp-state", tcp_state_text(s.tcp_state));
  if (s.proto == kProtoIcmp) {
    f.emplace_back("icmp-type", std::to_string(side.icmp_type));
    f.emplace_back("icmp-code", std::to_string(side.icmp_code));
    f.emplace_back("icmp-id", std::to_string(s.original.sport.host()));
  }
  if (s.proto == kProtoGre && s.original.dport.raw != 0) {
    f.emplace_back("gre-key", std::to_string(s.original.dport.host()));
    f.emplace_back("gre-protocol", "34827");  // PPP (RFC 2637 4.1)
    f.emplace_back("gre-version", "1");
  }
  const int64_t left_s = SessionTable::remaining_cs(s, side, now_cs, timeouts) / 100;
  f.emplace_back("timeout", model::format_time_ms(left_s * 1000));
  f.emplace_back("orig-packets", std::to_string(SessionTable::packets(s, side, kOriginal)));
  f.emplace_back("orig-bytes", std::to_string(s.original.bytes));
  f.emplace_back("repl-packets", std::to_string(SessionTable::packets(s, side, kReply)));
  f.emplace_back("repl-bytes", std::to_string(s.reply.bytes));
  add_flow(router, worker, index, s, side, now_cs, f);
  if (s.mark != 0) f.emplace_back("connection-mark", mark);
  if (side.helper != Helper::kNone) f.emplace_back("connection-type", helper_text(side.helper));
  f.emplace_back("expected", yes_no(s.has(Session::kExpected)));
  f.emplace_back("seen-reply", yes_no(s.has(Session::kSeenReply)));
  f.emplace_back("assured", yes_no(is_assured(s, side)));
  f.emplace_back("confirmed", "true");
  f.emplace_back("dying", yes_no(s.has(Session::kDying)));
  f.emplace_back("fasttrack", yes_no(s.has(Session::kFastTracked)));
  f.emplace_back("srcnat", yes_no(s.has(Session::kSrcNat)));
  f.emplace_back("dstnat", yes_no(s.has(Session::kDstNat)));
  f.emplace_back("uses-helper", yes_no(s.has(Session::kHelped)));
  return row;
}

std::vector<model::PrintRow> connections(const Router& router) {
  std::vector<model::PrintRow> rows;
  const Snapshot* snapshot = router.dataplane().current();
  if (snapshot == nullptr) return rows;
  const uint32_t now = router.dataplane().now_cs();
  router.dataplane().for_each_session(
      [&](unsigned worker, uint32_t index, const Session& s, const SessionSide& side) {
        rows.push_back(connection_row(router, worker, index, s, side, now, snapshot->timeouts,
                                      router.compiled().names.mark_name(s.mark)));
        return true;
      });
  return rows;
}

void tracking_state(const Router& router, const View& tracking, Fields& out) {
  for (const model::Property& property : tracking.menu().properties) {
    const std::string_view timeout = compile::rfc_timeout(tracking, property.name);
    if (!timeout.empty()) out.emplace_back(property.name, timeout);
  }
  uint64_t total = 0;
  uint64_t room = 0;
  uint64_t evicted = 0;
  for (unsigned worker = 0; worker < router.dataplane().workers(); ++worker) {
    const WorkerStats stats = router.dataplane().worker_stats(worker);
    total += stats.sessions;
    room += stats.session_capacity;
    evicted += stats.evicted;
  }
  const Snapshot* snapshot = router.dataplane().current();
  out.emplace_back("max-entries", std::to_string(room));
  out.emplace_back("total-entries", std::to_string(total));
  out.emplace_back("nat-mappings", std::to_string(router.dataplane().nat_mappings()));
  out.emplace_back("total-ip4-entries", std::to_string(total));
  out.emplace_back("total-ip6-entries", "0");
  out.emplace_back("evicted-entries", std::to_string(evicted));
  out.emplace_back("active-ipv4", yes_no(snapshot != nullptr && snapshot->tracking));
  out.emplace_back("active-ipv6", "false");
}

}  // namespace

void provide_connection_rows(Router& router) {
  model::Model& model = router.model();
  model.provide_rows("/ip/firewall/connection", [&router] { return connections(router); });
  model.provide_remove("/ip/firewall/connection",
                       [&router](std::string_view id) { return remove_connection(router, id); });
  model.provide("/ip/firewall/connection/tracking", [&router](const View& tracking, Fields& out) {
    tracking_state(router, tracking, out);
  });
}

}  // namespace maclane::observe
