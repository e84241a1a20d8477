// The state folder's files, written so that a crash never leaves half of one.
#include "control/model/state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "control/model/value.h"

namespace maclane::model {
namespace {

constexpr std::string_view kMacsFile = "/macs.json";

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

Mac random_mac() {
  Mac mac{};
  size_t have = 0;
  while (have < mac.size()) {
    const ssize_t got = getrandom(mac.data() + have, mac.size() - have, 0);
    if (got > 0) have += static_cast<size_t>(got);  // interrupted: asked again
  }
  mac[0] = static_cast<uint8_t>((mac[0] & 0xFC) | 0x02);  // locally administered, unicast
  return mac;
}

}  // namespace

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

Result<StateStore> StateStore::open(const std::string& folder) {
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
                    folder, reason()));
  }
  StateStore store(folder);
  const std::string path = folder + std::string(kMacsFile);
  std::ifstream file(path);
  if (!file) {
    if (!std::filesystem::exists(path, code)) return store;  // the first start
    return fail(fmt::format("cannot read {}: {}", path, reason()));
  }
  const auto json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return fail(
        fmt::format("{} is damaged: it should be a JSON object of names and MAC addresses; "
                    "mend it, or remove it to have new addresses generated",
                    path));
  }
  for (const auto& [name, value] : json.items()) {
    const auto mac = value.is_string() ? parse_mac(value.get<std::string>()) : std::nullopt;
    if (!mac || ((*mac)[0] & 1) != 0) {
      return fail(
          fmt::format("{} is damaged: the entry of \"{}\" is no MAC address; mend or remove "
                      "the entry",
                      path, name));
    }
    store.macs_.emplace(name, format_mac(*mac));
  }
  return store;
}

std::string StateStore::mac_for(std::string_view name) {
  if (auto it = macs_.find(name); it != macs_.end()) return it->second;
  return replace_mac(name);
}

std::string StateStore::replace_mac(std::string_view name) {
  std::string mac;
  const auto kept = [&](const auto& entry) { return entry.second == mac; };
  do {
    mac = format_mac(random_mac());
  } while (std::any_of(macs_.begin(), macs_.end(), kept));
  macs_.insert_or_assign(std::string(name), mac);
  changed_ = true;
  return mac;
}

Status StateStore::save() {
  if (!changed_) return {};
  const nlohmann::json json = macs_;
  Status status = write_atomically(folder_ + std::string(kMacsFile), json.dump(2) + "\n");
  if (status) changed_ = false;
  return status;
}

Result<Tree> with_generated_macs(Tree tree, StateStore& state) {
  const Menu& macvlans = *find_menu("/interface/macvlan");
  const auto mac_index = static_cast<size_t>(macvlans.index("mac-address"));
  const Rows rows = tree.rows(macvlans);
  const bool whole = std::none_of(
      rows.begin(), rows.end(), [&](const RowPtr& row) { return row->values[mac_index].empty(); });
  if (whole) return tree;
  std::set<std::string, std::less<>> used;
  for (std::string_view path : {"/interface/ethernet", "/interface/macvlan"}) {
    for_each(tree, path, [&](const View& row) {
      if (row.is_set("mac-address")) used.emplace(row.raw("mac-address"));
    });
  }
  size_t place = 0;
  for (const RowPtr& row : rows) {
    const size_t here = place++;
    const std::string name(View(macvlans, *row).raw("name"));
    if (!row->values[mac_index].empty() || name.empty()) continue;
    std::string mac = state.mac_for(name);
    while (used.contains(mac)) mac = state.replace_mac(name);
    used.insert(mac);
    auto next = std::make_shared<Row>(*row);
    next->values[mac_index] = std::move(mac);
    tree.edit(macvlans).replace(here, std::move(next));
  }
  if (Status status = state.save(); !status) return tl::make_unexpected(std::move(status.error()));
  return tree;
}

}  // namespace maclane::model
