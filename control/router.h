// The router: model, devices, compiler, services and doors put together, and the control thread's
// loop.
//
// One object, one thread. A change from whatever door arrives as Model's commit: devices are
// prepared, the tree is compiled, the snapshot published, services told; or nothing of it happens.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "control/compile/compile.h"
#include "control/devices.h"
#include "control/dhcp_servers.h"
#include "control/dns.h"
#include "control/door/doors.h"
#include "control/door/socket.h"
#include "control/listed_answers.h"
#include "control/listed_leases.h"
#include "control/listed_names.h"
#include "control/model/commands.h"
#include "control/model/store.h"
#include "control/observe/exhaustion.h"
#include "control/observe/rates.h"
#include "control/observe/traffic.h"
#include "control/script/event_scripts.h"
#include "control/script/scheduler.h"
#include "control/service/dataplane_io.h"
#include "control/service/host_plane.h"
#include "control/service/pacing.h"
#include "control/service/resolver.h"
#include "control/service/services.h"
#include "dataplane/dataplane.h"

namespace maclane {

struct RouterOptions {
  std::string config_path;
  std::string state_folder;
  std::string socket_path;
};

class Router {
 public:
  explicit Router(RouterOptions options);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// Loads the file, starts the dataplane, publishes the first snapshot, opens the console's
  /// socket.
  Status start();
  /// Loads the file again: all of it or none of it. What was warned of.
  Result<std::vector<std::string>> reload(const model::Caller& caller);
  /// Runs until stop; SIGHUP reloads, SIGTERM and SIGINT end it (through the descriptor of a
  /// signalfd).
  void run(int signal_fd);
  /// It ended to begin anew.
  [[nodiscard]] bool wants_restart() const { return restart_; }

  // for those who print
  [[nodiscard]] model::Model& model() { return model_; }
  [[nodiscard]] model::Commands& commands() { return commands_; }
  [[nodiscard]] const Dataplane& dataplane() const { return *dataplane_; }
  /// For a worker to carry out; false: it has too many already.
  bool request(unsigned worker, const Request& request) {
    return dataplane_->request(worker, request);
  }
  [[nodiscard]] const compile::CompileState& compiled() const { return *compiled_; }
  [[nodiscard]] const compile::LearnedState& learned() const { return devices_->learned(); }
  [[nodiscard]] const Services& services() const { return *services_; }
  [[nodiscard]] Services& services() { return *services_; }
  [[nodiscard]] const HostPlane& host_plane() const { return *host_; }
  /// It knows what the tree says.
  [[nodiscard]] NameServer& name_server() {
    if (names_pacing_.is_asked()) serve_names();
    return *names_;
  }
  [[nodiscard]] const LeaseNames& lease_names() const { return *lease_names_; }
  [[nodiscard]] const observe::Rates& rates() const { return rates_; }
  [[nodiscard]] std::chrono::steady_clock::time_point started() const { return started_; }
  [[nodiscard]] const observe::TrafficSince& traffic_since() const { return traffic_since_; }
  [[nodiscard]] observe::TrafficSince& traffic_since() { return traffic_since_; }
  struct LinkHistory {
    std::string last_up, last_down;
    unsigned downs = 0;
  };
  [[nodiscard]] const LinkHistory* link_history(const std::string& name) const;
  /// Raw rule counters, read once per print.
  [[nodiscard]] const std::vector<RuleCounter>& rule_counters() const;

 private:
  // router_load.cpp
  struct First {
    model::Tree tree;
    model::Base base;
  };
  Status open_state();
  Status lock_state();
  [[nodiscard]] Result<First> first_tree();
  [[nodiscard]] static Result<First> as_kept(model::Store::Kept kept);
  Status commit(const model::Tree& next);
  Result<compile::PortPlan> plan_devices(const model::Tree& next);
  Status publish(const model::Tree& next);
  void publish_again();
  void poll_links();
  [[nodiscard]] uint64_t dropped(Drop reason) const;
  bool republish();
  /// Publishes again if the time of a rule has begun or ended, or edits left indexes patched.
  void renew_rules();
  void make_host_services(const model::Tree& tree);
  void open_host_plane(const model::Tree& tree);
  /// Tells the name server what it is to answer: its files hold all rows.
  void serve_names();
  /// The same when it is due, as changes may come by the thousand (see Pacing).
  void serve_due_names();
  /// What /ip/settings says of the host plane's kernel: SYN cookies, ICMP limits, redirects.
  void set_kernel(const model::Tree& next, const ServiceConfig& config);
  [[nodiscard]] std::vector<be32> servers_to_ask();
  bool handle_signals(int signal_fd);  // false: time to end
  void handle_packets();
  void add_commands();

  RouterOptions options_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::unique_ptr<model::Store> store_;
  model::Model model_;
  model::Commands commands_{model_};
  std::unique_ptr<Dataplane> dataplane_;
  std::unique_ptr<Devices> devices_;
  std::unique_ptr<compile::CompileState> compiled_;
  compile::FibBuilders fib_builders_ = compile::rte_fib_builders();
  std::unique_ptr<DataplaneIo> io_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<HostPlane> host_;
  std::unique_ptr<LeaseFile> leases_;
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<LeaseNames> lease_names_;
  std::unique_ptr<NameServer> names_;
  Pacing names_pacing_;
  std::unique_ptr<ListedAddresses> listed_;
  std::unique_ptr<ListedNames> listed_names_;
  std::unique_ptr<ListedAnswers> listed_answers_;
  std::unique_ptr<ListedLeases> listed_leases_;
  script::Runner runner_{commands_};
  script::Scheduler scheduler_{runner_};
  script::EventScripts event_scripts_{runner_, scheduler_};
  std::unique_ptr<door::SocketDoor> door_;
  std::unique_ptr<door::Doors> doors_;  // to the network
  std::map<std::string, LinkHistory> links_;
  observe::Rates rates_;
  observe::TrafficSince traffic_since_;
  observe::Exhaustion exhaustion_{[this](Drop reason) { return dropped(reason); },
                                  [this] { return services_->arp().refused(); }};
  mutable std::vector<RuleCounter> rule_counters_;
  uint64_t renew_at_ms_ = 0;                            // not sooner
  int lock_fd_ = -1;                                    // the state folder is ours while it is open
  std::map<std::string, std::string> kernel_settings_;  // as they were set
  bool stop_ = false;
  bool restart_ = false;
  bool busy_ = false;  // packets came in the last round
};

/// The settings the dataplane takes at start.
[[nodiscard]] DataplaneConfig dataplane_config(const model::Tree& tree);

}  // namespace maclane
