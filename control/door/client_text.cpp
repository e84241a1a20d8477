// See client_text.h.
#include "control/door/client_text.h"

#include <algorithm>

namespace maclane::door {
namespace {

/// Which rule an error is about: a change of one may make another wrong, and many are set at once.
std::string rule_of(const Error& error) {
  const model::Menu* menu = error.row.empty() ? nullptr : model::find_menu(error.path);
  if (menu == nullptr || menu->kind != model::Menu::Kind::kOrdered) return {};
  if (error.message.find(error.row) != std::string::npos) return {};
  return std::string(model::noun_of(*menu)) + " " + error.row;
}

}  // namespace

std::string client_text(const model::Failure& failure) {
  constexpr size_t kMost = 8;
  std::string out;
  for (size_t i = 0; i < failure.errors.size() && i < kMost; ++i) {
    const Error& error = failure.errors[i];
    if (i > 0) out += "; ";
    out += error.message;
    std::string place = rule_of(error);
    if (!error.property.empty() && error.message.find(error.property) == std::string::npos)
      place += (place.empty() ? "" : ", ") + error.property;
    if (!place.empty()) out += " (" + place + ")";
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

}  // namespace maclane::door
