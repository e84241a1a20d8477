// From the tree to what the dataplane takes at start and cannot change while it runs. See router.h.
#include <algorithm>

#include "control/model/value.h"
#include "control/router.h"

namespace maclane {
namespace {

bool is_pci_address(std::string_view device) {
  const std::string_view address = device.substr(0, device.find(','));
  return address.size() == 12 && address[4] == ':' && address[7] == ':' && address[10] == '.';
}

}  // namespace

DataplaneConfig dataplane_config(const model::Tree& tree) {
  DataplaneConfig config;
  const model::View settings = tree.settings("/dataplane");
  for (std::string_view cpu : model::split_list(settings.get("workers")))
    config.worker_cpus.push_back(static_cast<unsigned>(model::parse_integer(cpu).value_or(0)));
  config.rss = settings.get("spread") == "rss";
  const std::string_view huge = settings.get("huge-pages");
  config.huge_pages = huge == "yes"  ? DataplaneConfig::HugePages::kYes
                      : huge == "no" ? DataplaneConfig::HugePages::kNo
                                     : DataplaneConfig::HugePages::kAuto;
  config.memory_mb = static_cast<uint32_t>(settings.get_integer("memory"));
  config.mbufs = static_cast<uint32_t>(settings.get_integer("mbufs"));
  config.max_sessions = static_cast<uint32_t>(settings.get_integer("max-sessions"));
  config.max_neighbours =
      static_cast<uint32_t>(tree.settings("/ip/settings").get_integer("max-neighbor-entries"));
  for_each(tree, "/interface/ethernet", [&](const model::View& row) {
    config.max_mtu = std::max(config.max_mtu, static_cast<uint16_t>(row.get_integer("mtu")));
    const std::string_view device = row.get("device");
    if (is_pci_address(device)) config.pci.emplace_back(device.substr(0, device.find(',')));
  });
  return config;
}

}  // namespace maclane
