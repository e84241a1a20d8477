// HTTP for REST: connections wait with the control thread, requests are read by cpp-httplib's
// parser on threads, and answered by whoever takes them out of the queue.
//
// A connection costs a thread only while a request of its comes in, is answered and is sent: idle
// ones lie in an epoll of the control thread. Threads are made as they are needed, kMostThreads at
// most; what comes in beyond that waits, and those who read get less time. A thread hands its
// request over as an Exchange and waits until somebody finishes it. Bodies are read here rather
// than by httplib, which would unpack and take apart what nobody asked for. The public members are
// the control thread's.
#pragma once

#include <poll.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/door/http_stream.h"
#include "control/door/rest_call.h"

namespace maclane::door {

/// One request, from when it was read until its answer is there.
struct Exchange {
  // by the thread that read it, before anybody else sees it
  tl::expected<RestCall, RestError> asked = tl::make_unexpected(RestError{});
  std::optional<BasicAuth> who;
  std::string address;
  bool tls = false;

  /// Wakes the thread; the exchange is not to be touched after that.
  void finish(RestAnswer answer);
  [[nodiscard]] bool abandoned() const { return abandoned_.load(std::memory_order_relaxed); }

 private:
  friend class HttpServer;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  RestAnswer answer_;
  std::atomic<bool> abandoned_{false};
};

class HttpServer {
 public:
  static constexpr size_t kMostThreads = 32;
  static constexpr size_t kMostConnections = 2048;
  static constexpr uint64_t kFirstByteMs = 15'000;
  static constexpr uint64_t kIdleMs = 60'000;
  static constexpr unsigned kRequestsPerThread =
      64;  // of one connection before others get the thread

  HttpServer();
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  void add(Guest guest, const TlsContext& context, uint64_t now_ms);
  /// Readable when turn() has something to do.
  [[nodiscard]] int fd() const { return epoll_; }
  /// Takes care of connections; the requests that are there, in order.
  [[nodiscard]] std::vector<std::shared_ptr<Exchange>> turn(uint64_t now_ms);
  /// Ends the connections that `goes` says.
  void end_if(const std::function<bool(const HttpStream&)>& goes);
  /// Ends a connection whose last request came from nobody known, or that had none, and that waits
  /// for the next; where it came from, "" if there is none.
  std::string end_stranger(bool tls);
  [[nodiscard]] size_t connected(bool tls) const;

 private:
  class Parser;
  struct Connection {
    std::unique_ptr<HttpStream> stream;
    uint64_t idle_since_ms = 0;
    bool used = false;    // a request was answered
    bool busy = false;    // a thread has it
    bool doomed = false;  // to be closed when the thread gives it back
  };
  void run();
  void start(uint64_t id, Connection& connection);
  void watch(uint64_t id, HttpStream& stream);
  /// One connection's requests; true: it may go on.
  bool serve(HttpStream& stream);
  void answer(HttpStream& stream, const httplib::Request& request, httplib::Response& response);
  void sweep(uint64_t now_ms);

  int epoll_;
  int event_fd_;
  std::map<uint64_t, Connection> connections_;
  uint64_t next_id_ = 16;
  uint64_t swept_ms_ = 0;
  std::unique_ptr<Parser> parser_;

  std::mutex mutex_;  // guards all below but threads_
  std::condition_variable wake_;
  std::deque<std::pair<uint64_t, HttpStream*>> jobs_;
  std::vector<std::pair<uint64_t, bool>> returned_;  // connection, whether it may go on
  std::vector<std::shared_ptr<Exchange>> exchanges_;
  size_t idle_threads_ = 0;
  bool stop_ = false;
  std::atomic<bool> hurry_{false};
  std::vector<std::thread> threads_;
};

}  // namespace maclane::door
