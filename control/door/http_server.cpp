// Connections, threads and exchanges. See http_server.h.
#include "control/door/http_server.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "control/door/background.h"
#include "control/door/strangers.h"

namespace maclane::door {
namespace {

constexpr uint64_t kEventMark = 1;

thread_local HttpStream* t_stream = nullptr;

void signal_event(int fd) {
  const uint64_t one = 1;
  (void)!write(fd, &one, sizeof one);
}

}  // namespace

/// httplib's parser and writer without its sockets and threads.
class HttpServer::Parser : public httplib::Server {
 public:
  explicit Parser(HttpServer& server) {
    // Before anything of httplib's routing, whose regular expressions recurse over the path.
    set_pre_routing_handler(
        [&server](const httplib::Request& request, httplib::Response& response) {
          server.answer(*t_stream, request, response);
          return HandlerResponse::Handled;
        });
    // What httplib refuses by itself (a request line it cannot read).
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (!response.body.empty() || response.status == 204) return;
      const int trouble = t_stream->trouble();
      if (trouble != 0 && response.status != 414) response.status = trouble;
      response.set_header("Connection", "close");
      response.set_content(refusal(response.status), "application/json");
      t_stream->interrupt_after_answer();  // where the next one begins is not known
    });
    // RFC 9110 8.6: a reply without content does not say that it is empty.
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.status == 204) response.headers.erase("Content-Length");
    });
    keep_alive_timeout_sec_ = static_cast<time_t>(kIdleMs / 1000);
    keep_alive_max_count_ = 1'000'000;
  }

  /// One request; false: the connection cannot go on.
  bool process(HttpStream& stream) {
    bool closed = false;
    stream.begin_request();
    const bool written = process_request(stream, false, closed, [](httplib::Request& request) {
      // Neither parts of an answer nor packed ones.
      request.ranges.clear();
      request.headers.erase("Range");
      request.headers.erase("Accept-Encoding");
    });
    // httplib says nothing where the first line does not end.
    if (!written && stream.trouble() == 431) {
      const std::string body = refusal(414);
      const std::string whole =
          "HTTP/1.1 414 URI Too Long\r\nContent-Type: application/json\r\n"
          "Connection: close\r\nContent-Length: " +
          std::to_string(body.size()) + "\r\n\r\n" + body;
      (void)stream.write(whole.data(), whole.size());
      stream.interrupt_after_answer();
    }
    if (stream.ends()) stream.linger();
    return written && !closed && stream.trouble() == 0 && !stream.ends();
  }

 private:
  static std::string refusal(int status) {
    return rest_body(rest_error(status, status == 414
                                            ? "the address of the request is longer than 8 KiB"
                                        : status == 431 ? "the headers are longer than 16 KiB"
                                        : status == 408 ? "the request took too long"
                                                        : "the request is not in form"));
  }
};

void Exchange::finish(RestAnswer answer) {
  {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
    done_ = true;
  }
  wake_.notify_one();
}

HttpServer::HttpServer()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      event_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      parser_(std::make_unique<Parser>(*this)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kEventMark;
  (void)epoll_ctl(epoll_, EPOLL_CTL_ADD, event_fd_, &event);
}

HttpServer::~HttpServer() {
  std::vector<std::shared_ptr<Exchange>> waiting;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    jobs_.clear();
    waiting.swap(exchanges_);
  }
  wake_.notify_all();
  for (auto& [id, connection] : connections_) connection.stream->interrupt();
  for (const auto& exchange : waiting) exchange->finish(rest_error(503, "the router ends"));
  for (std::thread& thread : threads_) thread.join();
  connections_.clear();
  close(event_fd_);
  close(epoll_);
}

void HttpServer::watch(uint64_t id, HttpStream& stream) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLONESHOT;
  event.data.u64 = id;
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, stream.fd(), &event) != 0)
    (void)epoll_ctl(epoll_, EPOLL_CTL_ADD, stream.fd(), &event);
}

void HttpServer::add(Guest guest, const TlsContext& context, uint64_t now_ms) {
  const uint64_t id = next_id_++;
  Connection& connection = connections_[id];
  connection.stream = std::make_unique<HttpStream>(std::move(guest), context, hurry_);
  connection.idle_since_ms = now_ms;
  watch(id, *connection.stream);
}

size_t HttpServer::connected(bool tls) const {
  return static_cast<size_t>(
      std::count_if(connections_.begin(), connections_.end(),
                    [&](const auto& item) { return item.second.stream->is_tls() == tls; }));
}

std::string HttpServer::end_stranger(bool tls) {
  Strangers strangers;
  for (const auto& [id, connection] : connections_) {
    const HttpStream& stream = *connection.stream;
    if (stream.is_tls() == tls && !connection.busy && !stream.is_known())
      strangers.add(id, stream.guest().address);
  }
  const auto first = strangers.first_to_go();
  if (!first) return {};
  const auto connection = connections_.find(*first);
  std::string address = connection->second.stream->guest().address;
  connections_.erase(connection);
  return address;
}

void HttpServer::end_if(const std::function<bool(const HttpStream&)>& goes) {
  for (auto it = connections_.begin(); it != connections_.end();) {
    if (!goes(*it->second.stream)) {
      ++it;
    } else if (it->second.busy) {
      it->second.doomed = true;  // what is asked is still answered
      ++it;
    } else {
      it = connections_.erase(it);
    }
  }
}

void HttpServer::start(uint64_t id, Connection& connection) {
  connection.busy = true;
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    jobs_.emplace_back(id, connection.stream.get());
    more = jobs_.size() > idle_threads_ && threads_.size() < kMostThreads;
    hurry_.store(jobs_.size() > idle_threads_ && !more, std::memory_order_relaxed);
  }
  if (more) threads_.emplace_back([this] { run(); });
  wake_.notify_one();
}

void HttpServer::sweep(uint64_t now_ms) {
  if (now_ms < swept_ms_ + 1000) return;
  swept_ms_ = now_ms;
  std::erase_if(connections_, [&](const auto& item) {
    const Connection& c = item.second;
    return !c.busy && now_ms > c.idle_since_ms + (c.used ? kIdleMs : kFirstByteMs);
  });
}

std::vector<std::shared_ptr<Exchange>> HttpServer::turn(uint64_t now_ms) {
  std::array<epoll_event, 64> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const uint64_t id = events[static_cast<size_t>(i)].data.u64;
    if (id == kEventMark) {
      uint64_t number = 0;
      (void)!read(event_fd_, &number, sizeof number);
      continue;
    }
    const auto found = connections_.find(id);
    if (found != connections_.end() && !found->second.busy) start(id, found->second);
  }
  std::vector<std::pair<uint64_t, bool>> returned;
  std::vector<std::shared_ptr<Exchange>> asked;
  {
    const std::lock_guard lock(mutex_);
    returned.swap(returned_);
    asked.swap(exchanges_);
  }
  for (const auto& [id, goes_on] : returned) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) continue;
    Connection& connection = found->second;
    connection.busy = false;
    connection.used = true;
    connection.idle_since_ms = now_ms;
    if (!goes_on || connection.doomed) {
      connections_.erase(found);
    } else if (connection.stream->has_unread()) {
      start(id, connection);
    } else {
      watch(id, *connection.stream);
    }
  }
  sweep(now_ms);
  return asked;
}

void HttpServer::run() {
  settle_helper_thread("mlan-http");
  for (;;) {
    std::pair<uint64_t, HttpStream*> job;
    {
      std::unique_lock lock(mutex_);
      ++idle_threads_;
      wake_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
      --idle_threads_;
      if (stop_) return;
      job = jobs_.front();
      jobs_.pop_front();
      if (jobs_.empty()) hurry_.store(false, std::memory_order_relaxed);
    }
    const bool goes_on = serve(*job.second);
    {
      const std::lock_guard lock(mutex_);
      returned_.emplace_back(job.first, goes_on);
    }
    signal_event(event_fd_);
  }
}

bool HttpServer::serve(HttpStream& stream) {
  t_stream = &stream;
  bool goes_on = true;
  for (unsigned i = 0; goes_on && i < kRequestsPerThread; ++i) {
    goes_on = parser_->process(stream);
    if (!stream.has_unread()) break;
  }
  t_stream = nullptr;
  return goes_on;
}

}  // namespace maclane::door
