// The YAML door: configuration files to trees (DESIGN.md part 4 spells the format).
//
// Every mistake in a file is reported at once with file, line and column: unknown keys (with the
// nearest known one), wrong types, bad values. Times, booleans, lists as RouterOS and YAML write
// them; names with underscores are taken for their hyphenated properties with a warning; a sub-menu
// of a list menu is a sibling key ("dhcp-server/network"). Control thread only.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/tree.h"

namespace maclane::door {

struct Loaded {
  model::Tree tree;                   // syntactically right; not yet validated as a whole
  std::string text;                   // the file itself
  std::vector<std::string> warnings;  // one line each, with file:line:column
  std::set<std::string_view> menus;   // paths of those that the file speaks of
};

/// Reads a file. An unreadable file is one error naming the path and the system's reason.
[[nodiscard]] Result<Loaded> load_yaml_file(const std::string& path);
/// The same for text; name is what errors call the file.
[[nodiscard]] Result<Loaded> load_yaml_text(const std::string& text, const std::string& name);
/// The tree as YAML that load_yaml_text reads back to the same tree.
[[nodiscard]] std::string to_yaml(const model::Tree& tree);
/// A JSON Schema (draft-07) of the YAML, generated from the menus' schema.
[[nodiscard]] std::string json_schema();

}  // namespace maclane::door
