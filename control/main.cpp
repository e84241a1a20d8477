// The daemon: maclane CONF.yaml. Options, signals, and errors said in full before anything starts.
#include <sched.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "control/door/reference.h"
#include "control/door/yaml.h"
#include "control/observe/log.h"
#include "control/observe/polled.h"
#include "control/router.h"

namespace {

using maclane::Error;
using maclane::Errors;

int say(const Errors& errors) {
  for (const Error& e : errors) std::fprintf(stderr, "%s\n", e.text().c_str());
  std::fprintf(stderr, "%zu error%s; nothing was started\n", errors.size(),
               errors.size() == 1 ? "" : "s");
  return 1;
}

/// --check: the whole file, every error, no device touched.
int check(const std::string& path) {
  auto loaded = maclane::door::load_yaml_file(path);
  if (!loaded) return say(loaded.error());
  for (const std::string& warning : loaded->warnings)
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  if (Errors errors = maclane::model::validate(loaded->tree); !errors.empty()) return say(errors);
  std::printf("%s: the configuration is right\n", path.c_str());
  return 0;
}

std::optional<maclane::log::Level> level_of(const std::string& name) {
  using maclane::log::Level;
  if (name == "debug") return Level::kDebug;
  if (name == "info") return Level::kInfo;
  if (name == "warning") return Level::kWarning;
  if (name == "error") return Level::kError;
  return std::nullopt;
}

/// /system/reboot: this process becomes a fresh one, as it was started. Nothing of it is left: no
/// descriptors (of devices and locks), no CPU that a thread was bound to.
int start_anew(const cpu_set_t& cpus, char** argv) {
  maclane::observe::set_time_zone("");
  (void)sched_setaffinity(0, sizeof cpus, &cpus);
  (void)close_range(STDERR_FILENO + 1, ~0U, 0);
  execv("/proc/self/exe", argv);
  std::perror("maclane: cannot start anew");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  (void)sched_getaffinity(0, sizeof cpus, &cpus);
  CLI::App app{"Maclane: one NIC, many MAC addresses, routed, filtered and masqueraded."};
  maclane::RouterOptions options;
  options.config_path = "/etc/maclane/maclane.yaml";
  options.state_folder = "/var/lib/maclane";
  options.socket_path = "/run/maclane/maclane.sock";
  std::string level = "info";
  bool check_only = false;
  bool print_schema = false;
  bool print_reference = false;
  app.add_option("config", options.config_path, "the configuration file")->capture_default_str();
  app.add_flag("--check", check_only, "check the configuration, say every error, start nothing");
  app.add_flag("--json-schema", print_schema, "print a JSON schema of the YAML, for editors");
  app.add_flag("--reference", print_reference, "print every menu and property, as Markdown");
  app.add_option("--state", options.state_folder, "the folder for what must outlive a restart")
      ->capture_default_str();
  app.add_option("--socket", options.socket_path, "the console's socket")->capture_default_str();
  app.add_option("--log-level", level, "debug, info, warning or error")->capture_default_str();
  app.set_version_flag("--version", "maclane " MACLANE_VERSION);
  CLI11_PARSE(app, argc, argv);

  if (print_schema) {
    std::printf("%s\n", maclane::door::json_schema().c_str());
    return 0;
  }
  if (print_reference) {
    std::printf("%s", maclane::door::reference().c_str());
    return 0;
  }
  const auto log_level = level_of(level);
  if (!log_level) {
    std::fprintf(stderr, "--log-level %s: must be debug, info, warning or error\n", level.c_str());
    return 2;
  }
  maclane::log::set_level(*log_level);
  if (check_only) return check(options.config_path);

  // Blocked before any thread starts, so that all inherit it and only the signalfd sees them.
  sigset_t signals;
  sigemptyset(&signals);
  for (int s : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&signals, s);
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return 1;
  std::signal(SIGPIPE, SIG_IGN);
  const int signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);

  bool restart = false;
  {
    maclane::Router router(options);
    if (maclane::Status status = router.start(); !status) return say(status.error());
    unsigned interfaces = 0;
    for (const auto& i : router.dataplane().current()->interfaces)
      if (i.kind != maclane::IfKind::kNone) ++interfaces;
    maclane::log::write(maclane::log::Level::kInfo, "system,info",
                        "maclane: forwarding on {} interface{}", interfaces,
                        interfaces == 1 ? "" : "s");
    router.run(signal_fd);
    restart = router.wants_restart();
  }
  close(signal_fd);
  maclane::log::write(maclane::log::Level::kInfo, "system,info", "maclane: ended");
  if (restart) return start_anew(cpus, argv);
  return 0;
}
