// The services together, as the daemon drives them: one place that knows which punt is whose.
// Control thread.
//
// The loop: after publish(), on_config(); for each punted packet and event, handle(); then tick(),
// and sleep until next_deadline() at most.
#pragma once

#include <cstdint>
#include <vector>

#include "control/service/address_book.h"
#include "control/service/arp.h"
#include "control/service/dhcp_alert.h"
#include "control/service/dhcp_client.h"
#include "control/service/dhcp_server.h"
#include "control/service/event_log.h"
#include "control/service/gateway_check.h"
#include "control/service/icmp.h"
#include "control/service/local.h"
#include "control/service/loop_protect.h"
#include "control/service/membership.h"
#include "control/service/packet_io.h"
#include "control/service/ping.h"
#include "control/service/pppoe_client.h"
#include "control/service/redirects.h"

namespace maclane {

class Services {
 public:
  /// seed: randomness for timers and limits.
  Services(PacketIo& io, const InterfaceName& name, uint64_t seed);

  /// After each publish.
  void on_config(const ServiceConfig& config);
  /// A punted packet; takes it.
  void handle(rte_mbuf* packet);
  void handle(const Event& event);
  void tick();
  /// On PacketIo::now_ms()'s clock; kNever: nothing is due.
  [[nodiscard]] uint64_t next_deadline() const;

  [[nodiscard]] std::vector<ArpRow> arp_rows() const { return arp_.rows(); }
  [[nodiscard]] Arp& arp() { return arp_; }
  [[nodiscard]] Icmp& icmp() { return icmp_; }
  [[nodiscard]] Local& local() { return local_; }
  [[nodiscard]] Membership& membership() { return membership_; }
  [[nodiscard]] LoopProtect& loop_protect() { return loop_protect_; }
  [[nodiscard]] const LoopProtect& loop_protect() const { return loop_protect_; }
  [[nodiscard]] DhcpClient& dhcp_client() { return dhcp_client_; }
  [[nodiscard]] const DhcpClient& dhcp_client() const { return dhcp_client_; }
  [[nodiscard]] PppoeClient& pppoe_client() { return pppoe_client_; }
  [[nodiscard]] const PppoeClient& pppoe_client() const { return pppoe_client_; }
  /// The router ends: who must be told is told.
  void end() { pppoe_client_.end(); }
  [[nodiscard]] DhcpServer& dhcp_server() { return dhcp_server_; }
  [[nodiscard]] const DhcpServer& dhcp_server() const { return dhcp_server_; }
  [[nodiscard]] DhcpAlert& dhcp_alert() { return dhcp_alert_; }
  [[nodiscard]] const DhcpAlert& dhcp_alert() const { return dhcp_alert_; }
  [[nodiscard]] Ping& ping() { return ping_; }
  /// What is kept by the name of an interface; before on_config().
  void rename(const Renames& renames);
  /// True once after something was learned or lost: the snapshot is to be made again.
  [[nodiscard]] bool changed();
  [[nodiscard]] Learned learned() const;
  [[nodiscard]] const AddressBook& addresses() const { return book_; }

 private:
  [[nodiscard]] bool is_session(IfIndex interface) const;

  PacketIo& io_;
  AddressBook book_;
  Icmp icmp_;
  Arp arp_;
  Local local_;
  Membership membership_;
  LoopProtect loop_protect_;
  DhcpClient dhcp_client_;
  PppoeClient pppoe_client_;
  DhcpServer dhcp_server_;
  DhcpAlert dhcp_alert_;
  GatewayCheck gateway_check_;
  Redirects redirects_;
  Ping ping_;
  EventLog event_log_;
};

}  // namespace maclane
