// What helpers remember of a connection (dataplane/helper): how its TCP numbers are shifted, where
// its lines begin, what it expects. One per connection that has a helper, from memory that is set
// aside at start and touched when it is used; when there is none left, further connections go
// without a helper. Worker thread only.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "dataplane/helper/seq_adjust.h"
#include "dataplane/table/expectations.h"

namespace maclane {

struct HelperRecord {
  static constexpr unsigned kExpected = 16;
  /// An address of a host behind the NAT and what was written in its place, so that the same text
  /// sent again says the same.
  struct Promise {
    be32 address{};
    be16 port{};
    be16 public_port{};
    uint32_t call = 0;  // which call it is of, and which of its streams
    uint32_t line = 0;
  };
  struct Expected {
    Expectations::Ref ref;
    uint32_t call = 0;
    uint32_t line = 0;
  };
  /// PPTP: a call, by the numbers that both ends chose for it.
  struct GreCall {
    be16 client{};         // as it says
    be16 client_public{};  // as the server was told
    be16 server{};         // 0: it has not answered
    uint16_t unused = 0;
    // What comes from the client and from the server, and what leaves to them.
    std::array<Expectations::Ref, 4> ways{};
  };
  Helper helper = Helper::kNone;
  uint8_t next_expected = 0;  // where the next goes: the oldest gives way
  uint8_t next_promise = 0;
  uint8_t unused = 0;
  uint32_t next_free = 0;
  std::array<SeqShift, 2> shift{};                 // by direction
  std::array<std::array<uint32_t, 2>, 2> lines{};  // by direction: where lines begin
  std::array<uint8_t, 2> line_count{};             // how many of them hold
  std::array<Expected, kExpected> expected{};
  std::array<Promise, kExpected> promises{};
  // SIP: where registered hosts are called, and what their last request asked for
  std::array<Expectations::Ref, 4> registered{};
  uint32_t register_sequence = 0;
  uint32_t register_expires_s = 0;
  be16 listens{};  // SIP: where the client wants its answers, if not where it sends from
  std::array<GreCall, 8> calls{};
};

class HelperRecords {
 public:
  static constexpr uint32_t kNone = 0xffffffffu;

  /// A sixteenth of the sessions, within bounds.
  explicit HelperRecords(uint32_t sessions)
      : capacity_(std::clamp(sessions / 16, 256u, 16384u)),
        records_(static_cast<HelperRecord*>(calloc(capacity_, sizeof(HelperRecord)))) {}
  [[nodiscard]] bool valid() const noexcept { return records_ != nullptr; }
  [[nodiscard]] HelperRecord& at(uint32_t record) noexcept { return records_.get()[record]; }
  [[nodiscard]] uint32_t size() const noexcept { return size_; }
  [[nodiscard]] uint32_t capacity() const noexcept { return capacity_; }

  /// A fresh one; kNone: all are in use.
  [[nodiscard]] uint32_t take() noexcept {
    uint32_t record = free_;
    if (record != kNone) {
      free_ = at(record).next_free;
    } else {
      if (never_used_ == capacity_ || !valid()) return kNone;
      record = never_used_++;
    }
    at(record) = HelperRecord{};
    ++size_;
    return record;
  }
  void give_back(uint32_t record) noexcept {
    at(record).next_free = free_;
    free_ = record;
    --size_;
  }

 private:
  struct Free {
    void operator()(HelperRecord* records) const noexcept { free(records); }
  };
  uint32_t capacity_;
  std::unique_ptr<HelperRecord, Free> records_;
  uint32_t free_ = kNone;
  uint32_t never_used_ = 0;
  uint32_t size_ = 0;
};

}  // namespace maclane
