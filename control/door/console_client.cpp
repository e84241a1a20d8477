// Requests to a router and what it says. See console_client.h.
#include "control/door/console_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace maclane::door {
namespace {

constexpr int kLookMs = 100;        // for a stop that came as a signal
constexpr unsigned kNoCommand = 2;  // the console's exit code

bool is_clean(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) ==
         json.dump(-1, ' ', false, Json::error_handler_t::ignore);
}

/// What a router would answer to a text that is not UTF-8, which no request can carry: with the
/// place of the first byte that is wrong.
Json unclean_answer(const Json& request) {
  Json done = {{"error", "This is not clean text: UTF-8 is taken. Nothing was carried out."},
               {"code", kNoCommand}};
  const std::string text = text_at(request, "run");
  const Json kept =
      Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::ignore), nullptr, false);
  const auto& clean = kept.get_ref<const std::string&>();
  const auto wrong = std::mismatch(text.begin(), text.end(), clean.begin(), clean.end()).first;
  if (wrong != text.end()) {
    const auto begin = std::find(std::make_reverse_iterator(wrong), text.rend(), '\n').base();
    done["line"] = 1U + static_cast<unsigned>(std::count(text.begin(), begin, '\n'));
    done["column"] = 1U + static_cast<unsigned>(wrong - begin);
  }
  return {{"done", std::move(done)}};
}

}  // namespace

ConsoleClient::~ConsoleClient() {
  close();
}

void ConsoleClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  in_.clear();
}

std::string ConsoleClient::unreachable(const std::string& why) {
  close();
  return "No router answers at " + path_ + ": " + why +
         ". Start one with `maclane CONF.yaml`, or name its socket with --socket.";
}

tl::expected<void, std::string> ConsoleClient::connect() {
  if (fd_ >= 0) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.empty() || path_.size() >= sizeof address.sun_path) {
    return tl::make_unexpected(unreachable("a socket's path has 1 to 107 letters"));
  }
  std::memcpy(address.sun_path, path_.data(), path_.size());
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    ++connects_;
    return {};
  }
  const int code = errno;
  if (code == EACCES) {
    close();
    return tl::make_unexpected("The socket " + path_ +
                               " may not be opened: be root, or a member of the group maclane.");
  }
  return tl::make_unexpected(unreachable(std::strerror(code)));
}

bool ConsoleClient::send(const Json& request) const {
  const std::string line = request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t n = ::send(fd_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return true;
}

tl::expected<Json, std::string> ConsoleClient::ask(const Json& request,
                                                   const std::function<void(const Json&)>& said,
                                                   std::atomic<bool>* stop,
                                                   const std::function<Json(const Json&)>& asked,
                                                   const std::function<void()>& waits) {
  if (!is_clean(request)) return unclean_answer(request);
  // A router that was restarted meanwhile is asked anew.
  char nothing = 0;
  if (fd_ >= 0 && ::recv(fd_, &nothing, 1, MSG_PEEK | MSG_DONTWAIT) == 0) close();
  if (auto connected = connect(); !connected) return tl::make_unexpected(connected.error());
  (void)send(request);  // a router that refuses may have said why
  bool stopped = false;
  std::string chunk(size_t{64} << 10, '\0');
  size_t seen = 0;  // no line ends before it
  while (true) {
    for (size_t end = in_.find('\n', seen); end != std::string::npos; end = in_.find('\n')) {
      const Json line = Json::parse(in_.substr(0, end), nullptr, false);
      in_.erase(0, end + 1);
      if (!line.is_object()) {
        return tl::make_unexpected(unreachable("what answers there is not a Maclane router"));
      }
      if (line.contains("out") || line.contains("warn")) {
        if (said) said(line);
        continue;
      }
      if (line.contains("notice")) {
        if (noticed_) noticed_(line);
        continue;
      }
      if (line.contains("ask")) {
        (void)send({{"answer", asked ? asked(line) : Json(false)}});
        continue;
      }
      return line;
    }
    seen = in_.size();
    if (waits) waits();
    if (stop != nullptr && *stop && !stopped) {
      stopped = true;
      (void)send({{"stop", true}});
    }
    pollfd waiting{fd_, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kLookMs);
    if (ready <= 0) continue;
    const ssize_t n = ::recv(fd_, chunk.data(), chunk.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      return tl::make_unexpected(unreachable("it closed the connection without an answer"));
    }
    in_.append(chunk, 0, static_cast<size_t>(n));
  }
}

bool ConsoleClient::hear() {
  std::string chunk(size_t{4} << 10, '\0');
  ssize_t n = 0;
  while (fd_ >= 0 && (n = ::recv(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT)) > 0)
    in_.append(chunk, 0, static_cast<size_t>(n));
  bool any = false;
  for (size_t end = in_.find('\n'); end != std::string::npos; end = in_.find('\n')) {
    const Json line = Json::parse(in_.substr(0, end), nullptr, false);
    in_.erase(0, end + 1);
    if (!line.is_object() || !line.contains("notice")) continue;
    any = true;
    if (noticed_) noticed_(line);
  }
  if (n == 0 && fd_ >= 0) close();  // the router ended; it is asked anew
  return any;
}

}  // namespace maclane::door
