// Recognizing the frames by which a kernel behind an attached vport joins and leaves groups (IGMP,
// MLD), so that control can keep the vport's multicast filter. Pure; for the layer 2 stages only.
#pragma once

struct rte_mbuf;

namespace maclane {

/// True for an untagged IGMP or MLD frame; bounded by the first segment.
[[nodiscard]] bool is_membership(rte_mbuf* m) noexcept;

}  // namespace maclane
