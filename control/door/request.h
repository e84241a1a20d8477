// One request line in, one reply line out: the console's protocol without its socket.
//
// A request is a JSON object {"path":"/interface/macvlan","command":"print","arguments":{...},
// "id":any}; the reply {"ok":true,...} or {"ok":false,"errors":[{"message","path","row","property",
// "text"}]}, with the request's id if it had one. Values are strings; numbers and true/false are
// taken for them. Commands of the model:
//   print    where, proplist, count-only -> menu, rows | count     get  numbers, value-name -> row
//   | value add      property: value, place-before -> ids                  set  numbers, property:
//   value remove, enable, disable  numbers                               comment  numbers, comment
//   move     numbers, destination                                  apply  edits: [{path, command,
//   ...}] menus    -> every menu with its commands                       schema  -> a menu's
//   properties
// "numbers" (or ".id", "target") is a name, *ID or index, several with commas. Each edit request is
// one change: entirely or not at all. What is not the model's (reload, status) main registers; a
// registered command goes before one of the model of the same name. Control thread only.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "control/model/model.h"

namespace maclane::door {

using Json = nlohmann::ordered_json;

class Requests {
 public:
  static constexpr size_t kMaxLine = 1U << 20;  // a longer request is refused
  static constexpr size_t kMaxDepth = 16;       // of nested JSON
  static constexpr size_t kMaxKeys = 512;       // in one JSON object

  /// The value becomes the reply's "result".
  using Handler = std::function<Result<Json>(const Json& arguments)>;

  explicit Requests(model::Model& model) : model_(model) {}

  void on_command(std::string path, std::string command, Handler handler) {
    handlers_[{std::move(path), std::move(command)}] = std::move(handler);
  }

  /// Never throws; the reply has no newline at its end.
  [[nodiscard]] std::string answer(std::string_view line);

  /// A reply that says one error, for what went wrong around a request.
  [[nodiscard]] static std::string refusal(std::string message);

 private:
  Json reply(std::string_view line, Json& id);
  Json print(const model::Menu& menu, const Json& arguments) const;
  Json get(const model::Menu& menu, const Json& arguments) const;
  Json edit(const Json& request);
  Json menus() const;
  static Json schema(const model::Menu& menu);
  Result<std::vector<model::Edit>> edits_of(const Json& request) const;
  std::vector<std::string> targets(const model::Menu& menu, const std::string& numbers) const;

  model::Model& model_;
  std::map<std::pair<std::string, std::string>, Handler> handlers_;
};

}  // namespace maclane::door
