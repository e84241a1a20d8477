// A client's bytes, plain or through TLS, without ever waiting.
//
// read() and write() do what can be done now and say what is to be polled for before they can go
// on. The TLS handshake happens inside read(). Owns its descriptor. Control thread only.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "control/door/tls.h"

namespace maclane::door {

class Transport {
 public:
  enum class State : uint8_t { kOpen, kClosed };  // kClosed: the client went, or broke TLS

  Transport() = default;
  /// context nullptr: plain.
  Transport(int fd, const TlsContext& context);
  ~Transport();
  Transport(Transport&& other) noexcept;
  Transport& operator=(Transport&& other) noexcept;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// Appends at most about `most` bytes.
  State read(std::string& in, size_t most);
  /// Writes from `from` on; advances it.
  State write(std::string_view data, size_t& from);

  [[nodiscard]] int fd() const { return fd_; }
  /// Bytes that a poll will not tell of, because TLS has them already.
  [[nodiscard]] bool has_pending() const { return ssl_ != nullptr && SSL_has_pending(ssl_) == 1; }
  /// What TLS waits for beside what the caller wants; poll flags.
  [[nodiscard]] short wants() const { return wants_; }
  [[nodiscard]] bool shaken() const { return shaken_; }

 private:
  State after(int result);

  int fd_ = -1;
  SSL* ssl_ = nullptr;
  TlsContext context_;
  bool shaken_ = true;
  short wants_ = 0;
};

}  // namespace maclane::door
