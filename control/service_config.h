// From the tree to what the services are told with every publish. Control thread only.
#pragma once

#include "control/compile/names.h"
#include "control/model/tree.h"
#include "control/service/config.h"

namespace maclane {

/// The tree is validated and compiled, and `names` are those of that compile.
[[nodiscard]] ServiceConfig service_config(const model::Tree& tree, const compile::Names& names);

}  // namespace maclane
