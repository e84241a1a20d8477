// `duration` of a command that goes on, for the doors that stop such a command themselves. See
// client_text.h.
#include "control/door/client_text.h"
#include "control/model/value.h"

namespace maclane::door {

std::optional<uint64_t> take_duration(model::Call& call) {
  const model::Menu* menu = model::find_menu(call.path);
  const model::Command* command =
      menu == nullptr ? nullptr : model::find_command(*menu, call.command);
  if (command == nullptr || command->find("duration") != nullptr) return std::nullopt;
  const bool goes_on = command->has(model::Command::kStreams) || call.has("interval") ||
                       call.has("follow") || call.has("follow-only");
  const auto duration = model::parse_time_ms(call.get("duration"));
  if (!goes_on || !duration || *duration < 0) return std::nullopt;
  std::erase_if(call.arguments, [](const auto& one) { return one.first == "duration"; });
  return static_cast<uint64_t>(*duration);
}

}  // namespace maclane::door
