// The DHCP servers between their parts: what of the tree they are told, their commands, and what of
// them outlives the process. Control thread.
#pragma once

#include <string>

#include "control/compile/names.h"
#include "control/model/commands.h"
#include "control/service/services.h"

namespace maclane {

/// From /ip/pool and /ip/dhcp-server.
[[nodiscard]] DhcpServingConfig dhcp_serving(const model::Tree& tree, const compile::Names& names);

/// The leases in the state folder (`dhcp-leases.jsonl`): one line for each change, the last line of
/// an address counts. Lines are added at once, so that a killed router knows its leases; the file
/// is written anew at start and then as /ip/dhcp-server/config says (C-12). A file that cannot be
/// read or written is said in the log.
class LeaseFile {
 public:
  LeaseFile(DhcpServer& server, const std::string& state_folder);
  /// Once, after the first configuration.
  void read();
  /// 0: each line is flushed to the disk. UINT64_MAX: no file.
  void set_interval(uint64_t ms) { interval_ms_ = ms; }
  void tick();

 private:
  void append(const DhcpBinding& binding);
  void rewrite();

  DhcpServer& server_;
  std::string path_;
  uint64_t interval_ms_ = 300'000;
  uint64_t next_ms_ = 0;
  bool reading_ = true;
  bool dirty_ = false;
  bool failed_ = false;
};

/// store-leases-disk, for LeaseFile::set_interval().
[[nodiscard]] uint64_t lease_store_interval(const model::Tree& tree);

/// /ip/dhcp-server/lease make-static and check-status, and remove of dynamic leases; reset-alert of
/// /ip/dhcp-server/alert.
void add_dhcp_server_commands(model::Commands& commands, Services& services);

}  // namespace maclane
