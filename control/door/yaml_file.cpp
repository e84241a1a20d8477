// The YAML door's file: read by pieces and bounded, whatever it is.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "control/door/yaml.h"
#include "control/door/yaml_path.h"

namespace maclane::door {

std::string too_large(const std::string& name) {
  return fmt::format("{} is larger than {} MiB, which is more than any configuration needs", name,
                     kMostBytes >> 20);
}

Result<std::string> read_file(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) {
    return fail(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  if (S_ISDIR(facts.st_mode)) return fail(fmt::format("cannot read {}: it is a folder", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  // Read by pieces: a pipe or a device has no size to ask for.
  std::string text;
  std::string piece(1u << 20, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    text.append(piece, 0, static_cast<size_t>(file.gcount()));
    if (text.size() > kMostBytes) return fail(too_large(path));
  }
  if (file.bad()) return fail(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  // A file that was truncated before it is written anew must not take the router away.
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return fail(
        fmt::format("{} is empty; a configuration without anything is written as {{}}", path));
  }
  return text;
}

Result<Loaded> load_yaml_file(const std::string& path) {
  auto text = read_file(path);
  if (!text) return tl::make_unexpected(std::move(text.error()));
  return load_yaml_text(*text, path);
}

}  // namespace maclane::door
