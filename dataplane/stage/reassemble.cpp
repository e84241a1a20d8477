#include "dataplane/stage/reassemble.h"

#include "dataplane/stage/dispatch.h"
#include "dataplane/stage/ip4_validate.h"
#include "dataplane/worker/packet.h"

namespace maclane {

void reassemble(Worker& w, Burst& b, L3Queue& released) noexcept {
  for (unsigned i = 0; i < b.count; ++i) {
    if (b.mbuf[i] == nullptr || !b.ip[i]->is_fragment()) continue;
    const bool first = b.l4[i] != nullptr;
    if ((b.flags[i] & L3Queue::kAtHome) != 0) {  // it was here before, at another worker
      if (!first) recall_ports(b, i);
      continue;
    }
    FragmentTable::Ports ports{b.tuple[i].sport, b.tuple[i].dport, b.icmp_type[i], b.icmp_code[i]};
    std::array<FragmentTable::Held, FragmentTable::kHeldPerDatagram> held;
    unsigned held_count = 0;
    Drop reason = Drop::frag_table_full;
    switch (w.fragments.offer({b.mbuf[i], b.in_if[i], b.flags[i]}, *b.ip[i], first, &ports, held,
                              &held_count, w.now, &reason)) {
      case FragmentTable::Outcome::kHeld:
        b.mbuf[i] = nullptr;
        continue;
      case FragmentTable::Outcome::kDrop:
        drop(w, b.mbuf[i], reason, b.in_if[i]);
        b.mbuf[i] = nullptr;
        continue;
      case FragmentTable::Outcome::kReady:
        break;
    }
    if (!first) {
      b.tuple[i].sport = ports.sport;
      b.tuple[i].dport = ports.dport;
      b.icmp_type[i] = ports.icmp_type;
      b.icmp_code[i] = ports.icmp_code;
    }
    for (unsigned k = 0; k < held_count; ++k) {
      if (!released.push(held[k].packet, held[k].in_if, held[k].flags))
        drop(w, held[k].packet, Drop::frag_table_full, held[k].in_if);
    }
  }
}

}  // namespace maclane
