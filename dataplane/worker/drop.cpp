#include "dataplane/worker/drop.h"

#include <array>

namespace maclane {

namespace {

#define MACLANE_X(name, help) #name,
constexpr std::array<std::string_view, kDropCount> kNames{MACLANE_DROPS(MACLANE_X)};
#undef MACLANE_X
#define MACLANE_X(name, help) help,
constexpr std::array<std::string_view, kDropCount> kHelp{MACLANE_DROPS(MACLANE_X)};
#undef MACLANE_X

}  // namespace

std::string_view drop_name(Drop reason) noexcept {
  const auto i = static_cast<size_t>(reason);
  return i < kDropCount ? kNames[i] : "unknown";
}

std::string_view drop_help(Drop reason) noexcept {
  const auto i = static_cast<size_t>(reason);
  return i < kDropCount ? kHelp[i] : "no reason of this build";
}

}  // namespace maclane
