// Addresses of DHCP clients in address lists (behaviour.md C2, C-7: address-lists of a server and
// of a row of lease): while a lease is bound its address is in the lists of its server and in those
// of its row, with the server's name as its comment. What is in a list already stays as it is.
// Control thread only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "control/listed_addresses.h"
#include "control/service/dhcp_server.h"

namespace maclane {

class ListedLeases {
 public:
  /// Both outlive it.
  ListedLeases(ListedAddresses& listed, const DhcpServer& server)
      : listed_(listed), server_(server) {}

  /// The servers' configuration, or that of the lists, has changed.
  void on_config() { changed_ = true; }
  void tick();

 private:
  static constexpr uint64_t kPauseMs = 100;  // leases that change often are looked at together
  using Place = std::pair<std::string, uint32_t>;  // list and address
  [[nodiscard]] std::map<Place, std::string> wanted() const;

  ListedAddresses& listed_;
  const DhcpServer& server_;
  std::map<Place, std::string> listed_now_;  // with whose they are
  uint64_t seen_ = 0;                        // DhcpServer::changes()
  uint64_t next_ms_ = 0;
  bool changed_ = true;
};

}  // namespace maclane
