// The MAC addresses generated for macvlans. See store.h.
#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "control/model/new_names.h"
#include "control/model/store.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

using sqlite::Statement;

// Where versions before the database kept them. It is read if there are none yet, and left alone.
constexpr std::string_view kOldFile = "/macs.json";

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

Result<std::map<std::string, std::string, std::less<>>> read_old(const std::string& path) {
  std::map<std::string, std::string, std::less<>> macs;
  std::ifstream file(path);
  std::error_code code;
  if (!file) {
    if (!std::filesystem::exists(path, code)) return macs;
    return fail(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
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
    macs.emplace(name, format_mac(*mac));
  }
  return macs;
}

}  // namespace

Status Store::read_macs(const std::string& folder) {
  auto kept = database_.prepare("SELECT name, mac FROM macs");
  if (!kept) return tl::make_unexpected(Errors{damaged(database_.reason())});
  Statement::Step step = kept->step();
  for (; step == Statement::Step::kRow; step = kept->step()) {
    const auto mac = parse_mac(kept->text(1));
    if (!mac || ((*mac)[0] & 1) != 0) {
      return tl::make_unexpected(
          Errors{damaged(fmt::format("the entry of \"{}\" is no MAC address", kept->text(0)))});
    }
    macs_.emplace(kept->text(0), format_mac(*mac));
  }
  if (step == Statement::Step::kFailed) {
    return tl::make_unexpected(Errors{damaged(database_.reason())});
  }
  if (!macs_.empty()) return {};
  auto old = read_old(folder + std::string(kOldFile));
  if (!old) return tl::make_unexpected(std::move(old.error()));
  for (const auto& [name, mac] : *old) new_macs_.insert(name);
  macs_ = std::move(*old);
  return save_macs();
}

std::string Store::mac_for(std::string_view name) {
  if (auto it = macs_.find(name); it != macs_.end()) return it->second;
  return replace_mac(name);
}

std::string Store::owner_of(std::string_view mac, std::string_view likely) const {
  if (const auto own = macs_.find(likely); own != macs_.end() && own->second == mac)
    return own->first;
  constexpr std::string_view kOfDevices = "device ";
  for (const auto& [name, kept] : macs_)
    if (kept == mac && !name.starts_with(kOfDevices)) return name;
  return {};
}

void Store::give_mac(std::string_view from, std::string_view to) {
  const auto found = macs_.find(from);
  if (found == macs_.end()) return;
  macs_.insert_or_assign(std::string(to), found->second);
  new_macs_.emplace(to);
  replace_mac(from);
}

std::string Store::replace_mac(std::string_view name) {
  std::string mac;
  const auto kept = [&](const auto& entry) { return entry.second == mac; };
  do {
    mac = format_mac(random_mac());
  } while (std::any_of(macs_.begin(), macs_.end(), kept));
  macs_.insert_or_assign(std::string(name), mac);
  new_macs_.emplace(name);
  return mac;
}

Status Store::save_macs() {
  if (new_macs_.empty()) return {};
  Status status = database_.run("BEGIN IMMEDIATE");
  for (const std::string& name : new_macs_) {
    if (!status) break;
    if (!put_mac_.bind(1, name).bind(2, macs_.find(name)->second).run()) {
      status = fail(database_.reason());
    }
  }
  if (status) status = database_.run("COMMIT");
  if (!status) {
    const std::string why = status.error().front().message;
    (void)database_.run("ROLLBACK");
    return fail(fmt::format("cannot keep a generated MAC address: {}", why));
  }
  new_macs_.clear();
  return {};
}

Result<Tree> with_generated_macs(Tree tree, Store& store) {
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
    std::string mac = store.mac_for(name);
    while (used.contains(mac)) mac = store.replace_mac(name);
    used.insert(mac);
    auto next = std::make_shared<Row>(*row);
    next->values[mac_index] = std::move(mac);
    tree.edit(macvlans).replace(here, std::move(next));
  }
  if (Status status = store.save_macs(); !status)
    return tl::make_unexpected(std::move(status.error()));
  return tree;
}

Tree with_kept_macs(const Tree& before, Tree file, Store& store) {
  const Menu& macvlans = *find_menu("/interface/macvlan");
  const auto mac = static_cast<size_t>(macvlans.index("mac-address"));
  for (const RowPtr& row : before.rows(macvlans)) {
    const std::string name(View(macvlans, *row).raw("name"));
    const std::string owner = store.owner_of(row->values[mac], name);
    if (owner.empty() || owner == name) continue;
    // Somebody may have written the MAC of a macvlan that is there at one of another parent.
    const RowPtr other = before.find(macvlans, owner);
    if (other == nullptr || other->values[mac] != row->values[mac]) store.give_mac(owner, name);
  }
  for (const auto& [was, is] : alike_macvlans(before, file)) {
    const auto place = file.rows(macvlans).place_of(is->id);
    if (!place || !is->values[mac].empty() || store.owner_of(was->values[mac]).empty()) continue;
    auto next = std::make_shared<Row>(*is);
    next->values[mac] = was->values[mac];
    file.edit(macvlans).replace(*place, std::move(next));
  }
  return file;
}

}  // namespace maclane::model
