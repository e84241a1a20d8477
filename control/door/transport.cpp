// Sockets and OpenSSL. See transport.h.
#include "control/door/transport.h"

#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace maclane::door {
namespace {

constexpr size_t kChunk = 16U << 10;  // a TLS record

}  // namespace

Transport::Transport(int fd, const TlsContext& context) : fd_(fd), context_(context) {
  if (context == nullptr) return;
  ssl_ = SSL_new(context.get());
  shaken_ = false;
  if (ssl_ != nullptr && SSL_set_fd(ssl_, fd) == 1) SSL_set_accept_state(ssl_);
}

Transport::~Transport() {
  if (ssl_ != nullptr) {
    if (shaken_) (void)SSL_shutdown(ssl_);
    SSL_free(ssl_);
    ERR_clear_error();
  }
  if (fd_ >= 0) ::close(fd_);
}

Transport::Transport(Transport&& other) noexcept {
  *this = std::move(other);
}

Transport& Transport::operator=(Transport&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(ssl_, other.ssl_);
  std::swap(context_, other.context_);
  std::swap(shaken_, other.shaken_);
  std::swap(wants_, other.wants_);
  return *this;
}

Transport::State Transport::after(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return State::kOpen;
    case SSL_ERROR_WANT_WRITE:
      wants_ = POLLOUT;
      return State::kOpen;
    default:
      ERR_clear_error();
      shaken_ = false;  // no close_notify after an error
      return State::kClosed;
  }
}

Transport::State Transport::read(std::string& in, size_t most) {
  wants_ = 0;
  std::array<char, kChunk> chunk;
  if (context_ != nullptr) {
    if (ssl_ == nullptr) return State::kClosed;
    ERR_clear_error();
    if (!shaken_) {
      const int result = SSL_accept(ssl_);
      if (result != 1) return after(result);
      shaken_ = true;
    }
    for (size_t got = 0; got < most;) {
      const int n = SSL_read(ssl_, chunk.data(), static_cast<int>(chunk.size()));
      if (n <= 0) return after(n);
      in.append(chunk.data(), static_cast<size_t>(n));
      got += static_cast<size_t>(n);
    }
    return State::kOpen;
  }
  for (size_t got = 0; got < most;) {
    const ssize_t n = ::recv(fd_, chunk.data(), std::min(chunk.size(), most - got), MSG_DONTWAIT);
    if (n == 0) return State::kClosed;
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN ? State::kOpen : State::kClosed;
    }
    in.append(chunk.data(), static_cast<size_t>(n));
    got += static_cast<size_t>(n);
    if (static_cast<size_t>(n) < chunk.size()) break;
  }
  return State::kOpen;
}

Transport::State Transport::write(std::string_view data, size_t& from) {
  wants_ = 0;
  while (from < data.size()) {
    if (ssl_ != nullptr) {
      ERR_clear_error();
      const int n = SSL_write(ssl_, data.data() + from,
                              static_cast<int>(std::min(data.size() - from, kChunk)));
      if (n <= 0) return after(n);
      from += static_cast<size_t>(n);
      continue;
    }
    const ssize_t n =
        ::send(fd_, data.data() + from, data.size() - from, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN ? State::kOpen : State::kClosed;
    }
    from += static_cast<size_t>(n);
  }
  return State::kOpen;
}

}  // namespace maclane::door
