// See client_text.h.
#include "control/door/client_text.h"

#include <algorithm>

#include "control/model/value.h"

namespace maclane::door {

std::string client_text(const model::Failure& failure) {
  constexpr size_t kMost = 8;
  std::string out;
  for (size_t i = 0; i < failure.errors.size() && i < kMost; ++i) {
    const Error& error = failure.errors[i];
    if (i > 0) out += "; ";
    out += error.message;
    if (!error.property.empty() && error.message.find(error.property) == std::string::npos)
      out += " (" + error.property + ")";
  }
  if (failure.errors.size() > kMost)
    out += "; and " + std::to_string(failure.errors.size() - kMost) + " more";
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out.empty() ? "failure" : out;
}

void drop_unwanted_ids(const model::Call& call, std::vector<model::PrintRow>& rows) {
  if (call.command != "print" || call.proplist.empty() ||
      std::find(call.proplist.begin(), call.proplist.end(), ".id") != call.proplist.end())
    return;
  for (model::PrintRow& row : rows) row.id.clear();
}

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
