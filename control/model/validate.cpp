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

using Names = std::unordered_set<std::string_view>;

constexpr size_t kMaxWorkerCpus = 16;  // the dataplane's kMaxWorkers, which the model does not see

std::unordered_map<std::string_view, Names> all_names(const Tree& tree) {
  std::unordered_map<std::string_view, Names> names;
  for (const Menu& menu : menus()) {
    const int index = name_index(menu);
    if (index < 0) continue;
    for (const RowPtr& row : tree.rows(menu)) names[menu.path].insert(row->at(index));
  }
  return names;
}

void check_names(Check& check) {
  // Interfaces share one space of names, every other menu has its own.
  std::unordered_map<std::string_view, std::pair<const Menu*, const Row*>> interfaces;
  for (const Menu& menu : menus()) {
    const int index = name_index(menu);
    if (index < 0) continue;
    const bool shared = menu.properties[static_cast<size_t>(index)].has(Property::kInterfaceName);
    std::unordered_map<std::string_view, std::pair<const Menu*, const Row*>> own;
    auto& seen = shared ? interfaces : own;
    for (const RowPtr& row : check.tree.rows(menu)) {
      const std::string_view name = row->at(index);
      if (name.empty()) continue;
      const auto [it, fresh] = seen.try_emplace(name, &menu, row.get());
      if (fresh) continue;
      const View other(*it->second.first, *it->second.second);
      check.add(View(menu, *row), "name",
                shared ? fmt::format("failure: already have interface with such name: {} is {} "
                                     "already, and names are shared by all interfaces; choose "
                                     "another",
                                     name, where(other))
                       : fmt::format("failure: already have {} with such name: {} is {} already; "
                                     "choose another",
                                     noun_of(menu), name, where(other)));
    }
  }
}

/// "no interface named x" with what is near or, if there are few, what there is.
std::string unknown_reference(const Property& property, std::string_view name,
                              std::unordered_map<std::string_view, Names>& names) {
  std::vector<std::string_view> known(property.values.begin(), property.values.end());
  for (std::string_view path : property.reference) {
    known.insert(known.end(), names[path].begin(), names[path].end());
  }
  std::sort(known.begin(), known.end());
  std::string hint = did_you_mean(name, known);
  if (hint.empty() && !known.empty() && known.size() <= 8) {
    hint = fmt::format("; there is {}", any_of(known));
  }
  const Menu* menu = find_menu(property.reference[0]);
  const std::string_view kind = property.reference[0].starts_with("/interface/")
                                    ? property.reference[0] == "/interface/list"
                                          ? std::string_view("interface list")
                                          : std::string_view("interface")
                                    : noun_of(*menu);
  return fmt::format("input does not match any value of {}: there is no {} named \"{}\"{}",
                     property.name, kind, name, hint);
}

void check_reference(Check& check, const View& row, const Property& property,
                     std::string_view value, std::unordered_map<std::string_view, Names>& names) {
  value = split_negation(value).value;
  const auto known = [&](std::string_view name) {
    if (std::find(property.values.begin(), property.values.end(), name) != property.values.end()) {
      return true;
    }
    return std::any_of(property.reference.begin(), property.reference.end(),
                       [&](std::string_view path) { return names[path].contains(name); });
  };
  const auto one = [&](std::string_view name) {
    // That a parent is of the wrong kind has its own sentence in validate_interfaces.
    if (row.menu().path.starts_with("/interface/") && property.name == "interface" &&
        row.menu().path != "/interface/list/member" && check.interface(name) != nullptr) {
      return;
    }
    if (!known(name)) {
      check.add(row, property.name, unknown_reference(property, name, names),
                Trouble::kBadArgument);
    }
  };
  if (!property.has(Property::kList)) return one(value);
  for (std::string_view name : split_list(value)) one(name);
}

void check_rows(Check& check) {
  auto names = all_names(check.tree);
  for (const Menu& menu : menus()) {
    for (const RowPtr& row : check.tree.rows(menu)) {
      const View view(menu, *row);
      for (size_t i = 0; i < menu.properties.size(); ++i) {
        const Property& property = menu.properties[i];
        const std::string& value = row->values[i];
        if (value.empty()) {
          if (property.has(Property::kRequired)) {
            check.add(view, property.name,
                      fmt::format("missing ={}=: {}", property.name, property.help),
                      Trouble::kMissing);
          }
        } else if (property.type == Type::kReference) {
          check_reference(check, view, property, value, names);
        }
      }
    }
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

Errors validate(const Tree& tree, const Tree* before) {
  Check check{tree, before, interfaces(tree), {}, {}};
  for (const InterfaceFacts& one : check.interfaces) check.by_name.try_emplace(one.name, &one);
  check_names(check);
  check_rows(check);
  validate_interfaces(check);
  validate_ip(check);
  validate_firewall(check);
  check_dataplane(check);
  // In the order of the file, if there is one: people mend from top to bottom.
  std::stable_sort(check.errors.begin(), check.errors.end(), [](const Error& a, const Error& b) {
    return std::tie(a.source.file, a.source.line, a.source.column) <
           std::tie(b.source.file, b.source.line, b.source.column);
  });
  return std::move(check.errors);
}

}  // namespace maclane::model
