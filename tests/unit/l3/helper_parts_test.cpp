// The parts of helpers alone: lines of FTP, numbers that shift, the table of expectations (B-24).
#include <gtest/gtest.h>

#include "dataplane/helper/ftp_text.h"
#include "dataplane/helper/seq_adjust.h"
#include "dataplane/net/checksum.h"
#include "dataplane/table/expectations.h"

namespace maclane {
namespace {

using Found = ftp::Line::Found;

constexpr be32 address(unsigned a, unsigned b, unsigned c, unsigned d) {
  return be32::from(a << 24 | b << 16 | c << 8 | d);
}

TEST(FtpText, ReadsWhatAnnouncesDataConnections) {
  const auto port = ftp::read_line("PORT 192,168,88,10,78,32\r\n", true);
  EXPECT_EQ(port.found, Found::kAddress);
  EXPECT_EQ(port.address, address(192, 168, 88, 10));
  EXPECT_EQ(port.port.host(), 20000);
  EXPECT_EQ(port.at, 5u);
  EXPECT_EQ(port.length, 19u);
  const auto eprt = ftp::read_line("eprt |1|10.0.0.1|6275|\r\n", true);
  EXPECT_EQ(eprt.found, Found::kAddress);
  EXPECT_EQ(eprt.address, address(10, 0, 0, 1));
  EXPECT_EQ(eprt.port.host(), 6275);
  const auto pasv = ftp::read_line("227 Entering Passive Mode (203,0,113,9,4,1).\r\n", false);
  EXPECT_EQ(pasv.found, Found::kAddress);
  EXPECT_EQ(pasv.address, address(203, 0, 113, 9));
  EXPECT_EQ(pasv.port.host(), 1025);
  const auto bare = ftp::read_line("227 =203,0,113,9,4,1\r\n", false);  // RFC 1123 4.1.2.6
  EXPECT_EQ(bare.found, Found::kAddress);
  const auto epsv = ftp::read_line("229 Entering Extended Passive Mode (|||6446|)\r\n", false);
  EXPECT_EQ(epsv.found, Found::kAddress);
  EXPECT_EQ(epsv.address.raw, 0u);
  EXPECT_EQ(epsv.port.host(), 6446);
}

TEST(FtpText, LeavesTheRestAlone) {
  for (const char* text : {"USER anonymous\r\n", "PORT 1,2,3,4,5\r\n", "PORT 1,2,3,4,5,256\r\n",
                           "PORT \r\n", "EPRT |2|::1|6275|\r\n", "EPRT |1|1.2.3.4|65536|\r\n",
                           "PORTAL 1,2,3,4,5,6\r\n", "227 (1,2,3,4,5,6)\r\n"}) {
    EXPECT_EQ(ftp::read_line(text, true).found, Found::kNothing) << text;
  }
  for (const char* text : {"229 none\r\n", "229 (|||)\r\n", "PORT 1,2,3,4,5,6\r\n", "227 \r\n"})
    EXPECT_EQ(ftp::read_line(text, false).found, Found::kNothing) << text;
}

TEST(FtpText, KnowsWhatEndsInTheMiddle) {
  const std::string_view whole = "PORT 192,168,88,10,78,32\r";
  for (size_t n = 1; n < whole.size(); ++n)
    EXPECT_EQ(ftp::read_line(whole.substr(0, n), true).found, Found::kPartial) << n;
  EXPECT_EQ(ftp::read_line(whole, true).found, Found::kAddress);
}

TEST(FtpText, WritesWhatItReads) {
  for (const auto kind : {ftp::Kind::kPort, ftp::Kind::kEprt}) {
    const auto numbers = ftp::write_numbers(kind, address(255, 254, 100, 253), be16::from(65535));
    const auto line = ftp::read_line(std::string(kind == ftp::Kind::kPort ? "PORT " : "EPRT ") +
                                         std::string(numbers.view()) + "\r\n",
                                     true);
    EXPECT_EQ(line.found, Found::kAddress);
    EXPECT_EQ(line.kind, kind);
    EXPECT_EQ(line.address, address(255, 254, 100, 253));
    EXPECT_EQ(line.port.host(), 65535);
  }
  EXPECT_EQ(ftp::write_numbers(ftp::Kind::kEpsv, {}, be16::from(6446)).view(), "|||6446|");
}

TEST(SeqShift, HoldsFromAPointOn) {
  SeqShift s;
  EXPECT_FALSE(s.active());
  s.change(1000, 4);
  EXPECT_EQ(s.out(1000), 1000u);  // the segment itself
  EXPECT_EQ(s.out(1020), 1024u);
  EXPECT_EQ(s.back(1000), 1000u);
  EXPECT_EQ(s.back(1024), 1020u);
  s.change(1000, 4);  // said again
  EXPECT_EQ(s.out(1020), 1024u);
  s.change(2000, -1);
  EXPECT_EQ(s.out(2000), 2004u);
  EXPECT_EQ(s.out(2010), 2013u);
  EXPECT_EQ(s.back(2013), 2010u);
  EXPECT_EQ(s.back(2004), 2000u);
}

TEST(SeqShift, HoldsAcrossTheWrap) {
  SeqShift s;
  s.change(0xfffffff0u, 7);
  EXPECT_EQ(s.out(0x10), 0x17u);
  EXPECT_EQ(s.back(0x17), 0x10u);
}

TEST(SeqShift, ReachesSackBlocksAtAnyPlace) {
  for (const unsigned nops : {0u, 1u, 2u, 3u}) {
    std::vector<uint8_t> header(20 + 16);
    auto& tcp = *reinterpret_cast<TcpHdr*>(header.data());
    tcp.seq = be32::from(500);
    tcp.ack = be32::from(1024);
    tcp.flags = kTcpAck;
    tcp.data_offset = 9 << 4;
    size_t at = 20;
    for (unsigned n = 0; n < nops; ++n) header[at++] = 1;
    header[at++] = 5;
    header[at++] = 10;
    const be32 left = be32::from(1104);
    const be32 right = be32::from(1204);
    std::memcpy(&header[at], &left.raw, 4);
    std::memcpy(&header[at + 4], &right.raw, 4);
    tcp.checksum.raw = checksum(header.data(), header.size());
    SeqShift own;
    own.change(100, -2);
    SeqShift peers;
    peers.change(1000, 4);
    shift_numbers(header, own, peers);
    EXPECT_EQ(tcp.seq.host(), 498u);
    EXPECT_EQ(tcp.ack.host(), 1020u);
    be32 edge;
    std::memcpy(&edge.raw, &header[at], 4);
    EXPECT_EQ(edge.host(), 1100u);
    std::memcpy(&edge.raw, &header[at + 4], 4);
    EXPECT_EQ(edge.host(), 1200u);
    EXPECT_EQ(checksum(header.data(), header.size()), 0) << nops;
  }
}

Expectation of(uint32_t src, uint16_t dport) {
  Expectation e;
  e.src = be32::from(src);
  e.dst = address(203, 0, 113, 2);
  e.dport = be16::from(dport);
  e.proto = kProtoTcp;
  e.expires_cs = 1000;
  return e;
}
Tuple tuple_of(uint32_t src, uint16_t dport) {
  return {be32::from(src), address(203, 0, 113, 2), be16::from(4000), be16::from(dport), kProtoTcp};
}

TEST(ExpectationTable, IsTakenOnce) {
  Expectations table(64);
  EXPECT_TRUE(table.empty());
  const auto ref = table.add(of(7, 5000), 0);
  ASSERT_TRUE(ref);
  Expectation found;
  EXPECT_FALSE(table.find(tuple_of(8, 5000), 10, found));
  EXPECT_FALSE(table.find(tuple_of(7, 5001), 10, found));
  EXPECT_FALSE(table.find(tuple_of(7, 5000), 1000, found)) << "its time is over";
  const auto hit = table.find(tuple_of(7, 5000), 999, found);
  ASSERT_TRUE(hit);
  EXPECT_TRUE(table.take(hit));
  EXPECT_FALSE(table.take(hit));
  EXPECT_FALSE(table.take(ref));
  EXPECT_TRUE(table.empty());
}

TEST(ExpectationTable, IsBoundedAndForgets) {
  Expectations table(8);
  for (unsigned i = 0; i < 8; ++i) EXPECT_TRUE(table.add(of(i + 1, 5000), 0));
  EXPECT_FALSE(table.add(of(9, 5000), 0));
  EXPECT_TRUE(table.add(of(9, 5000), 1000)) << "in the place of what ran out of time";
  EXPECT_EQ(table.size(), 8u);
  table.sweep(2000);
  EXPECT_TRUE(table.empty());
}

TEST(ExpectationTable, TellsTheClashesOfOthers) {
  Expectations table(64);
  Expectation first = of(7, 5000);
  first.master = 1;
  ASSERT_TRUE(table.add(first, 0));
  Expectation other = of(7, 5000);
  other.master = 2;
  EXPECT_TRUE(table.clashes(other, 0));
  other.src = {};  // anybody
  EXPECT_TRUE(table.clashes(other, 0));
  other.src = be32::from(8);
  EXPECT_FALSE(table.clashes(other, 0));
  EXPECT_FALSE(table.clashes(first, 0)) << "its own";
}

}  // namespace
}  // namespace maclane
