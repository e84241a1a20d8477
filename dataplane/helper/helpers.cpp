#include "dataplane/helper/helpers.h"

#include "dataplane/helper/protocols.h"
#include "dataplane/net/checksum.h"
#include "dataplane/worker/packet.h"

namespace maclane {
namespace {

/// Whether the payload of packet i is all here and is what its sender sent.
[[nodiscard]] bool is_readable(const Burst& b, unsigned i) noexcept {
  const rte_mbuf* m = b.mbuf[i];
  const Ip4Hdr& ip = *b.ip[i];
  if (ip.is_fragment() || m->nb_segs != 1 || b.l4[i] == nullptr) return false;
  const auto length = static_cast<uint16_t>(b.length[i] - ip.header_length());
  if (ip.proto == kProtoUdp) {
    const auto& udp = *reinterpret_cast<const UdpHdr*>(b.l4[i]);
    if (udp.length.host() != length) return false;
    if (udp.checksum.raw == 0) return true;
  }
  return checksum(b.l4[i], length, pseudo_sum(ip.src, ip.dst, ip.proto, length)) == 0;
}

[[nodiscard]] Refusal read_payload(HelperPacket& p) noexcept {
  switch (p.record.helper) {
    case Helper::kFtp:
      return help_ftp(p);
    case Helper::kTftp:
      return help_tftp(p);
    case Helper::kSip:
      return help_sip(p);
    case Helper::kPptp:
      return help_pptp(p);
    default:
      return kPasses;
  }
}

}  // namespace

void give_helper(Worker& w, uint32_t session, Helper helper) noexcept {
  const uint32_t record = w.helped.take();
  if (record == HelperRecords::kNone) return;
  w.helped.at(record).helper = helper;
  w.notes.at(session).record = record;
  Session& s = w.sessions.at(session);
  s.set(Session::kHelped);
  w.sessions.side(session).helper = helper;
}

void assign_helper(Worker& w, uint32_t session) noexcept {
  const Session& s = w.sessions.at(session);
  const Helper helper = w.snapshot->helper_ports.of(s.proto, s.reply.sport);
  if (helper != Helper::kNone) give_helper(w, session, helper);
}

Helped help(Worker& w, Burst& b, unsigned i) noexcept {
  const uint32_t id = b.session[i];
  Session& s = w.sessions.at(id);
  HelperRecord& record = w.helped.at(w.notes.at(id).record);
  HelperPacket p{w, b, i, id, s, record, b.direction[i]};
  // One that was switched off reads no more; what it shifted stays shifted.
  const bool on = (w.snapshot->helpers_on >> static_cast<unsigned>(record.helper) & 1) != 0;
  if (on && is_readable(b, i)) {
    const Refusal reason = read_payload(p);
    if (reason) {
      drop(w, b.mbuf[i], *reason, b.in_if[i]);
      b.mbuf[i] = nullptr;
      return Helped::kDropped;
    }
  }
  const SeqShift& own = record.shift[p.direction];
  const SeqShift& peers = record.shift[opposite(p.direction)];
  if (s.proto == kProtoTcp && b.l4[i] != nullptr && (own.active() || peers.active())) {
    const size_t header = (reinterpret_cast<const TcpHdr*>(b.l4[i])->data_offset >> 4) * size_t{4};
    const size_t here = b.mbuf[i]->data_len - b.ip[i]->header_length();
    shift_numbers({b.l4[i], std::min(header, here)}, own, peers);
  }
  return Helped::kPasses;
}

void unshift(Worker& w, uint32_t session, uint8_t direction, Segment& segment) noexcept {
  const HelperRecord& record = w.helped.at(w.notes.at(session).record);
  const SeqShift& peers = record.shift[opposite(direction)];
  if (!peers.active()) return;
  segment.ack = peers.back(segment.ack);
  segment.sack = peers.back(segment.sack);
}

void forget_helper(Worker& w, uint32_t session) noexcept {
  const uint32_t number = w.notes.at(session).record;
  HelperRecord& record = w.helped.at(number);
  if (record.helper == Helper::kPptp) forget_calls(w, session);
  for (const HelperRecord::Expected& one : record.expected)
    (void)w.shared->expectations.take(one.ref);
  for (const Expectations::Ref ref : record.registered) (void)w.shared->expectations.take(ref);
  w.helped.give_back(number);
}

}  // namespace maclane
