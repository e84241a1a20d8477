// Files of the state folder beside its database (store.h): certificates, leases, keys. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "control/model/result.h"

namespace maclane::model {

/// Makes the folder if it is not there; says why it cannot be used.
[[nodiscard]] Status make_state_folder(const std::string& folder);

/// Writes a file so that a crash leaves the old one or the new one, never half of either.
[[nodiscard]] Status write_atomically(const std::string& path, std::string_view text);

}  // namespace maclane::model
