#include "bench/path/traffic.h"

#include <rte_mbuf.h>

#include <array>
#include <cstring>
#include <utility>

#include "dataplane/net/checksum.h"
#include "dataplane/net/wire.h"

namespace maclane::bench {
namespace {

constexpr unsigned kIp = sizeof(EtherHdr);
constexpr unsigned kL4 = kIp + sizeof(Ip4Hdr);
constexpr uint32_t kPeerSequence = 0x10000000;
constexpr uint8_t kTcpPsh = 0x08;
// Of a SYN, where other frames have their stamp: MSS 1460, SACK permitted, window scale 14.
constexpr std::array<uint8_t, 12> kSynOptions = {2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 14};
static_assert(kL4 + sizeof(TcpHdr) + kSynOptions.size() == kTcpFrame);
static_assert(kSynOptions.size() == sizeof(Stamp));

constexpr unsigned payload_at(bool tcp) noexcept {
  return kL4 + static_cast<unsigned>(tcp ? sizeof(TcpHdr) : sizeof(UdpHdr));
}

/// A bijection of 32 bits, so that flows are neither sorted nor equal.
uint32_t scatter(uint32_t n) noexcept {
  n ^= n >> 16;
  n *= 0x7feb352dU;
  n ^= n >> 15;
  n *= 0x846ca68bU;
  return n ^ (n >> 16);
}

}  // namespace

FlowTuple flow_tuple(const Flows& flows, uint32_t n) noexcept {
  const uint32_t mixed = scatter(n);
  FlowTuple t;
  t.src = flows.src_base + (mixed >> 16) % flows.src_hosts;
  t.sport = static_cast<uint16_t>(mixed);
  if (t.sport == 0) t.sport = 1;  // two flows may share it then: one in 65536 is not unique
  t.dst = flows.dst_list.empty() ? flows.dst_base + n % flows.dst_hosts
                                 : flows.dst_list[n % flows.dst_list.size()];
  t.dport = flows.dst_port;
  return t;
}

Generator::Generator(const Flows& flows, uint64_t seed) : flows_(flows), random_(seed | 1) {
  for (const uint16_t size : flows.sizes) {
    std::vector<uint8_t> frame(size);
    auto* eth = reinterpret_cast<EtherHdr*>(frame.data());
    eth->dst = flows.dst_macs.front();
    eth->src = flows.src_mac;
    eth->type = be16::from(kEtherIp4);
    auto* ip = reinterpret_cast<Ip4Hdr*>(frame.data() + kIp);
    ip->version_ihl = 0x45;
    ip->total_length = be16::from(static_cast<uint16_t>(size - kIp));
    ip->ttl = 64;
    ip->proto = flows.tcp ? kProtoTcp : kProtoUdp;
    if (flows.tcp) {
      auto* tcp = reinterpret_cast<TcpHdr*>(frame.data() + kL4);
      tcp->window = be16::from(0xffff);
    } else {
      auto* udp = reinterpret_cast<UdpHdr*>(frame.data() + kL4);
      udp->length = be16::from(static_cast<uint16_t>(size - kL4));
    }
    // The sums of all that does not change; addresses and ports are added per frame.
    ip->checksum.raw = static_cast<uint16_t>(sum_partial(ip, sizeof(Ip4Hdr)));
    base_sums_.push_back(
        sum_partial(frame.data() + kL4, size - kL4,
                    pseudo_sum({}, {}, ip->proto, static_cast<uint16_t>(size - kL4))));
    templates_.push_back(std::move(frame));
  }
  if (!flows.tcp) return;
  next_sequence_.resize(flows.count);
  for (uint32_t n = 0; n < flows.count; ++n) next_sequence_[n] = scatter(n);
}

void Generator::stamp(bool yes) {
  stamp_ = yes;
  if (yes) sequence_.assign(flows_.count, 0);
}

void Generator::next(rte_mbuf* m) noexcept {
  const auto count = subset_.empty() ? flows_.count : static_cast<uint32_t>(subset_.size());
  uint32_t flow = 0;
  if (in_order_) {
    flow = cursor_;
    cursor_ = cursor_ + 1 == count ? 0 : cursor_ + 1;
  } else {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    flow = static_cast<uint32_t>(((random_ >> 32) * count) >> 32);
  }
  if (!subset_.empty()) flow = subset_[flow];
  write(m, flow);
  ++made_;
}

/// What of a TCP frame is its own; returns what that adds to the checksum.
uint32_t Generator::write_tcp(uint8_t* data, uint16_t size, uint32_t flow) noexcept {
  auto* tcp = reinterpret_cast<TcpHdr*>(data + kL4);
  uint32_t& next = next_sequence_[flow];
  tcp->seq = be32::from(next);
  if (opening_) {
    tcp->ack = {};
    tcp->data_offset = (sizeof(TcpHdr) + kSynOptions.size()) / 4 << 4;
    tcp->flags = kTcpSyn;
    std::memcpy(tcp + 1, kSynOptions.data(), kSynOptions.size());
    next += 1;
  } else {
    tcp->ack = be32::from(kPeerSequence + 1);
    tcp->data_offset = sizeof(TcpHdr) / 4 << 4;
    tcp->flags = kTcpAck | kTcpPsh;
    next += size - payload_at(true);
  }
  const uint32_t sum = sum_partial(&tcp->seq, 10);  // up to the flags
  return opening_ ? sum_partial(tcp + 1, kSynOptions.size(), sum) : sum;
}

void Generator::write(rte_mbuf* m, uint32_t flow) noexcept {
  const size_t kind = templates_.size() == 1 ? 0 : made_ % templates_.size();
  const std::vector<uint8_t>& frame = templates_[kind];
  const unsigned payload = payload_at(flows_.tcp);
  m->data_off = RTE_PKTMBUF_HEADROOM;
  m->data_len = static_cast<uint16_t>(frame.size());
  m->pkt_len = m->data_len;
  auto* data = rte_pktmbuf_mtod(m, uint8_t*);
  std::memcpy(data, frame.data(), frame.size() <= 66 ? frame.size() : payload + sizeof(Stamp));
  const FlowTuple t = flow_tuple(flows_, flow);
  if (flows_.dst_macs.size() > 1) {
    std::memcpy(data, flows_.dst_macs[flow % flows_.dst_macs.size()].bytes.data(), 6);
  }
  auto* ip = reinterpret_cast<Ip4Hdr*>(data + kIp);
  auto* ports = reinterpret_cast<UdpHdr*>(data + kL4);  // where TCP has them as well
  ip->src = be32::from(t.src);
  ip->dst = be32::from(t.dst);
  ports->sport = be16::from(t.sport);
  ports->dport = be16::from(t.dport);
  const uint32_t addresses =
      (ip->src.raw & 0xffff) + (ip->src.raw >> 16) + (ip->dst.raw & 0xffff) + (ip->dst.raw >> 16);
  ip->checksum.raw = static_cast<uint16_t>(~fold(ip->checksum.raw + addresses));
  uint32_t sum = base_sums_[kind] + addresses + ports->sport.raw + ports->dport.raw;
  if (flows_.tcp) sum += write_tcp(data, static_cast<uint16_t>(frame.size()), flow);
  if (stamp_ && !opening_) {
    const Stamp stamp{flow, sequence_[flow]++, kMagic};
    std::memcpy(data + payload, &stamp, sizeof(stamp));
    sum = sum_partial(&stamp, sizeof(stamp), fold(sum));
  }
  const auto checksum = static_cast<uint16_t>(~fold(sum));
  if (flows_.tcp)
    reinterpret_cast<TcpHdr*>(ports)->checksum.raw = checksum;
  else
    ports->checksum.raw = checksum == 0 ? uint16_t{0xffff} : checksum;
}

void turn_round(rte_mbuf* m, unsigned l2_bytes) noexcept {
  auto* eth = rte_pktmbuf_mtod(m, EtherHdr*);
  auto* ip = rte_pktmbuf_mtod_offset(m, Ip4Hdr*, l2_bytes);
  auto* ports = reinterpret_cast<UdpHdr*>(ip + 1);
  std::swap(eth->src, eth->dst);
  std::swap(ip->src, ip->dst);
  std::swap(ports->sport, ports->dport);
  if (ip->proto != kProtoTcp) return;
  auto* tcp = reinterpret_cast<TcpHdr*>(ports);
  const bool syn = (tcp->flags & kTcpSyn) != 0;
  const unsigned header = (tcp->data_offset >> 4) * 4u;
  const unsigned data = ip->total_length.host() - sizeof(Ip4Hdr) - header;
  tcp->ack = be32::from(tcp->seq.host() + (syn ? 1 : data));
  tcp->seq = be32::from(syn ? kPeerSequence : kPeerSequence + 1);
  tcp->flags = syn ? kTcpSyn | kTcpAck : kTcpAck;
  const auto l4 = static_cast<uint16_t>(header);
  ip->total_length = be16::from(static_cast<uint16_t>(sizeof(Ip4Hdr) + header));
  ip->checksum = {};
  ip->checksum.raw = checksum(ip, sizeof(Ip4Hdr));
  tcp->checksum = {};
  tcp->checksum.raw = checksum(tcp, l4, pseudo_sum(ip->src, ip->dst, kProtoTcp, l4));
}

Sink::Sink(const Flows& flows, const Expected& expected)
    : flows_(flows), expected_(expected), sequence_(flows.count, 0), port_(flows.count, 0) {}

void Sink::take(const rte_mbuf* m) {
  ++taken_;
  if (mistake_.empty()) check(rte_pktmbuf_mtod(m, const uint8_t*), m->pkt_len);
}

void Sink::check(const uint8_t* frame, uint32_t length) {
  const auto wrong = [&](const std::string& what) {
    mistake_ = "frame " + std::to_string(taken_) + ": " + what;
  };
  const auto* eth = reinterpret_cast<const EtherHdr*>(frame);
  if (expected_.pppoe_session != 0) {
    const auto* pppoe = reinterpret_cast<const PppoeHdr*>(eth + 1);
    if (length < kPppoeOverhead || eth->type.host() != kEtherPppoeSession ||
        pppoe->version_type != 0x11 || pppoe->code != 0 ||
        pppoe->session.host() != expected_.pppoe_session || pppoe->length.host() + 20u != length ||
        pppoe->protocol.host() != kPppIp4) {
      return wrong("its PPPoE header is not the session's");
    }
    frame += sizeof(PppoeHdr);
    length -= static_cast<uint32_t>(sizeof(PppoeHdr));
  }
  const auto* ip = reinterpret_cast<const Ip4Hdr*>(frame + kIp);
  const auto* ports = reinterpret_cast<const UdpHdr*>(frame + kL4);
  const unsigned payload = payload_at(flows_.tcp);
  Stamp stamp;
  std::memcpy(&stamp, frame + payload, sizeof(stamp));
  if (length < payload + sizeof(stamp) || stamp.magic != kMagic || stamp.flow >= flows_.count)
    return wrong("it is none of ours");
  const FlowTuple sent = flow_tuple(flows_, stamp.flow);
  if (stamp.sequence != sequence_[stamp.flow]) {
    return wrong("flow " + std::to_string(stamp.flow) + " is at " + std::to_string(stamp.sequence) +
                 " where " + std::to_string(sequence_[stamp.flow]) + " is due");
  }
  ++sequence_[stamp.flow];
  if (checksum(ip, sizeof(Ip4Hdr)) != 0) return wrong("the IPv4 checksum is wrong");
  const uint16_t l4 = static_cast<uint16_t>(ip->total_length.host() - sizeof(Ip4Hdr));
  if (checksum(ports, l4, pseudo_sum(ip->src, ip->dst, ip->proto, l4)) != 0)
    return wrong("the TCP or UDP checksum is wrong");
  if (ip->ttl != (expected_.routed ? 63 : 64)) return wrong("TTL " + std::to_string(ip->ttl));
  if (ip->dst.host() != sent.dst || ports->dport.host() != sent.dport)
    return wrong("its destination changed");
  const MacAddr mac = expected_.dst_mac.is_zero()
                          ? flows_.dst_macs[stamp.flow % flows_.dst_macs.size()]
                          : expected_.dst_mac;
  if (!(eth->dst == mac)) return wrong("its destination MAC is not the next hop's");
  if (expected_.masqueraded_as == 0) {
    if (ip->src.host() != sent.src || ports->sport.host() != sent.sport)
      return wrong("its source changed");
    return;
  }
  if (ip->src.host() != expected_.masqueraded_as) return wrong("its source is not translated");
  const uint16_t port = ports->sport.host();
  if (port_[stamp.flow] == 0) {
    const uint64_t key = uint64_t{sent.dst} << 16 | port;
    if (!owner_.emplace(key, stamp.flow).second) return wrong("two flows share a translated port");
    port_[stamp.flow] = port;
  } else if (port_[stamp.flow] != port) {
    wrong("the translated port of its flow changed");
  }
}

}  // namespace maclane::bench
