#include "dataplane/port/ethdev.h"

#include <net/if.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "dataplane/port/netdev.h"
#include "dataplane/port/probe.h"
#include "dataplane/port/rt_signals.h"
#include "dataplane/table/home.h"

namespace maclane {
namespace {

constexpr uint16_t kRing = 512;
// net_tap fills its whole rx ring with buffers at once and uses one of them unless it scatters.
constexpr uint16_t kTapRing = 4;
constexpr uint16_t kL2Overhead = 14 + 2 * 4 + 4;  // Ethernet, two tags, FCS

bool is_tap(const PortInfo& info) {
  return info.driver == "net_tap";
}

std::string because(int code) {
  return rte_strerror(code < 0 ? -code : code);
}

bool set_up_queues(const PortContext& context, const rte_eth_dev_info& dev, PortInfo* info,
                   std::string* error) {
  const bool tap = is_tap(*info);
  uint16_t rx = tap ? kTapRing : kRing;
  uint16_t tx = tap ? kTapRing : kRing;
  if (const int rc = rte_eth_dev_adjust_nb_rx_tx_desc(info->ethdev, &rx, &tx); rc != 0) {
    *error = info->device + ": its ring sizes cannot be had: " + because(rc);
    return false;
  }
  const int socket = rte_eth_dev_socket_id(info->ethdev);
  const auto node = socket < 0 ? SOCKET_ID_ANY : socket;
  rte_eth_txconf txconf = dev.default_txconf;
  if (info->multi_segment) txconf.offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  for (uint16_t q = 0; q < info->queues; ++q) {
    int rc = rte_eth_tx_queue_setup(info->ethdev, q, tx, static_cast<unsigned>(node), &txconf);
    if (rc == 0) {
      rc = rte_eth_rx_queue_setup(info->ethdev, q, rx, static_cast<unsigned>(node), nullptr,
                                  context.pool);
    }
    if (rc != 0) {
      *error = info->device + ": queue " + std::to_string(q) + " cannot be set up: " + because(rc) +
               "; set more mbufs or fewer workers";
      return false;
    }
  }
  return true;
}

/// A pair of queues for every worker, since queues have no locks, or as many as there are: who has
/// none hands its frames over. net_tap wants a signal for each and must leave some to others.
uint16_t queues_for(const PortContext& context, const rte_eth_dev_info& dev,
                    const PortConfig& config, const PortInfo& info) {
  const uint16_t most = std::min(dev.max_rx_queues, dev.max_tx_queues);
  unsigned queues = std::min(context.workers, std::max<uint16_t>(most, 1));
  if (config.max_queues != 0) queues = std::min<unsigned>(queues, config.max_queues);
  if (is_tap(info)) queues = std::clamp(rt_signals_left() / 2, 1u, queues);
  return static_cast<uint16_t>(queues);
}

bool check_mtu(const PortConfig& config, uint16_t max_mtu, const PortInfo& info,
               std::string* error) {
  if (config.mtu >= RTE_ETHER_MIN_MTU && config.mtu <= max_mtu) return true;
  *error = info.device + ": mtu " + std::to_string(config.mtu) + " is out of its range of " +
           std::to_string(RTE_ETHER_MIN_MTU) + " to " + std::to_string(max_mtu);
  return false;
}

constexpr uint8_t kRssKeySize = 40;  // of those that do not say
constexpr unsigned kLongestRssKey = 64;

/// The symmetric key, if the device takes a key, hashes ports and has a queue for every worker. The
/// driver copies the key when it is configured.
void symmetric_rss(const PortContext& context, const rte_eth_dev_info& dev, PortInfo* info,
                   rte_eth_rss_conf* conf) {
  constexpr uint64_t kPorts = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP;
  if (dev.hash_key_size > kLongestRssKey || dev.reta_size == 0 || dev.reta_size % kRssTable != 0 ||
      info->queues < context.workers || (dev.flow_type_rss_offloads & kPorts) != kPorts) {
    return;
  }
  static const std::array<uint8_t, kLongestRssKey> kKey = [] {
    std::array<uint8_t, kLongestRssKey> key{};
    for (unsigned i = 0; i < kLongestRssKey; ++i)
      key[i] = static_cast<uint8_t>(i % 2 == 0 ? kRssKeyWord >> 8 : kRssKeyWord & 0xff);
    return key;
  }();
  conf->rss_key = const_cast<uint8_t*>(kKey.data());
  conf->rss_key_len = dev.hash_key_size == 0 ? kRssKeySize : dev.hash_key_size;
  info->rss = true;
}

/// Entry i leads to the worker that HomeMap says. After the start. A device that refuses is one
/// without: its packets are handed to their homes.
void fill_rss_table(const PortContext& context, const rte_eth_rss_conf& rss, uint16_t size,
                    PortInfo* info) {
  std::vector<rte_eth_rss_reta_entry64> table((size + RTE_ETH_RETA_GROUP_SIZE - 1u) /
                                              RTE_ETH_RETA_GROUP_SIZE);
  for (unsigned i = 0; i < size; ++i) {
    rte_eth_rss_reta_entry64& group = table[i / RTE_ETH_RETA_GROUP_SIZE];
    group.mask |= uint64_t{1} << (i % RTE_ETH_RETA_GROUP_SIZE);
    group.reta[i % RTE_ETH_RETA_GROUP_SIZE] =
        static_cast<uint16_t>(i % kRssTable % context.workers);
  }
  info->rss = rte_eth_dev_rss_reta_update(info->ethdev, table.data(), size) == 0;
  // Some drivers take the key when they are configured, some only now.
  rte_eth_rss_conf conf = rss;
  (void)rte_eth_dev_rss_hash_update(info->ethdev, &conf);
}

bool configure(const PortContext& context, const rte_eth_dev_info& dev, PortInfo* info,
               rte_eth_rss_conf* rss, std::string* error) {
  rte_eth_conf conf = {};
  conf.rxmode.mtu = info->mtu;
  const uint32_t room = rte_pktmbuf_data_room_size(context.pool) - RTE_PKTMBUF_HEADROOM;
  if (uint32_t{info->mtu} + kL2Overhead > room) {
    if ((dev.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) == 0) {
      *error = info->device + ": frames of mtu " + std::to_string(info->mtu) +
               " do not fit its buffers of " + std::to_string(room) +
               " bytes, which are made at the start: write this mtu into the configuration file "
               "and start "
               "again";
      return false;
    }
    conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
  }
  if (info->queues > 1 && dev.flow_type_rss_offloads != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf =
        (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP) & dev.flow_type_rss_offloads;
    if (context.rss) symmetric_rss(context, dev, info, &conf.rx_adv_conf.rss_conf);
    *rss = conf.rx_adv_conf.rss_conf;
  }
  info->multi_segment =
      ((dev.tx_offload_capa | dev.tx_queue_offload_capa) & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
  if ((dev.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0) {
    conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  }
  const int rc = rte_eth_dev_configure(info->ethdev, info->queues, info->queues, &conf);
  if (rc != 0) {
    *error = info->device + " cannot be configured with " + std::to_string(info->queues) +
             " queue(s) and mtu " + std::to_string(info->mtu) + ": " + because(rc);
    return false;
  }
  return true;
}

/// What each device's MAC filter holds besides the port's own.
std::array<std::vector<MacAddr>, RTE_MAX_ETHPORTS> filters;

rte_ether_addr ether_addr(const MacAddr& mac) {
  rte_ether_addr address;
  std::memcpy(address.addr_bytes, mac.bytes.data(), 6);
  return address;
}

/// Makes the device's MAC filter hold these; false if some do not fit or it has none.
bool filter_macs(const PortConfig& config, const PortInfo& info) {
  std::vector<MacAddr>& have = filters[info.ethdev];
  std::erase_if(have, [&](const MacAddr& mac) {
    if (std::find(config.macs.begin(), config.macs.end(), mac) != config.macs.end()) return false;
    rte_ether_addr address = ether_addr(mac);
    rte_eth_dev_mac_addr_remove(info.ethdev, &address);
    return true;
  });
  bool all = true;
  for (const MacAddr& mac : config.macs) {
    if (mac == info.mac || std::find(have.begin(), have.end(), mac) != have.end()) continue;
    rte_ether_addr address = ether_addr(mac);
    if (rte_eth_dev_mac_addr_add(info.ethdev, &address, 0) == 0) {
      have.push_back(mac);
    } else {
      all = false;
    }
  }
  return all;
}

/// Opens the device as far as it must be; the demux filters in any case.
void set_filters(const PortConfig& config, PortInfo* info) {
  info->mac_filter_full = !filter_macs(config, *info);
  bool promiscuous = info->mac_filter_full;
  if (rte_eth_allmulticast_enable(info->ethdev) != 0) promiscuous = true;
  if (promiscuous) {
    promiscuous = rte_eth_promiscuous_enable(info->ethdev) == 0;
  } else if (rte_eth_promiscuous_get(info->ethdev) == 1) {
    rte_eth_promiscuous_disable(info->ethdev);
  }
  info->promiscuous = promiscuous;
}

/// The port's own MAC. A tap's kernel side keeps or gets an address other than ours: what we send
/// would look to it as if it came from itself.
bool set_own_mac(const PortConfig& config, PortInfo* info, std::string* error) {
  const bool named = config.set_mac && !config.macs.empty();
  const MacAddr& wanted = named ? config.macs[0] : info->native_mac;
  if (!is_tap(*info) && wanted != info->mac) {
    rte_ether_addr address = ether_addr(wanted);
    if (const int rc = rte_eth_dev_default_mac_addr_set(info->ethdev, &address); rc != 0) {
      *error = info->device + " does not take another MAC address: " + because(rc) +
               "; leave mac-address unset";
      return false;
    }
  }
  info->mac = wanted;
  return true;
}

void read_identity(uint16_t ethdev, const rte_eth_dev_info& dev, PortInfo* info) {
  info->ethdev = ethdev;
  char name[RTE_ETH_NAME_MAX_LEN] = {};
  rte_eth_dev_get_name_by_port(ethdev, name);
  info->device = name;
  info->driver = dev.driver_name;
  rte_ether_addr mac = {};
  rte_eth_macaddr_get(ethdev, &mac);
  std::memcpy(info->mac.bytes.data(), mac.addr_bytes, 6);
  info->native_mac = info->mac;
  uint16_t most = std::max<uint16_t>(dev.max_mtu, RTE_ETHER_MIN_MTU);
  // Software devices of 22.11 report 65535 and then refuse frames above max_rx_pktlen; net_tap
  // counts a tag and the FCS beside the header, the others the FCS alone.
  const uint32_t overhead = is_tap(*info) ? 14 + 4 + 4 : 14 + 4;
  if (dev.max_mtu == UINT16_MAX && dev.max_rx_pktlen > overhead) {
    most = static_cast<uint16_t>(std::min<uint32_t>(most, dev.max_rx_pktlen - overhead));
  }
  info->max_mtu = most;
  info->gates_on_link = !is_tap(*info);
}

bool start_port(const PortContext& context, const PortConfig& config, uint16_t ethdev,
                PortInfo* info, std::string* error) {
  rte_eth_dev_info dev;
  if (const int rc = rte_eth_dev_info_get(ethdev, &dev); rc != 0) {
    *error = config.device + " does not describe itself: " + because(rc);
    return false;
  }
  read_identity(ethdev, dev, info);
  info->max_mtu = std::min(info->max_mtu, context.max_mtu);
  info->queues = queues_for(context, dev, config, *info);
  info->mtu = config.mtu;
  rte_eth_rss_conf rss{};
  if (!check_mtu(config, info->max_mtu, *info, error) ||
      !configure(context, dev, info, &rss, error) || !set_up_queues(context, dev, info, error)) {
    return false;
  }
  if (const int rc = rte_eth_dev_set_mtu(ethdev, config.mtu); rc != 0 && rc != -ENOTSUP) {
    *error = info->device + " does not take mtu " + std::to_string(config.mtu) + ": " + because(rc);
    return false;
  }
  if (const int rc = rte_eth_dev_start(ethdev); rc != 0) {
    *error = info->device + " does not start: " + because(rc);
    return false;
  }
  if (info->rss) fill_rss_table(context, rss, dev.reta_size, info);
  return set_own_mac(config, info, error);
}

/// Gives the kernel side of a tap an address that is none of ours.
bool part_from_kernel(const PortConfig& config, const PortInfo& info, std::string* error) {
  if (!is_tap(info)) return true;
  rte_eth_dev_info dev;
  char name[IF_NAMESIZE] = {};
  if (rte_eth_dev_info_get(info.ethdev, &dev) != 0 ||
      if_indextoname(dev.if_index, name) == nullptr) {
    *error = info.device + ": its kernel interface is gone";
    return false;
  }
  MacAddr other = info.mac;
  do {
    other.bytes[0] = static_cast<uint8_t>((other.bytes[0] | 2) & 0xfe);
    other.bytes[4] = static_cast<uint8_t>(other.bytes[4] + 1);
    other.bytes[5] = static_cast<uint8_t>(other.bytes[5] + 0x55);
  } while (std::find(config.macs.begin(), config.macs.end(), other) != config.macs.end());
  return netdev_change(dev.if_index, {.mac = &other}, error);
}

/// 0, or the driver's error. A driver that must be stopped for it says -EBUSY.
int set_mtu(uint16_t ethdev, uint16_t mtu, uint16_t former, bool may_stop) {
  int rc = rte_eth_dev_set_mtu(ethdev, mtu);
  if (rc != -EBUSY || !may_stop) return rc;
  rc = rte_eth_dev_stop(ethdev);
  if (rc != 0) return rc;
  rc = rte_eth_dev_set_mtu(ethdev, mtu);
  const int started = rte_eth_dev_start(ethdev);
  if (started == 0) return rc;
  // A port that does not start under the new one was running under the former.
  rte_eth_dev_set_mtu(ethdev, former);
  rte_eth_dev_start(ethdev);
  return started;
}

}  // namespace

bool port_create(const PortContext& context, const PortConfig& config, PortInfo* info,
                 std::string* error) {
  *info = {};
  if (ports_in_use() >= RTE_MAX_ETHPORTS) {
    *error = "DPDK has no room for another port (" + std::to_string(RTE_MAX_ETHPORTS) +
             " at most, attached macvlans included); remove one first";
    return false;
  }
  const RtSignals before = rt_signals_in_use();
  uint16_t ethdev = 0;
  if (!probe_device(config.device, &ethdev, error)) return false;
  if (start_port(context, config, ethdev, info, error) && part_from_kernel(config, *info, error)) {
    set_filters(config, info);
    rt_signals_assign(ethdev, before);
    return true;
  }
  rt_signals_assign(ethdev, before);
  port_remove(ethdev);
  return false;
}

bool port_configure(uint16_t ethdev, const PortConfig& config, PortInfo* info, std::string* error) {
  info->must_stop = false;
  if (rte_eth_dev_is_valid_port(ethdev) == 0) {
    *error = "port " + std::to_string(ethdev) + " does not exist any more";
    return false;
  }
  if (!check_mtu(config, info->max_mtu, *info, error)) return false;
  if (config.mtu != info->mtu) {
    const int rc = set_mtu(ethdev, config.mtu, info->mtu, config.idle);
    // Stopping it under workers that poll it would pull their queues away.
    info->must_stop = rc == -EBUSY && !config.idle;
    // A tap that was moved to another namespace is out of reach: its mtu there is its owner's.
    const bool moved = is_tap(*info) && rc == -ENODEV;
    if (rc != 0 && rc != -ENOTSUP && !moved) {
      *error =
          info->device + " does not take mtu " + std::to_string(config.mtu) + ": " + because(rc);
      return false;
    }
    info->mtu = config.mtu;
  }
  if (!set_own_mac(config, info, error)) return false;
  set_filters(config, info);
  return true;
}

void port_remove(uint16_t ethdev) {
  rte_eth_dev_info dev;
  if (rte_eth_dev_is_valid_port(ethdev) == 0 || rte_eth_dev_info_get(ethdev, &dev) != 0) return;
  rte_device* const device = dev.device;
  rte_eth_dev_stop(ethdev);
  rte_eth_dev_close(ethdev);
  if (device != nullptr) rte_dev_remove(device);
  rt_signals_release(ethdev);
  filters[ethdev].clear();
}

bool port_link_up(uint16_t ethdev) {
  rte_eth_dev_info dev;
  if (rte_eth_dev_is_valid_port(ethdev) == 0 || rte_eth_dev_info_get(ethdev, &dev) != 0)
    return false;
  if (std::strcmp(dev.driver_name, "net_tap") == 0) return true;
  rte_eth_link link = {};
  return rte_eth_link_get_nowait(ethdev, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

unsigned ports_in_use() {
  return rte_eth_dev_count_avail();
}

}  // namespace maclane
