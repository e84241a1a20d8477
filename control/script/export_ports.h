// The names of ports in an export. Ports are there before a script is imported, under the names
// they have from the start or from the configuration file. Where the script gives one of them a
// name that another still has there (two that exchanged their names), the other is called something
// else first. No state; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "control/model/tree.h"

namespace maclane::script {

struct PortNames {
  struct Aside {
    size_t port = 0;  // its place in the menu
    std::string name;
  };
  /// What a port is added as where it is missing: its name, unless another may have that.
  std::string added;
  /// Whether its name must be set: it is not the one it has from the start, or may not be.
  bool is_set = false;
  /// Who is called what before this port can have its name.
  std::vector<Aside> asides;
};

/// By the port's place, given that they are set in that order. base: the tree that the
/// configuration file makes, nullptr if it is not known.
[[nodiscard]] std::vector<PortNames> port_names(const model::Tree& tree, const model::Tree* base);

}  // namespace maclane::script
