#include "control/router.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "control/clients.h"
#include "control/compile/clashes.h"
#include "control/compile/renamed.h"
#include "control/door/plan.h"
#include "control/lease_scripts.h"
#include "control/model/doubts.h"
#include "control/model/secrets.h"
#include "control/model/value.h"
#include "control/observe/log.h"
#include "control/observe/rows.h"
#include "control/ping_command.h"
#include "control/service/reset.h"
#include "control/service_config.h"
#include "control/traceroute_command.h"

namespace maclane {
namespace {

uint64_t random_seed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
    seed = static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  return seed;
}

std::string clock_text() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[32];
  (void)std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  return text;
}

compile::LearnedState::WallTime wall_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  const int second = (local.tm_hour * 60 + local.tm_min) * 60 + std::min(local.tm_sec, 59);
  return {static_cast<unsigned>(local.tm_wday), static_cast<uint32_t>(second)};
}

/// Whether an interface goes down, or has another address than before.
bool loses_addresses(const Snapshot* before, const Snapshot& now) {
  if (before == nullptr) return false;
  for (size_t i = 0; i < before->interfaces.size(); ++i) {
    const Interface& one = before->interfaces[i];
    if (!one.up || one.primary_address.raw == 0) continue;
    if (i >= now.interfaces.size() || !now.interfaces[i].up ||
        !(now.interfaces[i].primary_address == one.primary_address)) {
      return true;
    }
  }
  return false;
}

/// What was learned and is in the way of a network of ours is said when it begins to be.
void tell_of_new(const std::vector<compile::Clash>& before,
                 const std::vector<compile::Clash>& now) {
  for (const compile::Clash& one : now) {
    if (std::find(before.begin(), before.end(), one) != before.end()) continue;
    log::write(log::Level::kWarning, one.session ? "pppoe,ppp,warning" : "dhcp,warning", "{}: {}",
               one.interface, one.text);
  }
}

/// What the dataplane takes at start and cannot change while it runs.
constexpr std::string_view kTakenAtStart[] = {"workers", "spread",       "huge-pages", "memory",
                                              "mbufs",   "max-sessions", "host-plane"};

}  // namespace

Router::Router(RouterOptions options) : options_(std::move(options)) {}

Router::~Router() {
  // The doors and services go before what they use; the dataplane last.
  doors_.reset();
  door_.reset();
  runner_.end_all();
  listed_leases_.reset();
  listed_answers_.reset();
  listed_names_.reset();
  listed_.reset();
  names_.reset();
  resolver_.reset();
  host_.reset();
  leases_.reset();
  lease_names_.reset();
  services_.reset();
  io_.reset();
  devices_.reset();
  if (lock_fd_ >= 0) close(lock_fd_);
}

Status Router::start() {
  if (Status status = open_state(); !status) return status;
  // Before anything is read: passwords of the file are hashed under the key.
  if (Status status = model::secrets::open(options_.state_folder); !status) return status;
  model_.on_prepare([this](model::Tree t) -> Result<model::Tree> {
    auto with_macs = model::with_generated_macs(std::move(t), *store_);
    return with_macs ? doors_->prepare(std::move(*with_macs)) : std::move(with_macs);
  });
  Result<First> first = first_tree();
  if (!first) return tl::make_unexpected(first.error());

  std::string error;
  dataplane_ = Dataplane::start(dataplane_config(first->tree), &error);
  if (dataplane_ == nullptr) return fail(error);
  devices_ = std::make_unique<Devices>(*dataplane_);
  io_ = std::make_unique<DataplaneIo>(*dataplane_);
  services_ = std::make_unique<Services>(
      *io_,
      [this](IfIndex index) {
        return compiled_ == nullptr ? std::string() : std::string(compiled_->names.name_of(index));
      },
      random_seed());
  keep_clients(*services_, options_.state_folder);
  run_lease_scripts(*services_, event_scripts_);
  make_host_services(first->tree);
  observe::provide_rows(*this);
  listed_ = std::make_unique<ListedAddresses>(
      model_, ListedAddresses::World{
                  &dataplane_->address_lists(), [this] { return dataplane_->now_cs(); },
                  [this](std::string_view list) { return compiled_->names.list_number(list); },
                  [this](uint16_t list) { return compiled_->names.list_name(list); },
                  [this] { republish(); }});
  listed_->serve();
  listed_names_ = std::make_unique<ListedNames>(*listed_, *resolver_);
  listed_answers_ = std::make_unique<ListedAnswers>(
      *listed_, [this](const std::string& name, Resolver::Done done) {
        (void)resolver_->ask(name, {}, std::move(done));
      });
  listed_leases_ = std::make_unique<ListedLeases>(*listed_, services_->dhcp_server());
  doors_ = std::make_unique<door::Doors>(commands_, options_.state_folder,
                                         [this] { return host_->enter(); });
  model_.on_change([](const model::Change& change) {
    const std::string rows = model::rows_of(change.menus);
    log::write(log::Level::kInfo, "system,info", "{} by {}{}", change.what, change.by.text(),
               rows.empty() ? rows : fmt::format(" ({})", rows));
  });
  model_.on_notice([](const std::string& line) {
    log::write(log::Level::kWarning, "system,warning", "{}", line);
  });
  model_.on_commit([this](const model::Tree& next) { return commit(next); });
  model_.on_persist([this](const model::Lasting& state) { return store_->write(state); });
  if (Status status = model_.start(std::move(first->tree), std::move(first->base)); !status)
    return status;
  leases_->read();

  add_commands();
  add_client_commands(commands_, *services_,
                      [this](std::string_view name) { return compiled_->names.index_of(name); });
  add_resolve_command(commands_, *resolver_);
  const Asking asking{*services_, *io_, *resolver_,
                      [this](std::string_view name) { return compiled_->names.index_of(name); }};
  add_ping_commands(commands_, asking);
  add_traceroute_command(commands_, asking);
  add_dhcp_server_commands(commands_, *services_);
  add_dns_commands(commands_, *names_);
  runner_.use_files({[this](std::string_view name) { return doors_->files().read(name); },
                     [this](std::string_view name, std::string_view bytes) {
                       return doors_->files().write(name, bytes);
                     }});
  runner_.serve();
  scheduler_.keep(options_.state_folder + "/schedules.json");
  scheduler_.serve();
  if (const auto missing = commands_.unhandled(); !missing.empty())
    return fail(fmt::format("nothing carries out {}", fmt::join(missing, ", ")));
  door_ = std::make_unique<door::SocketDoor>(runner_, options_.socket_path);
  if (Status status = door_->start(); !status) return status;
  doors_->show_local(
      {[this] { return door_ ? door_->active_rows() : std::vector<model::PrintRow>(); },
       [this](uint64_t session) {
         if (door_) door_->end_session(session);
       }});
  doors_->start();
  return {};
}

/// A net_tap device comes with another MAC at each start. It has one of ours instead, which is kept
/// as those of macvlans are, unless the row or the device's own arguments name one.
Result<compile::PortPlan> Router::plan_devices(const model::Tree& next) {
  compile::PortPlan plan = compile::plan_ports(next);
  for (compile::PortPlan::Ethernet& one : plan.ethernets) {
    PortConfig& config = one.config;
    const std::string& device = config.device;
    if (config.set_mac || !device.starts_with("net_tap") || device.find(",mac=") != device.npos)
      continue;
    const auto mac =
        model::parse_mac(store_->mac_for("device " + device.substr(0, device.find(','))));
    config.set_mac = true;
    config.macs.insert(config.macs.begin(), mac ? MacAddr{*mac} : MacAddr{});
  }
  if (Status status = store_->save_macs(); !status)
    return tl::make_unexpected(std::move(status.error()));
  return plan;
}

Status Router::commit(const model::Tree& next) {
  if (compiled_ != nullptr) {
    Errors errors;
    const model::View now = compiled_->tree.settings("/dataplane");
    const model::View then = next.settings("/dataplane");
    for (std::string_view property : kTakenAtStart) {
      if (now.get(property) == then.get(property)) continue;
      errors.push_back(then.error(property, "is taken at start and was \"" +
                                                std::string(now.get(property)) +
                                                "\"; restart maclane to change it"));
    }
    if (!errors.empty()) return tl::make_unexpected(std::move(errors));
  }
  const Errors doubts = model::doubts(next, compiled_ != nullptr ? &compiled_->tree : nullptr);
  Renames renames;
  if (compiled_ != nullptr) renames = compile::renamed_interfaces(compiled_->tree, next);
  const Result<compile::PortPlan> plan = plan_devices(next);
  if (!plan) return tl::make_unexpected(plan.error());
  Status status = devices_->prepare(*plan, renames);
  if (status && !(status = publish(next))) devices_->revert();
  if (!status) {
    publish_again();  // devices that had to make room were made again and may have other numbers
    return status;
  }
  devices_->settle();
  for (const Error& doubt : doubts)
    log::write(log::Level::kWarning, "firewall,warning", "{}", doubt.text());
  return {};
}

/// What was in force before something was refused.
void Router::publish_again() {
  if (compiled_ == nullptr) return;
  const model::Tree tree = compiled_->tree;  // publish() puts another in its place
  (void)publish(tree);
}

Status Router::publish(const model::Tree& next) {
  dataplane_->poll();  // what no worker reads any more can be made the next
  compile::LearnedState learned = devices_->learned();
  learned.workers = dataplane_->workers();
  if (compiled_ != nullptr) learned.renames = compile::renamed_interfaces(compiled_->tree, next);
  learned.peers = services_->learned();
  listed_->add_learned(learned.peers);
  if (host_ != nullptr) host_->add_learned(learned.peers);
  learned.clock = wall_time();
  rename(learned.renames, learned.peers);
  for (const IfIndex index : services_->loop_protect().all_held())
    learned.held.emplace(renamed(learned.renames, compiled_->names.name_of(index)));
  Result<compile::Compiled> result =
      compile::compile_tree(next, learned, compiled_.get(), fib_builders_);
  if (!result) return tl::make_unexpected(result.error());
  if (result->state->names.has_reused()) {
    std::vector<RuleCounter> raw(kMaxRuleCounters);
    dataplane_->rule_counters(raw);
    result->state->names.start_reused(raw);
  }
  std::vector<compile::Clash> clashes;
  if (compiled_ != nullptr) clashes = compile::clashes(*compiled_, *dataplane_->current());
  compiled_ = std::move(result->state);
  for (const IfIndex added : compiled_->names.added())  // the number may have been another's
    traffic_since_.begin(added, observe::traffic_of(*dataplane_, added));
  const bool lost = loses_addresses(dataplane_->current(), *result->snapshot);
  dataplane_->publish(std::move(result->snapshot));
  Request purge;
  purge.kind = Request::Kind::kPurgeMasquerade;
  for (unsigned worker = 0; lost && worker < dataplane_->workers(); ++worker)
    (void)dataplane_->request(worker, purge);
  tell_of_new(clashes, compile::clashes(*compiled_, *dataplane_->current()));
  const ServiceConfig config = service_config(next, *compiled_);
  if (!learned.renames.empty()) {
    rename_keys(learned.renames, links_);
    services_->rename(learned.renames);
  }
  services_->on_config(config);
  leases_->set_interval(lease_store_interval(next));
  host_->on_config(config);
  names_pacing_.ask();
  serve_due_names();
  set_kernel(next, config);
  return {};
}

void Router::poll_links() {
  const std::vector<std::string> changed = devices_->poll_links();
  for (const std::string& name : changed) {
    const bool up = devices_->learned().ethernets.find(name)->second.link_up;
    LinkHistory& history = links_[name];
    (up ? history.last_up : history.last_down) = clock_text();
    if (!up) ++history.downs;
    log::write(log::Level::kInfo, "interface,info", "{} link {}", name, up ? "up" : "down");
  }
  if (!changed.empty()) republish();
}

/// Packets that were dropped for a reason, of all interfaces.
uint64_t Router::dropped(Drop reason) const {
  uint64_t sum = 0;
  for (size_t i = 0; i < compiled_->names.interface_limit(); ++i)
    sum += dataplane_->drops(static_cast<IfIndex>(i), reason);
  return sum;
}

/// The same tree with what was learned since. false: it was refused, and the log says why.
bool Router::republish() {
  const Status status = publish(model_.tree());
  if (status) return true;
  for (const Error& e : status.error())
    log::write(log::Level::kError, "system,error", "{}", e.text());
  return false;
}

void Router::renew_rules() {
  constexpr uint64_t kAgainMs = 10'000;  // after it was refused
  if (model::steady_ms() < renew_at_ms_ || !compile::is_outdated(*compiled_, wall_time())) return;
  if (!republish()) renew_at_ms_ = model::steady_ms() + kAgainMs;
}

const Router::LinkHistory* Router::link_history(const std::string& name) const {
  auto it = links_.find(name);
  return it == links_.end() ? nullptr : &it->second;
}

const std::vector<RuleCounter>& Router::rule_counters() const {
  rule_counters_.resize(kMaxRuleCounters);
  dataplane_->rule_counters(rule_counters_);
  return rule_counters_;
}

void Router::add_commands() {
  door::add_plan(commands_, [this](model::Tree file) {
    return model::with_kept_macs(model_.tree(), std::move(file), *store_);
  });
  add_reset(commands_, runner_);
  using model::Answer;
  using model::Call;
  using model::Caller;
  using model::Outcome;
  const auto said = [](std::string text) {
    Outcome out;
    out.text = std::move(text);
    return out;
  };
  for (const char* path : {"/", "/system"}) {
    commands_.on(path, "reload",
                 [this, said](const Call&, const Caller& caller) -> Answer<Outcome> {
                   auto warnings = reload(caller);
                   if (!warnings) return model::refuse(std::move(warnings.error()));
                   Outcome out = said("reloaded");
                   out.warnings = std::move(*warnings);
                   return out;
                 });
    commands_.on(path, "status", [this](const Call&, const Caller&) -> Answer<Outcome> {
      Outcome out;
      out.result = observe::status(*this);
      return out;
    });
  }
  commands_.on("/system", "shutdown", [this, said](const Call&, const Caller&) -> Answer<Outcome> {
    stop_ = true;
    return said("stopping");
  });
  commands_.on("/system", "reboot", [this, said](const Call&, const Caller&) -> Answer<Outcome> {
    stop_ = restart_ = true;
    return said("rebooting");
  });
  for (const char* path :
       {"/ip/firewall/raw", "/ip/firewall/mangle", "/ip/firewall/filter", "/ip/firewall/nat"}) {
    commands_.on(path, "reset-counters",
                 [this](const Call& call, const Caller&) -> Answer<Outcome> {
                   const std::vector<RuleCounter>& raw = rule_counters();
                   for (const std::string& id : call.rows) {
                     const model::RowPtr row = model_.tree().find(*call.menu, id);
                     if (row) compiled_->names.reset(call.menu->path, row->id, raw);
                   }
                   return Outcome{};
                 });
    commands_.on(path, "reset-counters-all",
                 [this](const Call& call, const Caller&) -> Answer<Outcome> {
                   const std::vector<RuleCounter>& raw = rule_counters();
                   for (const model::RowPtr& row : model_.tree().rows(*call.menu))
                     compiled_->names.reset(call.menu->path, row->id, raw);
                   return Outcome{};
                 });
  }
}

}  // namespace maclane
