// One client of the API: its sentences in, its replies out, its commands that go on.
//
// Sentences that only edit and that are there at once are one change (a batch), as far as kBatchMs
// goes; if the change as a whole is refused, each is carried out by itself, so that only the wrong
// one fails. Replies come in the order of the sentences; rows are written as the client reads.
// Control thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "control/door/api_words.h"
#include "control/door/auth.h"
#include "control/door/listener.h"
#include "control/door/patience.h"
#include "control/door/transport.h"
#include "control/model/commands.h"

namespace maclane::door {

/// What all clients of the API share.
struct ApiLoad {
  size_t waiting = 0;           // bytes of replies
  std::vector<uint64_t> woken;  // clients whose login was decided
};

/// A sentence as a call, or why it is none.
struct ApiCall {
  model::Call call;
  std::optional<model::Failure> failure;
};
[[nodiscard]] ApiCall api_call(const Sentence& sentence);
/// Whether it only edits stored rows, so that it may be part of a batch.
[[nodiscard]] bool is_edit(const ApiCall& asked);

class ApiClient {
 public:
  static constexpr SentenceReader::Limits kBeforeLogin{4096, 4096, 64};
  static constexpr SentenceReader::Limits kAfterLogin{size_t{1} << 20, size_t{4} << 20, 8192};
  static constexpr size_t kReadPerTurn = 64U << 10;
  static constexpr size_t kHighWater = size_t{1} << 20;      // bytes ready to be sent
  static constexpr size_t kMostWaiting = size_t{256} << 20;  // of all clients
  static constexpr size_t kMostReplies = 4096;               // sentences answered and not sent
  static constexpr size_t kMostRunning = 64;
  static constexpr uint64_t kLoginMs = 30'000;
  static constexpr uint64_t kStallMs = 60'000;
  static constexpr uint64_t kBatchMs = 100;

  struct Context {
    model::Commands& commands;
    Auth& auth;
    ApiLoad& load;
  };
  ApiClient(uint64_t id, Context context, Guest guest, const TlsContext& tls, bool empty_replies);
  ~ApiClient();
  ApiClient(const ApiClient&) = delete;
  ApiClient& operator=(const ApiClient&) = delete;

  /// Takes what came in, at most kReadPerTurn.
  void receive();
  /// Answers up to `most` sentences, and no further one after `until_ms`.
  void answer(unsigned most, uint64_t now_ms, uint64_t until_ms);
  /// Steps the commands whose time has come.
  void step(uint64_t now_ms);
  /// Writes what can be written.
  void send(uint64_t now_ms);
  /// Ends it with a reason once what waits is sent.
  void end(std::string_view reason);
  /// What took too long; called about once a second.
  void check_time(uint64_t now_ms);
  /// The end of a login that was checked elsewhere.
  void login_done(const tl::expected<model::Caller, std::string>& result, const Sentence& sentence);

  /// Nobody reads what would be sent.
  void hang_up() { gone_ = true; }
  [[nodiscard]] bool gone() const { return gone_; }
  [[nodiscard]] bool can_go_on() const;
  /// Nothing further is read from it now.
  [[nodiscard]] bool busy() const {
    return ending_ || at_end_ || checking_ || reader_.has_unread() || waiting() >= kHighWater ||
           replies_.size() >= kMostReplies;
  }
  [[nodiscard]] short events() const;  // what to poll for
  [[nodiscard]] uint64_t next_deadline() const;
  [[nodiscard]] int fd() const { return transport_.fd(); }
  [[nodiscard]] const Guest& guest() const { return guest_; }
  [[nodiscard]] bool is_tls() const { return tls_; }
  /// It has not logged in, and is not about to.
  [[nodiscard]] bool is_stranger() const { return session_ == 0 && !checking_; }
  void set_empty_replies(bool on) { empty_replies_ = on; }

  short watched = 0;    // what the door polls for
  bool queued = false;  // in the door's queue

 private:
  struct Reply {
    std::optional<std::string> tag;
    std::vector<model::PrintRow> rows;
    size_t next = 0;    // of rows
    std::string tail;   // sentences after the rows, as bytes
    size_t weight = 0;  // counted in ApiLoad
  };
  struct Going {
    std::optional<std::string> tag;
    std::unique_ptr<model::Running> running;
    uint64_t until_ms = UINT64_MAX;  // its duration
  };
  using Answer = model::Answer<model::Outcome>;

  struct Asked {
    Sentence sentence;
    ApiCall call;
  };
  /// Edits carried out on the working tree; all of them are one change in the end.
  struct Batch {
    std::vector<Asked> asked;
    std::vector<Answer> answers;
    model::Caller caller;
  };
  bool take(Asked& asked);
  void handle(const Asked& asked);
  void add_to(Batch& batch, Asked asked);
  void finish(Batch& batch);
  void login(const Sentence& sentence);
  void cancel(const Sentence& sentence);
  [[nodiscard]] const model::Caller* caller() const;
  void reply(const Sentence& sentence, Answer answer,
             std::optional<uint64_t> duration = std::nullopt);
  void done(const Sentence& sentence, const model::Fields& result = {});
  void trap(const Sentence& sentence, Trouble category, std::string_view message);
  void push(Reply reply);
  void pump();
  [[nodiscard]] size_t waiting() const { return out_.size() - sent_; }

  uint64_t id_;
  Context context_;
  Guest guest_;
  Transport transport_;
  bool tls_;
  bool empty_replies_;
  SentenceReader reader_{kBeforeLogin};
  std::string challenge_;
  uint64_t session_ = 0;
  bool checking_ = false;  // a login is under way
  std::string out_;
  size_t sent_ = 0;
  std::deque<Reply> replies_;
  std::vector<Going> going_;
  uint64_t arrived_ms_;
  Patience patience_;     // with the sentence that is coming
  uint64_t progress_ms_;  // last byte out, or nothing waited
  bool at_end_ = false;   // it sends no more
  bool ending_ = false;   // we say no more
  bool gone_ = false;
  std::shared_ptr<ApiClient*> self_;
};

void append_trap(std::string& out, const std::optional<std::string>& tag, Trouble category,
                 std::string_view message);
void append_done(std::string& out, const std::optional<std::string>& tag,
                 const model::Fields& result);
void append_row(std::string& out, const model::PrintRow& row,
                const std::optional<std::string>& tag);
void append_empty(std::string& out, const std::optional<std::string>& tag);

}  // namespace maclane::door
