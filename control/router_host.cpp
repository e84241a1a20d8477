// The router's host plane and what serves beside the packets: leases that are kept, the name
// server.
#include <fstream>

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

void Router::set_syn_cookies(const model::Tree& next) {
  const bool wanted = next.settings("/ip/settings").get_bool("tcp-syncookies");
  if (!host_->is_open() || syn_cookies_ == wanted) return;
  syn_cookies_ = wanted;
  // Where the namespace is the host's own, it is the host's to say.
  bool done = false;
  if (!host_->is_shared()) {
    const Netns::Scope inside = host_->netns().enter();
    std::ofstream file("/proc/sys/net/ipv4/tcp_syncookies");
    file << (wanted ? '1' : '0') << std::flush;
    done = file.good();
  }
  if (!done && wanted)
    log::write(log::Level::kWarning, "system,warning",
               "tcp-syncookies=yes has no effect: the namespace of programs is the host's own, or "
               "its settings cannot be written");
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
