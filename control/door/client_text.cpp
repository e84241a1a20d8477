// See client_text.h.
#include "control/door/client_text.h"

#include <algorithm>

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

}  // namespace maclane::door
