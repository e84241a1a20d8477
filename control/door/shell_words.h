// A command line that the shell took apart, put together again. No state; any thread.
#pragma once

#include <string>
#include <vector>

namespace maclane::door {

/// The words as one line. Where the shell took quotes away from a value that needs them, they are
/// put back: comment=a b becomes comment="a b". One word alone is a line already.
[[nodiscard]] std::string join_words(const std::vector<std::string>& words);

/// Words of which each name=value has its value as it stands: they are quoted for the language.
[[nodiscard]] std::string quoted_words(const std::vector<std::string>& words);

}  // namespace maclane::door
