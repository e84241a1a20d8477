// Requests carried out. See rest.h.
#include "control/door/rest.h"

#include <algorithm>

#include "control/door/client_text.h"

namespace maclane::door {
namespace {

using model::Caller;
using model::Running;

constexpr size_t kAcceptedPerTurn = 64;

/// The rows a row is shown as: its print.
model::Call print_of(const RestCall& call, const std::string& row) {
  model::Call print;
  print.path = call.call.path;
  print.command = "print";
  if (!row.empty()) print.arguments.emplace_back("from", row);
  return print;
}

bool is_settings(const RestCall& call) {
  const model::Menu* menu = model::find_menu(call.call.path);
  return menu != nullptr && menu->kind == model::Menu::Kind::kSettings;
}

RestAnswer answer_of(const RestCall& call, model::Outcome&& outcome) {
  using Form = RestCall::Form;
  RestAnswer out;
  out.object = call.form != Form::kRows && call.form != Form::kCommand;
  if (call.call.command == "print" && is_settings(call)) out.object = true;
  if (!outcome.text.empty()) outcome.result.emplace_back("ret", std::move(outcome.text));
  out.rows = std::move(outcome.rows);
  drop_unwanted_ids(call.call, out.rows);
  out.result = std::move(outcome.result);
  return out;
}

}  // namespace

RestDoor::RestDoor(model::Commands& commands, Auth& auth)
    : commands_(commands), auth_(auth), self_(std::make_shared<RestDoor*>(this)) {}

RestDoor::~RestDoor() {
  self_.reset();
  const auto end = [](const std::shared_ptr<Exchange>& exchange) {
    exchange->finish(rest_error(503, "the router ends"));
  };
  for (const auto& exchange : asked_) end(exchange);
  for (const auto& exchange : checking_) end(exchange);
  for (Pending& pending : pending_) {
    pending.running->stop();
    end(pending.exchange);
  }
}

void RestDoor::configure(const Settings& plain, const Settings& tls) {
  const uint64_t now_ms = model::steady_ms();
  for (const bool is_tls : {false, true}) {
    Port& port = ports_[is_tls ? 1 : 0];
    port.settings = is_tls ? tls : plain;
    port.listener.configure(port.settings.service, now_ms);
    if (is_tls && port.settings.service.enabled && port.settings.context == nullptr)
      port.listener.spoil(port.settings.problem, now_ms);
  }
  http_.end_if([this](const HttpStream& stream) {
    return !ports_[stream.is_tls() ? 1 : 0].listener.allows(stream.guest().address);
  });
}

void RestDoor::add_fds(std::vector<pollfd>& fds) const {
  for (const Port& port : ports_) {
    if (port.listener.fd() >= 0) fds.push_back({port.listener.fd(), POLLIN, 0});
  }
  fds.push_back({http_.fd(), POLLIN, 0});
}

void RestDoor::accept_all(uint64_t now_ms) {
  for (const bool tls : {false, true}) {
    Port& port = ports_[tls ? 1 : 0];
    if (port.listener.fd() < 0) continue;
    for (size_t i = 0; i < kAcceptedPerTurn; ++i) {
      const size_t connected = http_.connected(tls);
      if (connected >= HttpServer::kMostConnections) break;
      Guest guest =
          port.listener.accept(connected, now_ms, [&] { return http_.end_stranger(tls); });
      if (guest.fd < 0) break;
      http_.add(std::move(guest), tls ? port.settings.context : nullptr, now_ms);
    }
  }
}

void RestDoor::turn() {
  const uint64_t began = model::steady_ms();
  accept_all(began);
  for (auto& exchange : http_.turn(began)) asked_.push_back(std::move(exchange));
  while (!asked_.empty() && model::steady_ms() < began + kTurnMs) {
    const auto exchange = std::move(asked_.front());
    asked_.pop_front();
    if (!exchange->abandoned()) authenticate(exchange);
  }
  step(model::steady_ms());
}

void RestDoor::retry(uint64_t now_ms) {
  for (Port& port : ports_) port.listener.tick(now_ms);
}

void RestDoor::authenticate(const std::shared_ptr<Exchange>& exchange) {
  checking_.push_back(exchange);
  Login login;
  login.user = exchange->who->user;
  login.password = exchange->who->password;
  login.address = exchange->address;
  login.via = "rest-api";
  login.needed = model::Policy::kRestApi;
  auth_.login_remembered(login, [self = std::weak_ptr(self_),
                                 exchange](const tl::expected<Caller, std::string>& result) {
    const auto door = self.lock();
    if (!door) return;
    std::erase((*door)->checking_, exchange);
    if (exchange->abandoned()) return;
    if (result) return (*door)->carry_out(exchange, *result);
    // A wait is told apart, so that a program knows that it is no use to try at once.
    const bool wait = result.error() != Auth::kWrong;
    (*door)->finish(exchange, rest_error(401, wait ? result.error() : ""));
  });
}

void RestDoor::carry_out(const std::shared_ptr<Exchange>& exchange, const Caller& caller) {
  using Form = RestCall::Form;
  if (!exchange->asked)
    return finish(exchange,
                  rest_error(exchange->asked.error().status, exchange->asked.error().detail));
  RestCall& call = *exchange->asked;
  const auto nothing_to_set = [&] {
    return call.form == Form::kUpdated &&
           call.call.arguments.size() == (call.row.empty() ? 0U : 1U);
  };
  call.duration_ms = take_duration(call.call);
  model::Answer<model::Outcome> outcome = nothing_to_set()
                                              ? commands_.run(print_of(call, call.row), caller)
                                              : commands_.run(call.call, caller);
  if (!outcome) return finish(exchange, rest_failure(call, outcome.error()));
  if (call.form == Form::kDeleted) {
    RestAnswer out;
    out.status = 204;
    out.no_body = true;
    return finish(exchange, std::move(out));
  }
  if (call.form == Form::kCreated || (call.form == Form::kUpdated && !nothing_to_set())) {
    const std::string row = call.form == Form::kCreated ? std::string(outcome->ret()) : call.row;
    outcome = commands_.run(print_of(call, row), caller);
    if (!outcome && call.form == Form::kUpdated) {
      // The change may have given the row another name.
      if (const auto name = call.call.get("name"); !name.empty())
        outcome = commands_.run(print_of(call, std::string(name)), caller);
    }
    if (!outcome) return finish(exchange, rest_failure(call, outcome.error()));
  }
  if (call.form == Form::kRow && outcome->rows.empty())
    return finish(exchange, rest_error(404, "no such item"));
  if (outcome->running != nullptr) {
    const uint64_t now = model::steady_ms();
    Pending pending{exchange, std::move(outcome->running), std::move(outcome->rows)};
    pending.cut = !call.duration_ms || *call.duration_ms > kLongestMs;
    pending.sections = call.duration_ms.has_value();
    pending.until_ms = now + (pending.cut ? kLongestMs : *call.duration_ms);
    pending_.push_back(std::move(pending));
    return;
  }
  RestAnswer answer = answer_of(call, std::move(*outcome));
  if (call.form == Form::kCreated) answer.status = 201;
  finish(exchange, std::move(answer));
}

void RestDoor::step(uint64_t now_ms) {
  std::vector<Pending> stay;
  for (Pending& pending : pending_) {
    if (pending.exchange->abandoned()) {
      pending.running->stop();
      continue;
    }
    auto state = Running::State::kGoesOn;
    if (pending.running->next_deadline() <= now_ms) {
      const size_t before = pending.rows.size();
      state = pending.running->step(now_ms, pending.rows);
      if (pending.sections && pending.rows.size() > before) {
        for (size_t i = before; i < pending.rows.size(); ++i) {
          model::PrintRow& row = pending.rows[i];
          if (row.get(".section").empty())  // some count them by themselves
            row.fields.emplace_back(".section", std::to_string(pending.section));
        }
        ++pending.section;
      }
    }
    const RestCall& call = *pending.exchange->asked;
    const bool late = now_ms >= pending.until_ms || pending.rows.size() > kMostRows;
    if (state == Running::State::kFailed) {
      finish(pending.exchange, rest_failure(call, pending.running->failure()));
    } else if (state == Running::State::kGoesOn && late && pending.cut) {
      pending.running->stop();
      finish(pending.exchange, rest_error(400, "Session closed"));
    } else if (state == Running::State::kDone || late) {
      if (late) pending.running->stop();
      model::Outcome outcome;
      outcome.rows = std::move(pending.rows);
      outcome.result = pending.running->result();
      finish(pending.exchange, answer_of(call, std::move(outcome)));
    } else {
      stay.push_back(std::move(pending));
    }
  }
  pending_ = std::move(stay);
}

void RestDoor::finish(const std::shared_ptr<Exchange>& exchange, RestAnswer answer) {
  exchange->finish(std::move(answer));
}

uint64_t RestDoor::next_deadline() const {
  if (!asked_.empty()) return 0;
  uint64_t next = UINT64_MAX;
  for (const Pending& pending : pending_)
    next = std::min({next, pending.until_ms, pending.running->next_deadline()});
  return next;
}

}  // namespace maclane::door
