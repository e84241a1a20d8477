// What services learned from peers and the configuration does not hold: addresses, routes, name and
// time servers, PPPoE sessions. It is beside the tree: the compiler sees it, nothing edits the
// tree. Plain values; addresses in host order, as the compiler has them. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "dataplane/net/types.h"

namespace maclane {

/// kProgram: of the host plane, which did not say by what protocol.
enum class LearnedFrom : uint8_t { kDhcp, kPpp, kBgp, kOspf, kIsis, kRip, kProgram, kRedirect };

/// Whether it stands in the host plane's kernel, which had it first.
[[nodiscard]] constexpr bool is_of_kernel(LearnedFrom from) {
  return from != LearnedFrom::kDhcp && from != LearnedFrom::kPpp && from != LearnedFrom::kRedirect;
}

struct LearnedAddress {
  std::string interface;
  uint32_t address = 0;
  uint8_t length = 32;
  uint32_t network = 0;  // the other end of a point-to-point link; 0: from the address
  LearnedFrom origin = LearnedFrom::kDhcp;
};

/// How check-gateway finds whether a gateway is there.
enum class GatewayProof : uint8_t { kNone, kArp, kPing };

struct LearnedRoute {
  enum class Type : uint8_t { kUnicast, kBlackhole, kUnreachable, kProhibit };
  uint32_t network = 0;
  uint8_t length = 0;
  std::string gateway;  // "a.b.c.d%interface", or an interface
  uint8_t distance = 1;
  uint32_t pref_src = 0;
  LearnedFrom origin = LearnedFrom::kDhcp;
  std::string table{};  // "": main
  GatewayProof check = GatewayProof::kNone;
  Type type = Type::kUnicast;  // others have no gateway
};

/// An ICMP redirect: what the main table sends to told_by goes to gateway, for one destination.
struct LearnedRedirect {
  uint32_t destination = 0;
  uint32_t told_by = 0;
  uint32_t gateway = 0;
  std::string interface;  // of both
};

/// A name or time server, and by whom it was learned.
struct LearnedServer {
  be32 address{};
  std::string interface;
  friend bool operator==(const LearnedServer&, const LearnedServer&) = default;
};

/// A PPPoE session that carries IPv4, by the name of its interface; one without an id is dialled
/// when there is something to send.
struct LearnedSession {
  be16 id{};
  MacAddr peer;
  uint16_t mtu = 1492;
};

/// An address that is in a list for a while (/ip/firewall/address-list, timeout).
struct TimedRange {
  std::string list;
  uint32_t first = 0, last = 0;
  friend bool operator==(const TimedRange&, const TimedRange&) = default;
};

struct Learned {
  std::vector<LearnedAddress> addresses;
  std::vector<LearnedRoute> routes;
  std::vector<LearnedRedirect> redirects;
  std::vector<LearnedServer> dns, ntp;
  std::map<std::string, LearnedSession, std::less<>> sessions;
  /// Gateways that check-gateway found not to answer: by ping (else ARP), interface, address.
  std::set<std::tuple<bool, std::string, uint32_t>> lost_gateways;
  std::set<std::string, std::less<>> scanned;  // interfaces whose concentrators are looked for
  /// Address lists that have single addresses for a while, and what is there of more.
  std::set<std::string, std::less<>> timed_lists;
  std::vector<TimedRange> timed_ranges;
};

}  // namespace maclane
