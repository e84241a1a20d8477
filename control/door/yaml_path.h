// How menus stand in the YAML: the keys that lead to each. Shared by reading, writing and the
// schema.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/model/result.h"
#include "control/model/schema.h"

namespace maclane::door {

/// "/interface/list/member" -> {"interface", "list/member"}: a sub-menu of a menu that has rows is
/// a sibling key. "/interface" itself is a group only.
[[nodiscard]] std::vector<std::string> yaml_keys(const model::Menu& menu);

/// Whether there are menus below a path.
[[nodiscard]] bool is_group(std::string_view path);
/// The keys that can stand below a path, sorted.
[[nodiscard]] std::vector<std::string_view> keys_below(std::string_view path);

/// Whether the file can say anything in this menu.
[[nodiscard]] bool is_writable(const model::Menu& menu);

/// In a row that a menu has from the start: `absent: yes` says that it is not there.
inline constexpr std::string_view kAbsent = "absent";

/// A file may be this long, and what is said of a longer one.
inline constexpr size_t kMostBytes = 32u << 20;
[[nodiscard]] std::string too_large(const std::string& name);

/// What is in a file that may be a configuration; one error if it cannot be read or is too large.
[[nodiscard]] Result<std::string> read_file(const std::string& path);

}  // namespace maclane::door
