// From the tree to what the services are told with every publish. Control thread only.
#pragma once

#include "control/compile/compile.h"
#include "control/model/tree.h"
#include "control/service/config.h"

namespace maclane {

/// The tree is validated, and `compiled` is what its compile left.
[[nodiscard]] ServiceConfig service_config(const model::Tree& tree,
                                           const compile::CompileState& compiled);

}  // namespace maclane
