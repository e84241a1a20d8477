#include "control/service/netns.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>

#include "control/observe/log.h"

namespace maclane {
namespace {

constexpr const char* kFolder = "/run/netns";
constexpr const char* kMine = "/proc/thread-self/ns/net";

struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const Identity&, const Identity&) = default;
};

std::optional<Identity> identity(const char* path) {
  struct stat info {};
  if (stat(path, &info) != 0) return std::nullopt;
  return Identity{info.st_dev, info.st_ino};
}

/// Calls fn with the path of each entry of a folder until it says true.
template <typename Fn>
bool any_entry(const char* folder, Fn&& fn) {
  DIR* dir = opendir(folder);
  if (dir == nullptr) return false;
  bool found = false;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] == '.') continue;
    found = fn(std::string(folder) + '/' + entry->d_name);
    if (found) break;
  }
  closedir(dir);
  return found;
}

/// A new namespace with a name, as `ip netns add` makes it: a thread of its own leaves ours and
/// pins what it finds itself in.
int pin_new(const std::string& path) {
  int failure = 0;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) != 0 || mount(kMine, path.c_str(), "none", MS_BIND, nullptr) != 0) {
      failure = errno;
    }
  }).join();
  return failure;
}

Status make(const std::string& name, const std::string& path) {
  if (mkdir(kFolder, 0755) != 0 && errno != EEXIST)
    return fail(fmt::format("cannot make the folder {}: {}", kFolder, std::strerror(errno)));
  // Mounts must not be copied into other mount namespaces as private ones, or the name could not be
  // taken away again.
  if (mount("", kFolder, "none", MS_SHARED | MS_REC, nullptr) != 0 && errno == EINVAL) {
    (void)mount(kFolder, kFolder, "none", MS_BIND | MS_REC, nullptr);
    (void)mount("", kFolder, "none", MS_SHARED | MS_REC, nullptr);
  }
  const int fd = ::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
  if (fd < 0) return fail(fmt::format("cannot make {}: {}", path, std::strerror(errno)));
  ::close(fd);
  if (const int failure = pin_new(path); failure != 0) {
    unlink(path.c_str());
    return fail(fmt::format("cannot make the network namespace {}: {}; it takes CAP_SYS_ADMIN",
                            name, std::strerror(failure)));
  }
  return {};
}

bool inhabited(const Identity& wanted) {
  return any_entry("/proc", [&](const std::string& entry) {
    if (entry.find_first_not_of("0123456789", 6) != std::string::npos) return false;
    const auto found = identity((entry + "/ns/net").c_str());
    return found && *found == wanted;
  });
}

}  // namespace

Netns::Scope::~Scope() {
  if (home_ < 0) return;
  // A thread that cannot go home would make everything that follows in the wrong place.
  if (setns(home_, CLONE_NEWNET) != 0) std::abort();
  ::close(home_);
}

Netns::Netns(Netns&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      name_(std::move(other.name_)),
      made_(std::exchange(other.made_, false)) {}

Netns& Netns::operator=(Netns&& other) noexcept {
  if (this == &other) return *this;
  close();
  fd_ = std::exchange(other.fd_, -1);
  name_ = std::move(other.name_);
  made_ = std::exchange(other.made_, false);
  return *this;
}

Netns::~Netns() {
  close();
}

void Netns::close() {
  if (fd_ < 0) return;
  const std::string path = std::string(kFolder) + '/' + name_;
  const auto mine = identity(path.c_str());
  ::close(std::exchange(fd_, -1));
  if (!made_ || !mine || inhabited(*mine)) return;
  if (umount2(path.c_str(), MNT_DETACH) == 0) unlink(path.c_str());
}

Result<Netns> Netns::open(const std::string& name) {
  Netns out;
  out.name_ = name;
  const bool is_path = name.find('/') != std::string::npos;
  const std::string path = is_path ? name : std::string(kFolder) + '/' + name;
  out.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (out.fd_ < 0 && errno == ENOENT && !is_path) {
    if (Status status = make(name, path); !status) return tl::make_unexpected(status.error());
    out.made_ = true;
    out.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  }
  if (out.fd_ < 0)
    return fail(fmt::format("network namespace {} ({}): {}", name, path, std::strerror(errno)));
  const int home = ::open(kMine, O_RDONLY | O_CLOEXEC);
  const bool enters = home >= 0 && setns(out.fd_, CLONE_NEWNET) == 0;
  const int why = errno;
  if (enters && setns(home, CLONE_NEWNET) != 0) std::abort();
  if (home >= 0) ::close(home);
  if (!enters)
    return fail(fmt::format("network namespace {} ({}) cannot be entered: {}", name, path,
                            std::strerror(why)));
  return out;
}

Netns::Scope Netns::enter() const {
  if (fd_ < 0) return Scope(-1);
  const int home = ::open(kMine, O_RDONLY | O_CLOEXEC);
  if (home >= 0 && setns(fd_, CLONE_NEWNET) == 0) return Scope(home);
  log::write(log::Level::kError, "system,error", "network namespace {} cannot be entered: {}",
             name_, std::strerror(errno));
  if (home >= 0) ::close(home);
  return Scope(-1);
}

bool in_own_netns() {
  const auto mine = identity(kMine);
  if (!mine) return false;
  const auto first = identity("/proc/1/ns/net");
  if (first) return !(*first == *mine);
  return any_entry(kFolder, [&](const std::string& path) {
    const auto named = identity(path.c_str());
    return named && *named == *mine;
  });
}

}  // namespace maclane
