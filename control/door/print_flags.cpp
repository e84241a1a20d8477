// See print_flags.h.
#include "control/door/print_flags.h"

namespace maclane::door {

void take_print_flags(const model::Menu& menu, model::Call& call, std::vector<std::string>& words) {
  const model::Command* print = model::find_command(menu, "print");
  std::erase_if(call.arguments, [&](const auto& argument) {
    const auto& [name, value] = argument;
    if (print == nullptr || print->find(name) != nullptr) return false;
    const model::Property* property = menu.find(name);
    if (property == nullptr || property->type != model::Type::kBool) return false;
    if (!value.empty() && value != "yes" && value != "true") return false;
    words.push_back(name + "=true");
    return true;
  });
}

}  // namespace maclane::door
