// From a call to what carries it out. See commands.h.
#include "control/model/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "control/model/commands_parts.h"
#include "control/model/nearest.h"

namespace maclane::model {
namespace {

std::string canonical_path(std::string_view path) {
  std::string out(path.substr(0, 128));
  std::replace(out.begin(), out.end(), ' ', '/');
  if (!out.starts_with('/')) out.insert(out.begin(), '/');
  return out;
}

tl::unexpected<Failure> no_menu(std::string_view path) {
  const std::string written = canonical_path(path);
  if (const std::string later = later_sentence(written); !later.empty()) {
    return refuse(Trouble::kMissing, fmt::format("no such command prefix: {}", later));
  }
  std::vector<std::string_view> names;
  for (const Menu& menu : menus()) names.push_back(menu.path);
  return refuse(Trouble::kMissing, fmt::format("no such command prefix: there is no menu \"{}\"{}",
                                               written, did_you_mean(written, names)));
}

tl::unexpected<Failure> no_command(const Menu& menu, std::string_view command) {
  const std::string path = fmt::format("{}/{}", menu.path == "/" ? "" : menu.path, command);
  if (const std::string later = later_sentence(path); !later.empty()) {
    return refuse(Errors{Error{fmt::format("no such command: {}", later),
                               std::string(menu.path),
                               {},
                               {},
                               {},
                               Trouble::kMissing}});
  }
  std::vector<std::string_view> names;
  for (const Command* one : commands_of(menu)) names.push_back(one->name);
  std::string_view why;
  if (menu.kind == Menu::Kind::kState) why = "; the rows here come from the router itself";
  if (menu.kind == Menu::Kind::kSettings) why = "; this menu holds settings, which can be set";
  if (menu.has(Menu::kFixedRows)) why = "; the rows of this menu are fixed";
  Error error{fmt::format("no such command: there is no \"{}\" here{}{}", command.substr(0, 64),
                          why, names.empty() ? "" : fmt::format("; it can be {}", any_of(names))),
              std::string(menu.path),
              {},
              {},
              {},
              Trouble::kMissing};
  return refuse(Errors{std::move(error)});
}

/// The policies a command of a kind needs are its menu's to say.
Policies needed(const Menu& menu, const Command& command) {
  const bool own = std::any_of(menu.commands.begin(), menu.commands.end(),
                               [&](const Command& one) { return &one == &command; });
  if (own) return command.policy;
  return command.policy == Policy::kRead ? menu.read_policy : menu.edit_policy;
}

using Builtin = Answer<Outcome> (*)(Job&);

Builtin builtin(std::string_view command) {
  if (command == "print") return print;
  if (command == "get") return get;
  if (command == "find") return find;
  if (command == "listen") return listen;
  for (std::string_view one :
       {"add", "set", "unset", "remove", "enable", "disable", "comment", "move"}) {
    if (command == one) return edit;
  }
  return nullptr;
}

}  // namespace

bool Call::has(std::string_view argument) const {
  return std::any_of(arguments.begin(), arguments.end(),
                     [&](const auto& one) { return one.first == argument; });
}

std::string_view Call::get(std::string_view argument) const {
  for (const auto& [name, value] : arguments) {
    if (name == argument) return value;
  }
  return {};
}

std::string Failure::text() const {
  std::string out;
  for (const Error& error : errors) {
    if (!out.empty()) out += '\n';
    out += error.text();
  }
  return out;
}

tl::unexpected<Failure> refuse(Trouble category, std::string message) {
  return refuse(Errors{Error{std::move(message), {}, {}, {}, {}, category}});
}

tl::unexpected<Failure> refuse(Errors errors) {
  Failure failure;
  if (!errors.empty()) failure.category = errors.front().trouble;
  failure.errors = std::move(errors);
  return tl::make_unexpected(std::move(failure));
}

Answer<void> permitted(std::string_view what, Policies policies, const Caller& caller) {
  if (caller.may(policies)) return {};
  std::string missing;
  for (size_t i = 0; i < kPolicies; ++i) {
    const auto policy = static_cast<Policy>(i);
    if (!policies.has(policy) || caller.may(policy)) continue;
    missing += fmt::format("{}{}", missing.empty() ? "" : ",", policy_name(policy));
  }
  auto failure = refuse(Trouble::kGeneral,
                        fmt::format("not enough permissions (9): {} needs the policy {}, which the "
                                    "group of {} does not have",
                                    what, missing, caller.text()));
  failure.value().denied = true;
  return failure;
}

Answer<void> may_write_files(std::string_view what, const Caller& caller) {
  return permitted(what, find_menu("/file")->edit_policy, caller);
}

const Failure& Running::failure() const {
  static const Failure none;
  return none;
}

uint64_t steady_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

std::string_view Outcome::ret() const {
  for (const auto& [name, value] : result) {
    if (name == "ret") return value;
  }
  return {};
}

Commands::Commands(Model& model) : model_(model) {
  add_history(*this);
}

void Commands::on(std::string_view path, std::string_view command, Handler handler) {
  const Menu* menu = find_menu(path);
  if (menu == nullptr || find_command(*menu, command) == nullptr) {
    std::fprintf(stderr, "maclane: the schema has no command %.*s in %.*s\n",
                 static_cast<int>(command.size()), command.data(), static_cast<int>(path.size()),
                 path.data());
    std::abort();
  }
  handlers_[{std::string(menu->path), std::string(command)}] = std::move(handler);
}

std::vector<std::string> Commands::unhandled() const {
  std::vector<std::string> out;
  for (const Menu& menu : menus()) {
    for (const Command& command : menu.commands) {
      if (handlers_.contains(std::pair(std::string(menu.path), std::string(command.name)))) {
        continue;
      }
      out.push_back(fmt::format("{} {}", menu.path, command.name));
    }
  }
  return out;
}

Answer<Outcome> Commands::run(const Call& call, const Caller& caller) {
  const Menu* menu = find_menu(call.path);
  if (menu == nullptr) return no_menu(call.path);
  const Command* command = find_command(*menu, call.command);
  if (command == nullptr) return no_command(*menu, call.command);
  if (auto may = permitted(fmt::format("{} {}", menu->path, command->name), needed(*menu, *command),
                           caller);
      !may)
    return tl::make_unexpected(std::move(may.error()));
  Call own = call;
  own.menu = menu;
  return carry_out(std::move(own), *command, caller);
}

Answer<Outcome> Commands::carry_out(Call call, const Command& command, const Caller& caller) {
  const Menu& menu = *call.menu;
  Job job{model_, std::move(call), menu, command, caller, {}};
  if (auto right = normalize_arguments(job); !right) {
    return tl::make_unexpected(std::move(right.error()));
  }
  const auto handler = handlers_.find(std::pair(std::string(menu.path), std::string(command.name)));
  Answer<Outcome> outcome;
  if (handler != handlers_.end()) {
    // What is done elsewhere must see what was changed so far.
    if (model_.in_batch()) {
      if (Status status = model_.flush_batch(); !status) return refuse(std::move(status.error()));
    }
    if (command.has(Command::kRows)) {
      auto rows = select_rows(job, !command.has(Command::kRowsOptional));
      if (!rows) return tl::make_unexpected(std::move(rows.error()));
      job.call.rows = std::move(*rows);
    }
    outcome = handler->second(job.call, caller);
  } else if (const Builtin carry = builtin(command.name); carry != nullptr) {
    outcome = carry(job);
  } else {
    return no_command(menu, command.name);
  }
  if (outcome) {
    std::move(job.warnings.begin(), job.warnings.end(), std::back_inserter(outcome->warnings));
  }
  return outcome;
}

}  // namespace maclane::model
