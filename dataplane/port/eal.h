// Starting DPDK's environment: once per process, with the calling thread as its only lcore.
//
// Workers are threads of ours (worker/loop.h). EAL is left alone until the process ends, since it
// cannot be started a second time. Control thread only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace maclane {

struct EalConfig {
  enum class Pages : uint8_t { kAuto, kHuge, kNormal } pages = Pages::kAuto;
  uint32_t memory_mb = 256;  // all that DPDK will hand out
  uint32_t sessions_mb = 0;  // what session tables would take beside it, of the same huge pages
  std::vector<unsigned> worker_cpus;
  std::vector<std::string> pci;
};

/// The CPUs that this process may use.
[[nodiscard]] std::vector<unsigned> usable_cpus();

/// Checks what can be checked, then starts EAL; a second call does nothing. False: a sentence with
/// a remedy is in *error.
bool eal_start(const EalConfig& config, std::string* error);
/// Whether EAL lives in huge pages and leaves enough of them for EalConfig::sessions_mb.
[[nodiscard]] bool eal_leaves_huge_pages();

/// What this process lacks to create tap devices, with its remedy; empty if nothing.
[[nodiscard]] std::string tap_obstacle();

}  // namespace maclane
