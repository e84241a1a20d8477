#include "dataplane/port/eal.h"

#include <linux/capability.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace maclane {
namespace {

constexpr uint32_t kHugePageMb = 2;

struct {
  bool started = false;
  bool huge = false;
  bool spare = false;
} eal;

/// The number after `key` in a file such as /proc/meminfo; 0 if it is not there.
uint64_t number_in(const char* path, const char* key) {
  FILE* f = std::fopen(path, "re");
  if (f == nullptr) return 0;
  char line[256];
  uint64_t value = 0;
  const size_t length = std::strlen(key);
  while (std::fgets(line, sizeof(line), f) != nullptr) {
    if (std::strncmp(line, key, length) == 0) {
      value = std::strtoull(line + length, nullptr, 10);
      break;
    }
  }
  std::fclose(f);
  return value;
}

uint32_t free_huge_mb() {
  return static_cast<uint32_t>(
      number_in("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "") * kHugePageMb);
}

bool has_capability(unsigned bit) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return true;  // let the real call say it
  return ((data[bit / 32].effective >> (bit % 32)) & 1) != 0;
}

bool has_iommu() {
  std::error_code ignored;
  return !std::filesystem::is_empty("/sys/class/iommu", ignored) && !ignored;
}

std::string cpu_list(const std::vector<unsigned>& cpus) {
  std::string text;
  for (unsigned cpu : cpus) text += (text.empty() ? "" : ",") + std::to_string(cpu);
  return text;
}

/// Decides between huge and normal pages; false with a sentence if neither will do.
bool choose_pages(const EalConfig& config, bool* huge, std::string* error) {
  const uint32_t have = free_huge_mb();
  const bool enough = have >= config.memory_mb;
  eal.spare = have >= config.memory_mb + config.sessions_mb;
  *huge = config.pages == EalConfig::Pages::kHuge ||
          (config.pages == EalConfig::Pages::kAuto && enough);
  if (*huge && !enough) {
    const uint32_t pages = (config.memory_mb + kHugePageMb - 1) / kHugePageMb;
    *error = "huge-pages is on, but " + std::to_string(have) + " MB of the " +
             std::to_string(config.memory_mb) +
             " MB needed are free in 2 MB pages; do: sysctl -w vm.nr_hugepages=" +
             std::to_string(pages) + " (or set huge-pages: no)";
    return false;
  }
  if (*huge) return true;
  const uint64_t available_mb = number_in("/proc/meminfo", "MemAvailable:") / 1024;
  if (available_mb != 0 && available_mb < config.memory_mb) {
    *error = "packet memory of " + std::to_string(config.memory_mb) +
             " MB is asked for, but only " + std::to_string(available_mb) +
             " MB of memory are free; set a smaller memory or mbufs";
    return false;
  }
  return true;
}

bool check_cpus(const EalConfig& config, const std::vector<unsigned>& usable, std::string* error) {
  for (size_t i = 0; i < config.worker_cpus.size(); ++i) {
    const unsigned cpu = config.worker_cpus[i];
    if (std::find(usable.begin(), usable.end(), cpu) == usable.end()) {
      *error = "worker CPU " + std::to_string(cpu) +
               " does not exist or may not be used by this process; use one of " + cpu_list(usable);
      return false;
    }
    if (std::find(config.worker_cpus.begin(), config.worker_cpus.begin() + static_cast<long>(i),
                  cpu) != config.worker_cpus.begin() + static_cast<long>(i)) {
      *error = "worker CPU " + std::to_string(cpu) + " is named twice; each worker needs its own";
      return false;
    }
  }
  return true;
}

/// Keeps the calling thread, and so every thread that EAL starts, off the workers' CPUs, if any CPU
/// is left. Returns the CPUs it may run on.
std::vector<unsigned> leave_worker_cpus(const EalConfig& config,
                                        const std::vector<unsigned>& usable) {
  std::vector<unsigned> rest;
  for (unsigned cpu : usable) {
    const auto& workers = config.worker_cpus;
    if (std::find(workers.begin(), workers.end(), cpu) == workers.end()) rest.push_back(cpu);
  }
  if (rest.empty()) return usable;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (unsigned cpu : rest) CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof(set), &set);
  return rest;
}

std::vector<std::string> arguments(const EalConfig& config, bool huge,
                                   const std::vector<unsigned>& main_cpus) {
  // DPDK's drivers and route lookup choose AVX2 or AVX-512 by the CPU; its own limit is AVX2.
  std::vector<std::string> args = {"maclane", "--no-telemetry", "--force-max-simd-bitwidth=512"};
  args.push_back("--lcores=0@(" + cpu_list(main_cpus) + ")");
  if (huge) {
    args.emplace_back("--in-memory");
  } else {  // --no-huge and --in-memory exclude each other in 22.11
    args.insert(args.end(), {"--no-huge", "--no-shconf", "-m", std::to_string(config.memory_mb)});
  }
  const bool physical = !config.pci.empty() && huge && !has_iommu();
  args.emplace_back(physical ? "--iova-mode=pa" : "--iova-mode=va");
  if (config.pci.empty()) {
    args.emplace_back("--no-pci");
  } else {
    for (const std::string& address : config.pci) args.insert(args.end(), {"-a", address});
  }
  const char* level = std::getenv("MACLANE_EAL_LOG");
  args.push_back(level != nullptr ? "--log-level=*:" + std::string(level) : "--log-level=*:error");
  return args;
}

}  // namespace

std::vector<unsigned> usable_cpus() {
  // Asked once: eal_start() takes the workers' CPUs away from the calling thread.
  static const std::vector<unsigned> usable = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<unsigned> cpus;
    if (sched_getaffinity(0, sizeof(set), &set) != 0) return std::vector<unsigned>{0};
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    }
    return cpus;
  }();
  return usable;
}

bool eal_start(const EalConfig& config, std::string* error) {
  if (eal.started) return true;
  const std::vector<unsigned> usable = usable_cpus();
  bool huge = false;
  if (!check_cpus(config, usable, error) || !choose_pages(config, &huge, error)) return false;

  rte_openlog_stream(stderr);
  const std::vector<std::string> args = arguments(config, huge, leave_worker_cpus(config, usable));
  std::vector<char*> argv;
  argv.reserve(args.size());
  for (const std::string& a : args) argv.push_back(const_cast<char*>(a.c_str()));
  // When its queue of realtime signals is full, the kernel sends net_tap a plain SIGIO instead,
  // whose default is to end the process.
  signal(SIGIO, SIG_IGN);
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
    *error = std::string("DPDK does not start: ") + rte_strerror(rte_errno) +
             "; start again with MACLANE_EAL_LOG=debug to see why";
    return false;
  }
  if (std::getenv("MACLANE_EAL_LOG") == nullptr) {
    // net_tap calls it an error that there is no flow offload and no secondary process.
    rte_log_set_level_pattern("pmd.net.tap", RTE_LOG_CRIT);
  }
  eal.started = true;
  eal.huge = huge;
  return true;
}

bool eal_leaves_huge_pages() {
  return eal.huge && eal.spare;
}

std::string tap_obstacle() {
  if (access("/dev/net/tun", F_OK) != 0) {
    return "/dev/net/tun is missing; do: modprobe tun (in a container: --device /dev/net/tun)";
  }
  if (access("/dev/net/tun", R_OK | W_OK) != 0) {
    return "/dev/net/tun may not be opened by this user; start as root or widen its permissions";
  }
  if (!has_capability(CAP_NET_ADMIN)) {
    return "tap devices need CAP_NET_ADMIN; start as root, or do: setcap "
           "cap_net_admin,cap_net_raw,cap_sys_admin,cap_ipc_lock+ep on the program";
  }
  return {};
}

}  // namespace maclane
