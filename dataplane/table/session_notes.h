// What few sessions have beside their line in the session table: the connection-limit counts they
// are in, how fast they go (connection-rate), and where their helper keeps what it knows. One note
// per session of a worker, by its number; memory is set aside at start and taken when a note is
// first written. Worker thread only.
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

class SessionNotes {
 public:
  explicit SessionNotes(uint32_t sessions)
      : notes_(static_cast<SessionNote*>(calloc(sessions, sizeof(SessionNote)))) {}
  [[nodiscard]] bool valid() const noexcept { return notes_ != nullptr; }
  [[nodiscard]] SessionNote& at(uint32_t session) noexcept { return notes_.get()[session]; }

 private:
  struct Free {
    void operator()(SessionNote* notes) const noexcept { free(notes); }
  };
  std::unique_ptr<SessionNote, Free> notes_;
};

}  // namespace maclane
