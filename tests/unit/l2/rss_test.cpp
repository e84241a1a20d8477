// RSS as connections are spread by it: net_null keeps the key and the table it is given.
#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "dataplane/port/ethdev.h"
#include "dataplane/table/home.h"
#include "tests/unit/l2/world.h"

namespace maclane {
namespace {

class Rss : public World {};

PortInfo made(bool rss, uint16_t workers, const std::string& device) {
  static rte_mempool* const pool = rte_pktmbuf_pool_create(
      "rss_test", 2047, 0, kPrivateSize, 2048 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
  PortInfo info;
  std::string error;
  PortConfig config;
  config.device = device;
  PortContext context{pool, workers, 1500, rss};
  EXPECT_TRUE(port_create(context, config, &info, &error)) << error;
  return info;
}

TEST_F(Rss, PortLeadsToTheHomesOfTheWorkers) {
  constexpr uint16_t kWorkers = 3;
  const PortInfo info = made(true, kWorkers, "net_null7");
  EXPECT_TRUE(info.rss);
  rte_eth_dev_info dev{};
  ASSERT_EQ(rte_eth_dev_info_get(info.ethdev, &dev), 0);
  std::array<rte_eth_rss_reta_entry64, 8> table{};
  for (auto& group : table) group.mask = ~uint64_t{0};
  ASSERT_EQ(rte_eth_dev_rss_reta_query(info.ethdev, table.data(), dev.reta_size), 0);
  for (unsigned i = 0; i < dev.reta_size; ++i)
    ASSERT_EQ(table[i / 64].reta[i % 64], i % kRssTable % kWorkers) << i;
  std::array<uint8_t, 64> key{};
  rte_eth_rss_conf conf{};
  conf.rss_key = key.data();
  conf.rss_key_len = static_cast<uint8_t>(key.size());
  ASSERT_EQ(rte_eth_dev_rss_hash_conf_get(info.ethdev, &conf), 0);
  for (unsigned i = 0; i < 40; ++i)
    ASSERT_EQ(key[i], i % 2 == 0 ? kRssKeyWord >> 8 : kRssKeyWord & 0xff) << i;
  port_remove(info.ethdev);
}

TEST_F(Rss, IsLeftAloneWhereItIsNotAskedForOrCannotBe) {
  const PortInfo plain = made(false, 2, "net_null8");
  EXPECT_FALSE(plain.rss);
  port_remove(plain.ethdev);
  const PortInfo ring = made(true, 2, "net_ring9");  // has no RSS: its packets are handed over
  EXPECT_FALSE(ring.rss);
  port_remove(ring.ethdev);
}

}  // namespace
}  // namespace maclane
