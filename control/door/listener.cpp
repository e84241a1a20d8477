// Sockets that listen. See listener.h.
#include "control/door/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "control/door/auth.h"
#include "control/model/value.h"
#include "control/observe/log.h"

namespace maclane::door {
namespace {

constexpr uint64_t kRetryMs = 5'000;
constexpr uint64_t kPauseMs = 200;
constexpr uint64_t kSayMs = 60'000;  // a flood is said once, as long as it goes on
constexpr int kBacklog = 256;

/// Bound and listening, or -1 with errno.
int listen_on(uint16_t port) {
  for (const int family : {AF_INET6, AF_INET}) {
    const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    const int on = 1;
    const int off = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    int bound = -1;
    if (family == AF_INET6) {
      (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
      sockaddr_in6 any{};
      any.sin6_family = AF_INET6;
      any.sin6_port = htons(port);
      bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any);
    } else {
      sockaddr_in any{};
      any.sin_family = AF_INET;
      any.sin_port = htons(port);
      bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any);
    }
    if (bound == 0 && ::listen(fd, kBacklog) == 0) return fd;
    const int reason = errno;
    ::close(fd);
    errno = reason;
    if (reason == EADDRINUSE || reason == EACCES) return -1;
  }
  return -1;
}

Guest guest_of(int fd, const sockaddr_storage& from) {
  Guest guest;
  guest.fd = fd;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (from.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(from);
    guest.port = ntohs(six.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
      (void)inet_ntop(AF_INET, six.sin6_addr.s6_addr + 12, text.data(), text.size());
    } else {
      (void)inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
    }
  } else {
    const auto& four = reinterpret_cast<const sockaddr_in&>(from);
    guest.port = ntohs(four.sin_port);
    (void)inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
  }
  guest.address = text.data();
  return guest;
}

}  // namespace

ServiceSettings service_settings(const model::Tree& tree, std::string_view name) {
  ServiceSettings out;
  out.name = name;
  for_each(tree, "/ip/service", [&](const model::View& row) {
    if (row.get("name") != name) return;
    out.enabled = !row.disabled();
    out.port = static_cast<uint16_t>(row.get_integer("port"));
    for (std::string_view part : model::split_list(row.get("address")))
      out.addresses.emplace_back(part);
    out.max_sessions = static_cast<size_t>(row.get_integer("max-sessions"));
    out.certificate = row.get("certificate");
    if (out.certificate == "none") out.certificate.clear();
    out.only_1_2 = row.get("tls-version") == "only-1.2";
  });
  return out;
}

Listener::~Listener() {
  close();
}

void Listener::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Listener::complain(std::string problem, uint64_t now_ms) {
  retry_ms_ = now_ms + kRetryMs;
  if (problem == problem_) return;
  problem_ = std::move(problem);
  log::write(log::Level::kError, "system,error", "service {}: {}", settings_.name, problem_);
}

void Listener::open(uint64_t now_ms) {
  fd_ = listen_on(settings_.port);
  if (fd_ >= 0) {
    if (!problem_.empty())
      log::write(log::Level::kInfo, "system,info", "service {}: port {} is open now",
                 settings_.name, settings_.port);
    problem_.clear();
    return;
  }
  complain(fmt::format("port {} cannot be opened: {}{}", settings_.port, std::strerror(errno),
                       errno == EADDRINUSE
                           ? "; another program has it: end that, or give the service another port"
                           : ""),
           now_ms);
}

void Listener::configure(const ServiceSettings& settings, uint64_t now_ms) {
  const bool reopen = settings.enabled != settings_.enabled || settings.port != settings_.port;
  settings_ = settings;
  if (!settings.enabled) {
    close();
    problem_.clear();
    return;
  }
  if (!reopen && fd_ >= 0) return;
  close();
  open(now_ms);
}

void Listener::spoil(std::string problem, uint64_t now_ms) {
  close();
  complain(std::move(problem), now_ms);
  retry_ms_ = UINT64_MAX;  // until something is changed
}

void Listener::tick(uint64_t now_ms) {
  if (settings_.enabled && fd_ < 0 && now_ms >= retry_ms_) open(now_ms);
}

bool Listener::allows(const std::string& address) const {
  return settings_.enabled && address_allowed(address, settings_.addresses);
}

Guest Listener::accept(size_t connected, uint64_t now_ms, const MakeRoom& make_room) {
  while (fd_ >= 0 && now_ms >= pause_until_ms_) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const int fd =
        ::accept4(fd_, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        pause_until_ms_ = now_ms + kPauseMs;
      break;
    }
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    Guest guest = guest_of(fd, from);
    const bool allowed = allows(guest.address);
    if (allowed && connected < settings_.max_sessions) return guest;
    if (const std::string gone = allowed ? make_room() : ""; !gone.empty()) {
      if (room_said_ms_ == 0 || now_ms >= room_said_ms_ + kSayMs)
        log::write(
            log::Level::kWarning, "system,warning",
            "service {}: max-sessions={} are connected: the first of those from {} that have "
            "not logged in is ended for {}",
            settings_.name, settings_.max_sessions, gone, guest.address);
      room_said_ms_ = now_ms;
      return guest;
    }
    ::close(fd);
    if (now_ms < refusal_said_ms_ + 1000) continue;
    refusal_said_ms_ = now_ms;
    log::write(log::Level::kWarning, "system,warning", "service {}: connection from {} refused: {}",
               settings_.name, guest.address,
               allowed ? fmt::format("max-sessions={} are logged in", settings_.max_sessions)
                       : "its address is not among those allowed");
  }
  return {};
}

}  // namespace maclane::door
