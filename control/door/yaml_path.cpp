#include "control/door/yaml_path.h"

#include <fmt/format.h>

#include <algorithm>

namespace maclane::door {

std::vector<std::string> yaml_keys(const model::Menu& menu) {
  std::vector<std::string> keys;
  std::string so_far;
  bool sibling = false;
  std::string_view rest = menu.path;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view word = rest.substr(0, rest.find('/'));
    rest.remove_prefix(word.size());
    if (sibling) {
      keys.back() += fmt::format("/{}", word);
    } else {
      keys.emplace_back(word);
    }
    so_far += fmt::format("/{}", word);
    const model::Menu* here = model::find_menu(so_far);
    sibling = here != nullptr && here->path != "/interface" &&
              here->kind != model::Menu::Kind::kSettings && here->kind != model::Menu::Kind::kGroup;
  }
  return keys;
}

bool is_writable(const model::Menu& menu) {
  return menu.has_rows() && std::any_of(menu.properties.begin(), menu.properties.end(),
                                        [](const model::Property& property) {
                                          return !property.has(model::Property::kReadOnly);
                                        });
}

bool is_group(std::string_view path) {
  const std::string prefix = fmt::format("{}/", path);
  return std::any_of(model::menus().begin(), model::menus().end(),
                     [&](const model::Menu& menu) { return menu.path.starts_with(prefix); });
}

std::vector<std::string_view> keys_below(std::string_view path) {
  std::vector<std::string_view> keys;
  for (const model::Menu& menu : model::menus()) {
    if (!menu.path.starts_with(path) || menu.path.size() <= path.size() + 1) continue;
    const std::string_view rest = menu.path.substr(path.size() + 1);
    keys.push_back(rest);
    keys.push_back(rest.substr(0, rest.find('/')));
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

}  // namespace maclane::door
