// The PPPoE clients (behaviour.md C4): discovery (RFC 2516, RFC 4638), one PPP link a session
// (ppp_link.h), redial, and looking for concentrators (scan). Control thread; the IPv4 packets of a
// session are the workers' (dataplane/stage/pppoe.h).
//
// Any number of clients may stand on one interface, and on many macvlans of one wire: a PADO or
// PADS belongs to the client whose Host-Uniq it carries and whose interface it came to, a session
// frame to interface, session id and peer MAC (C-29). Of the offers the first that fits is taken.
//
// What fails is dialled again after 1, 2, 4 ... 64 seconds; a session that held for half a minute
// begins at 1 again. With dial-on-demand there is a first packet for the session before each dial:
// it waits here with those that follow, some of them, until there is one; what does not come to be
// is dialled again for the next packet. A session that is ended says so: LCP Terminate-Request and
// PADT, also when the router ends. A frame of a session that is nobody's (the router was killed) is
// answered with a PADT, at most one a second, so that the concentrator lets go.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/service/learned.h"
#include "control/service/packet_io.h"
#include "control/service/ppp_link.h"
#include "control/service/pppoe_packet.h"
#include "control/service/renames.h"
#include "control/service/seeds.h"

namespace maclane {

/// A client as monitor shows it.
struct PppoeStatus {
  std::string_view status;  // "disconnected", "dialing...", "verifying password...", "connected"
  std::string last_error;   // why it was not connected the last time; ""
  std::string service_name, ac_name;
  MacAddr ac_mac;
  std::string_view authentication;
  uint16_t session = 0, mtu = 0, mru = 0;  // 0: none
  be32 local{}, remote{};
  uint64_t uptime_ms = 0;
};

struct PppoeOffer {
  std::string service_name, ac_name;
  MacAddr mac;
};

class PppoeClient {
 public:
  PppoeClient(PacketIo& io, uint64_t seed);
  ~PppoeClient();

  /// Interfaces have other names from now on; before on_config().
  void rename(const Renames& renames);
  /// After each publish.
  void on_config(const ServiceConfig& config);
  /// A kPppoe punt; takes the packet.
  void handle(rte_mbuf* packet);
  /// A kNeighbour punt of an interface that is a session which is not there; takes the packet.
  void wanted(rte_mbuf* packet);
  void tick();
  [[nodiscard]] uint64_t next_deadline() const;
  /// Every session says good-bye: the router ends.
  void end();

  [[nodiscard]] bool changed() { return std::exchange(changed_, false); }
  void add_learned(Learned& learned) const;
  /// nullptr: no client of this name is in effect.
  [[nodiscard]] std::unique_ptr<PppoeStatus> status(std::string_view name) const;

  /// Asks the concentrators behind an interface again and again until stop_scan().
  uint64_t start_scan(std::string interface_name, IfIndex interface);
  void stop_scan(uint64_t scan);
  /// What has answered so far, each once.
  [[nodiscard]] const std::vector<PppoeOffer>& offers(uint64_t scan) const;

 private:
  struct Client;
  struct Scan {
    std::string interface_name;
    IfIndex interface = kNoIf;
    pppoe::Bytes host_uniq;
    uint64_t due_ms = 0;
    std::vector<PppoeOffer> offers;
  };

  [[nodiscard]] const Interface* running(IfIndex interface) const;
  [[nodiscard]] bool has_session(IfIndex interface) const;
  static void add_dormant(const Client& client, uint32_t number, Learned& learned);
  void send(IfIndex from, std::span<const uint8_t> frame);
  void discovered(const pppoe::Discovery& heard, IfIndex in_if);
  void in_session(const pppoe::SessionFrame& heard, IfIndex in_if);
  void offered(Scan& scan, const pppoe::Discovery& heard);

  PacketIo& io_;
  Seeds seeds_;
  std::map<std::string, std::unique_ptr<Client>, std::less<>> clients_;  // by name
  std::map<uint64_t, Scan> scans_;
  uint64_t last_scan_ = 0;
  uint64_t stray_ms_ = 0;  // the last PADT to a stranger
  bool changed_ = false;
};

}  // namespace maclane
