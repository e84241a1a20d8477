// What few sessions have beside their line in the session table: the connection-limit counts they
// are in, how fast they go (connection-rate), and where their helper keeps what it knows. One note
// per session of a worker, by its number; memory is set aside at start and taken when a note is
// first written. Worker thread only, but for what says otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace maclane {

struct SessionNote {
  struct Counted {
    uint32_t rule = 0;  // Rule::counter
    uint32_t word = 0;  // of ConnectionCounts, and one more; 0: none
  };
  std::array<Counted, 4> counted{};
  uint64_t rate_bytes = 0;  // what both directions had at rate_cs
  uint64_t rate = 0;        // bits a second, before rate_cs
  uint32_t rate_cs = 0;
  uint32_t rate_of = 0;  // whose rate it is (PacketFacts::owner)
  uint32_t record = 0;   // of a session with Session::kHelped: its place in HelperRecords
  uint32_t unused = 0;
};
static_assert(sizeof(SessionNote) == 64);

/// What a connection had sent, by direction, when it was FastTracked (B-25).
struct FastTrackStart {
  std::array<uint64_t, 2> packets{}, bytes{};
};

class SessionNotes {
 public:
  explicit SessionNotes(uint32_t sessions)
      : notes_(static_cast<SessionNote*>(calloc(sessions, sizeof(SessionNote)))),
        starts_(static_cast<FastTrackStart*>(calloc(sessions, sizeof(FastTrackStart)))) {}
  [[nodiscard]] bool valid() const noexcept { return notes_ != nullptr && starts_ != nullptr; }
  [[nodiscard]] SessionNote& at(uint32_t session) noexcept { return notes_.get()[session]; }

  void set_fast_track_start(uint32_t session, const FastTrackStart& start) noexcept {
    FastTrackStart& mine = starts_.get()[session];
    for (size_t way = 0; way < start.packets.size(); ++way) {
      __atomic_store_n(&mine.packets[way], start.packets[way], __ATOMIC_RELAXED);
      __atomic_store_n(&mine.bytes[way], start.bytes[way], __ATOMIC_RELAXED);
    }
  }
  /// Control as well: single figures are whole.
  [[nodiscard]] FastTrackStart fast_track_start(uint32_t session) const noexcept {
    const FastTrackStart& mine = starts_.get()[session];
    FastTrackStart out;
    for (size_t way = 0; way < out.packets.size(); ++way) {
      out.packets[way] = __atomic_load_n(&mine.packets[way], __ATOMIC_RELAXED);
      out.bytes[way] = __atomic_load_n(&mine.bytes[way], __ATOMIC_RELAXED);
    }
    return out;
  }

 private:
  struct Free {
    void operator()(void* memory) const noexcept { free(memory); }
  };
  std::unique_ptr<SessionNote, Free> notes_;
  std::unique_ptr<FastTrackStart, Free> starts_;
};

}  // namespace maclane
