// Edit distance over short names.
#include "control/model/nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace maclane::model {
namespace {

constexpr size_t kLongestName =
    64;  // longer words are not misspelt names; keeps hostile input cheap

/// Letters left out, put in, changed, or swapped with the next one.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  std::vector<size_t> above = row, above_that = row;
  for (size_t i = 1; i <= a.size(); ++i) {
    above_that.swap(above);
    above.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = a[i - 1] == b[j - 1];
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && !same && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], above_that[j - 2] + 1);
    }
  }
  return row[b.size()];
}

/// How many mistakes a word of this length may have and still be meant: one in three letters. Two
/// letters are near to everything.
size_t most_mistakes(size_t letters) {
  return letters / 3;
}

/// Of three letters none is another one by mistake: foo is not for. One may be missing or swapped.
bool may_be_meant(std::string_view written, std::string_view name) {
  if (written.size() > 3 || name.size() != written.size()) return true;
  return std::is_permutation(written.begin(), written.end(), name.begin());
}

}  // namespace

std::string_view nearest(std::string_view written, std::span<const std::string_view> names) {
  if (written.empty() || written.size() > kLongestName) return {};
  std::string_view best;
  size_t best_distance = most_mistakes(written.size()) + 1;
  for (std::string_view name : names) {
    const size_t d = distance(written, name);
    if (d < best_distance && d < name.size() && may_be_meant(written, name)) {
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
