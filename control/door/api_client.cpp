// Sentences and replies. See api_client.h.
#include "control/door/api_client.h"

#include <poll.h>

#include <algorithm>

#include "control/door/client_text.h"
#include "control/model/secrets.h"
#include "control/observe/log.h"

namespace maclane::door {
namespace {

using model::Caller;
using model::Fields;
using model::Running;

std::optional<std::string> tag_of(const Sentence& sentence) {
  return sentence.has_tag ? std::optional(sentence.tag) : std::nullopt;
}

size_t weight_of(const std::vector<model::PrintRow>& rows) {
  size_t sum = 0;
  for (const model::PrintRow& row : rows) {
    sum += sizeof row + row.id.size();
    for (const auto& [name, value] : row.fields) sum += name.size() + value.size() + 64;
  }
  return sum;
}

}  // namespace

ApiClient::ApiClient(uint64_t id, Context context, Guest guest, const TlsContext& tls,
                     bool empty_replies)
    : id_(id),
      context_(context),
      guest_(std::move(guest)),
      transport_(guest_.fd, tls),
      tls_(tls != nullptr),
      empty_replies_(empty_replies),
      arrived_ms_(model::steady_ms()),
      progress_ms_(arrived_ms_),
      self_(std::make_shared<ApiClient*>(this)) {}

ApiClient::~ApiClient() {
  for (Going& going : going_) going.running->stop();
  for (const Reply& reply : replies_) context_.load.waiting -= reply.weight;
  if (session_ != 0) context_.auth.end_session(session_);
}

const Caller* ApiClient::caller() const {
  return session_ == 0 ? nullptr : context_.auth.caller(session_);
}

void ApiClient::receive() {
  if (busy() || gone_) return;
  std::string in;
  if (transport_.read(in, kReadPerTurn) == Transport::State::kClosed) at_end_ = true;
  if (in.empty()) return;
  reader_.feed(in);
}

bool ApiClient::can_go_on() const {
  if (gone_ || ending_ || checking_ || waiting() >= kHighWater || replies_.size() >= kMostReplies)
    return false;
  return reader_.has_unread() || (!at_end_ && transport_.has_pending());
}

short ApiClient::events() const {
  short events = transport_.wants();
  if (!busy()) events |= POLLIN;
  if (waiting() > 0) events |= POLLOUT;
  return events;
}

bool ApiClient::take(Asked& asked) {
  Words words;
  switch (reader_.next(words)) {
    case SentenceReader::Next::kSentence:
      patience_.begin_anew();
      asked.sentence = parse_sentence(words);
      asked.call = api_call(asked.sentence);
      return true;
    case SentenceReader::Next::kMore:
      return false;
    case SentenceReader::Next::kBroken:
      end(reader_.problem());
      return false;
  }
  return false;
}

void ApiClient::answer(unsigned most, uint64_t now_ms, uint64_t until_ms) {
  if (session_ != 0 && caller() == nullptr) end("your session was ended");
  Batch edits;
  bool any = false;
  for (unsigned i = 0; i < most && !ending_ && !checking_; ++i) {
    if (waiting() >= kHighWater || replies_.size() + edits.asked.size() >= kMostReplies) break;
    Asked asked;
    if (!take(asked)) break;
    any = true;
    if (session_ != 0 && is_edit(asked.call)) {
      add_to(edits, std::move(asked));
    } else {
      finish(edits);
      if (!ending_) handle(asked);
      pump();
    }
    // A change is not cut in two for the end of a turn, but nobody waits for a long one.
    const uint64_t now = model::steady_ms();
    if (now >= (edits.asked.empty() ? until_ms : now_ms + kBatchMs)) break;
  }
  finish(edits);
  if (any && session_ != 0) context_.auth.touch(session_);
  if (waiting() == 0) progress_ms_ = now_ms;
  pump();
}

void ApiClient::handle(const Asked& asked) {
  const Sentence& sentence = asked.sentence;
  if (sentence.command == "/login") return login(sentence);
  if (sentence.command == "/quit") return end("session terminated on request");
  const Caller* who = caller();
  if (who == nullptr) return end("not logged in");
  if (sentence.command == "/cancel") return cancel(sentence);
  if (asked.call.failure) return reply(sentence, tl::make_unexpected(*asked.call.failure));
  const Caller copy = *who;  // a command may end this very session
  ApiCall call = asked.call;
  const auto duration = take_duration(call.call);
  Answer answer = context_.commands.run(call.call, copy);
  if (answer) drop_unwanted_ids(call.call, answer->rows);
  reply(sentence, std::move(answer), duration);
}

void ApiClient::add_to(Batch& batch, Asked asked) {
  if (batch.asked.empty()) {
    const Caller* who = caller();
    if (who == nullptr) return end("not logged in");
    batch.caller = *who;
    context_.commands.model().begin_batch(batch.caller);
  }
  batch.answers.push_back(context_.commands.run(asked.call.call, batch.caller));
  batch.asked.push_back(std::move(asked));
}

void ApiClient::finish(Batch& batch) {
  if (batch.asked.empty()) return;
  if (context_.commands.model().commit_batch()) {
    for (size_t i = 0; i < batch.asked.size(); ++i)
      reply(batch.asked[i].sentence, std::move(batch.answers[i]));
  } else {
    // Together they cannot be carried into effect: by themselves all but one may.
    for (const Asked& asked : batch.asked) handle(asked);
  }
  batch = {};
}

void ApiClient::login(const Sentence& sentence) {
  if (session_ != 0) return trap(sentence, Trouble::kApi, "already logged in");
  const std::string* name = sentence.find("name");
  const std::string* response = sentence.find("response");
  if (name == nullptr && response == nullptr) {
    challenge_ = model::secrets::random_bytes(16);
    return done(sentence, {{"ret", model::secrets::to_hex(challenge_)}});
  }
  Login login;
  login.user = name == nullptr ? "" : *name;
  if (const std::string* password = sentence.find("password")) login.password = *password;
  if (response != nullptr) {
    if (challenge_.empty())
      return trap(sentence, Trouble::kApi, "cannot log in: ask for a challenge with /login first");
    login.response = *response;
    login.challenge = std::exchange(challenge_, {});
  }
  login.address = guest_.address;
  login.via = tls_ ? "api-ssl" : "api";
  login.needed = model::Policy::kApi;
  checking_ = true;
  context_.auth.login(std::move(login),
                      [self = std::weak_ptr(self_), sentence,
                       auth = &context_.auth](const tl::expected<Caller, std::string>& result) {
                        if (const auto client = self.lock()) {
                          (*client)->login_done(result, sentence);
                        } else if (result) {
                          auth->end_session(result->session);
                        }
                      });
}

void ApiClient::login_done(const tl::expected<Caller, std::string>& result,
                           const Sentence& sentence) {
  checking_ = false;
  context_.load.woken.push_back(id_);
  if (!result) {
    trap(sentence, Trouble::kApi, result.error());
    pump();
    return;
  }
  session_ = result->session;
  reader_.set_limits(kAfterLogin);
  done(sentence);
  pump();
}

void ApiClient::cancel(const Sentence& sentence) {
  const std::string* tag = sentence.find("tag");
  bool found = false;
  std::vector<Going> stay;
  for (Going& going : going_) {
    if (tag != nullptr && going.tag.value_or("") != *tag) {
      stay.push_back(std::move(going));
      continue;
    }
    found = true;
    going.running->stop();
    Reply reply;
    append_trap(reply.tail, going.tag, Trouble::kInterrupted, "interrupted");
    append_done(reply.tail, going.tag, {});
    push(std::move(reply));
  }
  going_ = std::move(stay);
  if (tag != nullptr && !found)
    return trap(sentence, Trouble::kMissing, "no such item: no command of this tag goes on");
  done(sentence);
}

void ApiClient::reply(const Sentence& sentence, Answer answer, std::optional<uint64_t> duration) {
  if (!answer) return trap(sentence, answer.error().category, client_text(answer.error()));
  model::Outcome& outcome = *answer;
  for (const std::string& warning : outcome.warnings)
    log::write(log::Level::kWarning, "api,warning", "{}: {}", sentence.command, warning);
  Reply out;
  out.tag = tag_of(sentence);
  out.weight = weight_of(outcome.rows) + outcome.text.size();
  if (context_.load.waiting + out.weight > kMostWaiting) {
    return trap(sentence, Trouble::kGeneral,
                "the answer is too long to send; choose rows with a query, or properties with "
                ".proplist");
  }
  const bool empty = outcome.rows.empty();
  out.rows = std::move(outcome.rows);
  if (outcome.running != nullptr) {
    if (going_.size() >= kMostRunning) {
      outcome.running->stop();
      return trap(sentence, Trouble::kGeneral,
                  "too many commands go on in this connection; /cancel one");
    }
    going_.push_back({out.tag, std::move(outcome.running),
                      duration ? model::steady_ms() + *duration : UINT64_MAX});
    if (!empty) push(std::move(out));
    return;
  }
  if (!outcome.text.empty()) outcome.result.emplace_back("ret", std::move(outcome.text));
  if (empty && empty_replies_ && outcome.result.empty() && sentence.command.ends_with("/print"))
    append_empty(out.tail, out.tag);
  append_done(out.tail, out.tag, outcome.result);
  push(std::move(out));
}

void ApiClient::done(const Sentence& sentence, const Fields& result) {
  Reply reply;
  append_done(reply.tail, tag_of(sentence), result);
  push(std::move(reply));
}

void ApiClient::trap(const Sentence& sentence, Trouble category, std::string_view message) {
  Reply reply;
  append_trap(reply.tail, tag_of(sentence), category, message);
  append_done(reply.tail, tag_of(sentence), {});
  push(std::move(reply));
}

void ApiClient::end(std::string_view reason) {
  if (ending_) return;
  ending_ = true;
  Reply reply;
  append_word(reply.tail, "!fatal");
  append_word(reply.tail, reason);
  end_sentence(reply.tail);
  push(std::move(reply));
  for (Going& going : going_) going.running->stop();
  going_.clear();
  pump();
}

void ApiClient::push(Reply reply) {
  context_.load.waiting += reply.weight;
  replies_.push_back(std::move(reply));
}

void ApiClient::pump() {
  while (!replies_.empty() && waiting() < kHighWater) {
    if (waiting() == 0) progress_ms_ = model::steady_ms();
    Reply& reply = replies_.front();
    while (reply.next < reply.rows.size() && waiting() < kHighWater) {
      append_row(out_, reply.rows[reply.next], reply.tag);
      ++reply.next;
    }
    if (reply.next < reply.rows.size()) return;
    out_ += reply.tail;
    context_.load.waiting -= reply.weight;
    replies_.pop_front();
  }
}

void ApiClient::step(uint64_t now_ms) {
  if (gone_ || going_.empty() || waiting() >= kHighWater || !replies_.empty()) return;
  std::vector<Going> stay;
  for (Going& going : going_) {
    const bool over = now_ms >= going.until_ms;
    if (going.running->next_deadline() > now_ms && !over) {
      stay.push_back(std::move(going));
      continue;
    }
    Reply reply;
    reply.tag = going.tag;
    Running::State state = going.running->step(now_ms, reply.rows);
    if (over && state == Running::State::kGoesOn) {
      going.running->stop();
      state = Running::State::kDone;
    }
    reply.weight = weight_of(reply.rows);
    if (state == Running::State::kFailed) {
      const model::Failure& failure = going.running->failure();
      append_trap(reply.tail, going.tag, failure.category, client_text(failure));
    }
    if (state == Running::State::kGoesOn) {
      stay.push_back(std::move(going));
    } else {
      append_done(reply.tail, going.tag,
                  state == Running::State::kDone ? going.running->result() : model::Fields{});
    }
    if (!reply.rows.empty() || !reply.tail.empty()) push(std::move(reply));
  }
  going_ = std::move(stay);
  pump();
}

uint64_t ApiClient::next_deadline() const {
  uint64_t next = UINT64_MAX;
  if (waiting() >= kHighWater || !replies_.empty()) return next;
  for (const Going& going : going_)
    next = std::min({next, going.running->next_deadline(), going.until_ms});
  return next;
}

void ApiClient::send(uint64_t now_ms) {
  while (waiting() > 0 && !gone_) {
    const size_t before = sent_;
    if (transport_.write(out_, sent_) == Transport::State::kClosed) {
      gone_ = true;
      return;
    }
    if (sent_ != before) progress_ms_ = now_ms;
    if (sent_ < out_.size()) {
      if (sent_ > out_.size() / 2) {
        out_.erase(0, sent_);
        sent_ = 0;
      }
      return;
    }
    out_.clear();
    sent_ = 0;
    if (out_.capacity() > kHighWater / 4) std::string().swap(out_);
    pump();
  }
  const bool all_said = waiting() == 0 && replies_.empty();
  if (all_said && (ending_ || (at_end_ && !checking_ && !reader_.has_unread()))) gone_ = true;
}

void ApiClient::check_time(uint64_t now_ms) {
  const auto since = [now_ms](uint64_t then) { return now_ms - std::min(now_ms, then); };
  const bool stalled = waiting() > 0 && since(progress_ms_) > kStallMs;
  if (stalled || (!transport_.shaken() && since(arrived_ms_) > kLoginMs)) {
    gone_ = true;
  } else if (session_ == 0 && !checking_ && since(arrived_ms_) > kLoginMs) {
    end("login took too long");
  } else if (session_ != 0 && !busy() && patience_.is_over(reader_.held(), now_ms)) {
    end("a sentence was not finished");
  } else if (session_ != 0 && caller() == nullptr) {
    end("your session was ended");
  }
}

}  // namespace maclane::door
