// One request line in, one reply line out: the console's protocol without its socket.
//
// A request is a JSON object {"path":"/interface/macvlan","command":"print","arguments":{...},
// "id":any}; the reply {"ok":true,...} or {"ok":false,"errors":[{"message","path","row","property",
// "text"}]}, with the request's id if it had one. Values are strings; numbers and true/false are
// taken for them. The commands are those of model/commands.h, and beside them:
//   print    where: an expression -> menu, rows | count        get  -> row | value
//   apply    edits: [{path, command, ...}], one change         schema  -> a menu's properties
//   menus    -> every menu with its commands
// "numbers" may be called ".id" or "target". Each request is one change: entirely or not at all.
// Control thread only.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "control/model/commands.h"

namespace maclane::door {

using Json = nlohmann::ordered_json;

class Requests {
 public:
  static constexpr size_t kMaxLine = 1U << 20;  // a longer request is refused
  static constexpr size_t kMaxDepth = 16;       // of nested JSON
  static constexpr size_t kMaxKeys = 512;       // in one JSON object

  explicit Requests(model::Commands& commands) : commands_(commands) {}

  /// Never throws; the reply has no newline at its end.
  [[nodiscard]] std::string answer(std::string_view line);

  /// A reply that says one error, for what went wrong around a request.
  [[nodiscard]] static std::string refusal(std::string message);

 private:
  Json reply(std::string_view line, Json& id);
  Json run(const Json& request);
  Json print(model::Call call, const model::Menu& menu, const Json& arguments);
  Json apply(const Json& arguments);
  model::Answer<model::Outcome> edit(const Json& request);
  static Json menus();
  static Json schema(const model::Menu& menu);

  model::Commands& commands_;
};

}  // namespace maclane::door
