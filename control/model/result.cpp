// Errors as one line of text for people.
#include "control/model/result.h"

#include <fmt/format.h>

namespace maclane {

std::string Error::text() const {
  std::string out;
  if (!source.file.empty()) {
    out = source.file;
    if (source.line != 0) out += fmt::format(":{}", source.line);
    if (source.line != 0 && source.column != 0) out += fmt::format(":{}", source.column);
    out += ": ";
  }
  std::string place;
  for (const std::string* part : {&path, &row, &property}) {
    if (part->empty()) continue;
    if (!place.empty()) place += ' ';
    place += *part;
  }
  if (!place.empty()) out += place + ": ";
  return out + message;
}

}  // namespace maclane
