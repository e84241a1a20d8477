#include "dataplane/stage/route.h"

namespace maclane {

Route choose_route(const Snapshot& s, uint16_t next_hop, be32 src, be32 dst) noexcept {
  const NextHop* hop = &s.next_hops[next_hop];
  if (!hop->alternatives.empty()) {
    const uint16_t owner = s.fib->lookup(src.host());
    const NextHop& own = s.next_hops[owner];
    const NextHop* chosen = nullptr;
    if (own.kind == NextHop::Kind::kLocal) {
      for (uint16_t a : hop->alternatives)
        if (s.next_hops[a].out_if == own.out_if) chosen = &s.next_hops[a];
    }
    if (chosen == nullptr && hop->kind == NextHop::Kind::kGateway) {
      const uint64_t mix = (uint64_t{src.raw} << 32 | dst.raw) * 0x9e3779b97f4a7c15ULL;
      chosen = &s.next_hops[hop->alternatives[(mix >> 33) % hop->alternatives.size()]];
    }
    if (chosen == nullptr) chosen = &s.next_hops[hop->alternatives.front()];
    hop = chosen;
  }
  return {hop->kind, hop->out_if, hop->kind == NextHop::Kind::kGateway ? hop->gateway : dst};
}

bool is_local(const Snapshot& s, be32 address) noexcept {
  return s.next_hops[s.fib->lookup(address.host())].kind == NextHop::Kind::kLocal;
}

}  // namespace maclane
