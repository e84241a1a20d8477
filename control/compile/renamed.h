// Which interfaces a change renamed: those whose row is the same as before and whose name is not.
// What belongs to one (its number, its device, sessions, leases) goes on. Control thread.
#pragma once

#include "control/model/tree.h"
#include "control/service/renames.h"

namespace maclane::compile {

[[nodiscard]] Renames renamed_interfaces(const model::Tree& before, const model::Tree& after);

}  // namespace maclane::compile
