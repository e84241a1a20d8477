// REST requests as calls, and outcomes as replies: everything of D-1 to D-13 that needs no socket.
//
// The path is the menu's, with slashes; a last part that is no menu names a row (GET, PATCH,
// DELETE) or the command (POST). No state; any thread: the schema is all it looks at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/commands.h"

namespace maclane::door {

struct RestError {
  int status = 400;
  std::string detail;
};

struct RestCall {
  enum class Form : uint8_t {
    kRows,     // GET of a menu: an array; of settings: an object
    kRow,      // GET of one row: an object
    kCreated,  // PUT: 201 and the new row
    kUpdated,  // PATCH: the row as it is now
    kDeleted,  // DELETE: 204
    kCommand,  // POST: what it has to say
  };
  Form form = Form::kRows;
  model::Call call;
  std::string row;                      // kRow, kUpdated, kDeleted: which
  std::optional<uint64_t> duration_ms;  // of a command that goes on
};

[[nodiscard]] tl::expected<RestCall, RestError> rest_call(std::string_view method,
                                                          std::string_view target,
                                                          const std::string& body);

/// What came of it: made on the control thread, written by rest_body() wherever there is time.
struct RestAnswer {
  int status = 200;
  bool object = false;  // one row, not an array of them
  bool no_body = false;
  std::string detail;  // of an error
  std::vector<model::PrintRow> rows;
  model::Fields result;  // not empty: an object, in place of rows
};
[[nodiscard]] RestAnswer rest_error(int status, std::string detail);
[[nodiscard]] RestAnswer rest_failure(const RestCall& call, const model::Failure& failure);
/// JSON; "" for a reply without a body.
[[nodiscard]] std::string rest_body(const RestAnswer& answer);
/// "Bad Request".
[[nodiscard]] std::string_view http_reason(int status);

/// User and password of an Authorization header.
struct BasicAuth {
  std::string user, password;
};
[[nodiscard]] std::optional<BasicAuth> basic_auth(std::string_view header);

/// Percent-decoding; nullopt if it is not in form. plus: '+' is a space.
[[nodiscard]] std::optional<std::string> decode_url(std::string_view text, bool plus);

}  // namespace maclane::door
