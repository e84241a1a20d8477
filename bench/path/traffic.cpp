#include "bench/path/traffic.h"

#include <rte_mbuf.h>

#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/wire.h"

namespace maclane::bench {
namespace {

constexpr unsigned kIp = sizeof(EtherHdr);
constexpr unsigned kUdp = kIp + sizeof(Ip4Hdr);
constexpr unsigned kPayload = kUdp + sizeof(UdpHdr);

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
    ip->proto = kProtoUdp;
    auto* udp = reinterpret_cast<UdpHdr*>(frame.data() + kUdp);
    udp->length = be16::from(static_cast<uint16_t>(size - kUdp));
    // The sums of all that does not change; addresses and ports are added per frame.
    ip->checksum.raw = static_cast<uint16_t>(sum_partial(ip, sizeof(Ip4Hdr)));
    base_sums_.push_back(
        sum_partial(frame.data() + kUdp, size - kUdp,
                    pseudo_sum({}, {}, kProtoUdp, static_cast<uint16_t>(size - kUdp))));
    templates_.push_back(std::move(frame));
  }
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

void Generator::write(rte_mbuf* m, uint32_t flow) noexcept {
  const size_t kind = templates_.size() == 1 ? 0 : made_ % templates_.size();
  const std::vector<uint8_t>& frame = templates_[kind];
  m->data_off = RTE_PKTMBUF_HEADROOM;
  m->data_len = static_cast<uint16_t>(frame.size());
  m->pkt_len = m->data_len;
  auto* data = rte_pktmbuf_mtod(m, uint8_t*);
  std::memcpy(data, frame.data(), frame.size() <= 64 ? frame.size() : kPayload + sizeof(Stamp));
  const FlowTuple t = flow_tuple(flows_, flow);
  if (flows_.dst_macs.size() > 1) {
    std::memcpy(data, flows_.dst_macs[flow % flows_.dst_macs.size()].bytes.data(), 6);
  }
  auto* ip = reinterpret_cast<Ip4Hdr*>(data + kIp);
  auto* udp = reinterpret_cast<UdpHdr*>(data + kUdp);
  ip->src = be32::from(t.src);
  ip->dst = be32::from(t.dst);
  udp->sport = be16::from(t.sport);
  udp->dport = be16::from(t.dport);
  const uint32_t addresses =
      (ip->src.raw & 0xffff) + (ip->src.raw >> 16) + (ip->dst.raw & 0xffff) + (ip->dst.raw >> 16);
  ip->checksum.raw = static_cast<uint16_t>(~fold(ip->checksum.raw + addresses));
  uint32_t sum = base_sums_[kind] + addresses + udp->sport.raw + udp->dport.raw;
  if (stamp_) {
    const Stamp stamp{flow, sequence_[flow]++, kMagic};
    std::memcpy(data + kPayload, &stamp, sizeof(stamp));
    sum = sum_partial(&stamp, sizeof(stamp), fold(sum));
  }
  const auto checksum = static_cast<uint16_t>(~fold(sum));
  udp->checksum.raw = checksum == 0 ? uint16_t{0xffff} : checksum;
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
  const auto* udp = reinterpret_cast<const UdpHdr*>(frame + kUdp);
  Stamp stamp;
  std::memcpy(&stamp, frame + kPayload, sizeof(stamp));
  if (length < kPayload + sizeof(stamp) || stamp.magic != kMagic || stamp.flow >= flows_.count)
    return wrong("it is none of ours");
  const FlowTuple sent = flow_tuple(flows_, stamp.flow);
  if (stamp.sequence != sequence_[stamp.flow]) {
    return wrong("flow " + std::to_string(stamp.flow) + " is at " + std::to_string(stamp.sequence) +
                 " where " + std::to_string(sequence_[stamp.flow]) + " is due");
  }
  ++sequence_[stamp.flow];
  if (checksum(ip, sizeof(Ip4Hdr)) != 0) return wrong("the IPv4 checksum is wrong");
  const uint16_t l4 = static_cast<uint16_t>(ip->total_length.host() - sizeof(Ip4Hdr));
  if (checksum(udp, l4, pseudo_sum(ip->src, ip->dst, kProtoUdp, l4)) != 0)
    return wrong("the UDP checksum is wrong");
  if (ip->ttl != (expected_.routed ? 63 : 64)) return wrong("TTL " + std::to_string(ip->ttl));
  if (ip->dst.host() != sent.dst || udp->dport.host() != sent.dport)
    return wrong("its destination changed");
  const MacAddr mac = expected_.dst_mac.is_zero()
                          ? flows_.dst_macs[stamp.flow % flows_.dst_macs.size()]
                          : expected_.dst_mac;
  if (!(eth->dst == mac)) return wrong("its destination MAC is not the next hop's");
  if (expected_.masqueraded_as == 0) {
    if (ip->src.host() != sent.src || udp->sport.host() != sent.sport)
      return wrong("its source changed");
    return;
  }
  if (ip->src.host() != expected_.masqueraded_as) return wrong("its source is not translated");
  const uint16_t port = udp->sport.host();
  if (port_[stamp.flow] == 0) {
    const uint64_t key = uint64_t{sent.dst} << 16 | port;
    if (!owner_.emplace(key, stamp.flow).second) return wrong("two flows share a translated port");
    port_[stamp.flow] = port;
  } else if (port_[stamp.flow] != port) {
    wrong("the translated port of its flow changed");
  }
}

}  // namespace maclane::bench
