// What few firewall rules say: matchers with forms of their own, marks, and changes of the packet.
// Included by compile_firewall.cpp and rule_more.cpp only. Control thread.
#pragma once

#include <memory>

#include "control/compile/names.h"
#include "control/model/tree.h"
#include "dataplane/table/rules.h"

namespace maclane::compile {

/// Where those properties stand in a menu (-1: it has none of that name), looked up once.
struct MoreColumns {
  explicit MoreColumns(const model::Menu& menu);
  int port, src_type, dst_type, src_mac, tcp_flags, tcp_mss, packet_size, limit, dst_limit, psd,
      nth, random, classifier, ttl, dscp, priority, ingress_priority, options, fragment,
      connection_limit, connection_bytes, connection_rate, connection_type, connection_mark,
      packet_mark, routing_mark, content, tls_host, new_connection_mark, new_packet_mark,
      new_routing_mark, new_mss, new_ttl, new_dscp, new_priority, passthrough, timeout;
};

/// Fills in what a row with this action says of them; its ports go to the set's. *bad: a column
/// whose value is not canonical, if there is one.
void read_more(const MoreColumns& columns, const model::Row& row, Action action, Names& names,
               RuleSet& set, RuleMore& more, int* bad);

/// Something new to remember, for rules that do; nullptr: this one does not.
[[nodiscard]] std::shared_ptr<RuleState> state_for(const RuleMore& more);

}  // namespace maclane::compile
