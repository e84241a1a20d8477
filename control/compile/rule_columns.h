// The words of firewall rows as the dataplane's values, and where the properties stand. Included by
// compile*.cpp and rule_more.cpp only. No state.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

#include "control/model/schema.h"
#include "dataplane/snapshot.h"

namespace maclane::compile {

template <typename T>
struct Word {
  std::string_view name;
  T value;
};

template <typename T, size_t N>
T value_of(const Word<T> (&words)[N], std::string_view name, T otherwise) {
  const auto it = std::find_if(std::begin(words), std::end(words),
                               [&](const Word<T>& word) { return word.name == name; });
  return it == std::end(words) ? otherwise : it->value;
}

inline constexpr Word<Action> kActions[] = {{"accept", Action::kAccept},
                                            {"drop", Action::kDrop},
                                            {"reject", Action::kReject},
                                            {"jump", Action::kJump},
                                            {"return", Action::kReturn},
                                            {"log", Action::kLog},
                                            {"passthrough", Action::kPassthrough},
                                            {"masquerade", Action::kMasquerade},
                                            {"src-nat", Action::kSrcNat},
                                            {"dst-nat", Action::kDstNat},
                                            {"redirect", Action::kRedirect},
                                            {"netmap", Action::kNetmap},
                                            {"same", Action::kSame},
                                            {"tarpit", Action::kTarpit},
                                            {"notrack", Action::kNotrack},
                                            {"fasttrack-connection", Action::kFastTrack},
                                            {"add-src-to-address-list", Action::kAddSrcToList},
                                            {"add-dst-to-address-list", Action::kAddDstToList},
                                            {"mark-connection", Action::kMarkConnection},
                                            {"mark-packet", Action::kMarkPacket},
                                            {"mark-routing", Action::kMarkRouting},
                                            {"change-mss", Action::kChangeMss},
                                            {"change-ttl", Action::kChangeTtl},
                                            {"change-dscp", Action::kChangeDscp},
                                            {"clear-df", Action::kClearDf},
                                            {"set-priority", Action::kSetPriority},
                                            {"strip-ipv4-options", Action::kStripOptions}};
/// in-interface, out-interface: all of a kind.
inline constexpr Word<IfKind> kKinds[] = {
    {"all-ethernet", IfKind::kEthernet}, {"all-ppp", IfKind::kPppoe}, {"all-vlan", IfKind::kVlan}};
inline constexpr Word<RejectWith> kRejects[] = {
    {"icmp-network-unreachable", RejectWith::kNetUnreachable},
    {"icmp-host-unreachable", RejectWith::kHostUnreachable},
    {"icmp-protocol-unreachable", RejectWith::kProtocolUnreachable},
    {"icmp-port-unreachable", RejectWith::kPortUnreachable},
    {"icmp-net-prohibited", RejectWith::kNetProhibited},
    {"icmp-host-prohibited", RejectWith::kHostProhibited},
    {"icmp-admin-prohibited", RejectWith::kAdminProhibited},
    {"tcp-reset", RejectWith::kTcpReset}};

constexpr uint8_t bit(ConnState state) {
  return static_cast<uint8_t>(1u << static_cast<unsigned>(state));
}
inline constexpr Word<uint8_t> kStates[] = {{"new", bit(ConnState::kNew)},
                                            {"established", bit(ConnState::kEstablished)},
                                            {"related", bit(ConnState::kRelated)},
                                            {"invalid", bit(ConnState::kInvalid)},
                                            {"untracked", bit(ConnState::kUntracked)}};
inline constexpr Word<uint8_t> kNatStates[] = {{"srcnat", 1}, {"dstnat", 2}};

/// Where the properties stand in a menu, looked up once for all its rows.
struct Columns {
  explicit Columns(const model::Menu& menu)
      : chain(menu.index("chain")),
        action(menu.index("action")),
        disabled(menu.index("disabled")),
        in_interface(menu.index("in-interface")),
        out_interface(menu.index("out-interface")),
        in_list(menu.index("in-interface-list")),
        out_list(menu.index("out-interface-list")),
        src(menu.index("src-address")),
        dst(menu.index("dst-address")),
        src_list(menu.index("src-address-list")),
        dst_list(menu.index("dst-address-list")),
        protocol(menu.index("protocol")),
        src_port(menu.index("src-port")),
        dst_port(menu.index("dst-port")),
        icmp(menu.index("icmp-options")),
        state(menu.index("connection-state")),
        nat_state(menu.index("connection-nat-state")),
        reject(menu.index("reject-with")),
        to_addresses(menu.index("to-addresses")),
        to_ports(menu.index("to-ports")),
        same_not_by_dst(menu.index("same-not-by-dst")),
        randomise_ports(menu.index("randomise-ports")),
        jump_target(menu.index("jump-target")),
        address_list(menu.index("address-list")),
        time(menu.index("time")),
        ipsec_policy(menu.index("ipsec-policy")),
        log(menu.index("log")),
        log_prefix(menu.index("log-prefix")) {}
  int chain, action, disabled, in_interface, out_interface, in_list, out_list, src, dst, src_list,
      dst_list, protocol, src_port, dst_port, icmp, state, nat_state, reject, to_addresses,
      to_ports, same_not_by_dst, randomise_ports, jump_target, address_list, time, ipsec_policy,
      log, log_prefix;
};

}  // namespace maclane::compile
