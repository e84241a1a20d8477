// What the parts of the request door share: JSON values as texts, errors as replies. Internal to
// control/door/request*.cpp. No state; control thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/door/request.h"

namespace maclane::door {

[[nodiscard]] Json json_of(const Errors& errors);
[[nodiscard]] Json refuse(std::string message, std::string_view path = {},
                          std::string_view property = {});
/// A JSON scalar as the text of a value.
[[nodiscard]] std::optional<std::string> text_of(const Json& value);
/// The same of a member; "" if there is none.
[[nodiscard]] std::string text_at(const Json& object, std::string_view key);
/// A switch: there and not "no".
[[nodiscard]] bool is_on(const Json& arguments, std::string_view key);
/// "a,b" or ["a","b"].
[[nodiscard]] std::vector<std::string> list_of(const Json& value);
/// Whether a command changes rows.
[[nodiscard]] bool is_edit(std::string_view command);
/// Who has the console's socket open: root, or a member of the group maclane.
[[nodiscard]] model::Caller console_caller();
/// What a print needs to know about its menu.
[[nodiscard]] Json describe(const model::Menu& menu);

}  // namespace maclane::door
