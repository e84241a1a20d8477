// Edit distance over short names.
#include "control/model/nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace maclane::model {
namespace {

constexpr size_t kLongestName =
    64;  // longer words are not misspelt names; keeps hostile input cheap

size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view written, std::span<const std::string_view> names) {
  if (written.empty() || written.size() > kLongestName) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(2, written.size() / 3) + 1;
  for (std::string_view name : names) {
    const size_t d = distance(written, name);
    if (d < best_distance && d < name.size()) {
      best = name;
      best_distance = d;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view written, std::span<const std::string_view> names) {
  const std::string_view near = nearest(written, names);
  return near.empty() ? std::string{} : fmt::format("; did you mean \"{}\"?", near);
}

std::string any_of(std::span<const std::string_view> names) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i != 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

}  // namespace maclane::model
