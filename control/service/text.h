// Addresses as people read them. No state; any thread.
#pragma once

#include <string>

#include "dataplane/net/types.h"

namespace maclane {

[[nodiscard]] std::string text_of(be32 address);        // "192.0.2.1"
[[nodiscard]] std::string text_of(const MacAddr& mac);  // "02:00:5E:00:00:01"

}  // namespace maclane
