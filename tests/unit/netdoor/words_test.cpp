// Words and sentences of the API: every length form, limits, and bytes in any pieces (D-15, D-16).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "control/door/api_words.h"

namespace maclane::door {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Next = SentenceReader::Next;

constexpr SentenceReader::Limits kWide{size_t{64} << 20, size_t{64} << 20, 10'000};

std::string word(const std::string& text) {
  std::string out;
  append_word(out, text);
  return out;
}

std::string sentence(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& one : words) append_word(out, one);
  end_sentence(out);
  return out;
}

TEST(ApiWords, D15_LengthTakesTheShortestForm) {
  const auto bytes = [](uint32_t length) {
    std::string out;
    append_length(out, length);
    return out;
  };
  using namespace std::string_literals;
  EXPECT_EQ(bytes(0), "\0"s);
  EXPECT_EQ(bytes(0x7F), "\x7F"s);
  EXPECT_EQ(bytes(0x80), "\x80\x80"s);
  EXPECT_EQ(bytes(0x3FFF), "\xBF\xFF"s);
  EXPECT_EQ(bytes(0x4000), "\xC0\x40\x00"s);
  EXPECT_EQ(bytes(0x1FFFFF), "\xDF\xFF\xFF"s);
  EXPECT_EQ(bytes(0x200000), "\xE0\x20\x00\x00"s);
  EXPECT_EQ(bytes(0xFFFFFFF), "\xEF\xFF\xFF\xFF"s);
  EXPECT_EQ(bytes(0x10000000), "\xF0\x10\x00\x00\x00"s);
  EXPECT_EQ(bytes(0xFFFFFFFF), "\xF0\xFF\xFF\xFF\xFF"s);
}

TEST(ApiWords, D15_ReadsBackEveryLengthForm) {
  for (const size_t length : {0x1UL, 0x7FUL, 0x80UL, 0x3FFFUL, 0x4000UL, 0x1FFFFFUL, 0x200000UL}) {
    SentenceReader reader(kWide);
    reader.feed(sentence({std::string(length, 'x')}));
    Words words;
    ASSERT_EQ(reader.next(words), Next::kSentence) << length;
    ASSERT_EQ(words.size(), 1U);
    EXPECT_EQ(words[0].size(), length);
    EXPECT_EQ(reader.next(words), Next::kMore);
  }
}

TEST(ApiWords, D15_ALongFormOfAShortLengthIsRead) {
  using namespace std::string_literals;
  SentenceReader reader(kWide);
  reader.feed("\xF0\x00\x00\x00\x03/ab\xE0\x00\x00\x01z\x80\x00"s);
  Words words;
  ASSERT_EQ(reader.next(words), Next::kSentence);
  EXPECT_THAT(words, ElementsAre("/ab", "z"));
}

TEST(ApiWords, D16_EmptySentencesArePassedOver) {
  SentenceReader reader(kWide);
  reader.feed(std::string(1000, '\0') + sentence({"/quit"}) + std::string(3, '\0'));
  Words words;
  ASSERT_EQ(reader.next(words), Next::kSentence);
  EXPECT_THAT(words, ElementsAre("/quit"));
  EXPECT_EQ(reader.next(words), Next::kMore);
  EXPECT_EQ(reader.held(), 0U);
}

TEST(ApiWords, SentencesComeInAnyPieces) {
  std::mt19937 random(7);
  std::string stream;
  std::vector<Words> sent;
  for (int i = 0; i < 200; ++i) {
    Words words;
    for (unsigned w = 0; w < 1 + random() % 5; ++w)
      words.emplace_back(1 + random() % (i % 20 == 0 ? 20'000 : 200), static_cast<char>('a' + w));
    stream += sentence(words);
    sent.push_back(std::move(words));
  }
  SentenceReader reader(kWide);
  std::vector<Words> got;
  for (size_t at = 0; at < stream.size();) {
    const size_t n = std::min<size_t>(1 + random() % 700, stream.size() - at);
    reader.feed(std::string_view(stream).substr(at, n));
    at += n;
    Words words;
    while (reader.next(words) == Next::kSentence) got.push_back(words);
  }
  EXPECT_EQ(got, sent);
}

TEST(ApiWords, D15_ReservedLengthBytesBreakTheConnection) {
  for (int first = 0xF1; first <= 0xFF; ++first) {
    SentenceReader reader(kWide);
    reader.feed(std::string(1, static_cast<char>(first)));
    Words words;
    EXPECT_EQ(reader.next(words), Next::kBroken) << first;
    EXPECT_EQ(reader.next(words), Next::kBroken);  // and it stays broken
  }
}

TEST(ApiWords, AbsurdLengthsAreRefusedBeforeAnythingIsHeld) {
  SentenceReader reader({4096, 4096, 64});
  reader.feed(std::string("\xF0\xFF\xFF\xFF\xFF", 5));
  Words words;
  EXPECT_EQ(reader.next(words), Next::kBroken);
  EXPECT_THAT(reader.problem(), HasSubstr("too long"));
  EXPECT_EQ(reader.held(), 0U);
}

TEST(ApiWords, LimitsOfASentenceHold) {
  Words words;
  SentenceReader many({4096, 4096, 3});
  many.feed(sentence({"a", "b", "c", "d"}));
  EXPECT_EQ(many.next(words), Next::kBroken);
  EXPECT_THAT(many.problem(), HasSubstr("too many words"));
  SentenceReader bytes({4096, 10, 64});
  bytes.feed(word("123456") + word("12345"));
  EXPECT_EQ(bytes.next(words), Next::kBroken);
  EXPECT_THAT(bytes.problem(), HasSubstr("sentence is too long"));
  SentenceReader fits({4096, 10, 64});
  fits.feed(sentence({"12345", "12345"}));
  EXPECT_EQ(fits.next(words), Next::kSentence);
}

TEST(ApiWords, D16_TakesASentenceApart) {
  const Sentence s =
      parse_sentence({"/ip/address/add", "=address=10.0.0.1/24", "=comment=a=b=", "=disabled",
                      "=!mtu=", "?name=x", "?#|", ".tag=7"});
  EXPECT_EQ(s.command, "/ip/address/add");
  using Pair = std::pair<std::string, std::string>;
  EXPECT_THAT(s.attributes, ElementsAre(Pair("address", "10.0.0.1/24"), Pair("comment", "a=b="),
                                        Pair("disabled", ""), Pair("!mtu", "")));
  EXPECT_THAT(s.queries, ElementsAre("name=x", "#|"));
  EXPECT_TRUE(s.has_tag);
  EXPECT_EQ(s.tag, "7");
  EXPECT_EQ(s.problem, "");
  EXPECT_EQ(*s.find("address"), "10.0.0.1/24");
}

TEST(ApiWords, WordsThatAreNoneOfTheThreeAreSaid) {
  EXPECT_THAT(parse_sentence({"/x", "name=1"}).problem, HasSubstr("name=1"));
  EXPECT_THAT(parse_sentence({"/x", "=="}).problem, HasSubstr("no name"));
  EXPECT_THAT(parse_sentence({"/x", "="}).problem, HasSubstr("no name"));
}

}  // namespace
}  // namespace maclane::door
