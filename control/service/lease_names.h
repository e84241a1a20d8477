// The names of DHCP clients in the DNS (behaviour.md C2: add-dns-entries): each client that has an
// address of such a server is known by the name it calls itself (option 12), with the server's
// suffix after it. Control thread.
//
// Clients call themselves what they like, so that a name takes nothing from anybody: not from a row
// of /ip/dns/static, not from the router, not from a client that has it already (one with a row of
// lease goes before others, then who has called itself so for longest), and none that programs ask
// for on their own (wpad and isatap: VU#598349). It is one part of a name, of letters, digits, '-'
// and '_'; the suffix or the network's domain may stand after it. Who gets no name is told of in
// the log, once for each name.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/service/dhcp_server.h"

namespace maclane {

struct LeaseName {
  std::string name;  // small letters, no dot at its end
  uint32_t address = 0;
  uint32_t number = 0;  // of the lease
  friend bool operator==(const LeaseName&, const LeaseName&) = default;
};

/// What a client that calls itself `host_name` is called; "": it is no name. `domain`: what it was
/// told to be in.
[[nodiscard]] std::string lease_name(std::string_view host_name, std::string_view suffix,
                                     std::string_view domain);

class LeaseNames {
 public:
  /// Whether a name is somebody else's already.
  using Taken = std::function<bool(const std::string& name)>;

  /// The server outlives it.
  explicit LeaseNames(const DhcpServer& server) : server_(server) {}

  /// What is taken has changed, or the servers have.
  void on_config(Taken taken);
  /// True: the names are others than before. Leases that change often are looked at together.
  bool tick();

  /// By their addresses.
  [[nodiscard]] const std::vector<LeaseName>& all() const { return names_; }
  /// As lines of a hosts file.
  [[nodiscard]] std::string hosts() const;

 private:
  static constexpr uint64_t kPauseMs = 100;

  void look();

  const DhcpServer& server_;
  Taken taken_;
  std::vector<LeaseName> names_;
  std::set<std::string> refused_;  // what was said of who has no name
  uint64_t seen_ = 0;              // DhcpServer::changes()
  uint64_t next_ms_ = 0;
};

}  // namespace maclane
