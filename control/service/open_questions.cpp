#include "control/service/open_questions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace maclane {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kDnsPort = 53;
// Words of a line of /proc/net/udp.
constexpr size_t kLocalWord = 1, kInodeWord = 9;

std::string text_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <typename Number>
bool read_number(std::string_view text, int base, Number& out) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return problem == std::errc() && end == text.data() + text.size();
}

/// "socket:[123]"
bool socket_inode(std::string_view link, uint64_t& inode) {
  constexpr std::string_view kHead = "socket:[";
  return link.starts_with(kHead) && link.ends_with(']') &&
         read_number(link.substr(kHead.size(), link.size() - kHead.size() - 1), 10, inode);
}

}  // namespace

void read_asking_sockets(std::string_view table, std::set<uint64_t>& inodes) {
  while (!table.empty()) {
    std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(line.size() + 1, table.size()));
    std::string_view local, inode;
    for (size_t word = 0; word <= kInodeWord; ++word) {
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      const std::string_view one = line.substr(0, line.find(' '));
      if (word == kLocalWord) local = one;
      if (word == kInodeWord) inode = one;
      line.remove_prefix(one.size());
    }
    const size_t colon = local.rfind(':');
    uint32_t port = 0;
    uint64_t number = 0;
    if (colon != std::string_view::npos && read_number(local.substr(colon + 1), 16, port) &&
        port != kDnsPort && read_number(inode, 10, number))
      inodes.insert(number);
  }
}

bool has_open_questions(pid_t pid) {
  const std::string process = fmt::format("/proc/{}", pid);
  const std::string children = fmt::format("{}/task/{}/children", process, pid);
  std::error_code unseen;
  if (!fs::exists(children, unseen)) return fs::exists(process, unseen);  // not of every kernel
  if (!text_in(children).empty()) return true;
  std::set<uint64_t> asking;
  for (const char* table : {"udp", "udp6"})
    read_asking_sockets(text_in(fmt::format("{}/net/{}", process, table)), asking);
  std::error_code why;
  for (fs::directory_iterator one(process + "/fd", why), end; !why && one != end;
       one.increment(why)) {
    uint64_t inode = 0;
    std::error_code gone;
    if (socket_inode(fs::read_symlink(one->path(), gone).string(), inode) && asking.contains(inode))
      return true;
  }
  return false;
}

}  // namespace maclane
