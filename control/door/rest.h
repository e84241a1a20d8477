// REST on www and www-ssl (D-1 to D-13): the control thread's side of HTTP.
//
// Requests come read from HttpServer's threads; here they are authenticated, carried out and given
// back as rows, which the thread writes as JSON. A command that goes on is collected until it ends,
// its `duration` is over or kLongestMs have passed ("Session closed", D-13). In a turn at most
// kTurnMs are spent. Control thread only.
#pragma once

#include <poll.h>

#include <deque>
#include <memory>
#include <vector>

#include "control/door/auth.h"
#include "control/door/http_server.h"
#include "control/model/commands.h"

namespace maclane::door {

class RestDoor {
 public:
  static constexpr uint64_t kLongestMs = 60'000;
  static constexpr uint64_t kTurnMs = 20;
  static constexpr size_t kMostRows = 200'000;  // collected of a command that goes on

  RestDoor(model::Commands& commands, Auth& auth);
  ~RestDoor();
  RestDoor(const RestDoor&) = delete;
  RestDoor& operator=(const RestDoor&) = delete;

  struct Settings {
    ServiceSettings service;
    TlsContext context;   // www-ssl
    std::string problem;  // why there is none
  };
  /// Opens, moves and closes the ports at once; who may not be here any more still has the answer
  /// to what was asked.
  void configure(const Settings& plain, const Settings& tls);
  /// Tries again the ports that could not be opened.
  void retry(uint64_t now_ms);

  void add_fds(std::vector<pollfd>& fds) const;
  void turn();
  [[nodiscard]] uint64_t next_deadline() const;
  [[nodiscard]] const Listener& listener(bool tls) const { return ports_[tls ? 1 : 0].listener; }
  [[nodiscard]] size_t connected(bool tls) const { return http_.connected(tls); }

 private:
  struct Port {
    Listener listener;
    Settings settings;
  };
  struct Pending {
    std::shared_ptr<Exchange> exchange;
    std::unique_ptr<model::Running> running;
    std::vector<model::PrintRow> rows;
    uint64_t until_ms = 0;
    bool cut = false;  // until_ms is the 60 s limit and not a duration
    bool sections = false;
    uint32_t section = 0;
  };
  void accept_all(uint64_t now_ms);
  void authenticate(const std::shared_ptr<Exchange>& exchange);
  void carry_out(const std::shared_ptr<Exchange>& exchange, const model::Caller& caller);
  void step(uint64_t now_ms);
  void finish(const std::shared_ptr<Exchange>& exchange, RestAnswer answer);

  model::Commands& commands_;
  Auth& auth_;
  HttpServer http_;
  Port ports_[2];
  std::deque<std::shared_ptr<Exchange>> asked_;
  std::vector<Pending> pending_;
  std::vector<std::shared_ptr<Exchange>> checking_;  // whose password is being checked
  std::shared_ptr<RestDoor*> self_;
};

}  // namespace maclane::door
