// A console's end of the socket (console.h). Blocks; for programs, never the router.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "control/door/json_bounds.h"

namespace maclane::door {

class ConsoleClient {
 public:
  /// noticed is told what the router says without having been asked.
  explicit ConsoleClient(std::string path, std::function<void(const Json&)> noticed = {})
      : path_(std::move(path)), noticed_(std::move(noticed)) {}
  ~ConsoleClient();
  ConsoleClient(const ConsoleClient&) = delete;
  ConsoleClient& operator=(const ConsoleClient&) = delete;

  /// Connects if it is not connected. The error is a sentence that says how to reach a router.
  [[nodiscard]] tl::expected<void, std::string> connect();

  /// Sends a request; hands what is said meanwhile (out, warn) to `said`, what a person is asked to
  /// `asked`, who gives the answer, and gives the reply that ends it. Where `stop` becomes true,
  /// the command is stopped; `waits` is called several times a second until then.
  [[nodiscard]] tl::expected<Json, std::string> ask(
      const Json& request, const std::function<void(const Json&)>& said = {},
      std::atomic<bool>* stop = nullptr, const std::function<Json(const Json&)>& asked = {},
      const std::function<void()>& waits = {});

  /// -1: not connected.
  [[nodiscard]] int fd() const { return fd_; }
  /// How often it connected: one more, and what the router kept for the connection before is gone.
  [[nodiscard]] unsigned connects() const { return connects_; }
  /// Takes what has come while nothing was asked, without waiting; false: no notice.
  bool hear();

 private:
  [[nodiscard]] bool send(const Json& request) const;
  [[nodiscard]] std::string unreachable(const std::string& why);
  void close();

  std::string path_;
  std::function<void(const Json&)> noticed_;
  std::string in_;
  int fd_ = -1;
  unsigned connects_ = 0;
};

}  // namespace maclane::door
