// The body of an HTTP request, by Content-Length or in chunks. Any thread.
#pragma once

#include <string>

#include "control/door/http_stream.h"

namespace maclane::door {

/// 0, or the HTTP status that says what is wrong with it; the connection cannot go on then.
[[nodiscard]] int read_body(HttpStream& stream, const httplib::Request& request, std::string& body);

}  // namespace maclane::door
