#include "control/service/event_log.h"

#include <fmt/format.h>

#include <iterator>

#include "control/observe/log.h"
#include "control/service/text.h"
#include "dataplane/net/wire.h"

namespace maclane {
namespace {

constexpr std::string_view kStates[] = {"new", "established", "related", "invalid", "untracked"};

/// RouterOS shows no ports of UDP-lite and DCCP.
bool has_ports(uint8_t proto) {
  return proto == kProtoTcp || proto == kProtoUdp || proto == kProtoSctp;
}

std::string protocol_text(const Event& e) {
  switch (e.tuple.proto) {
    case kProtoTcp: {
      constexpr std::pair<uint8_t, std::string_view> kFlags[] = {
          {kTcpSyn, "SYN"}, {kTcpAck, "ACK"}, {kTcpFin, "FIN"}, {kTcpRst, "RST"},
          {0x08, "PSH"},    {0x20, "URG"},    {0x40, "ECE"},    {0x80, "CWR"}};
      std::string flags;
      for (const auto& [bit, name] : kFlags) {
        if ((e.tcp_flags & bit) == 0) continue;
        if (!flags.empty()) flags += ',';
        flags += name;
      }
      return flags.empty() ? "TCP" : fmt::format("TCP ({})", flags);
    }
    case kProtoUdp:
      return "UDP";
    case kProtoIcmp:
      return fmt::format("ICMP (type {}, code {})", e.icmp_type, e.icmp_code);
    case kProtoIgmp:
      return "IGMP";
    case kProtoGre:
      return "GRE";
    case kProtoSctp:
      return "SCTP";
    default:
      return fmt::format("{}", e.tuple.proto);
  }
}

}  // namespace

void EventLog::on_config(const Snapshot& snapshot) {
  names_.push_front(
      {snapshot.generation, {snapshot.raw, snapshot.mangle, snapshot.nat, snapshot.filter}});
  if (names_.size() > kGenerations) names_.pop_back();
}

const RuleSet* EventLog::rules(const Event& event) const {
  for (const Names& n : names_) {
    if (n.generation == event.generation) return n.tables[static_cast<size_t>(event.table)].get();
  }
  return nullptr;
}

std::string EventLog::interface(IfIndex index) const {
  if (index == kNoIf || index == kIfLocal) return "(none)";
  std::string name = name_(index);
  return name.empty() ? fmt::format("(unknown {})", index) : name;
}

std::string EventLog::format(const Event& e) const {
  const RuleSet* set = rules(e);
  std::string line;
  auto out = std::back_inserter(line);
  if (set != nullptr && e.log_prefix < set->log_prefixes.size() &&
      !set->log_prefixes[e.log_prefix].empty()) {
    fmt::format_to(out, "{} ", set->log_prefixes[e.log_prefix]);
  }
  const bool known = set != nullptr && e.chain < set->chains.size();
  fmt::format_to(out, "{}: in:{} out:{}, ",
                 known ? std::string_view{set->chains[e.chain].name} : std::string_view{"(gone)"},
                 interface(e.in_if), interface(e.out_if));
  const auto state = static_cast<size_t>(e.state);
  if (e.table != RuleTable::kRaw && state < std::size(kStates))
    fmt::format_to(out, "connection-state:{}, ", kStates[state]);
  if (!e.src_mac.is_zero()) fmt::format_to(out, "src-mac {}, ", text_of(e.src_mac));
  fmt::format_to(out, "proto {}, ", protocol_text(e));
  const Tuple& t = e.tuple;
  const bool ports = has_ports(t.proto);
  const auto end = [&](be32 address, be16 port) {
    return ports ? fmt::format("{}:{}", text_of(address), port.host()) : text_of(address);
  };
  const std::string src = end(t.src, t.sport);
  const std::string dst = end(t.dst, t.dport);
  fmt::format_to(out, "{}->{}", src, dst);
  const std::string after = end(e.after_src, e.after_sport);
  const std::string before = end(e.before_dst, e.before_dport);
  const bool source = e.after_src.raw != 0 && after != src;
  const bool destination = e.before_dst.raw != 0 && before != dst;
  if (source || destination) {
    fmt::format_to(out, ", NAT {}->{}", source ? fmt::format("({}->{})", src, after) : src,
                   destination ? fmt::format("({}->{})", before, dst) : dst);
  }
  fmt::format_to(out, ", len {}", e.length);
  return line;
}

void EventLog::handle(const Event& event, uint64_t now_ms) {
  tick(now_ms);
  if (now_ms - window_ms_ >= 1000) {
    window_ms_ = now_ms;
    in_window_ = 0;
  }
  if (in_window_ >= kLinesPerSecond) {
    ++suppressed_;
    return;
  }
  ++in_window_;
  log::write_line(log::Level::kInfo, "firewall,info", format(event));
}

void EventLog::tick(uint64_t now_ms) {
  if (suppressed_ == 0 || now_ms - window_ms_ < 1000) return;
  log::write(log::Level::kInfo, "firewall,info",
             "{} more lines were suppressed (limit {} a second)", suppressed_, kLinesPerSecond);
  suppressed_ = 0;
}

}  // namespace maclane
