// Scripts that are kept, and the times at which they run. See scheduler.h.
#include "control/script/scheduler.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "control/model/value.h"
#include "control/observe/log.h"

namespace maclane::script {
namespace {

using model::Answer;
using model::Call;
using model::Caller;
using model::Outcome;
using model::Policies;
using model::View;

constexpr std::time_t kStartupDelay = 3;
constexpr std::time_t kLeap = 120;  // a clock that moved so far was set

std::string clock_text(std::time_t when) {
  std::tm local{};
  localtime_r(&when, &local);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", local);
}

Policies policies_of(std::string_view list) {
  Policies out;
  for (std::string_view name : model::split_list(list)) {
    for (size_t i = 0; i < model::kPolicies; ++i) {
      if (model::kPolicyNames[i] == name) out |= static_cast<model::Policy>(i);
    }
  }
  return out;
}

}  // namespace

std::optional<std::time_t> Scheduler::next_run(const View& row, std::time_t after,
                                               std::time_t since, std::time_t started) {
  const auto interval = static_cast<std::time_t>(row.get_time_ms("interval") / 1000);
  const std::string time(row.get("start-time"));
  const std::string date(row.get("start-date"));
  std::time_t first = since + interval;
  if (time == "startup") {
    first = started + kStartupDelay;
  } else if (!time.empty() || !date.empty()) {
    std::tm local{};
    localtime_r(&since, &local);
    local.tm_isdst = -1;
    const int second = model::parse_time_of_day(time).value_or(0);
    local.tm_hour = second / 3600;
    local.tm_min = second / 60 % 60;
    local.tm_sec = second % 60;
    if (const auto day = model::parse_day(date); day) {
      local.tm_year = day->year - 1900;
      local.tm_mon = day->month - 1;
      local.tm_mday = day->day;
    }
    first = std::mktime(&local);
  } else if (interval == 0) {
    return std::nullopt;
  }
  if (first > after) return first;
  if (interval <= 0) return std::nullopt;
  return first + ((after - first) / interval + 1) * interval;
}

Task Scheduler::task_of(const View& script, const Caller& caller) {
  Task task;
  task.source = script.get("source");
  task.name = script.get("name");
  task.caller = caller;
  task.caller.user = script.get("owner");
  task.caller.via = "script";
  task.caller.session = 0;
  task.caller.policies = policies_of(script.get("policy"));
  Script& known = scripts_[script.row().id];
  ++known.runs;
  known.last = std::time(nullptr);
  return task;
}

Task Scheduler::event_task(const std::string& event, std::string_view name, const Caller& caller) {
  const model::Tree& tree = runner_.commands().model().tree();
  const model::Menu& scripts = *model::find_menu("/system/script");
  Task task;
  const model::RowPtr named = tree.find(scripts, event);
  if (named && !event.starts_with('*')) {
    task = task_of(View(scripts, *named), caller);
    task.caller.policies.bits &= caller.policies.bits;
  } else {
    task.source = event;
    task.name = name;
    task.caller = caller;
  }
  task.detached = true;
  return task;
}

void Scheduler::run(const View& row) {
  Caller caller;
  caller.user = row.get("owner");
  caller.via = "scheduler";
  caller.policies = policies_of(row.get("policy"));
  Task task = event_task(std::string(row.get("on-event")), row.get("name"), caller);
  if (runner_.start(std::move(task)) == nullptr) {
    log::write(log::Level::kError, "script,error", "{} was not run: too many scripts run already",
               row.get("name"));
  }
}

/// What changed since the last look.
void Scheduler::look(std::time_t now) {
  const model::Model& model = runner_.commands().model();
  if (revision_ == model.revision()) return;
  revision_ = model.revision();
  std::map<uint32_t, Entry> known;
  known.swap(entries_);
  for_each(model.tree(), "/system/scheduler", [&](const View& row) {
    Entry entry;
    const auto before = known.find(row.row().id);
    if (before != known.end()) entry = before->second;
    std::string key = fmt::format("{} {} {} {}", row.get("start-date"), row.get("start-time"),
                                  row.get("interval"), row.disabled());
    if (key != entry.key) {
      entry.key = std::move(key);
      entry.since = before == known.end() ? kept_since(row, entry.key, now) : now;
      entry.next = row.disabled() ? std::nullopt : next_run(row, now - 1, entry.since, started_);
    }
    if (since_)
      since_->note(std::string(row.get("name")), fmt::format("{} {}", entry.since, entry.key));
    entries_.emplace(row.row().id, std::move(entry));
  });
  if (!since_) return;
  since_->keep_only([&](const std::string& name) {
    return model.tree().find(*model::find_menu("/system/scheduler"), name) != nullptr;
  });
  since_->save();
}

/// Since when a row is there that was not seen since the router started.
std::time_t Scheduler::kept_since(const View& row, const std::string& key, std::time_t now) const {
  const std::string kept = since_ ? since_->of(row.get("name")) : std::string{};
  const size_t blank = kept.find(' ');
  if (blank == std::string::npos || kept.substr(blank + 1) != key) return now;
  const auto since = model::parse_integer(kept.substr(0, blank));
  return since && *since <= now ? static_cast<std::time_t>(*since) : now;
}

void Scheduler::keep(const std::string& path) {
  since_.emplace(path, "since when schedules are there: their intervals begin anew");
}

void Scheduler::turn(std::time_t now) {
  if (now == last_) return;
  if (started_ == 0) started_ = now;
  const bool leapt = last_ != 0 && (now < last_ || now - last_ > kLeap);
  last_ = now;
  look(now);
  const model::Menu& menu = *model::find_menu("/system/scheduler");
  const model::Tree& tree = runner_.commands().model().tree();
  for (auto& [id, entry] : entries_) {
    if (!entry.next) continue;
    const model::RowPtr row = tree.find(menu, model::row_id(id));
    if (!row) continue;
    const View view(menu, *row);
    if (leapt) {
      entry.next = next_run(view, now - 1, std::min(entry.since, now), started_);
      if (!entry.next) continue;
    }
    if (*entry.next > now) continue;
    ++entry.runs;
    entry.next = next_run(view, now, entry.since, started_);
    run(view);
  }
}

Answer<Outcome> Scheduler::run_scripts(const Call& call, const Caller& caller) {
  const model::Menu& menu = *call.menu;
  std::vector<Task> tasks;
  for (const std::string& id : call.rows) {
    const model::RowPtr row = runner_.commands().model().tree().find(menu, id);
    if (!row) continue;
    const View script(menu, *row);
    const bool own =
        call.is_on("use-script-permissions") || script.get_bool("dont-require-permissions");
    if (!own && !caller.may(policies_of(script.get("policy")))) {
      return model::refuse(
          Trouble::kGeneral,
          fmt::format("not enough permissions (9): the script {} needs policies that {} does not "
                      "have: {}",
                      script.get("name"), caller.text(), script.get("policy")));
    }
    tasks.push_back(task_of(script, caller));
  }
  Outcome out;
  if (tasks.empty()) return out;
  // One after the other: the next ones are started by the first, as lines of a script.
  Task all = std::move(tasks.front());
  for (size_t i = 1; i < tasks.size(); ++i) all.source += "\n" + tasks[i].source;
  auto job = runner_.start(std::move(all));
  if (job == nullptr) return model::refuse(Trouble::kGeneral, "too many scripts run already");
  out.running = runner_.waiter(std::move(job), false);
  return out;
}

void Scheduler::serve() {
  model::Model& model = runner_.commands().model();
  runner_.commands().on("/system/script", "run", [this](const Call& call, const Caller& caller) {
    return run_scripts(call, caller);
  });
  model.provide("/system/script", [this](const View& row, model::Fields& out) {
    const auto known = scripts_.find(row.row().id);
    if (known == scripts_.end()) return;
    out.emplace_back("last-started", clock_text(known->second.last));
    out.emplace_back("run-count", std::to_string(known->second.runs));
  });
  model.provide("/system/scheduler", [this](const View& row, model::Fields& out) {
    look(std::time(nullptr));
    const auto known = entries_.find(row.row().id);
    if (known == entries_.end()) return;
    out.emplace_back("run-count", std::to_string(known->second.runs));
    if (known->second.next) out.emplace_back("next-run", clock_text(*known->second.next));
  });
  model.provide_rows("/system/script/job", [this] {
    std::vector<model::PrintRow> rows;
    for (const auto& job : runner_.jobs()) {
      const Caller& caller = job->task().caller;
      model::PrintRow row;
      row.id = fmt::format("*{:X}", job->number());
      row.fields = {
          {"script", job->task().name},
          {"owner", caller.user},
          {"type", caller.via == "script" || caller.via == "scheduler" ? caller.via : "login"},
          {"started", clock_text(job->started_ns() / 1'000'000'000)}};
      rows.push_back(std::move(row));
    }
    return rows;
  });
  model.provide_remove("/system/script/job", [this](std::string_view id) -> Status {
    for (const auto& job : runner_.jobs()) {
      if (fmt::format("*{:X}", job->number()) != id) continue;
      job->stop();
      return {};
    }
    return fail("no such item", Trouble::kMissing);
  });
  model.provide_rows("/system/script/environment", [this] {
    std::vector<model::PrintRow> rows;
    for (const auto& [user, globals] : runner_.all_globals()) {
      for (const auto& [name, value] : globals.all()) {
        model::PrintRow row;
        row.id = fmt::format("*{:X}", rows.size() + 1);
        row.fields = {{"name", name}, {"user", user}, {"value", value.to_text()}};
        rows.push_back(std::move(row));
      }
    }
    return rows;
  });
  model.provide_remove("/system/script/environment", [this](std::string_view id) -> Status {
    size_t number = 0;
    for (const auto& [user, globals] : runner_.all_globals()) {
      for (const auto& [name, value] : globals.all()) {
        if (fmt::format("*{:X}", ++number) != id) continue;
        (void)runner_.globals(user).set(std::string(name), Value{});
        return {};
      }
    }
    return fail("no such item", Trouble::kMissing);
  });
}

}  // namespace maclane::script
