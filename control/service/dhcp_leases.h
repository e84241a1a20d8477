// The leases of the DHCP servers: who has which address, until when, and which addresses are free.
// No packets and no clock of its own: each call says what time it is. Control thread.
//
// An address stands in at most one lease, whichever server gave it: pools may be shared (C-2). A
// client is told by server and identity: its client-id where it sends one, else its MAC (C-11).
// A client gets the address it has, else the one it had last or asks for, if that is free, else the
// next free one from the end of the pool, so that an address rests before it is given again.
//
// A lease stands until it ends, whatever its server is called meanwhile, be it disabled or its pool
// changed; it goes with its server.
//
// Bounds: leases are as many as the pools have addresses, and 65536 at most; what clients had is
// remembered for as many.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/service/dhcp_server_config.h"

namespace maclane {

struct DhcpBinding {
  enum class Status : uint8_t { kWaiting, kTesting, kOffered, kBound, kDeclined, kConflict };
  uint32_t address = 0;
  uint32_t number = 0;     // tells a row from the others for as long as it is there
  uint32_t static_id = 0;  // of the row that a person wrote; 0: dynamic
  std::string server;      // who gave it; "" while nobody did
  std::string interface;   // where the client was heard
  std::string pool;        // "": of none
  std::string identity;    // DhcpLeases::identity()
  MacAddr mac;
  MacAddr src_mac{};  // of the frame its last message came in: a relay's, maybe
  std::vector<uint8_t> client_id{};
  std::string host_name, class_id;
  std::map<uint8_t, std::vector<uint8_t>> options{};  // of its last message, for a lease-script
  Status status = Status::kWaiting;
  uint64_t until_ms = UINT64_MAX;  // the status ends by itself
  int64_t seen_ms = kNeverSeen;    // the client was heard last; below 0: before the clock began
  int64_t bound_ms = kNeverSeen;   // the lease began
  int64_t named_ms = kNeverSeen;   // it has called itself host_name since then; so as well
  bool blocked = false;
  uint8_t offers = 0;  // that its client did not take, in a row

  static constexpr int64_t kNeverSeen = INT64_MIN;
  [[nodiscard]] bool is_static() const { return static_id != 0; }
};
using BindingStatus = DhcpBinding::Status;

[[nodiscard]] std::string_view status_text(BindingStatus status);

class DhcpLeases {
 public:
  static constexpr size_t kMost = 65536;
  using Reserved = std::function<bool(uint32_t address)>;  // an address of the router itself

  /// Static rows as they are now; dynamic leases of the same client and address become theirs.
  /// Calls gone() for each lease that went with its row or server or lost its address to a row, and
  /// renamed() for each whose server has another name now.
  void configure(const DhcpServingConfig& config,
                 const std::function<void(const DhcpBinding&)>& gone,
                 const std::function<void(const DhcpBinding&)>& renamed);

  /// What tells a client from others: the client-id, or the MAC where there is none.
  [[nodiscard]] static std::string identity(const MacAddr& mac, std::span<const uint8_t> client_id);

  [[nodiscard]] DhcpBinding* at(uint32_t address);
  /// The static lease of a client of this server; nullptr if it has none.
  [[nodiscard]] DhcpBinding* find_static(const std::string& server, const MacAddr& mac,
                                         std::span<const uint8_t> client_id);
  /// The lease a client has of this server, static or not.
  [[nodiscard]] DhcpBinding* find(const std::string& server, const std::string& identity);
  /// A free address for a client; the binding is new, dynamic and waiting. nullptr: none is left.
  DhcpBinding* allocate(const std::string& server, std::span<const DhcpPoolRange> ranges,
                        const std::string& identity, uint32_t wanted, const Reserved& reserved);
  /// One that an earlier process gave; nullptr if the address is taken.
  DhcpBinding* adopt(DhcpBinding binding);

  void set_status(DhcpBinding& binding, BindingStatus status, uint64_t until_ms);
  /// A static one waits again, a dynamic one is gone.
  void end(DhcpBinding& binding);
  /// Makes the client's identity findable, after its server was set.
  void claim(DhcpBinding& binding, const std::string& server, const std::string& identity);

  /// The first binding whose status ended; nullptr if none has.
  [[nodiscard]] DhcpBinding* due(uint64_t now_ms);
  [[nodiscard]] uint64_t next_deadline() const {
    return timers_.empty() ? UINT64_MAX : timers_.begin()->first;
  }

  [[nodiscard]] const std::map<uint32_t, DhcpBinding>& all() const { return by_address_; }

 private:
  void rename(const DhcpServingConfig& config,
              const std::function<void(const DhcpBinding&)>& renamed);
  void forget_client(const DhcpBinding& binding);
  [[nodiscard]] bool is_free(uint32_t address, const Reserved& reserved) const;
  DhcpBinding& insert(DhcpBinding binding);

  std::map<uint32_t, DhcpBinding> by_address_;
  std::unordered_map<std::string, uint32_t> by_client_;  // server, zero, identity
  std::unordered_map<std::string, uint32_t> had_;        // so, of leases that ended
  std::set<std::pair<uint64_t, uint32_t>> timers_;       // until, address
  std::map<std::string, uint32_t> next_;                 // by pool: where the search goes on
  std::map<uint32_t, DhcpStaticLease> statics_;          // by address
  std::map<uint32_t, std::string> names_;                // of the servers, by id
  uint32_t last_number_ = 0;
};

}  // namespace maclane
