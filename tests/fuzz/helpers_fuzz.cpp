// Fuzz: what helpers read of packets. FTP's lines from both sides, SIP's messages and descriptions,
// PPTP's messages, and TCP headers whose numbers are shifted there and back.
#include <string>
#include <vector>

#include "dataplane/helper/ftp_text.h"
#include "dataplane/helper/pptp_text.h"
#include "dataplane/helper/seq_adjust.h"
#include "dataplane/helper/sip_text.h"
#include "dataplane/net/checksum.h"

namespace {

using namespace maclane;  // NOLINT: a fuzz target is one file

void must(bool holds) {
  if (!holds) __builtin_trap();
}

void read_ftp(std::string_view text) {
  for (const bool from_client : {true, false}) {
    const ftp::Line line = ftp::read_line(text, from_client);
    if (line.found != ftp::Line::Found::kAddress) continue;
    must(line.at <= text.size() && line.length <= text.size() - line.at);
    const ftp::Numbers numbers = ftp::write_numbers(line.kind, line.address, line.port);
    must(numbers.length <= numbers.text.size());
    std::string again(text.substr(0, line.at));
    again.append(numbers.view()).append(text.substr(line.at + line.length));
    const ftp::Line second = ftp::read_line(again, from_client);
    must(second.found == line.found && second.address == line.address && second.port == line.port);
  }
}

/// Places lie in the text and in order of it, and what is written in their place is read as that.
void read_sip(std::string_view text, bool stream) {
  const sip::Message m = sip::read_message(text, stream);
  if (m.kind == sip::Message::Kind::kNone) return;
  must(m.body <= m.size && m.size <= text.size() && m.size - m.body == m.length);
  must(size_t{m.length_at} + m.length_digits <= m.body);
  std::string again(text);
  for (unsigned i = m.count; i-- > 0;) {
    const sip::Place& place = m.places[i];
    must(size_t{place.at} + place.length <= m.body);
    if (i != 0) must(m.places[i - 1].at + m.places[i - 1].length <= place.at);
    if (place.role == sip::Place::Role::kPort || place.role == sip::Place::Role::kReceived)
      continue;
    again.replace(place.at, place.length, sip::write_address(place.address, place.port).view());
  }
  const sip::Message second = sip::read_message(again, stream);
  must(second.kind == m.kind && second.count == m.count && second.call == m.call);
  for (unsigned i = 0; i < m.count; ++i) {
    must(second.places[i].address == m.places[i].address &&
         second.places[i].port == m.places[i].port && second.places[i].role == m.places[i].role);
  }
  const sip::Description d = sip::read_description(text, m.body, m.size);
  for (unsigned i = 0; i < d.streams; ++i) {
    const sip::Stream& one = d.stream[i];
    must(size_t{one.port_at} + one.port_length <= m.size);
    must(size_t{one.rtcp_at} + one.rtcp_length <= m.size);
  }
  for (unsigned i = 0; i < d.addresses; ++i)
    must(size_t{d.address[i].at} + d.address[i].length <= m.size);
}

void read_pptp(std::span<const uint8_t> bytes) {
  const pptp::Message m = pptp::read_message(bytes);
  must(m.size <= bytes.size() && (m.own_at == 0 || m.own_at + 2 <= m.size) &&
       (m.peer_at == 0 || m.peer_at + 2 <= m.size));
  (void)pptp::gre_call(bytes);
}

void shift(std::span<const uint8_t> bytes) {
  if (bytes.size() < sizeof(TcpHdr)) return;
  std::vector<uint8_t> header(bytes.begin(), bytes.end());
  const uint16_t sum = checksum(header.data(), header.size());
  SeqShift own;
  own.change(1000, 5);
  SeqShift peers;
  peers.change(2000, -3);
  peers.change(5000, 9);
  shift_numbers(header, own, peers);
  const uint16_t after = checksum(header.data(), header.size());
  must(sum == after || (sum ^ after) == 0xffff);  // the two zeros
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  read_ftp({reinterpret_cast<const char*>(data), size});
  for (const bool stream : {false, true})
    read_sip({reinterpret_cast<const char*>(data), size}, stream);
  read_pptp({data, size});
  shift({data, size});
  return 0;
}
