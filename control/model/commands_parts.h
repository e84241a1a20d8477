// What the parts of Commands share. Included by commands*.cpp only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/commands.h"

namespace maclane::model {

/// One call while it is carried out.
struct Job {
  Model& model;
  Call call;
  const Menu& menu;
  const Command& command;
  const Caller& caller;
  std::vector<std::string> warnings;
};

// commands_arguments.cpp
/// Arguments by the command's properties: names, canonical values, defaults, what is missing. The
/// menu's own properties, where the command takes them, are left as written.
[[nodiscard]] Answer<void> normalize_arguments(Job& job);

// commands_rows.cpp
/// The rows named by `numbers` or found by the filter, as ids; takes the argument away.
/// required: naming none is a mistake.
[[nodiscard]] Answer<std::vector<std::string>> select_rows(Job& job, bool required);
/// One row of the menu by name, *ID or index, as its id; "" if there is none.
[[nodiscard]] std::string find_row(const Model& model, const Menu& menu, std::string_view written);
/// Where a row is put before another, as the id of that one: "" is the end; nullopt: there is none
/// such.
[[nodiscard]] std::optional<std::string> find_place(const Model& model, const Menu& menu,
                                                    std::string_view written);
/// The rows of a menu as this caller may see them.
[[nodiscard]] std::vector<PrintRow> visible_rows(const Model& model, const Menu& menu,
                                                 const Caller& caller);

// commands_read.cpp
[[nodiscard]] Answer<Outcome> print(Job& job);
[[nodiscard]] Answer<Outcome> get(Job& job);
[[nodiscard]] Answer<Outcome> find(Job& job);
// commands_listen.cpp
[[nodiscard]] Answer<Outcome> listen(Job& job);
/// print with interval or follow. The call's filter and properties choose what is said.
[[nodiscard]] std::unique_ptr<Running> repeat_print(const Job& job, uint64_t interval_ms);
[[nodiscard]] std::unique_ptr<Running> follow(const Job& job, bool from_the_start);
/// Leaves of each row what was asked for.
void keep_only(const std::vector<std::string>& proplist, PrintRow& row);

// commands_history.cpp
void add_history(Commands& commands);

// commands_edit.cpp
[[nodiscard]] Answer<Outcome> edit(Job& job);

// commands_live.cpp
/// Carries out edits of which some may concern rows that exist only as state and can be edited: all
/// of them or none. The ids of rows that were added.
[[nodiscard]] Answer<std::vector<std::string>> apply_edits(Job& job, std::vector<Edit> edits);

}  // namespace maclane::model
