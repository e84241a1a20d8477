// net_tap takes a realtime signal for every queue and never gives it back; without one it falls
// silent. This keeps account of them, so that taps can be created and removed for ever. Control
// thread only.
#pragma once

#include <cstdint>

namespace maclane {

using RtSignals = uint64_t;  // bit per signal number

/// Signals that have a handler now.
[[nodiscard]] RtSignals rt_signals_in_use();
[[nodiscard]] unsigned rt_signals_left();
/// The signals that were taken since `before` belong to this port.
void rt_signals_assign(uint16_t ethdev, RtSignals before);
/// The port is gone: its signals may be used again.
void rt_signals_release(uint16_t ethdev);

}  // namespace maclane
