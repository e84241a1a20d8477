// A connection as cpp-httplib reads and writes it: buffered, with deadlines and limits, plain or
// TLS.
//
// A request must be in whole within kRequestMs of its first byte, or kHurryMs while others wait for
// a thread: a client that trickles costs a thread no longer. Its request line and headers are at
// most kMaxHeaders, whatever their form. Used by one thread at a time; owns the descriptor.
#pragma once

#include <httplib.h>
#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "control/door/listener.h"
#include "control/door/tls.h"

namespace maclane::door {

class HttpStream : public httplib::Stream {
 public:
  static constexpr size_t kMaxHeaders = 16U << 10;
  static constexpr size_t kMaxBody = size_t{4} << 20;
  static constexpr uint64_t kRequestMs = 15'000;
  static constexpr uint64_t kHurryMs = 3'000;
  static constexpr uint64_t kSendMs = 60'000;
  static constexpr uint64_t kLingerMs = 2'000;
  static constexpr size_t kMostThrownAway = size_t{16} << 20;

  /// hurry: set while connections wait for a thread.
  HttpStream(Guest guest, TlsContext context, const std::atomic<bool>& hurry);
  ~HttpStream() override;
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;

  /// Before each request: its time and its limit begin anew.
  void begin_request();
  /// The headers are in: the limit is the body's now.
  void begin_body(size_t most) { left_ = most; }
  /// Bytes of a further request that are here already.
  [[nodiscard]] bool has_unread() const;
  /// Why reading ended, if it did: an HTTP status; 0 if it did not.
  [[nodiscard]] int trouble() const { return trouble_; }
  /// Whether the client has gone; asked while its request is carried out.
  [[nodiscard]] bool is_gone() const;
  /// Wakes a thread that waits in here; any thread.
  void interrupt();
  /// Nothing further is read once what is being answered is written.
  void interrupt_after_answer() { ends_ = true; }
  [[nodiscard]] bool ends() const { return ends_; }
  /// What was answered last was for a user.
  void set_known(bool known) { known_ = known; }
  [[nodiscard]] bool is_known() const { return known_; }
  /// Before it is closed with more to come from the client, which would have that reset the
  /// connection under the answer: no more is said, and what comes is thrown away for a while.
  void linger();

  [[nodiscard]] const Guest& guest() const { return guest_; }
  [[nodiscard]] bool is_tls() const { return context_ != nullptr; }
  [[nodiscard]] bool begun() const { return begun_; }

  // httplib::Stream
  [[nodiscard]] bool is_readable() const override { return true; }
  [[nodiscard]] bool is_writable() const override { return true; }
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  /// httplib refuses descriptors above FD_SETSIZE, which nothing here needs.
  [[nodiscard]] socket_t socket() const override { return 0; }
  [[nodiscard]] int fd() const { return guest_.fd; }

 private:
  bool wait(short events, uint64_t deadline_ms);
  [[nodiscard]] uint64_t read_deadline() const;
  bool shake();
  bool fill();

  Guest guest_;
  TlsContext context_;
  const std::atomic<bool>& hurry_;
  SSL* ssl_ = nullptr;
  bool shaken_ = false;
  bool begun_ = false;
  std::string buffer_;
  size_t at_ = 0;
  size_t left_ = kMaxHeaders;
  uint64_t began_ms_ = 0;
  int trouble_ = 0;
  bool ends_ = false;
  bool known_ = false;
};

}  // namespace maclane::door
