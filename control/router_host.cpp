// The router's host plane and what serves beside the packets: leases that are kept, the name
// server.
#include <algorithm>
#include <fstream>
#include <utility>

#include "control/observe/log.h"
#include "control/router.h"

namespace maclane {

void Router::make_host_services(const model::Tree& tree) {
  lease_names_ = std::make_unique<LeaseNames>(services_->dhcp_server());
  leases_ = std::make_unique<LeaseFile>(services_->dhcp_server(), options_.state_folder);
  host_ = std::make_unique<HostPlane>(
      *io_, services_->addresses(), services_->membership(),
      [this](IfIndex index) { return std::string(compiled_->names.name_of(index)); });
  services_->local().on_packet(
      [this](std::span<const uint8_t> packet, IfIndex in_if, bool broadcast) {
        return host_->deliver(packet, in_if, broadcast);
      });
  open_host_plane(tree);
  resolver_ = std::make_unique<Resolver>([this] { return servers_to_ask(); },
                                         [this] { return host_->enter(); });
  names_ = std::make_unique<NameServer>(options_.state_folder, *resolver_);
  names_->on_answer([this](const HeardAnswer& one) { listed_answers_->hear(one); });
  host_->before_names([this] {
    if (listed_answers_->is_wanted()) names_->look();
  });
}

/// A router without a place for programs still routes.
void Router::open_host_plane(const model::Tree& tree) {
  const Status status = host_->open(std::string(tree.settings("/dataplane").get("host-plane")));
  if (status) return;
  for (const Error& e : status.error())
    log::write(log::Level::kWarning, "system,warning",
               "{}; no programs can serve at the router's addresses", e.text());
}

void Router::serve_names() {
  names_pacing_.begin(Pacing::Clock::now());
  const model::Tree& tree = compiled_->tree;
  lease_names_->on_config(taken_names(tree));
  listed_leases_->on_config();
  if (host_->is_open()) {  // else it has said so
    names_->set_lease_names(lease_names_->hosts());
    std::vector<be32> ours;
    if (host_->is_shared()) {
      for (const InterfaceAddress& one : services_->addresses().all()) ours.push_back(one.address);
    }
    names_->configure(dns_files(tree, services_->learned(), ours), host_->netns(), io_->now_ms());
  }
  names_pacing_.end(Pacing::Clock::now());
}

void Router::serve_due_names() {
  if (names_pacing_.is_due(Pacing::Clock::now())) serve_names();
}

/// What /ip/settings says of the router's own programs' traffic is their kernel's to do.
void Router::set_kernel(const model::Tree& next, const ServiceConfig& config) {
  if (!host_->is_open()) return;
  const auto number = [](uint32_t value) {  // the kernel's are signed
    return std::to_string(static_cast<int32_t>(value));
  };
  const model::View settings = next.settings("/ip/settings");
  const bool cookies = settings.get_bool("tcp-syncookies");
  const std::string_view stamps = settings.get("tcp-timestamps");
  const std::map<std::string, std::string> wanted = {
      {"tcp_syncookies", cookies ? "1" : "0"},
      {"tcp_timestamps", stamps == "disabled"  ? "0"
                         : stamps == "enabled" ? "2"
                                               : "1"},
      {"icmp_ratelimit", number(std::min(config.icmp_rate_limit_ms, uint32_t{INT32_MAX}))},
      {"icmp_ratemask", number(config.icmp_rate_mask)},
      {"conf/all/accept_redirects", number(config.accept_redirects ? 1 : 0)},
      {"conf/all/secure_redirects", number(config.secure_redirects ? 1 : 0)}};
  if (kernel_settings_ == wanted) return;
  std::map<std::string, std::string> before = std::exchange(kernel_settings_, wanted);
  // Where the namespace is the host's own, it is the host's to say.
  const Netns::Scope inside = host_->netns().enter();
  for (const auto& [name, value] : wanted) {
    if (before[name] == value) continue;
    bool done = false;
    if (!host_->is_shared()) {
      std::ofstream file("/proc/sys/net/ipv4/" + name);
      file << value << std::flush;
      done = file.good();
    }
    if (!done && name == "tcp_syncookies" && value != "0")
      log::write(
          log::Level::kWarning, "system,warning",
          "tcp-syncookies=yes has no effect: the namespace of programs is the host's own, or "
          "its settings cannot be written");
  }
}

/// The name server that runs here has the static names and the cache; while there is none, those
/// of /ip/dns and those that DHCP and PPPoE servers told of.
std::vector<be32> Router::servers_to_ask() {
  if (!host_->is_open()) return {};
  if (names_pacing_.is_asked()) serve_names();
  if (names_->is_serving()) return {be32::from(0x7f000001)};
  std::vector<be32> out = dns_servers(model_.tree());
  for (const LearnedServer& one : services_->learned().dns) out.push_back(one.address);
  return out;
}

}  // namespace maclane
