// Names of ports one after another. See export_ports.h.
#include "control/script/export_ports.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace maclane::script {
namespace {

constexpr std::string_view kEthernets = "/interface/ethernet";

std::vector<std::string> names_of(const model::Tree& tree) {
  std::vector<std::string> out;
  model::for_each(tree, kEthernets,
                  [&](const model::View& row) { out.emplace_back(row.raw("name")); });
  return out;
}

/// Makes names that no interface has, nor is to have.
class FreshNames {
 public:
  explicit FreshNames(const model::Tree& tree) {
    for (const model::InterfaceFacts& one : model::interfaces(tree)) taken_.insert(one.name);
  }
  std::string of(const std::string& stem) {
    std::string name = stem + "-aside";
    for (unsigned i = 2; !taken_.insert(name).second; ++i)
      name = fmt::format("{}-aside{}", stem, i);
    return name;
  }

 private:
  std::set<std::string> taken_;
};

}  // namespace

std::vector<PortNames> port_names(const model::Tree& tree, const model::Tree* base) {
  const std::vector<std::string> wanted = names_of(tree);
  std::vector<std::string> from_start;
  for (size_t i = 0; i < wanted.size(); ++i) from_start.push_back(model::default_name(i));
  std::vector<std::string> from_file = base != nullptr ? names_of(*base) : from_start;
  from_file.resize(std::min(from_file.size(), wanted.size()));
  from_file.insert(from_file.end(),
                   from_start.begin() + static_cast<std::ptrdiff_t>(from_file.size()),
                   from_start.end());
  FreshNames fresh(tree);
  const std::set<std::string> defaults(from_start.begin(), from_start.end());
  std::vector<PortNames> out(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    // Those before it have the names they are to have.
    out[i].is_set = from_start[i] != wanted[i] || from_file[i] != wanted[i];
    out[i].added = defaults.contains(wanted[i]) ? model::default_name(i) : wanted[i];
    for (size_t other = i + 1; other < wanted.size(); ++other) {
      if (from_start[other] != wanted[i] && from_file[other] != wanted[i]) continue;
      std::string aside = fresh.of(model::default_name(other));
      from_start[other] = from_file[other] = aside;
      out[i].asides.push_back({other, std::move(aside)});
    }
  }
  return out;
}

}  // namespace maclane::script
