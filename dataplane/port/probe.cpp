#include "dataplane/port/probe.h"

#include <net/if.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include <algorithm>

#include "dataplane/port/eal.h"
#include "dataplane/port/netdev.h"
#include "dataplane/port/rt_signals.h"

namespace maclane {
namespace {

std::string device_name(const std::string& devargs) {
  return devargs.substr(0, devargs.find(','));
}

bool is_pci(const std::string& name) {
  return std::count(name.begin(), name.end(), ':') >= 1 && name.find('.') != std::string::npos;
}

/// The value of `key` in devargs; empty if it is not there.
std::string devarg(const std::string& devargs, const std::string& key) {
  for (size_t at = devargs.find(','); at != std::string::npos; at = devargs.find(',', at + 1)) {
    if (devargs.compare(at + 1, key.size() + 1, key + "=") != 0) continue;
    const size_t begin = at + 1 + key.size() + 1;
    return devargs.substr(begin, devargs.find(',', begin) - begin);
  }
  return {};
}

std::string pci_remedy(const std::string& name) {
  const std::string path = "/sys/bus/pci/devices/" + (name.size() < 8 ? "0000:" + name : name);
  if (access(path.c_str(), F_OK) != 0) {
    return "no such PCI device; `dpdk-devbind.py --status-dev net` lists what there is";
  }
  if (access((path + "/driver").c_str(), F_OK) != 0) {
    return "it has no driver; do: dpdk-devbind.py -b vfio-pci " + name;
  }
  return "it must be bound to vfio-pci (and named in the configuration when the daemon starts); "
         "do: "
         "dpdk-devbind.py -b vfio-pci " +
         name;
}

/// What is wrong with the words of a device before DPDK is asked.
std::string name_trouble(const std::string& devargs) {
  const std::string name = device_name(devargs);
  if (name.empty())
    return "device is empty; give a PCI address or devargs such as net_tap0,iface=x";
  if (name.size() >= RTE_ETH_NAME_MAX_LEN) return "device name " + name + " is too long (63 bytes)";
  uint16_t port = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &port) == 0) {
    return "device " + name + " is in use by another port; number it otherwise";
  }
  const std::string iface = devarg(devargs, "iface");
  if (iface.size() >= IFNAMSIZ) {
    return "interface name " + iface + " of device " + name + " is longer than 15 bytes";
  }
  if (name.rfind("net_tap", 0) == 0) {
    if (std::string obstacle = tap_obstacle(); !obstacle.empty()) return obstacle;
    if (!iface.empty() && netdev_index(iface) != 0) {
      return "the kernel has an interface named " + iface +
             " already; choose another iface= or remove it: ip link delete " + iface;
    }
    if (rt_signals_left() == 0) {
      return "no realtime signal is left for another tap device; use fewer of them";
    }
  }
  return {};
}

bool probe(const std::string& devargs, std::string* error) {
  const std::string name = device_name(devargs);
  const int rc = rte_dev_probe(devargs.c_str());
  if (rc == 0) return true;
  if (is_pci(name)) {
    *error = "device " + name + ": " + pci_remedy(name);
  } else if (name.rfind("net_", 0) != 0) {
    *error = "device " + name +
             " is neither a PCI address nor a DPDK device; known are net_tapN, net_af_packetN, "
             "net_af_xdpN, net_memifN, net_pcapN, net_ringN, net_nullN";
  } else {
    *error = "device " + devargs + " cannot be created: " + rte_strerror(rc < 0 ? -rc : rc) +
             "; check its driver's name and arguments (MACLANE_EAL_LOG=debug tells more)";
  }
  return false;
}

}  // namespace

bool probe_device(const std::string& devargs, uint16_t* ethdev, std::string* error) {
  if (std::string trouble = name_trouble(devargs); !trouble.empty()) {
    *error = trouble;
    return false;
  }
  if (!probe(devargs, error)) return false;
  const std::string name = device_name(devargs);
  if (rte_eth_dev_get_port_by_name(name.c_str(), ethdev) == 0) return true;
  // a PCI address may be given without its domain
  if (is_pci(name) && rte_eth_dev_get_port_by_name(("0000:" + name).c_str(), ethdev) == 0) {
    return true;
  }
  *error = "device " + name + " was found but is no network port";
  return false;
}

}  // namespace maclane
