// undo, redo, /system/history and /safe-mode: commands and rows of the model itself. See
// commands.h.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "control/model/commands_parts.h"

namespace maclane::model {
namespace {

constexpr size_t kMostLines = 40;  // of one change that are shown

std::string clock_text(std::chrono::system_clock::time_point when) {
  const std::time_t time = std::chrono::system_clock::to_time_t(when);
  std::tm local{};
  localtime_r(&time, &local);
  char text[32];
  (void)std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  return text;
}

/// Newest first, as RouterOS lists them.
std::vector<PrintRow> history_rows(const Model& model) {
  std::vector<PrintRow> rows;
  const auto& entries = model.history().entries();
  const SafeMode* safe = model.safe_mode();
  for (size_t i = entries.size(); i-- > 0;) {
    const HistoryEntry& entry = entries[i];
    const bool done = i < model.history().done();
    PrintRow row;
    row.id = fmt::format("*{:X}", entry.number);
    std::string change;
    const auto said = lines(diff(entry.before, entry.after), entry.after);
    for (size_t line = 0; line < std::min(said.size(), kMostLines); ++line) {
      change += (line == 0 ? "" : "\n") + said[line];
    }
    if (said.size() > kMostLines) change += fmt::format("\nand {} more", said.size() - kMostLines);
    row.fields = {{"action", entry.what},
                  {"by", entry.by.user.empty() ? "router" : entry.by.user},
                  {"via", entry.by.text()},
                  {"policy", "write"},
                  {"time", clock_text(entry.when)},
                  {"change", std::move(change)},
                  {"undoable", done ? "true" : "false"},
                  {"redoable", done ? "false" : "true"},
                  {"floating-undo",
                   safe != nullptr && done && entry.number > safe->first ? "true" : "false"}};
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<PrintRow> safe_mode_rows(const Model& model) {
  const SafeMode* safe = model.safe_mode();
  if (safe == nullptr) return {};
  PrintRow row;
  row.id = "*1";
  row.fields = {{"user", safe->owner.user},
                {"via", safe->owner.text()},
                {"changes", std::to_string(model.history().last_number() - safe->first)}};
  return {std::move(row)};
}

/// target: the tree that it would bring into effect; nullptr: none, or nothing to do.
Commands::Handler handler(Model& model, Status (Model::*what)(const Caller&),
                          const Tree* (*target)(const Model&) = nullptr) {
  return [&model, what, target](const Call&, const Caller& caller) -> Answer<Outcome> {
    if (const Tree* to = target == nullptr ? nullptr : target(model); to != nullptr) {
      if (auto may = may_change(model.tree(), *to, caller); !may) {
        return tl::make_unexpected(std::move(may.error()));
      }
    }
    if (Status status = (model.*what)(caller); !status) return refuse(std::move(status.error()));
    return Outcome{};
  };
}

/// Ends it, unless the session lost it without having been told: then it may be another's by now.
Commands::Handler ending(Model& model, Commands::Handler end) {
  return [&model, end = std::move(end)](const Call& call, const Caller& caller) -> Answer<Outcome> {
    if (auto lost = model.safe_mode_lost(caller.session))
      return refuse(Trouble::kGeneral, "failure: " + std::move(*lost));
    return end(call, caller);
  };
}

/// A person may take it from another session, which others are only told of.
Answer<Outcome> take_safe_mode(Model& model, const Call& call, const Caller& caller) {
  using Held = SafeMode::Held;
  const std::string_view hijack = call.get("hijack");
  const Held held = hijack == "unroll"    ? Held::kUnroll
                    : hijack == "release" ? Held::kRelease
                                          : Held::kRefuse;
  const SafeMode* safe = model.safe_mode();
  const bool of_another = safe != nullptr && safe->owner.session != caller.session;
  if (of_another && held == Held::kUnroll) {
    if (auto may = may_change(model.tree(), safe->before, caller); !may)
      return tl::make_unexpected(std::move(may.error()));
  }
  const std::string owner = of_another ? safe->owner.text() : "";
  Status status = model.take_safe_mode(caller, held);
  if (status) return Outcome{};
  auto failure = refuse(std::move(status.error()));
  if (of_another && held == Held::kRefuse && caller.session != 0) {
    failure.value().choice =
        Choice{fmt::format("Hijacking Safe Mode from {} - unroll/release/don't take it", owner),
               "hijack",
               {{'u', "unroll"}, {'r', "release"}, {'d', ""}}};
  }
  return failure;
}

const Tree* undone(const Model& model) {
  const HistoryEntry* entry = model.history().to_undo();
  return entry == nullptr ? nullptr : &entry->before;
}

const Tree* redone(const Model& model) {
  const HistoryEntry* entry = model.history().to_redo();
  return entry == nullptr ? nullptr : &entry->after;
}

const Tree* unrolled(const Model& model) {
  return model.safe_mode() == nullptr ? nullptr : &model.safe_mode()->before;
}

}  // namespace

Answer<void> may_change(const Tree& before, const Tree& after, const Caller& caller) {
  for (const MenuDiff& one : diff(before, after)) {
    if (caller.may(one.menu->edit_policy)) continue;
    auto failure = refuse(
        Trouble::kGeneral,
        fmt::format("not enough permissions (9): it would change {}, which the group of {} may not",
                    one.menu->path, caller.text()));
    failure.value().denied = true;
    return failure;
  }
  return {};
}

void add_history(Commands& commands) {
  Model& model = commands.model();
  commands.on("/", "undo", handler(model, &Model::undo, undone));
  commands.on("/", "redo", handler(model, &Model::redo, redone));
  commands.on("/safe-mode", "take", [&model](const Call& call, const Caller& caller) {
    return take_safe_mode(model, call, caller);
  });
  commands.on("/safe-mode", "release", ending(model, handler(model, &Model::release_safe_mode)));
  commands.on("/safe-mode", "unroll",
              ending(model, handler(model, &Model::unroll_safe_mode, unrolled)));
  model.provide_rows("/system/history", [&model] { return history_rows(model); });
  model.provide_rows("/safe-mode", [&model] { return safe_mode_rows(model); });
}

}  // namespace maclane::model
