#include "control/compile/rule_more.h"

#include <limits>
#include <random>

#include "control/compile/rule_columns.h"
#include "control/model/value.h"
#include "control/model/value_firewall.h"
#include "dataplane/table/dynamic_lists.h"

namespace maclane::compile {
namespace {

// For each rule with dst-limit 512 KiB, for each with psd 256 KiB.
constexpr uint32_t kMeterBuckets = 4096;
constexpr uint32_t kScanBuckets = 1024;
constexpr uint64_t kWithoutEnd = std::numeric_limits<uint64_t>::max();

constexpr uint8_t bit(AddressType type) {
  return static_cast<uint8_t>(1u << static_cast<unsigned>(type));
}
constexpr Word<uint8_t> kTypes[] = {{"unicast", bit(AddressType::kUnicast)},
                                    {"local", bit(AddressType::kLocal)},
                                    {"broadcast", bit(AddressType::kBroadcast)},
                                    {"multicast", bit(AddressType::kMulticast)},
                                    {"blackhole", bit(AddressType::kBlackhole)}};
constexpr Word<IpOption> kOptions[] = {{"any", IpOption::kAny},
                                       {"loose-source-routing", IpOption::kLooseSourceRouting},
                                       {"strict-source-routing", IpOption::kStrictSourceRouting},
                                       {"no-source-routing", IpOption::kNoSourceRouting},
                                       {"record-route", IpOption::kRecordRoute},
                                       {"no-record-route", IpOption::kNoRecordRoute},
                                       {"router-alert", IpOption::kRouterAlert},
                                       {"no-router-alert", IpOption::kNoRouterAlert},
                                       {"timestamp", IpOption::kTimestamp},
                                       {"no-timestamp", IpOption::kNoTimestamp},
                                       {"none", IpOption::kNone}};

constexpr uint32_t bit(Helper helper) {
  return 1u << static_cast<unsigned>(helper);
}
constexpr Word<uint32_t> kHelpers[] = {{"ftp", bit(Helper::kFtp)},
                                       {"tftp", bit(Helper::kTftp)},
                                       {"sip", bit(Helper::kSip)},
                                       {"pptp", bit(Helper::kPptp)}};

/// By model::LimitMode.
constexpr uint8_t kModes[] = {kClassifyDst, kClassifyDst | kClassifyDstPort, kClassifySrc,
                              kClassifySrc | kClassifyDst,
                              kClassifySrc | kClassifyDst | kClassifyDstPort};

MeterRate rate_of(const model::Limit& limit) {
  return MeterRate::of(limit.units, static_cast<uint64_t>(limit.period_ms), limit.burst);
}

uint32_t centiseconds(int64_t ms) {
  return static_cast<uint32_t>(std::clamp<int64_t>(ms / 10, 1, DynamicLists::kLongest_cs));
}

uint8_t to_u8(std::optional<int64_t> value) {
  return static_cast<uint8_t>(value.value_or(0));
}

/// The table that routes what has no mark is main.
uint32_t routing_mark(Names& names, std::string_view name) {
  return name == "main" ? 0 : names.mark(name);
}

/// Reads one row's matchers one after another.
class Reader {
 public:
  Reader(const model::Row& row, RuleMore& more, int* bad) : row_(row), more_(more), bad_(bad) {}

  /// Hands a matcher's value, if it is set, to `parse`, and what that returns to `take`.
  template <typename Parse, typename Take>
  void read(int column, RuleMore::Match what, Parse&& parse, Take&& take) {
    const std::string_view text = row_.at(column);
    if (text.empty()) return;
    const model::Negatable value = model::split_negation(text);
    const auto parsed = parse(value.value);
    if (!parsed) {
      *bad_ = column;
      return;
    }
    more_.match |= what;
    if (value.negated) more_.negate |= what;
    take(*parsed);
  }

 private:
  const model::Row& row_;
  RuleMore& more_;
  int* bad_;
};

std::optional<std::vector<model::PortRange>> parse_ports(std::string_view text) {
  std::vector<model::PortRange> ranges;
  for (std::string_view part : model::split_list(text)) {
    const auto range = model::parse_port_range(part);
    if (!range) return std::nullopt;
    ranges.push_back(*range);
  }
  return ranges;
}

std::optional<uint8_t> parse_types(std::string_view text) {
  unsigned mask = 0;
  for (std::string_view part : model::split_list(text)) mask |= value_of<uint8_t>(kTypes, part, 0);
  return static_cast<uint8_t>(mask);
}

/// What every packet can be asked.
void read_packet(const MoreColumns& c, const model::Row& row, RuleSet& set, RuleMore& more,
                 Reader& reader) {
  using M = RuleMore;
  reader.read(c.port, M::kAnyPort, parse_ports, [&](const auto& ranges) {
    more.ports = static_cast<uint32_t>(set.ports.size());
    more.port_count = static_cast<uint16_t>(ranges.size());
    for (const model::PortRange& range : ranges) set.ports.push_back({range.first, range.last});
  });
  reader.read(c.src_type, M::kSrcType, parse_types, [&](uint8_t mask) { more.src_types = mask; });
  reader.read(c.dst_type, M::kDstType, parse_types, [&](uint8_t mask) { more.dst_types = mask; });
  reader.read(c.src_mac, M::kSrcMac, model::parse_mac,
              [&](const model::Mac& mac) { more.src_mac = {mac}; });
  if (const auto flags = model::parse_tcp_flags(row.at(c.tcp_flags))) {
    more.match |= M::kTcpFlags;  // its ! are the flags', never the matcher's
    more.tcp_set = flags->set;
    more.tcp_clear = flags->clear;
  }
  reader.read(c.tcp_mss, M::kTcpMss, model::parse_port_range, [&](const model::PortRange& range) {
    more.mss_first = range.first;
    more.mss_last = range.last;
  });
  reader.read(c.packet_size, M::kPacketSize, model::parse_port_range,
              [&](const model::PortRange& range) {
                more.size_first = range.first;
                more.size_last = range.last;
              });
  reader.read(c.ttl, M::kTtl, model::parse_ttl, [&](const model::TtlMatch& ttl) {
    more.ttl_first = ttl.first;
    more.ttl_last = ttl.last;
    if (ttl.negated) more.negate ^= M::kTtl;
  });
  reader.read(c.dscp, M::kDscp, model::parse_integer,
              [&](int64_t dscp) { more.dscp = to_u8(dscp); });
  reader.read(c.priority, M::kPriority, model::parse_integer,
              [&](int64_t priority) { more.priority = to_u8(priority); });
  reader.read(c.ingress_priority, M::kIngressPriority, model::parse_integer,
              [&](int64_t priority) { more.ingress_priority = to_u8(priority); });
  if (const std::string_view text = row.at(c.options); !text.empty()) {
    more.match |= M::kOptions;
    more.options = static_cast<uint8_t>(value_of(kOptions, text, IpOption::kAny));
  }
  if (const std::string_view text = row.at(c.fragment); !text.empty()) {
    more.match |= M::kFragment;
    if (text == "false") more.negate |= M::kFragment;
  }
  reader.read(c.classifier, M::kClassifier, model::parse_pcc, [&](const model::PerConnection& pcc) {
    more.classifier = static_cast<uint8_t>(
        (pcc.src ? kClassifySrc : 0) | (pcc.dst ? kClassifyDst : 0) |
        (pcc.src_port ? kClassifySrcPort : 0) | (pcc.dst_port ? kClassifyDstPort : 0));
    more.denominator = pcc.denominator;
    more.remainder = pcc.remainder;
  });
}

/// What is counted or remembered.
void read_counting(const MoreColumns& c, RuleMore& more, Reader& reader) {
  using M = RuleMore;
  reader.read(c.random, M::kRandom, model::parse_integer,
              [&](int64_t percent) { more.random = to_u8(percent); });
  reader.read(c.nth, M::kNth, model::parse_nth, [&](const model::Nth& nth) {
    more.every = nth.every;
    more.nth = nth.packet - 1;
  });
  reader.read(c.psd, M::kScan, model::parse_psd, [&](const model::PortScan& psd) {
    more.scan = {psd.weight, centiseconds(psd.delay_ms), psd.low, psd.high};
  });
  reader.read(c.limit, M::kLimit, model::parse_limit, [&](const model::Limit& limit) {
    more.limit = rate_of(limit);
    more.by_bits = limit.bits;
  });
  reader.read(c.dst_limit, M::kDstLimit, model::parse_dst_limit, [&](const model::DstLimit& limit) {
    more.dst_limit = rate_of(limit.limit);
    more.dst_mode = kModes[static_cast<size_t>(limit.mode)];
    more.dst_expire_cs = centiseconds(limit.expire_ms);
  });
}

/// What is asked of the packet's connection.
void read_connection(const MoreColumns& c, Names& names, RuleSet& set, RuleMore& more,
                     Reader& reader) {
  using M = RuleMore;
  const auto any = [](std::string_view name) { return std::optional(name); };
  reader.read(c.connection_limit, M::kConnectionLimit, model::parse_connection_limit,
              [&](const model::ConnectionLimit& limit) {
                more.connections = limit.connections;
                more.block_length = limit.length;
              });
  reader.read(c.connection_bytes, M::kConnectionBytes, model::parse_bytes_range,
              [&](const model::WideRange& range) {
                more.bytes_first = range.first;
                more.bytes_last = range.last != 0 ? range.last : kWithoutEnd;
              });
  reader.read(c.connection_rate, M::kConnectionRate, model::parse_rate_range,
              [&](const model::WideRange& range) {
                more.rate_first = range.first;
                more.rate_last = range.last != 0 ? range.last : kWithoutEnd;
              });
  reader.read(
      c.connection_type, M::kConnectionType,
      [](std::string_view text) {
        return std::optional(value_of<uint32_t>(kHelpers, text, uint32_t{0}));
      },
      [&](uint32_t types) { more.connection_types = types; });
  reader.read(c.connection_mark, M::kConnectionMark, any,
              [&](std::string_view name) { more.connection_mark = names.mark(name); });
  reader.read(c.packet_mark, M::kPacketMark, any,
              [&](std::string_view name) { more.packet_mark = names.mark(name); });
  reader.read(c.routing_mark, M::kRoutingMark, any,
              [&](std::string_view name) { more.routing_mark = routing_mark(names, name); });
  for (const auto& [column, what] :
       {std::pair(c.content, M::kContent), {c.tls_host, M::kTlsHost}}) {
    reader.read(column, what, any, [&](std::string_view text) {
      more.text = static_cast<uint16_t>(set.texts.size());
      set.texts.emplace_back(text);
    });
  }
}

/// What the rule does.
void read_changes(const MoreColumns& c, const model::Row& row, Action action, Names& names,
                  RuleMore& more) {
  more.passthrough = row.at(c.passthrough) != "false";
  // What other actions would take may stand there too.
  const int mark = action == Action::kMarkConnection ? c.new_connection_mark
                   : action == Action::kMarkPacket   ? c.new_packet_mark
                   : action == Action::kMarkRouting  ? c.new_routing_mark
                                                     : -1;
  if (const std::string_view name = row.at(mark); !name.empty()) {
    more.mark = action == Action::kMarkRouting ? routing_mark(names, name) : names.mark(name);
  }
  more.mss = model::parse_new_mss(row.at(c.new_mss)).value_or(0);
  if (const auto change = model::parse_new_ttl(row.at(c.new_ttl))) {
    more.ttl_change = static_cast<RuleMore::Ttl>(change->kind);
    more.ttl = change->value;
  }
  more.new_dscp = to_u8(model::parse_integer(row.at(c.new_dscp)));
  if (const auto priority = model::parse_new_priority(row.at(c.new_priority))) {
    more.from = static_cast<RuleMore::Priority>(priority->from);
    more.new_priority = priority->number;
  }
  const int64_t timeout_ms = model::parse_list_timeout(row.at(c.timeout)).value_or(0);
  more.timeout_cs = timeout_ms == model::kToKeep ? DynamicLists::kToKeep
                    : timeout_ms == 0            ? DynamicLists::kForever
                                                 : centiseconds(timeout_ms);
}

}  // namespace

MoreColumns::MoreColumns(const model::Menu& menu)
    : port(menu.index("port")),
      src_type(menu.index("src-address-type")),
      dst_type(menu.index("dst-address-type")),
      src_mac(menu.index("src-mac-address")),
      tcp_flags(menu.index("tcp-flags")),
      tcp_mss(menu.index("tcp-mss")),
      packet_size(menu.index("packet-size")),
      limit(menu.index("limit")),
      dst_limit(menu.index("dst-limit")),
      psd(menu.index("psd")),
      nth(menu.index("nth")),
      random(menu.index("random")),
      classifier(menu.index("per-connection-classifier")),
      ttl(menu.index("ttl")),
      dscp(menu.index("dscp")),
      priority(menu.index("priority")),
      ingress_priority(menu.index("ingress-priority")),
      options(menu.index("ipv4-options")),
      fragment(menu.index("fragment")),
      connection_limit(menu.index("connection-limit")),
      connection_bytes(menu.index("connection-bytes")),
      connection_rate(menu.index("connection-rate")),
      connection_type(menu.index("connection-type")),
      connection_mark(menu.index("connection-mark")),
      packet_mark(menu.index("packet-mark")),
      routing_mark(menu.index("routing-mark")),
      content(menu.index("content")),
      tls_host(menu.index("tls-host")),
      new_connection_mark(menu.index("new-connection-mark")),
      new_packet_mark(menu.index("new-packet-mark")),
      new_routing_mark(menu.index("new-routing-mark")),
      new_mss(menu.index("new-mss")),
      new_ttl(menu.index("new-ttl")),
      new_dscp(menu.index("new-dscp")),
      new_priority(menu.index("new-priority")),
      passthrough(menu.index("passthrough")),
      timeout(menu.index("address-list-timeout")) {}

void read_more(const MoreColumns& columns, const model::Row& row, Action action, Names& names,
               RuleSet& set, RuleMore& more, int* bad) {
  Reader reader(row, more, bad);
  read_packet(columns, row, set, more, reader);
  read_counting(columns, more, reader);
  read_connection(columns, names, set, more, reader);
  read_changes(columns, row, action, names, more);
}

std::shared_ptr<RuleState> state_for(const RuleMore& more) {
  if ((more.match & (RuleMore::kNth | RuleMore::kScan | RuleMore::kLimit | RuleMore::kDstLimit)) ==
      0) {
    return nullptr;
  }
  auto state = std::make_shared<RuleState>();
  std::random_device random;
  state->seed = uint64_t{random()} << 32 | random();
  if ((more.match & RuleMore::kDstLimit) != 0)
    state->keyed = std::make_unique<KeyedMeters>(kMeterBuckets);
  if ((more.match & RuleMore::kScan) != 0) state->scans = std::make_unique<ScanTable>(kScanBuckets);
  return state;
}

}  // namespace maclane::compile
