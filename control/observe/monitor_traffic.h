// /interface/monitor-traffic: what interfaces carry a second (C-38, E-22), and
// /interface/ethernet/monitor: whether ports have a link. Control thread only.
#pragma once

#include "control/model/commands.h"

namespace maclane::observe {

void serve_monitor_traffic(model::Commands& commands);
void serve_monitor_ethernet(model::Commands& commands);

}  // namespace maclane::observe
