// "Did you mean": the known name nearest to what was written.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace maclane::model {

/// The nearest of the names by edit distance, "" if none is near enough to be meant.
[[nodiscard]] std::string_view nearest(std::string_view written,
                                       std::span<const std::string_view> names);

/// `; did you mean "mtu"?` or "" if nothing is near.
[[nodiscard]] std::string did_you_mean(std::string_view written,
                                       std::span<const std::string_view> names);

/// "a, b or c".
[[nodiscard]] std::string any_of(std::span<const std::string_view> names);

}  // namespace maclane::model
