// Every drop has a name. One list gives the enum, the name that people and metrics see, and the
// sentence that the console prints beside the counter.
#pragma once

#include <cstdint>
#include <string_view>

struct rte_mbuf;

namespace maclane {

// clang-format off
#define MACLANE_DROPS(X)                                                                              \
  X(short_frame,          "frame shorter than its headers")                                          \
  X(not_for_us,           "unicast to a MAC that no interface of the port has")                      \
  X(vport_down,           "the interface is disabled or its parent is down")                         \
  X(vlan_unknown,         "tagged with a VLAN that is not configured on the parent")                 \
  X(mcast_filtered,       "multicast group that nothing on the port listens to")                     \
  X(reflected,            "our own broadcast, sent back by the switch")                              \
  X(pause_frame,          "MAC control (pause) frame; never forwarded")                              \
  X(link_local_group,     "01:80:c2:00:00:0x group; never sent from a macvlan")                      \
  X(flood_budget,         "more broadcast copies in one burst than the budget allows")               \
  X(flood_no_mbuf,        "no packet buffer left for a broadcast copy")                              \
  X(unknown_ethertype,    "a protocol the router does not speak")                                    \
  X(arp_disabled,         "ARP on an interface with arp=disabled")                                   \
  X(arp_malformed,        "ARP packet with wrong sizes or addresses")                                \
  X(pppoe_malformed,      "PPPoE frame with a wrong header or length")                               \
  X(pppoe_session,        "PPPoE data of a session that is not ours, or not from its peer")          \
  X(ppp_malformed,        "PPP packet that ends too early or says what it must not")                 \
  X(dhcp_malformed,       "DHCP reply with wrong lengths, options or addresses")                     \
  X(dhcp_unexpected,      "DHCP reply that no client here waits for")                                \
  X(ip_malformed,         "bad IPv4 version, header length or total length")                         \
  X(ip_checksum,          "wrong IPv4 header checksum")                                              \
  X(ip_options,           "IPv4 source routing or malformed options")                                \
  X(ip_martian,           "source or destination address that must not be on the wire")              \
  X(l4_malformed,         "TCP, UDP, ICMP ... header shorter or longer than its packet")               \
  X(ttl_expired,          "time to live ran out; ICMP time exceeded is sent")                        \
  X(frag_malformed,       "fragment that overlaps, is too small or too long")                        \
  X(frag_timeout,         "the first fragment did not come in time")                                 \
  X(frag_table_full,      "too many datagrams are waiting for their first fragment")                 \
  X(frag_needed,          "larger than the next MTU with DF set; ICMP frag needed is sent")          \
  X(frag_sctp,            "fragment of SCTP whose port would change: its checksum is over the whole packet")  \
  X(frag_no_mbuf,         "no packet buffer left to fragment or linearize into")                     \
  X(no_route,             "no route; ICMP network unreachable is sent")                              \
  X(route_blackhole,      "blackhole route")                                                         \
  X(route_prohibit,       "prohibit route; ICMP administratively prohibited is sent")                \
  X(route_unreachable,    "unreachable route; ICMP host unreachable is sent")                        \
  X(forward_off,          "ip-forward is off and the packet is not for the router")                  \
  X(bcast_forward,        "broadcast or multicast destination is not forwarded")                     \
  X(neigh_failed,         "the next hop does not answer ARP; ICMP host unreachable was sent")        \
  X(neigh_queue_full,     "too many packets are waiting for ARP")                                    \
  X(filter_drop,          "firewall filter action=drop")                                             \
  X(filter_reject,        "firewall filter action=reject")                                           \
  X(filter_tarpit,        "firewall filter action=tarpit; the client is held with an empty window")  \
  X(raw_drop,             "firewall raw action=drop")                                                \
  X(rp_filter,            "the way back to the source is another; see /ip/settings rp-filter")       \
  X(new_flow_limit,       "the worker is overloaded, and established connections go before new ones")  \
  X(session_table_full,   "no room for another connection")                                          \
  X(nat_ports_exhausted,  "no free port or id for a translation")                                    \
  X(nat_filtered,         "to a translated port, from who was not sent to; or an ICMP redirect about one")            \
  X(nat_no_address,       "masquerade on an interface that has no address")                          \
  X(helper_partial,       "a helper's command that ends in the middle; its sender repeats it whole")      \
  X(helper_no_room,       "an address to be written into a packet finds no room, or no port is free")     \
  X(expectation_gone,     "another connection took the place that a helper had announced")                \
  X(punt_full,            "the ring to the control thread is full")                                  \
  X(handoff_full,         "the ring to the worker that has the connection or the queue is full")    \
  X(reply_clash,          "connection ended: its replies would be another connection's")            \
  X(claim_full,           "connection ended: no room to remember whose its replies are")            \
  X(claim_over,           "a reply to a connection that has just ended")                            \
  X(inject_full,          "too many packets from the control side, or from port to port, at once")   \
  X(inject_invalid,       "packet from the control side without a usable interface")                 \
  X(no_service,           "for the router, but nothing there takes it")                              \
  X(icmp_rate_limited,    "an ICMP error or echo reply was due but the rate limit is reached")       \
  X(tx_full,              "the port's transmit queue is full")                                       \
  X(tx_down,              "the egress port is gone or cannot carry the frame")                       \
  X(oversize,             "frame larger than the interface's MTU")                                   \
  X(no_mbuf,              "no packet buffer left")                                                   \
  X(shutdown,             "thrown away because the router stops")
// clang-format on

enum class Drop : uint8_t {
#define MACLANE_X(name, help) name,
  MACLANE_DROPS(MACLANE_X)
#undef MACLANE_X
};

// The same names once more, to be counted.
enum class DropNumber : uint8_t {
#define MACLANE_X(name, help) name,
  MACLANE_DROPS(MACLANE_X)
#undef MACLANE_X
      end
};
inline constexpr unsigned kDropCount = static_cast<unsigned>(DropNumber::end);

[[nodiscard]] std::string_view drop_name(Drop reason) noexcept;
[[nodiscard]] std::string_view drop_help(Drop reason) noexcept;

}  // namespace maclane
