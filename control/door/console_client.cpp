// Connects to the console socket. See console_client.h.
#include "control/door/console_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace maclane::door {
namespace {

constexpr time_t kPatienceSec = 60;

}  // namespace

tl::expected<Json, std::string> ask(const std::string& path, const Json& request) {
  const auto unreachable = [&](const std::string& why) {
    return tl::make_unexpected("No router answers at " + path + ": " + why +
                               ". Start one with `maclane CONF.yaml`, or name its socket with "
                               "--socket.");
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return unreachable("a socket's path has 1 to 107 letters");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval patience{kPatienceSec, 0};
  ::setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int code = errno;
    if (code == EACCES) {
      return tl::make_unexpected("The socket " + path +
                                 " may not be opened: be root, or a member of the group maclane.");
    }
    return unreachable(std::strerror(code));
  }
  const std::string line = request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t n = ::send(socket.fd, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;  // the router may have refused already: its answer says why
    sent += static_cast<size_t>(n);
  }
  std::string reply;
  std::string chunk(64U << 10, '\0');
  while (true) {
    const ssize_t n = ::recv(socket.fd, chunk.data(), chunk.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return unreachable("it took more than a minute to answer");
    if (n <= 0) return unreachable("it closed the connection without an answer");
    reply.append(chunk, 0, static_cast<size_t>(n));
    if (chunk[static_cast<size_t>(n) - 1] == '\n') break;
  }
  Json parsed = Json::parse(reply, nullptr, false);
  if (!parsed.is_object()) return unreachable("what answers there is not a Maclane router");
  return parsed;
}

}  // namespace maclane::door
