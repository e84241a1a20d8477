// See active.h.
#include "control/door/active.h"

#include <fmt/chrono.h>

#include <ctime>

namespace maclane::door {

std::string login_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", local);
}

model::PrintRow active_row(uint64_t session, const std::string& when, const model::Caller& who,
                           std::string_view group) {
  model::PrintRow row;
  row.id = fmt::format("*{:X}", session);
  row.dynamic = false;
  row.fields = {{"when", when},
                {"name", who.user},
                {"address", who.address},
                {"via", who.via},
                {"group", std::string(group)},
                {"radius", "false"}};
  std::erase_if(row.fields, [](const auto& field) { return field.second.empty(); });
  return row;
}

}  // namespace maclane::door
