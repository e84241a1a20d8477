// Making DPDK create or take a device, and saying why it does not. For ethdev.cpp only.
#pragma once

#include <cstdint>
#include <string>

namespace maclane {

/// devargs ("net_tap0,iface=mlwan") or a PCI address. False: a sentence with a remedy is in *error.
bool probe_device(const std::string& devargs, uint16_t* ethdev, std::string* error);

}  // namespace maclane
