#include "control/model/zones.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace maclane::model {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kZones = "/usr/share/zoneinfo/";

/// Tables and lists stand beside the zones.
bool is_compiled(const fs::path& file) {
  char magic[4] = {};
  std::ifstream(file, std::ios::binary).read(magic, sizeof magic);
  return std::string_view(magic, sizeof magic) == "TZif";
}

/// The same zones once more, with other seconds, and those that are none by name.
bool is_copy(std::string_view name) {
  return name == "posix" || name == "right" || name == "posixrules" || name == "localtime";
}

}  // namespace

bool is_zone(std::string_view name) {
  const bool letters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  });
  std::error_code code;
  return letters && !name.empty() && name.front() != '/' &&
         fs::is_regular_file(std::string(kZones).append(name), code);
}

std::vector<std::string> zones_from(std::string_view begin) {
  std::vector<std::string> out;
  std::error_code code;
  fs::recursive_directory_iterator at(kZones, code);
  for (const fs::recursive_directory_iterator end; !code && at != end; at.increment(code)) {
    const std::string name = at->path().string().substr(kZones.size());
    std::error_code ignored;
    if (at->is_directory(ignored)) {
      const std::string folder = name + "/";
      const bool leads = folder.starts_with(begin) || begin.starts_with(folder);
      if (is_copy(name) || !leads) at.disable_recursion_pending();
    } else if (name.starts_with(begin) && !is_copy(name) && is_compiled(at->path())) {
      out.push_back(name);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace maclane::model
