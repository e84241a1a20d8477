// The unix socket server. See socket.h.
#include "control/door/socket.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "control/door/active.h"

namespace maclane::door {
namespace {

constexpr size_t kReadChunk = 64U << 10;
constexpr int kRequestsPerTurn = 16;  // of one client, so that others get theirs
constexpr std::chrono::seconds kStall{60};
constexpr std::chrono::seconds kAcceptPause{1};

std::string reason() {
  return std::strerror(errno);
}

/// What is heard while a command runs: that it is to stop, or what it asked.
bool is_for_what_runs(std::string_view line) {
  constexpr size_t kLongestStop = 32;
  const std::string_view what = line.substr(std::min(line.find('"'), line.size()));
  return what.starts_with("\"answer\"") ||
         (line.size() < kLongestStop && what.starts_with("\"stop\""));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// Who has the socket open: root, or a member of the group maclane. The caller may do all.
model::Caller caller_of(int fd, uint64_t session) {
  model::Caller caller;
  caller.user = "admin";
  caller.via = "console";
  caller.session = session;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid != 0) {
    if (const passwd* user = ::getpwuid(peer.uid)) caller.user = user->pw_name;
  }
  return caller;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace

SocketDoor::~SocketDoor() {
  for (const auto& [fd, client] : clients_) ::close(fd);
  if (listener_ < 0) return;
  ::close(listener_);
  struct stat st {};
  if (::lstat(path_.c_str(), &st) == 0 && st.st_dev == device_ && st.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
}

Status SocketDoor::clear_way() const {
  struct stat st {};
  if (::lstat(path_.c_str(), &st) != 0) {
    if (errno == ENOENT) return {};
    return fail("The console socket " + path_ + " cannot be made: " + reason() + ".");
  }
  if (!S_ISSOCK(st.st_mode)) {
    return fail("The console socket " + path_ +
                " cannot be made: something that is not a socket has that name; remove it or "
                "choose another path.");
  }
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = address_of(path_);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EAGAIN || errno == EINPROGRESS) {
    return fail("Another router answers at " + path_ +
                "; stop it first, or give this one another socket path.");
  }
  if (errno != ECONNREFUSED && errno != ENOENT) {
    return fail("The console socket " + path_ + " is there and cannot be asked whether it is in " +
                "use: " + reason() + ".");
  }
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) {
    return fail("The stale console socket " + path_ + " cannot be removed: " + reason() + ".");
  }
  return {};
}

Status SocketDoor::start() {
  if (path_.empty() || path_.size() >= sizeof(sockaddr_un::sun_path)) {
    return fail("The console socket's path \"" + path_ + "\" must have 1 to 107 letters.");
  }
  if (const auto slash = path_.rfind('/'); slash != std::string::npos && slash != 0) {
    const std::string folder = path_.substr(0, slash);
    if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
      return fail("The folder " + folder + " for the console socket cannot be made: " + reason() +
                  ".");
    }
  }
  if (auto clear = clear_way(); !clear) return clear;
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return fail("The console socket cannot be made: " + reason() + ".");
  // The file takes the descriptor's mode, so nobody else can connect between bind and chmod.
  ::fchmod(fd.get(), 0660);
  const sockaddr_un address = address_of(path_);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail("The console socket " + path_ + " cannot be made: " + reason() + ".");
  }
  struct stat st {};
  if (::lstat(path_.c_str(), &st) == 0) {
    device_ = st.st_dev;
    inode_ = st.st_ino;
  }
  listener_ = fd.release();
  if (const group* g = ::getgrnam("maclane")) {
    // Not ours to give away unless we are root: then the socket stays with our own group.
    if (::chown(path_.c_str(), static_cast<uid_t>(-1), g->gr_gid) != 0) errno = 0;
  }
  if (::chmod(path_.c_str(), 0660) != 0 ||
      ::listen(listener_, static_cast<int>(kMaxClients)) != 0) {
    return fail("The console socket " + path_ + " cannot be opened for clients: " + reason() + ".");
  }
  return {};
}

void SocketDoor::add_fds(std::vector<pollfd>& fds) const {
  if (listener_ >= 0 && Clock::now() >= accept_after_) fds.push_back({listener_, POLLIN, 0});
  for (const auto& [fd, client] : clients_) {
    short events = 0;
    const bool full = client.waiting() >= kHighWater;
    if (!client.at_end && !client.has_line && !full) events |= POLLIN;
    if (client.waiting() != 0) events |= POLLOUT;
    fds.push_back({fd, events, 0});
  }
}

void SocketDoor::handle(const std::vector<pollfd>& fds) {
  bool knock = false;
  bool heard = false;
  for (const pollfd& p : fds) {
    if (p.revents == 0 || p.fd < 0) continue;
    if (p.fd == listener_) {
      knock = true;
      continue;
    }
    const auto found = clients_.find(p.fd);
    if (found == clients_.end()) continue;
    Client& client = found->second;
    if ((p.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !client.has_line && !client.at_end &&
        client.waiting() < kHighWater) {
      read_from(p.fd, client);
    }
    if ((p.revents & (POLLERR | POLLNVAL)) != 0) {
      close(found);
      continue;
    }
    // Nobody is there to read what a command goes on to say, or to stop it.
    if ((p.revents & POLLHUP) != 0 && client.console->busy() && !client.has_line) {
      close(found);
      continue;
    }
    answer_lines(client);
    heard = true;
  }
  if (heard) runner_.turn();  // most commands are done at once
  if (knock) accept_all();
  turn();
}

void SocketDoor::turn() {
  for (auto it = clients_.begin(); it != clients_.end();) {
    const auto client = it++;
    if (!serve(client->first, client->second)) close(client);
  }
}

bool SocketDoor::serve(int fd, Client& client) {
  if (client.has_line) answer_lines(client);
  if (!client.has_line && !client.at_end &&
      client.patience.is_over(client.in.size(), model::steady_ms())) {
    say(client, Console::refusal("The request took too long to come: a line has a minute, and more "
                                 "if at least 1 KiB of it comes a second."));
    client.in.clear();
    client.scanned = 0;
    client.at_end = true;
  }
  if (client.waiting() < kHighWater) {
    const bool busy = client.console->busy();
    std::string lines;
    client.console->collect(lines);
    say(client, lines);
    if (busy && !client.console->busy()) answer_lines(client);
  }
  if (client.waiting() != 0) {
    if (!write_to(fd, client)) return false;
    if (client.waiting() != 0 && Clock::now() - client.progress > kStall) return false;
  }
  return !client.at_end || client.has_line || client.console->busy() || client.waiting() != 0;
}

void SocketDoor::close(std::map<int, Client>::iterator client) {
  const uint64_t session = client->second.session;
  ::close(client->first);
  clients_.erase(client);
  runner_.commands().model().session_died(session);
}

std::vector<model::PrintRow> SocketDoor::active_rows() const {
  std::vector<model::PrintRow> rows;
  for (const auto& [fd, client] : clients_)
    rows.push_back(active_row(client.session, client.when, client.console->caller(), "full"));
  return rows;
}

void SocketDoor::end_session(uint64_t session) {
  for (const auto& [fd, client] : clients_)
    if (client.session == session) ::shutdown(fd, SHUT_RDWR);
}

void SocketDoor::accept_all() {
  for (size_t i = 0; i < kMaxClients; ++i) {
    Descriptor fd(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.get() < 0) {
      // Out of descriptors or memory: poll would report the listener again at once.
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        accept_after_ = Clock::now() + kAcceptPause;
      }
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return;
    }
    if (clients_.size() >= kMaxClients) {
      const std::string no =
          Console::refusal("64 consoles are connected already; close one of them.");
      // A client that cannot take one line at once learns it from the closed socket.
      (void)!::send(fd.get(), no.data(), no.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      continue;
    }
    Client client;
    client.progress = Clock::now();
    client.session = next_session_++;
    client.when = login_time();
    client.console = std::make_unique<Console>(runner_, caller_of(fd.get(), client.session));
    clients_.emplace(fd.get(), std::move(client));
    fd.release();
  }
}

void SocketDoor::read_from(int fd, Client& client) {
  char chunk[kReadChunk];
  const ssize_t n = ::recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
  if (n > 0) {
    client.in.append(chunk, static_cast<size_t>(n));
    return;
  }
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  client.at_end = true;
  // The last line may lack its newline.
  if (!client.in.empty() && client.in.back() != '\n') client.in += '\n';
}

void SocketDoor::answer_lines(Client& client) {
  client.has_line = false;
  size_t begin = 0;
  for (int turn = 0;; ++turn) {
    size_t end = client.in.find('\n', std::max(begin, client.scanned));
    const bool whole = end != std::string::npos;
    if (!whole) end = client.in.size();
    if (end - begin > Console::kMaxLine) {
      say(client, Console::refusal("The request is longer than 4 MiB; send it in parts."));
      client.at_end = true;
      begin = client.scanned = client.in.size();
      break;
    }
    std::string_view line(client.in.data() + begin, end - begin);
    // A command that runs is waited for, unless the line is meant for it.
    const bool waits = client.console->busy() && !is_for_what_runs(line);
    if (!whole || waits || turn == kRequestsPerTurn || client.waiting() >= kHighWater) {
      client.has_line = whole;
      client.scanned = whole ? begin : end;
      break;
    }
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.find_first_not_of(" \t") != std::string_view::npos) {
      std::string lines;
      client.console->take(line, lines);
      say(client, lines);
    }
    begin = end + 1;
    client.patience.begin_anew();
  }
  client.in.erase(0, begin);
  client.scanned -= std::min(begin, client.scanned);
}

void SocketDoor::say(Client& client, std::string_view lines) {
  if (lines.empty()) return;
  if (client.waiting() == 0) client.progress = Clock::now();
  client.out += lines;
}

bool SocketDoor::write_to(int fd, Client& client) {
  while (client.waiting() != 0) {
    const ssize_t n =
        ::send(fd, client.out.data() + client.sent, client.waiting(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return false;
      if (client.sent > client.out.size() / 2) {
        client.out.erase(0, client.sent);
        client.sent = 0;
      }
      return true;
    }
    client.sent += static_cast<size_t>(n);
    client.progress = Clock::now();
  }
  std::string().swap(client.out);
  client.sent = 0;
  return true;
}

}  // namespace maclane::door
