// Reading and writing with deadlines. See http_stream.h.
#include "control/door/http_stream.h"

#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "control/model/commands.h"

namespace maclane::door {
namespace {

constexpr size_t kChunk = 16U << 10;
constexpr int kLook = 100;  // milliseconds between two looks at the hurry

}  // namespace

HttpStream::HttpStream(Guest guest, TlsContext context, const std::atomic<bool>& hurry)
    : guest_(std::move(guest)), context_(std::move(context)), hurry_(hurry) {
  if (context_ == nullptr) return;
  ssl_ = SSL_new(context_.get());
  if (ssl_ != nullptr && SSL_set_fd(ssl_, guest_.fd) == 1) SSL_set_accept_state(ssl_);
}

HttpStream::~HttpStream() {
  if (ssl_ != nullptr) {
    if (shaken_ && trouble_ == 0) (void)SSL_shutdown(ssl_);
    SSL_free(ssl_);
    ERR_clear_error();
  }
  if (guest_.fd >= 0) ::close(guest_.fd);
}

void HttpStream::begin_request() {
  began_ms_ = model::steady_ms();
  left_ = kMaxHeaders;
  trouble_ = 0;
  begun_ = false;
}

bool HttpStream::has_unread() const {
  return at_ < buffer_.size() || (ssl_ != nullptr && SSL_has_pending(ssl_) == 1);
}

uint64_t HttpStream::read_deadline() const {
  return began_ms_ + (hurry_.load(std::memory_order_relaxed) ? kHurryMs : kRequestMs);
}

bool HttpStream::wait(short events, uint64_t deadline_ms) {
  const bool reading = deadline_ms == 0;
  for (;;) {
    const uint64_t now = model::steady_ms();
    const uint64_t until = reading ? read_deadline() : deadline_ms;
    if (now >= until) return false;
    pollfd p{guest_.fd, events, 0};
    const int result = ::poll(&p, 1, static_cast<int>(std::min<uint64_t>(until - now, kLook)));
    if (result > 0) return true;
    if (result < 0 && errno != EINTR) return false;
  }
}

bool HttpStream::shake() {
  while (!shaken_) {
    if (ssl_ == nullptr) return false;
    ERR_clear_error();
    const int result = SSL_accept(ssl_);
    if (result == 1) {
      shaken_ = true;
      break;
    }
    const int reason = SSL_get_error(ssl_, result);
    const bool reads = reason == SSL_ERROR_WANT_READ;
    if ((!reads && reason != SSL_ERROR_WANT_WRITE) || !wait(reads ? POLLIN : POLLOUT, 0)) {
      trouble_ = 408;
      return false;
    }
  }
  return true;
}

bool HttpStream::fill() {
  if (context_ != nullptr && !shake()) return false;
  buffer_.resize(kChunk);
  at_ = 0;
  for (;;) {
    ssize_t n = 0;
    short event = POLLIN;
    if (ssl_ != nullptr) {
      ERR_clear_error();
      n = SSL_read(ssl_, buffer_.data(), static_cast<int>(buffer_.size()));
      if (n <= 0) {
        const int reason = SSL_get_error(ssl_, static_cast<int>(n));
        if (reason == SSL_ERROR_WANT_WRITE) event = POLLOUT;
        n = reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? -1 : 0;
      }
    } else {
      n = ::recv(guest_.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (n < 0 && errno != EAGAIN && errno != EINTR) n = 0;
    }
    if (n > 0) {
      buffer_.resize(static_cast<size_t>(n));
      return true;
    }
    if (n == 0 || !wait(event, 0)) {
      buffer_.clear();
      trouble_ = 408;
      return false;
    }
  }
}

ssize_t HttpStream::read(char* data, size_t size) {
  if (trouble_ != 0) return -1;
  if (left_ == 0) {
    trouble_ = 431;
    return -1;
  }
  if (at_ >= buffer_.size() && !fill()) return 0;
  const size_t n = std::min({size, buffer_.size() - at_, left_});
  std::memcpy(data, buffer_.data() + at_, n);
  at_ += n;
  left_ -= n;
  begun_ = true;
  return static_cast<ssize_t>(n);
}

ssize_t HttpStream::write(const char* data, size_t size) {
  const uint64_t deadline = model::steady_ms() + kSendMs;
  size_t sent = 0;
  while (sent < size) {
    ssize_t n = 0;
    short event = POLLOUT;
    if (ssl_ != nullptr) {
      ERR_clear_error();
      n = SSL_write(ssl_, data + sent, static_cast<int>(std::min(size - sent, kChunk)));
      if (n <= 0) {
        const int reason = SSL_get_error(ssl_, static_cast<int>(n));
        if (reason == SSL_ERROR_WANT_READ) event = POLLIN;
        if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) break;
        n = 0;
      }
    } else {
      n = ::send(guest_.fd, data + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) break;
        n = 0;
      }
    }
    sent += static_cast<size_t>(n);
    if (n == 0 && !wait(event, deadline)) break;
  }
  if (sent == size) return static_cast<ssize_t>(size);
  trouble_ = 408;
  return -1;
}

void HttpStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip = guest_.address;
  port = guest_.port;
}

void HttpStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

bool HttpStream::is_gone() const {
  pollfd p{guest_.fd, POLLRDHUP, 0};
  return ::poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void HttpStream::linger() {
  if (ssl_ != nullptr && shaken_) (void)SSL_shutdown(ssl_);
  ::shutdown(guest_.fd, SHUT_WR);
  const uint64_t until = model::steady_ms() + kLingerMs;
  std::string thrown(kChunk, '\0');
  for (size_t got = 0; got < kMostThrownAway && !hurry_.load(std::memory_order_relaxed);) {
    const ssize_t n = ::recv(guest_.fd, thrown.data(), thrown.size(), MSG_DONTWAIT);
    if (n > 0) got += static_cast<size_t>(n);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return;
    const uint64_t now = model::steady_ms();
    if (now >= until) return;
    pollfd p{guest_.fd, POLLIN, 0};
    if (n < 0) (void)::poll(&p, 1, static_cast<int>(std::min<uint64_t>(until - now, kLook)));
  }
}

void HttpStream::interrupt() {
  ::shutdown(guest_.fd, SHUT_RDWR);
}

}  // namespace maclane::door
