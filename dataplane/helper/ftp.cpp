// FTP (RFC 959, RFC 2428; behaviour.md B-24): data connections of PORT, EPRT, PASV and EPSV.
//
// Lines are read where they begin, which is known from where those before ended, so that nothing in
// the middle of a line or of a file is taken for a command. A command that ends in the middle is
// dropped: its sender will repeat it, whole. An address that is not the speaker's own announces
// nothing (no bounces, no redirected transfers), nor does a port below 1024 (RFC 2577 3).
#include "dataplane/helper/ftp_text.h"
#include "dataplane/helper/protocols.h"

namespace maclane {
namespace {

constexpr uint32_t kWaitCs = 300 * 100;
constexpr uint16_t kFirstPort = 1024;

[[nodiscard]] bool begins_a_line(const HelperRecord& record, uint8_t direction,
                                 uint32_t seq) noexcept {
  for (unsigned k = 0; k < record.line_count[direction]; ++k)
    if (record.lines[direction][k] == seq) return true;
  return false;
}

/// The text ends a line: the next begins behind it. The two newest are kept, for repetitions.
void note_line(HelperRecord& record, uint8_t direction, uint32_t next) noexcept {
  if (begins_a_line(record, direction, next)) return;
  auto& lines = record.lines[direction];
  uint8_t& count = record.line_count[direction];
  if (count < lines.size()) {
    lines[count++] = next;
    return;
  }
  const bool first_is_older = static_cast<int32_t>(lines[0] - lines[1]) < 0;
  const unsigned older = first_is_older ? 0 : 1;
  if (static_cast<int32_t>(next - lines[older]) > 0) lines[older] = next;
}

[[nodiscard]] Refusal read_command(HelperPacket& p) noexcept {
  const bool from_client = p.direction == kOriginal;
  const ftp::Line line = ftp::read_line(p.text(), from_client);
  if (line.found == ftp::Line::Found::kNothing) return kPasses;
  if (line.found == ftp::Line::Found::kPartial) return Drop::helper_partial;
  if (line.address.raw != 0 && !(line.address == p.speaker())) return kPasses;
  if (line.port.host() < kFirstPort) return kPasses;
  Expectation e = expect_from_listener(p, kProtoTcp, line.port);
  e.expires_cs = p.w.now.cs + kWaitCs;
  if (const Refusal reason = announce(p, e); reason) return reason;
  const bool same = e.dst == e.to_dst && e.dport == e.to_dport;
  if (same || (line.kind == ftp::Kind::kEpsv && e.dport == e.to_dport)) return kPasses;
  const ftp::Numbers numbers = ftp::write_numbers(line.kind, e.dst, e.dport);
  return replace(p, line.at, line.length, numbers.view()) ? kPasses : Refusal{Drop::helper_no_room};
}

}  // namespace

Refusal help_ftp(HelperPacket& p) noexcept {
  const std::string_view text = p.text();
  if (text.empty()) return kPasses;
  const uint32_t seq = reinterpret_cast<const TcpHdr*>(p.b.l4[p.i])->seq.host();
  const bool ends_a_line = text.back() == '\n';
  const auto next = seq + static_cast<uint32_t>(text.size());
  if (begins_a_line(p.record, p.direction, seq)) {
    if (const Refusal reason = read_command(p); reason) return reason;
  }
  if (ends_a_line) note_line(p.record, p.direction, next);
  return kPasses;
}

}  // namespace maclane
