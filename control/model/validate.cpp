// Validation of a whole tree: what every menu needs (required values, unique names, references),
// then the rules of interfaces, addresses and the firewall.
#include "control/model/validate.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>
#include <unordered_set>

#include "control/model/nearest.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

constexpr size_t kMaxWorkerCpus = 16;  // the dataplane's kMaxWorkers, which the model does not see

bool shares_names(const Menu& menu) {
  const int index = name_index(menu);
  return index >= 0 && menu.properties[static_cast<size_t>(index)].has(Property::kInterfaceName);
}

/// Interfaces share one space of names.
void check_interface_names(Check& check) {
  std::unordered_map<std::string_view, View> seen;
  for (const Menu& menu : menus()) {
    if (!shares_names(menu)) continue;
    for (const RowPtr& row : check.tree.rows(menu)) {
      const std::string_view name = row->at(name_index(menu));
      if (name.empty()) continue;
      const auto [it, fresh] = seen.try_emplace(name, menu, *row);
      if (fresh) continue;
      check.add(View(menu, *row), "name",
                fmt::format("failure: already have interface with such name: {} is {} already, and "
                            "names are shared by all interfaces; choose another",
                            name, where(it->second)));
    }
  }
}

void check_names(Check& check) {
  bool interfaces = false;
  for (const Menu& menu : menus()) {
    if (name_index(menu) < 0 || !check.concerns({menu.path})) continue;
    if (shares_names(menu)) {
      interfaces = true;
      continue;
    }
    check.for_each_twin(
        menu.path, [&](const View& row) { return !row.row().at(name_index(menu)).empty(); },
        [&](const View& row, const View& first) {
          check.add(row, menu.properties[static_cast<size_t>(name_index(menu))].name,
                    fmt::format("failure: already have {} with such name: {} is {} already; choose "
                                "another",
                                noun_of(menu), row.row().at(name_index(menu)), where(first)));
        });
  }
  if (interfaces) check_interface_names(check);
}

/// "no interface named x" with what is near or, if there are few, what there is beside the row
/// itself.
std::string unknown_reference(Check& check, const View& of, const Property& property,
                              std::string_view name) {
  const std::string_view first = property.reference[0];
  const InterfaceFacts* const other = check.interface(name);
  if (other != nullptr && first == "/interface/ethernet") {
    std::vector<std::string_view> kinds;
    for (std::string_view path : property.reference)
      kinds.push_back(path.substr(path.rfind('/') + 1));
    return fmt::format("input does not match any value of {}: {} is a {}; give an interface of {}",
                       property.name, name,
                       other->type == "pppoe-out" ? "pppoe-client" : other->type, any_of(kinds));
  }
  std::vector<std::string_view> known(property.values.begin(), property.values.end());
  for (std::string_view path : property.reference) {
    const Menu& menu = *find_menu(path);
    for (const RowPtr& row : check.tree.rows(menu))
      if (row.get() != &of.row()) known.push_back(row->at(name_index(menu)));
  }
  std::sort(known.begin(), known.end());
  std::string hint = did_you_mean(name, known);
  if (hint.empty() && !known.empty() && known.size() <= 8) {
    hint = fmt::format("; there is {}", any_of(known));
  }
  std::string_view kind = noun_of(*find_menu(first));
  if (first.starts_with("/interface/")) {
    kind = first == "/interface/list" ? "interface list" : "interface";
  }
  return fmt::format("input does not match any value of {}: there is no {} named \"{}\"{}",
                     property.name, kind, name, hint);
}

void check_reference(Check& check, const View& row, const Property& property,
                     std::string_view value) {
  value = split_negation(value).value;
  const auto known = [&](std::string_view name) {
    if (std::find(property.values.begin(), property.values.end(), name) != property.values.end()) {
      return true;
    }
    return std::any_of(
        property.reference.begin(), property.reference.end(),
        [&](std::string_view path) { return check.has_name(*find_menu(path), name); });
  };
  const auto one = [&](std::string_view name) {
    if (known(name) || (property.has(Property::kMayBeLost) && is_lost_reference(name))) return;
    // That a parent is of the wrong kind has its own sentence in validate_interfaces.
    if (row.menu().path.starts_with("/interface/") && property.name == "interface" &&
        row.menu().path != "/interface/list/member" && check.interface(name) != nullptr) {
      return;
    }
    if (check.took_away(property.reference, name, row)) return;
    check.add(row, property.name, unknown_reference(check, row, property, name),
              Trouble::kBadArgument);
  };
  if (!property.has(Property::kList)) return one(value);
  for (std::string_view name : split_list(value)) one(name);
}

/// What every row of a menu needs, found out once.
struct Needs {
  const Menu* menu;
  std::vector<size_t> required;
  std::vector<size_t> references;
};

const std::vector<Needs>& all_needs() {
  static const std::vector<Needs> all = [] {
    std::vector<Needs> out;
    for (const Menu& menu : menus()) {
      Needs needs{&menu, {}, {}};
      for (size_t i = 0; i < menu.properties.size(); ++i) {
        if (menu.properties[i].has(Property::kRequired)) needs.required.push_back(i);
        if (menu.properties[i].type == Type::kReference) needs.references.push_back(i);
      }
      if (!needs.required.empty() || !needs.references.empty()) out.push_back(std::move(needs));
    }
    return out;
  }();
  return all;
}

void check_rows(Check& check) {
  for (const Needs& needs : all_needs()) {
    const Menu& menu = *needs.menu;
    // Rows that did not change may have lost what they refer to.
    const bool lost = std::any_of(needs.references.begin(), needs.references.end(), [&](size_t i) {
      const auto& paths = menu.properties[i].reference;
      return std::any_of(paths.begin(), paths.end(),
                         [&](std::string_view path) { return check.lost_names(*find_menu(path)); });
    });
    if (!lost && !check.concerns({menu.path})) continue;
    check.for_asked(menu.path, lost, [&](const View& row) {
      for (size_t i : needs.required) {
        const Property& property = menu.properties[i];
        if (row.row().values[i].empty()) {
          check.add(row, property.name,
                    fmt::format("missing ={}=: {}", property.name, property.help),
                    Trouble::kMissing);
        }
      }
      for (size_t i : needs.references) {
        const std::string& value = row.row().values[i];
        if (!value.empty()) check_reference(check, row, menu.properties[i], value);
      }
    });
  }
}

/// Asked once: later the calling thread may have been moved off the workers' CPUs.
const cpu_set_t& usable_cpus() {
  static const cpu_set_t usable = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) CPU_SET(0, &set);
    return set;
  }();
  return usable;
}

void check_dataplane(Check& check) {
  if (!check.concerns({"/dataplane"})) return;
  const cpu_set_t& usable = usable_cpus();
  const View dataplane = check.tree.settings("/dataplane");
  const std::vector<std::string_view> workers = split_list(dataplane.raw("workers"));
  if (workers.size() > kMaxWorkerCpus) {
    check.add(dataplane, "workers",
              fmt::format("{} workers are too many; name at most {} CPUs", workers.size(),
                          kMaxWorkerCpus));
  }
  for (const std::string_view text : workers) {
    const int64_t cpu = parse_integer(text).value_or(-1);
    if (cpu >= 0 && cpu < CPU_SETSIZE && CPU_ISSET(static_cast<size_t>(cpu), &usable)) continue;
    std::string there;
    for (size_t i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(i, &usable)) there += fmt::format("{}{}", there.empty() ? "" : ", ", i);
    }
    const bool exists = cpu >= 0 && cpu < sysconf(_SC_NPROCESSORS_CONF);
    check.add(dataplane, "workers",
              fmt::format("CPU {} {}; there is {}", text,
                          exists ? "may not be used by this process" : "does not exist", there));
  }
}

}  // namespace

std::string where(const View& other) {
  const Source& source = other.row().source;
  if (!source.file.empty()) return fmt::format("at {}:{}", source.file, source.line);
  return fmt::format("in {}", other.menu().path);
}

std::string mac_mistake(std::string_view canonical) {
  const auto mac = parse_mac(canonical);
  if (!mac) return {};
  if (*mac == Mac{})
    return "00:00:00:00:00:00 is no interface's address; choose another or leave it out";
  if (((*mac)[0] & 1) == 0) return {};
  Mac mended = *mac;
  mended[0] = static_cast<uint8_t>((mended[0] & 0xFE) | 2);
  return fmt::format(
      "{} is a group address: the lowest bit of its first byte ({:02X}) is set, which makes it "
      "multicast, and no single interface can have it; {} would do",
      canonical, (*mac)[0], format_mac(mended));
}

bool Check::changed(const Menu& menu) const {
  const Rows& now = tree.rows(menu);
  const Rows& then = before->rows(menu);
  return &now != &then && now != then;
}

bool Check::concerns(std::span<const std::string_view> paths) const {
  return whole || std::any_of(paths.begin(), paths.end(),
                              [&](std::string_view path) { return changed(*find_menu(path)); });
}

bool Check::concerns(std::initializer_list<std::string_view> paths) const {
  return concerns(std::span(paths.begin(), paths.size()));
}

bool Check::is_attached(std::string_view interface) const {
  const Menu& menu = *find_menu("/interface/macvlan");
  const RowPtr row = tree.find(menu, interface);
  return row != nullptr && View(menu, *row).get("attach") != "none";
}

const RowsDiff& Check::diff(const Menu& menu) {
  const auto [it, fresh] = diffs_.try_emplace(&menu);
  if (fresh) it->second = compare(before->rows(menu), tree.rows(menu));
  return it->second;
}

bool Check::has_name(const Menu& menu, std::string_view name) {
  if (!whole) return tree.find(menu, name) != nullptr;
  const auto [it, fresh] = names_.try_emplace(&menu);
  if (fresh) {
    const int index = name_index(menu);
    for (const RowPtr& row : tree.rows(menu)) it->second.insert(row->at(index));
  }
  return it->second.contains(name);
}

bool Check::lost_names(const Menu& menu) {
  if (whole) return true;
  if (!changed(menu)) return false;
  const RowsDiff& changes = diff(menu);
  const int index = name_index(menu);
  return !changes.removed.empty() ||
         std::any_of(changes.changed.begin(), changes.changed.end(), [&](const auto& row) {
           return row.before->at(index) != row.after->at(index);
         });
}

bool Check::took_away(std::span<const std::string_view> paths, std::string_view name,
                      const View& user) {
  if (before == nullptr) return false;
  for (std::string_view path : paths) {
    const Menu& menu = *find_menu(path);
    if (before->find(menu, name) == nullptr || tree.find(menu, name) != nullptr) continue;
    // Who took the name up with this very change was wrong, not who gave it up.
    if (before->rows(user.menu()).by_id(user.row().id) == nullptr) return false;
    std::string who(user.menu().path);
    if (user.menu().kind != Menu::Kind::kSettings) {
      const std::string id = row_id(user.row().id);
      const std::string label = user.label();
      who += label == id ? fmt::format(" {}", id) : fmt::format(" {} ({})", id, label);
    }
    std::vector<std::string>& users = users_[{&menu, std::string(name)}];
    if (std::find(users.begin(), users.end(), who) == users.end()) users.push_back(std::move(who));
    return true;
  }
  return false;
}

void Check::complain_of_users() {
  constexpr size_t kMostNamed = 8;
  for (const auto& [which, users] : users_) {
    const auto& [menu, name] = which;
    std::string who;
    for (size_t i = 0; i < std::min(users.size(), kMostNamed); ++i)
      who += fmt::format("{}{}", i == 0 ? "" : ", ", users[i]);
    if (users.size() > kMostNamed) who += fmt::format(" and {} more", users.size() - kMostNamed);
    errors.push_back(Error{fmt::format("failure: {} is in use by {}; change or remove {} first",
                                       name, who, users.size() == 1 ? "that" : "those"),
                           std::string(menu->path),
                           name,
                           {},
                           {},
                           Trouble::kGeneral});
  }
}

const std::vector<InterfaceFacts>& Check::interfaces() {
  if (!interfaces_) {
    interfaces_ = model::interfaces(tree);
    for (const InterfaceFacts& one : *interfaces_) by_name_.try_emplace(one.name, &one);
  }
  return *interfaces_;
}

const InterfaceFacts* Check::interface(std::string_view name) {
  (void)interfaces();
  auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

Errors validate(const Tree& tree, const Tree* before, bool whole) {
  Check check(tree, before, whole);
  check_names(check);
  check_rows(check);
  validate_interfaces(check);
  validate_ip(check);
  validate_clients(check);
  validate_dhcp(check);
  validate_dns(check);
  validate_firewall(check);
  validate_service(check);
  validate_helpers(check);
  check_dataplane(check);
  check.complain_of_users();
  // In the order of the file, if there is one: people mend from top to bottom.
  std::stable_sort(check.errors.begin(), check.errors.end(), [](const Error& a, const Error& b) {
    return std::tie(a.source.file, a.source.line, a.source.column) <
           std::tie(b.source.file, b.source.line, b.source.column);
  });
  return std::move(check.errors);
}

}  // namespace maclane::model
