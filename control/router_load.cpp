// What a router begins with, and what a changed configuration file becomes: the file, the state
// folder's database, and the two brought together (model/base.h). See router.h.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "control/door/yaml.h"
#include "control/model/state.h"
#include "control/observe/log.h"
#include "control/router.h"

namespace maclane {
namespace {

void warn(const std::vector<std::string>& sentences) {
  for (const std::string& one : sentences)
    log::write(log::Level::kWarning, "system,warning", "{}", one);
}

void complain(const Errors& errors) {
  for (const Error& e : errors) log::write(log::Level::kError, "system,error", "{}", e.text());
}

}  // namespace

/// One router a state folder: two would give macvlans of one name the same MAC.
Status Router::lock_state() {
  const std::string path = options_.state_folder + "/lock";
  lock_fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd_ < 0) return fail(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  if (flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 512> owner{};
    (void)pread(lock_fd_, owner.data(), owner.size() - 1, 0);
    return fail(
        fmt::format("the state folder {} is in use by {}; stop it, or name another folder "
                    "with --state",
                    options_.state_folder, owner.data()));
  }
  const std::string owner =
      fmt::format("the router with process id {} and socket {}", getpid(), options_.socket_path);
  if (ftruncate(lock_fd_, 0) != 0 ||
      pwrite(lock_fd_, owner.data(), owner.size(), 0) != static_cast<ssize_t>(owner.size()))
    return fail(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  return {};
}

Status Router::open_state() {
  // Locked before anything in it is touched.
  if (Status status = model::make_state_folder(options_.state_folder); !status) return status;
  if (Status status = lock_state(); !status) return status;
  Result<model::Store> store = model::Store::open(options_.state_folder);
  if (!store) return tl::make_unexpected(store.error());
  store_ = std::make_unique<model::Store>(std::move(*store));
  return {};
}

/// What was kept, with what is new in the file. A file that is wrong does not keep a router that
/// ran before from running.
Result<Router::First> Router::first_tree() {
  Result<std::optional<model::Store::Kept>> found = store_->read();
  if (!found) return tl::make_unexpected(found.error());
  std::optional<model::Store::Kept>& kept = *found;
  if (kept && kept->go_back) {
    log::write(
        log::Level::kWarning, "system,warning",
        "what was changed in safe mode, or applied and was not confirmed, before the restart "
        "is undone: the router is as it was before");
    kept->go_back->start_ids_after(kept->tree);
    kept->tree = std::move(*kept->go_back);
  }
  Result<door::Loaded> loaded = door::load_yaml_file(options_.config_path);
  if (loaded) warn(loaded->warnings);
  if (kept && loaded && loaded->text == kept->base.text) return as_kept(std::move(*kept));
  Errors errors;
  if (!loaded) {
    errors = std::move(loaded.error());
  } else {
    errors = model::validate(loaded->tree);
  }
  if (errors.empty()) {
    if (kept)
      loaded->tree = model::with_kept_macs(kept->base.tree, std::move(loaded->tree), *store_);
    auto file = model::with_generated_macs(std::move(loaded->tree), *store_);
    if (!file) return tl::make_unexpected(file.error());
    if (!kept) {
      model::Tree tree = *file;
      return First{std::move(tree), {std::move(*file), std::move(loaded->text)}};
    }
    model::Rebased next = model::rebase(kept->base.tree, kept->tree, std::move(*file));
    errors = model::validate(next.tree);
    if (errors.empty()) {
      warn(next.warnings);
      log::write(log::Level::kInfo, "system,info", "{} was changed since it was last loaded",
                 options_.config_path);
      return First{std::move(next.tree), {std::move(next.base), std::move(loaded->text)}};
    }
  }
  if (!kept) return tl::make_unexpected(std::move(errors));
  complain(errors);
  log::write(log::Level::kError, "system,error",
             "{} is refused; the configuration that ran before runs", options_.config_path);
  return as_kept(std::move(*kept));
}

/// Validated before anything starts, as a file is: another version may want more.
Result<Router::First> Router::as_kept(model::Store::Kept kept) {
  if (Errors errors = model::validate(kept.tree); !errors.empty())
    return tl::make_unexpected(std::move(errors));
  return First{std::move(kept.tree), std::move(kept.base)};
}

Result<std::vector<std::string>> Router::reload(const model::Caller& caller) {
  Result<door::Loaded> loaded = door::load_yaml_file(options_.config_path);
  if (!loaded) return tl::make_unexpected(loaded.error());
  std::vector<std::string> warnings = std::move(loaded->warnings);
  loaded->tree = model::with_kept_macs(model_.base().tree, std::move(loaded->tree), *store_);
  auto lost = model_.load(std::move(loaded->tree), std::move(loaded->text), caller);
  if (!lost) return lost;
  std::move(lost->begin(), lost->end(), std::back_inserter(warnings));
  warn(warnings);
  log::write(log::Level::kInfo, "system,info", "configuration reloaded from {}",
             options_.config_path);
  return warnings;
}

}  // namespace maclane
