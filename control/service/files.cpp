// Files below one folder. See files.h.
#include "control/service/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace maclane {
namespace {

constexpr std::string_view kTemporary = ".part";

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Trouble trouble_of(int error) {
  return error == ENOENT || error == ENOTDIR ? Trouble::kMissing : Trouble::kGeneral;
}

tl::unexpected<Errors> failed(std::string_view what, std::string_view name, int error) {
  if (error == ENOENT || error == ENOTDIR)
    return fail(fmt::format("no such item: there is no file {}", name), Trouble::kMissing);
  return fail(fmt::format("failure: cannot {} {}: {}", what, name, std::strerror(error)),
              trouble_of(error));
}

/// A folder on the way to a file that is not there, or is none.
tl::unexpected<Errors> no_folder(const std::vector<std::string>& parts, size_t which, int error) {
  std::string folder;
  for (size_t i = 0; i <= which; ++i) folder += (i == 0 ? "" : "/") + parts[i];
  if (error == ENOENT) {
    return fail(fmt::format("no such item: there is no folder {0}; /file/add name={0} "
                            "type=directory makes it",
                            folder),
                Trouble::kMissing);
  }
  if (error == ENOTDIR || error == ELOOP)
    return fail(fmt::format("no such item: {} is no folder", folder), Trouble::kMissing);
  return failed("open the folder", folder, error);
}

}  // namespace

struct Files::Place {
  Descriptor folder;
  std::string name;
};

Files::Files(std::string folder) : folder_(std::move(folder)) {}
Files::~Files() = default;

int Files::root() const {
  return ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

Result<std::vector<std::string>> Files::parts_of(std::string_view name) const {
  std::vector<std::string> parts;
  if (name.empty() || name.size() > 1024) return fail("a file name has 1 to 1024 letters");
  for (size_t i = 0; i <= name.size();) {
    const size_t end = std::min(name.find('/', i), name.size());
    const std::string_view part = name.substr(i, end - i);
    i = end + 1;
    if (part.empty()) {
      if (parts.empty()) continue;  // "/disk1/x" is "disk1/x"
      return fail(fmt::format("the file name {} has an empty part", name));
    }
    const bool letters = std::none_of(part.begin(), part.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\';
    });
    if (part == "." || part == ".." || !letters || part.size() > 255 || part.ends_with(kTemporary))
      return fail(
          fmt::format("the file name {} cannot be: its parts have no . or .. for a name, at most "
                      "255 letters, no control letters and no backslash, and do not end in {}",
                      name.substr(0, 64), kTemporary));
    parts.emplace_back(part);
  }
  if (parts.empty() || parts.size() > kMaxDepth)
    return fail(fmt::format("a file is at most {} folders deep", kMaxDepth));
  return parts;
}

Result<Files::Place> Files::place(std::string_view name) const {
  auto parts = parts_of(name);
  if (!parts) return tl::make_unexpected(std::move(parts.error()));
  Descriptor folder(root());
  if (folder.get() < 0) return failed("open", name, errno);
  for (size_t i = 0; i + 1 < parts->size(); ++i) {
    Descriptor next(::openat(folder.get(), (*parts)[i].c_str(),
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (next.get() < 0) return no_folder(*parts, i, errno);
    folder = std::move(next);
  }
  return Place{std::move(folder), std::move(parts->back())};
}

void Files::list_into(int fd, const std::string& prefix, size_t depth,
                      std::vector<Entry>& out) const {
  Descriptor folder(fd);
  if (fd < 0 || depth >= kMaxDepth) return;
  DIR* const handle = ::fdopendir(folder.get());
  if (handle == nullptr) return;
  folder.release();
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(handle)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && !name.ends_with(kTemporary)) names.emplace_back(name);
    if (names.size() > kMaxFiles) break;
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    struct stat st {};
    if (out.size() >= kMaxFiles) break;
    if (::fstatat(::dirfd(handle), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) continue;
    out.push_back({prefix + name, S_ISDIR(st.st_mode) != 0,
                   S_ISDIR(st.st_mode) ? 0 : static_cast<uint64_t>(st.st_size), st.st_mtime,
                   static_cast<uint64_t>(st.st_ino)});
    if (!S_ISDIR(st.st_mode)) continue;
    list_into(
        ::openat(::dirfd(handle), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
        prefix + name + "/", depth + 1, out);
  }
  ::closedir(handle);
}

std::vector<Files::Entry> Files::list() const {
  std::vector<Entry> out;
  list_into(root(), "", 0, out);
  return out;
}

Result<std::string> Files::read(std::string_view name, size_t most) const {
  auto where = place(name);
  if (!where) return tl::make_unexpected(std::move(where.error()));
  // Not blocking: somebody may have put a fifo there.
  const Descriptor file(::openat(where->folder.get(), where->name.c_str(),
                                 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) return failed("read", name, errno);
  struct stat st {};
  if (::fstat(file.get(), &st) != 0 || !S_ISREG(st.st_mode))
    return fail(fmt::format("failure: {} is no file", name));
  if (static_cast<uint64_t>(st.st_size) > most)
    return fail(fmt::format("failure: {} is longer than {} bytes", name, most));
  std::string out(static_cast<size_t>(st.st_size), '\0');
  size_t got = 0;
  while (got < out.size()) {
    const ssize_t n = ::read(file.get(), out.data() + got, out.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("read", name, errno);
    if (n == 0) break;
    got += static_cast<size_t>(n);
  }
  out.resize(got);
  return out;
}

Status Files::write(std::string_view name, std::string_view bytes) {
  if (bytes.size() > kMaxFile)
    return fail(fmt::format("failure: {} would be longer than {} MiB", name, kMaxFile >> 20));
  (void)::mkdir(folder_.c_str(), 0700);
  uint64_t sum = bytes.size();
  const std::vector<Entry> all = list();
  for (const Entry& entry : all) sum += entry.name == name ? 0 : entry.size;
  if (sum > kMaxFolder || all.size() >= kMaxFiles)
    return fail(
        fmt::format("failure: the files would take more than {} MiB or be more than {}; "
                    "remove some",
                    kMaxFolder >> 20, kMaxFiles));
  auto where = place(name);
  if (!where) return tl::make_unexpected(std::move(where.error()));
  const std::string temporary = where->name.substr(0, 240) + std::string(kTemporary);
  const Descriptor file(::openat(where->folder.get(), temporary.c_str(),
                                 O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return failed("write", name, errno);
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::write(file.get(), bytes.data() + sent, bytes.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    sent += static_cast<size_t>(n);
  }
  if (sent != bytes.size() || ::fsync(file.get()) != 0 ||
      ::renameat(where->folder.get(), temporary.c_str(), where->folder.get(),
                 where->name.c_str()) != 0) {
    const int reason = errno;
    ::unlinkat(where->folder.get(), temporary.c_str(), 0);
    return failed("write", name, reason);
  }
  ::fsync(where->folder.get());
  return {};
}

Status Files::make_folder(std::string_view name) {
  (void)::mkdir(folder_.c_str(), 0700);
  auto where = place(name);
  if (!where) return tl::make_unexpected(std::move(where.error()));
  if (list().size() >= kMaxFiles) return fail("failure: there are too many files; remove some");
  if (::mkdirat(where->folder.get(), where->name.c_str(), 0700) != 0)
    return failed("make the folder", name, errno);
  return {};
}

Status Files::remove(std::string_view name) {
  auto where = place(name);
  if (!where) return tl::make_unexpected(std::move(where.error()));
  if (::unlinkat(where->folder.get(), where->name.c_str(), 0) == 0) return {};
  if (errno == EISDIR || errno == EPERM) {
    if (::unlinkat(where->folder.get(), where->name.c_str(), AT_REMOVEDIR) == 0) return {};
    if (errno == ENOTEMPTY || errno == EEXIST)
      return fail(fmt::format("failure: the folder {} is not empty", name));
  }
  return failed("remove", name, errno);
}

Status Files::rename(std::string_view from, std::string_view to) {
  auto source = place(from);
  if (!source) return tl::make_unexpected(std::move(source.error()));
  auto target = place(to);
  if (!target) return tl::make_unexpected(std::move(target.error()));
  struct stat st {};
  if (::fstatat(target->folder.get(), target->name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0)
    return fail(fmt::format("failure: there is a file {} already", to));
  if (::renameat(source->folder.get(), source->name.c_str(), target->folder.get(),
                 target->name.c_str()) != 0)
    return failed("rename", from, errno);
  return {};
}

}  // namespace maclane
