// Text as JSON, without a tree of values: rows come by the ten thousand. No state; any thread.
#pragma once

#include <string>
#include <string_view>

namespace maclane::observe {

/// Appends a JSON string (RFC 8259); what is no UTF-8 becomes U+FFFD.
void append_json(std::string& out, std::string_view text);

}  // namespace maclane::observe
