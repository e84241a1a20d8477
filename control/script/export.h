// The tree as RouterOS commands that make it again.
//
// Compact (as it is unless asked otherwise): what differs from a fresh tree. Verbose: every
// property that has a value. Terse: one whole command a line. Secrets only with show-sensitive.
// Rows that others of their menu speak of come before these, and are put into their order with
// place-before.
//
// Ports are there before a script is imported: RouterOS sets them, found by the name they had from
// the start, and so do we. What has no such port yet (a router without a configuration file) is
// given it first, by its device (export_ports.h). No state; control thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "control/model/commands.h"
#include "control/script/runner.h"

namespace maclane::script {

struct ExportOptions {
  bool verbose = false;
  bool terse = false;
  bool sensitive = false;
  /// What the configuration file makes, where it is known: ports have their names from it.
  const model::Tree* base = nullptr;
  /// Rows that are left out; none if it is empty.
  std::function<bool(const model::Menu&, const model::Row&)> left_out;
};

/// The menus at and below a path ("/" is all), each with its heading.
[[nodiscard]] std::string export_text(const model::Tree& tree, std::string_view path,
                                      const ExportOptions& options);

/// export in every menu, to the caller or into a file.
void serve_export(model::Commands& commands, const Runner::FileAccess& files);

}  // namespace maclane::script
