// The RouterOS API on its two ports (D-14 to D-29): who is connected, and whose turn it is.
//
// Never blocks and has no thread: the control thread's loop polls one epoll descriptor. In a turn
// each client has at most 64 KiB read and kSentencesPerTurn sentences answered, and the door as a
// whole stops after kTurnMs, so that neither another client nor the router's own work waits. What
// is bounded: a sentence (4 KiB before login, 4 MiB after), replies that wait (a client that
// has more than kHighWater of them gets no further sentences answered), all replies together,
// commands that go on, and time: for a login, for half a sentence, for a client that does not read.
// What one client does is in api_client.h. Control thread only.
#pragma once

#include <poll.h>

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "control/door/api_client.h"
#include "control/door/listener.h"

namespace maclane::door {

class ApiDoor {
 public:
  static constexpr unsigned kSentencesPerTurn = 256;
  static constexpr uint64_t kTurnMs = 20;

  ApiDoor(model::Commands& commands, Auth& auth);
  ~ApiDoor();
  ApiDoor(const ApiDoor&) = delete;
  ApiDoor& operator=(const ApiDoor&) = delete;

  struct Settings {
    ServiceSettings service;
    TlsContext context;          // api-ssl
    std::string problem;         // api-ssl: why there is no context
    bool empty_replies = false;  // !empty (D-17)
  };
  /// Opens, moves and closes the ports at once, also while a client's command is carried out;
  /// clients that may not be here any more are ended in the next turn.
  void configure(const Settings& plain, const Settings& tls);
  /// Tries again the ports that could not be opened.
  void retry(uint64_t now_ms);

  void add_fds(std::vector<pollfd>& fds) const { fds.push_back({epoll_, POLLIN, 0}); }
  /// Takes part in each turn of the loop, whether anything was polled or not.
  void turn();
  [[nodiscard]] uint64_t next_deadline() const;

  [[nodiscard]] size_t clients() const { return clients_.size(); }
  [[nodiscard]] const Listener& listener(bool tls) const { return ports_[tls ? 1 : 0].listener; }
  [[nodiscard]] size_t connected(bool tls) const;

 private:
  struct Port {
    Listener listener;
    Settings settings;
    int watched = -1;  // the listener's descriptor in epoll_
  };
  void watch_listener(Port& port, uint64_t mark);
  void accept_all(bool tls, uint64_t now_ms);
  std::string end_stranger(bool tls);
  void refresh(uint64_t id, ApiClient& client);
  void queue(uint64_t id, ApiClient& client);
  void sweep(uint64_t now_ms);
  void end_unwanted();

  model::Commands& commands_;
  Auth& auth_;
  int epoll_;
  Port ports_[2];
  std::map<uint64_t, std::unique_ptr<ApiClient>> clients_;
  std::deque<uint64_t> ready_;  // who has something that can go on without a poll
  uint64_t next_id_ = 16;       // below: the listeners in epoll_
  uint64_t swept_ms_ = 0;
  bool configured_ = false;               // since the last turn
  uint64_t going_deadline_ = UINT64_MAX;  // of commands that go on
  ApiLoad load_;
};

}  // namespace maclane::door
