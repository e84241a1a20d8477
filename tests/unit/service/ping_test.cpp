// Echo requests, their answers, and errors about them (C-34).
#include <set>

#include "control/traceroute_command.h"
#include "dataplane/net/checksum.h"
#include "tests/unit/service/fake_io.h"

namespace maclane::test {
namespace {

class PingTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    io.ways[kThere.host()] = {8};
    id_ = *services->ping().begin();
  }
  [[nodiscard]] Ping& ping() { return services->ping(); }
  Sent ask(uint16_t sequence, const Ping::Question& question) {
    (void)io.take();
    EXPECT_TRUE(ping().ask(id_, sequence, question));
    const auto sent = io.take();
    EXPECT_EQ(sent.size(), 1u);
    return sent.empty() ? Sent{} : sent[0];
  }
  void reply(const Sent& asked, uint8_t type = kIcmpEchoReply) {
    Bytes bytes(asked.bytes.begin() + 20, asked.bytes.end());
    auto icmp = asked.at<IcmpHdr>(20);
    icmp.type = type;
    icmp.checksum = {};
    write_header(bytes, 0, icmp);
    icmp.checksum.raw = checksum(bytes.data(), bytes.size());
    write_header(bytes, 0, icmp);
    local(ip_packet(asked.ip().dst, asked.ip().src, kProtoIcmp, bytes));
  }
  void error(const Sent& asked, uint8_t type, uint8_t code) {
    Bytes bytes(sizeof(IcmpHdr));
    bytes.insert(bytes.end(), asked.bytes.begin(), asked.bytes.begin() + 28);
    IcmpHdr icmp{};
    icmp.type = type;
    icmp.code = code;
    write_header(bytes, 0, icmp);
    icmp.checksum.raw = checksum(bytes.data(), bytes.size());
    write_header(bytes, 0, icmp);
    local(ip_packet(addr(10, 1, 0, 9), asked.ip().src, kProtoIcmp, bytes));
  }

  const be32 kThere = addr(10, 1, 0, 9);
  uint16_t id_ = 0;
};

TEST_F(PingTest, AsksAsItWasTold) {
  const Sent sent =
      ask(7, {.target = kThere, .size = 100, .ttl = 9, .dscp = 46, .dont_fragment = true});
  EXPECT_EQ(sent.message.kind, InjectKind::kIpOutput);
  EXPECT_EQ(sent.bytes.size(), 100u);
  EXPECT_EQ(sent.ip().src, addr(10, 1, 0, 1));
  EXPECT_EQ(sent.ip().ttl, 9);
  EXPECT_EQ(sent.ip().tos, 46 << 2);
  EXPECT_EQ(sent.ip().fragment.host(), 0x4000);
  EXPECT_EQ(checksum(sent.bytes.data() + 20, 80), 0);
  EXPECT_TRUE(ping().is_eager());
  EXPECT_EQ(ask(8, {.target = kThere, .source = addr(10, 2, 0, 1)}).ip().src, addr(10, 2, 0, 1));
}

TEST_F(PingTest, AnAnswerIsTakenOnceAndOthersAreNotOurs) {
  const Sent sent = ask(1, {.target = kThere});
  Sent other = sent;
  other.bytes[25] ^= 1;  // the id
  reply(other);
  EXPECT_FALSE(ping().take(id_, 1));
  EXPECT_EQ(io.dropped(Drop::no_service), 1u);
  reply(sent);
  EXPECT_EQ(io.dropped(Drop::no_service), 1u) << "it was for us";
  const auto answer = ping().take(id_, 1);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->from, kThere);
  EXPECT_EQ(answer->size, 56);
  EXPECT_EQ(answer->status, "");
  EXPECT_FALSE(ping().take(id_, 1));
  reply(sent);
  EXPECT_EQ(io.dropped(Drop::no_service), 2u) << "a second answer is nobody's";
}

TEST_F(PingTest, ErrorsAreAnswers) {
  error(ask(1, {.target = kThere}), kIcmpTimeExceeded, 0);
  EXPECT_EQ(ping().take(id_, 1)->status, "TTL exceeded");
  error(ask(2, {.target = kThere}), kIcmpUnreachable, 1);
  EXPECT_EQ(ping().take(id_, 2)->status, "host unreachable");
  Sent forged = ask(3, {.target = kThere});
  forged.bytes[19] ^= 1;  // another target
  error(forged, kIcmpUnreachable, 1);
  EXPECT_FALSE(ping().take(id_, 3));
}

TEST_F(PingTest, TheRouterAnswersItselfAndNowhereIsNoWay) {
  (void)io.take();
  EXPECT_TRUE(ping().ask(id_, 1, {.target = addr(10, 1, 0, 1)}));
  EXPECT_TRUE(ping().take(id_, 1));
  EXPECT_FALSE(ping().ask(id_, 2, {.target = addr(192, 0, 2, 1)}));
  EXPECT_TRUE(io.take().empty());
}

/// The command, by a router that knows no DNS server.
class PingCommandTest : public PingTest {
 protected:
  void SetUp() override {
    PingTest::SetUp();
    const Asking asking{*services, io, resolver_, [](std::string_view) { return kNoIf; }};
    add_ping_commands(commands_, asking);
    add_traceroute_command(commands_, asking);
  }
  model::Answer<model::Outcome> run(std::vector<std::pair<std::string, std::string>> arguments,
                                    std::string command = "ping") {
    model::Call call;
    call.path = "/tool";
    call.command = std::move(command);
    call.arguments = std::move(arguments);
    return commands_.run(call, model::Caller{});
  }

  model::Model model_;
  model::Commands commands_{model_};
  Resolver resolver_{[] { return std::vector<be32>(); }, [] { return Netns::here().enter(); }};
};

TEST_F(PingCommandTest, AsksOnceAnInterval) {
  auto outcome = run({{"address", "10.1.0.9"}, {"count", "3"}, {"interval", "1s"}});
  ASSERT_TRUE(outcome) << outcome.error().text();
  constexpr uint64_t kBegin = 5000;
  std::vector<model::PrintRow> rows;
  std::vector<uint64_t> sent_ms;
  (void)io.take();
  for (uint64_t ms = kBegin; ms < kBegin + 5000; ms += 100) {
    (void)outcome->running->step(ms, rows);
    if (!io.take().empty()) sent_ms.push_back(ms);
  }
  EXPECT_EQ(sent_ms, (std::vector<uint64_t>{kBegin, kBegin + 1000, kBegin + 2000}));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows.back().get("status"), "timeout");
  EXPECT_EQ(rows.back().get("packet-loss"), "100");
}

TEST_F(PingCommandTest, NamesAreAskedForOrRefused) {
  auto outcome = run({{"address", "www.example"}});
  ASSERT_TRUE(outcome) << outcome.error().text();
  std::vector<model::PrintRow> rows;
  EXPECT_EQ(outcome->running->step(0, rows), model::Running::State::kGoesOn);
  resolver_.tick();
  EXPECT_EQ(outcome->running->step(1, rows), model::Running::State::kFailed);
  EXPECT_NE(outcome->running->failure().text().find("no DNS server is known"), std::string::npos);
  // A command that is given up takes its question along.
  auto given_up = run({{"address", "www.example"}});
  ASSERT_TRUE(given_up);
  EXPECT_TRUE(resolver_.is_waiting());
  given_up->running.reset();
  EXPECT_FALSE(resolver_.is_waiting());
  for (const std::string_view wrong : {"", ".", "a..b", "10.0.0.256", "1.2", "a b", "\xff"})
    EXPECT_NE(wrong_name(wrong), "") << wrong;
  EXPECT_NE(wrong_name(std::string(64, 'a')), "");
  for (const std::string_view right : {"a", "a.", "www.example", "_sip._udp.example", "3com.com"})
    EXPECT_EQ(wrong_name(right), "") << right;
}

/// A way of three routers and a host; each answers a request of the trace, or is silent.
class TracerouteTest : public PingCommandTest {
 protected:
  /// Steps until the command has a section to show, or ends.
  model::Running::State run_on(model::Running& running, std::vector<model::PrintRow>& rows) {
    rows.clear();
    for (; now_ < 100'000; now_ += 10) {
      const auto state = running.step(now_, rows);
      for (const Sent& one : io.take()) answer(one);
      if (!rows.empty() || state != model::Running::State::kGoesOn) return state;
    }
    ADD_FAILURE() << "it never ends";
    return model::Running::State::kFailed;
  }
  void answer(const Sent& asked) {
    ttls_.push_back(asked.ip().ttl);
    const unsigned hop = asked.ip().ttl;
    if (silent_.contains(hop)) return;
    if (hop >= kWay) {
      if (!nowhere_) return reply(asked);
      return answer_by(asked, addr(10, 1, 0, 9), kIcmpUnreachable, 1);
    }
    answer_by(asked, addr(10, 9, static_cast<uint8_t>(hop), 1), kIcmpTimeExceeded, 0);
  }
  void answer_by(const Sent& asked, be32 router, uint8_t type, uint8_t code) {
    Bytes bytes(sizeof(IcmpHdr));
    bytes.insert(bytes.end(), asked.bytes.begin(), asked.bytes.begin() + 28);
    IcmpHdr icmp{};
    icmp.type = type;
    icmp.code = code;
    write_header(bytes, 0, icmp);
    icmp.checksum.raw = checksum(bytes.data(), bytes.size());
    write_header(bytes, 0, icmp);
    local(ip_packet(router, asked.ip().src, kProtoIcmp, bytes));
  }
  static std::vector<std::string> column(const std::vector<model::PrintRow>& rows,
                                         std::string_view property) {
    std::vector<std::string> out;
    for (const auto& row : rows) out.emplace_back(row.get(property));
    return out;
  }

  static constexpr unsigned kWay = 4;
  std::set<unsigned> silent_;
  bool nowhere_ = false;
  std::vector<unsigned> ttls_;
  uint64_t now_ = 5000;
};

TEST_F(TracerouteTest, AsksHopByHopAndAgain) {  // C-35
  using Column = std::vector<std::string>;
  using State = model::Running::State;
  auto outcome = run({{"address", "10.1.0.9"}, {"count", "2"}, {"timeout", "100ms"}}, "traceroute");
  ASSERT_TRUE(outcome) << outcome.error().text();
  std::vector<model::PrintRow> rows;
  silent_ = {2};
  EXPECT_EQ(run_on(*outcome->running, rows), State::kGoesOn);
  EXPECT_EQ(ttls_, (std::vector<unsigned>{1, 2, 3, 4}));
  EXPECT_EQ(column(rows, "address"), (Column{"10.9.1.1", "", "10.9.3.1", "10.1.0.9"}));
  EXPECT_EQ(column(rows, "loss"), (Column{"0", "100", "0", "0"}));
  EXPECT_EQ(rows[1].get("last"), "timeout");
  EXPECT_EQ(rows[1].get("best"), "");
  EXPECT_NE(rows[0].get("best"), "");
  EXPECT_EQ(column(rows, ".section"), (Column(4, "0")));
  EXPECT_EQ(column(rows, "status"), (Column(4, "")));
  silent_ = {4};  // its end is known: nothing is asked behind it
  EXPECT_EQ(run_on(*outcome->running, rows), State::kDone);
  EXPECT_GE(now_, 6000u) << "a second after the first began";
  EXPECT_EQ(ttls_.size(), 8u);
  EXPECT_EQ(column(rows, "sent"), (Column(4, "2")));
  EXPECT_EQ(column(rows, "loss"), (Column{"0", "50", "0", "50"}));
  EXPECT_EQ(column(rows, "last").back(), "timeout");
  EXPECT_EQ(column(rows, "address").back(), "10.1.0.9");
}

TEST_F(TracerouteTest, EndsWhereNobodyAnswersAndWhereThereIsNoWay) {
  std::vector<model::PrintRow> rows;
  silent_ = {2, 3, 4, 5, 6, 7, 8};
  auto outcome = run({{"address", "10.1.0.9"}, {"count", "1"}, {"timeout", "100ms"}}, "traceroute");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(run_on(*outcome->running, rows), model::Running::State::kDone);
  EXPECT_EQ(rows.size(), 6u) << "one that answers, five that do not";
  silent_ = {};
  nowhere_ = true;
  outcome = run({{"address", "10.1.0.9"}, {"count", "1"}}, "traceroute");
  EXPECT_EQ(run_on(*outcome->running, rows), model::Running::State::kDone);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows.back().get("status"), "host unreachable");
  outcome = run({{"address", "10.1.0.9"}, {"count", "1"}, {"max-hops", "2"}}, "traceroute");
  EXPECT_EQ(run_on(*outcome->running, rows), model::Running::State::kDone);
  EXPECT_EQ(rows.size(), 2u);
  outcome = run({{"address", "192.0.2.1"}}, "traceroute");
  EXPECT_EQ(run_on(*outcome->running, rows), model::Running::State::kFailed);
  EXPECT_NE(outcome->running->failure().text().find("no route to host 192.0.2.1"),
            std::string::npos);
  const auto named = run({{"address", "10.1.0.9"}, {"use-dns", "yes"}}, "traceroute");
  ASSERT_FALSE(named);
  EXPECT_NE(named.error().text().find("use-dns is not yet working"), std::string::npos);
}

TEST_F(PingTest, PingsAreBounded) {
  for (size_t i = 1; i < Ping::kMost; ++i) ASSERT_TRUE(ping().begin());
  EXPECT_FALSE(ping().begin());
  ping().end(id_);
  EXPECT_TRUE(ping().begin());
}

}  // namespace
}  // namespace maclane::test
