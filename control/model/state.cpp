// The state folder, and files written so that a crash never leaves half of one.
#include "control/model/state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace maclane::model {
namespace {

std::string reason() {
  return std::strerror(errno);
}

/// A descriptor that closes itself.
struct Descriptor {
  explicit Descriptor(int descriptor) : fd(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
  int fd;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

Status make_state_folder(const std::string& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code || !std::filesystem::is_directory(folder, code)) {
    return fail(fmt::format("cannot use the state folder {}: {}; name another, or make it", folder,
                            code ? code.message() : "it is no folder"));
  }
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    return fail(
        fmt::format("cannot write to the state folder {}: {}; name another, or change its "
                    "permissions",
                    folder, std::strerror(errno)));
  }
  return {};
}

Status write_atomically(const std::string& path, std::string_view text) {
  const std::string temporary = fmt::format("{}.new", path);
  {
    Descriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
    if (file.fd < 0) {
      return fail(fmt::format("cannot write {}: {}; the folder must exist and be writable",
                              temporary, reason()));
    }
    if (!write_all(file.fd, text) || fsync(file.fd) != 0) {
      std::string why = reason();
      unlink(temporary.c_str());
      return fail(fmt::format("cannot write {}: {}", temporary, why));
    }
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    std::string why = reason();
    unlink(temporary.c_str());
    return fail(fmt::format("cannot replace {}: {}", path, why));
  }
  // The new name is on disk only when its folder is.
  const std::string folder = std::filesystem::path(path).parent_path().string();
  Descriptor entry(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (entry.fd >= 0) fsync(entry.fd);
  return {};
}

}  // namespace maclane::model
