// Fuzz: what helpers read of packets. FTP's lines from both sides, and TCP headers whose numbers
// are shifted there and back.
#include <string>
#include <vector>

#include "dataplane/helper/ftp_text.h"
#include "dataplane/helper/seq_adjust.h"
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
  shift({data, size});
  return 0;
}
