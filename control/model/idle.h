// Defaults that RouterOS does not show of a row, though they are in force. No state; any thread.
#pragma once

#include "control/model/tree.h"

namespace maclane::model {

/// A default that is about nothing the row has, as the port of a service in a row of an address, or
/// of which nobody knows whether it is so.
[[nodiscard]] bool is_idle_default(const View& row, const Property& property);

/// A default that goes without saying: shown only where somebody wrote it.
[[nodiscard]] bool is_silent_default(const View& row, const Property& property);

}  // namespace maclane::model
