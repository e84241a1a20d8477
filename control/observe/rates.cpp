#include "control/observe/rates.h"

#include <algorithm>
#include <limits>

namespace maclane::observe {
namespace {

constexpr uint32_t kLeastCs = 50;  // over less a rate says little
constexpr uint32_t kSecondCs = 100;

std::array<uint64_t, 2> bytes_of(const Session& s) {
  return {s.original.bytes, s.reply.bytes};
}

/// Bytes a second. A counter that seems to go back was read while it was being written.
uint64_t over(uint64_t from, uint64_t to, uint32_t span_cs) {
  return to < from ? 0 : (to - from) * kSecondCs / std::max(span_cs, 1U);
}

}  // namespace

void Rates::take(Sample& sample, const Session& s, const SessionSide& side, uint32_t now_cs) {
  const uint32_t sequence = side.sequence.load(std::memory_order_relaxed);
  const std::array<uint64_t, 2> bytes = bytes_of(s);
  if (sample.sequence != sequence) {
    sample = {sequence, now_cs, bytes, {}, false};
    return;
  }
  const uint32_t span_cs = now_cs - sample.at_cs;
  if (span_cs < kLeastCs) return;
  for (size_t way = 0; way < bytes.size(); ++way) {
    const uint64_t rate = over(sample.bytes[way], bytes[way], span_cs);
    sample.rate[way] =
        static_cast<uint32_t>(std::min<uint64_t>(rate, std::numeric_limits<uint32_t>::max()));
  }
  sample.at_cs = now_cs;
  sample.bytes = bytes;
  sample.has_rate = true;
}

void Rates::look(const Dataplane& dataplane) {
  samples_.resize(dataplane.workers());
  if (samples_.empty()) return;
  const uint32_t now_cs = dataplane.now_cs();
  Session session;
  SessionSide side;
  unsigned ends = 0;
  for (unsigned looked = 0; looked < kAtOnce; ++looked, ++index_) {
    while (index_ >= dataplane.sessions_ever(worker_)) {
      index_ = 0;
      worker_ = (worker_ + 1) % static_cast<unsigned>(samples_.size());
      if (++ends > samples_.size()) return;  // each was seen once
    }
    std::vector<Sample>& mine = samples_[worker_];
    if (index_ >= mine.size()) mine.resize(index_ + size_t{1});
    if (dataplane.session_at(worker_, index_, session, side))
      take(mine[index_], session, side, now_cs);
  }
}

std::array<uint64_t, 2> Rates::of(unsigned worker, uint32_t index, const Session& s,
                                  const SessionSide& side, uint32_t now_cs) const {
  constexpr uint64_t kBits = 8;
  const std::array<uint64_t, 2> bytes = bytes_of(s);
  const uint32_t sequence = side.sequence.load(std::memory_order_relaxed);
  Sample known;
  if (worker < samples_.size() && index < samples_[worker].size()) known = samples_[worker][index];
  std::array<uint64_t, 2> out{};
  const bool is_it = known.sequence == sequence;
  const uint32_t span_cs = now_cs - known.at_cs;
  const uint32_t age_cs = std::max(now_cs - side.created_cs, kSecondCs);
  for (size_t way = 0; way < out.size(); ++way) {
    if (is_it && span_cs >= kLeastCs)
      out[way] = over(known.bytes[way], bytes[way], span_cs) * kBits;
    else if (is_it && known.has_rate)
      out[way] = known.rate[way] * kBits;
    else
      out[way] = over(0, bytes[way], age_cs) * kBits;
  }
  return out;
}

}  // namespace maclane::observe
