// /system/reset-configuration: back to the configuration file, or to nothing at all.
//
// With no-defaults=yes only what the machine has remains: its ports, by the names they have from
// the start, and the dataplane's settings, which are taken at start. Before it, everything is saved
// in auto-before-reset.backup, as RouterOS does, unless skip-backup=yes is said or the caller may
// not see secrets. It takes the policies of all menus that it changes. run-after-reset names a file
// of /file that has no mistake of writing; it is imported afterwards, in a script of its own, which
// goes on if whoever asked is cut off by the reset; the log says how it ended.
// Control thread only.
#pragma once

#include "control/model/commands.h"
#include "control/script/runner.h"

namespace maclane {

void add_reset(model::Commands& commands, script::Runner& runner);

}  // namespace maclane
