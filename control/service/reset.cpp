#include "control/service/reset.h"

#include <fmt/format.h>

#include "control/observe/log.h"
#include "control/service/backup.h"

namespace maclane {
namespace {

using model::Answer;
using model::Call;
using model::Caller;
using model::Outcome;
using model::Policy;

constexpr std::string_view kBackup = "auto-before-reset.backup";

/// What is configured, to come back to. A sentence if there is none.
Answer<std::string> save(const model::Tree& tree, const script::Runner& runner,
                         const Caller& caller) {
  if (!runner.files().write) return "there are no files here: no backup was made";
  if (!caller.may(Policy::kPolicy | Policy::kSensitive)) {
    return fmt::format(
        "no backup was made before the reset: it holds secrets, which the group of {} may not see",
        caller.text());
  }
  auto bytes =
      Backup::pack(Backup::tree_text(tree), tree.settings("/system/identity").get("name"), {});
  if (!bytes) return model::refuse(std::move(bytes.error()));
  if (Status written = runner.files().write(kBackup, *bytes); !written) {
    return model::refuse(Trouble::kGeneral,
                         fmt::format("failure: nothing was reset: {} cannot be written: {}; say "
                                     "skip-backup=yes to do without",
                                     kBackup, written.error().front().text()));
  }
  return std::string();
}

Answer<Outcome> reset(model::Model& model, script::Runner& runner, const Call& call,
                      const Caller& caller) {
  const model::Reset what{call.is_on("keep-users"), call.is_on("no-defaults")};
  if (!what.keep_users && !caller.may(Policy::kPolicy)) {
    auto failure =
        model::refuse(Trouble::kGeneral,
                      fmt::format("not enough permissions (9): users would change too, which the "
                                  "group of {} may not; say keep-users=yes",
                                  caller.text()));
    failure.value().denied = true;
    return failure;
  }
  if (auto may = model::may_change(model.tree(), model.after_reset(what), caller); !may)
    return tl::make_unexpected(std::move(may.error()));
  const std::string after(call.get("run-after-reset"));
  if (!after.empty()) {
    if (!runner.files().read) return model::refuse(Trouble::kGeneral, "there are no files here");
    const auto text = runner.read_script(after);
    if (!text) {
      return model::refuse(Trouble::kGeneral,
                           fmt::format("failure: nothing was reset: run-after-reset={} cannot be "
                                       "read: {}",
                                       after, text.error().front().text()));
    }
    if (const auto mistake = script::mistake_in(script::Words::of_schema(), *text)) {
      return model::refuse(Trouble::kGeneral,
                           fmt::format("failure: nothing was reset: run-after-reset={}: {}", after,
                                       mistake->text()));
    }
  }
  Outcome out;
  if (!call.is_on("skip-backup")) {
    auto note = save(model.tree(), runner, caller);
    if (!note) return tl::make_unexpected(std::move(note.error()));
    if (!note->empty()) out.warnings.push_back(std::move(*note));
  }
  if (Status status = model.reset(what, caller); !status) {
    return model::refuse(std::move(status.error()));
  }
  log::write(log::Level::kInfo, "system,info", "configuration reset by {}{}", caller.text(),
             after.empty() ? "" : fmt::format(", {} is run now", after));
  if (after.empty()) return out;
  script::Task task;
  task.source = fmt::format("/import file-name={}; :log info message={}", script::quoted(after),
                            script::quoted(after + " was run after the reset"));
  task.name = after;
  task.caller = caller;
  task.detached = true;
  auto job = runner.start(std::move(task));
  if (job == nullptr) {
    return model::refuse(Trouble::kGeneral,
                         fmt::format("failure: it was reset, but {} was not run: too many scripts "
                                     "run already",
                                     after));
  }
  out.running = script::Runner::follower(
      std::move(job), fmt::format("failure: it was reset, but {} did not end well: ", after));
  return out;
}

}  // namespace

void add_reset(model::Commands& commands, script::Runner& runner) {
  commands.on("/system", "reset-configuration",
              [&model = commands.model(), &runner](const Call& call, const Caller& caller) {
                return reset(model, runner, call, caller);
              });
}

}  // namespace maclane
