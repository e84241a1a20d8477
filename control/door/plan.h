// Whole configurations as commands: plan, apply, confirm, changes.
//
// A file is named and its text comes along (content), because the router does not read files of
// whoever asks. Control thread only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "control/model/commands.h"

namespace maclane::door {

/// Completes a file with what the running tree says and a file cannot.
using CompleteFile = std::function<model::Tree(model::Tree file)>;
void add_plan(model::Commands& commands, const CompleteFile& complete = {});

/// For a console that runs where the file is: the words of `plan FILE` and `apply FILE ...` with
/// the file read, others as they are.
[[nodiscard]] Result<std::vector<std::string>> with_file(std::vector<std::string> words);

}  // namespace maclane::door
