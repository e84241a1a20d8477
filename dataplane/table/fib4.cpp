#include "dataplane/table/fib4.h"

#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_memory.h>

#include <algorithm>
#include <atomic>
#include <string_view>
#include <vector>

namespace maclane {

namespace {

constexpr uint32_t kMaxTbl8 = 0x7fff;  // a group's number must fit where a next hop does

uint32_t network_of(uint32_t address, unsigned length) noexcept {
  return length == 0 ? 0 : address & (~uint32_t{0} << (32 - length));
}

bool same_prefix(const Fib4Route& a, const Fib4Route& b) noexcept {
  return a.length == b.length && a.network == b.network;
}

/// Host bits cleared, shortest first, one route a prefix (the last given wins): the same routes
/// make the same table in whatever order they come.
std::vector<Fib4Route> tidy(std::span<const Fib4Route> routes) {
  std::vector<Fib4Route> sorted(routes.rbegin(), routes.rend());
  for (Fib4Route& r : sorted) r.network = network_of(r.network, r.length);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Fib4Route& a, const Fib4Route& b) {
    return a.length != b.length ? a.length < b.length : a.network < b.network;
  });
  sorted.erase(std::unique(sorted.begin(), sorted.end(), same_prefix), sorted.end());
  return sorted;
}

/// How many /24s hold longer routes; DIR24_8 needs a group of 256 entries for each.
uint32_t split_24s(const std::vector<Fib4Route>& routes) {
  std::vector<uint32_t> parts;
  for (const Fib4Route& r : routes)
    if (r.length > 24) parts.push_back(r.network >> 8);
  std::sort(parts.begin(), parts.end());
  return static_cast<uint32_t>(std::unique(parts.begin(), parts.end()) - parts.begin());
}

std::shared_ptr<const Fib4> fail(std::string* error, std::string_view why) {
  if (error != nullptr) *error = why;
  return nullptr;
}

}  // namespace

std::shared_ptr<const Fib4> Fib4::build(std::span<const Fib4Route> routes, std::string* error,
                                        bool small) {
  for (const Fib4Route& r : routes) {
    if (r.length > 32) return fail(error, "a route has a prefix length above 32");
    if (r.next_hop > kMaxNextHop)
      return fail(error, "more next hops than the route table can name");
  }
  const std::vector<Fib4Route> sorted = tidy(routes);
  const uint32_t groups = split_24s(sorted);
  if (!small && groups + 1 > kMaxTbl8)
    return fail(error, "routes longer than /24 stand in more than 32766 different /24 networks");

  rte_fib_conf conf{};
  conf.type = small ? RTE_FIB_DUMMY : RTE_FIB_DIR24_8;
  conf.default_nh = 0;
  conf.max_routes = static_cast<int>(sorted.size()) + 1;
  if (!small) {
    conf.dir24_8.nh_sz = RTE_FIB_DIR24_8_2B;
    conf.dir24_8.num_tbl8 = groups + 1;
  }
  static std::atomic<uint32_t> builds{0};
  const std::string name = "fib4_" + std::to_string(builds.fetch_add(1));
  rte_fib* fib = rte_fib_create(name.c_str(), SOCKET_ID_ANY, &conf);
  if (fib == nullptr)
    return fail(error, std::string("no memory for the route table: ") + rte_strerror(rte_errno));
  std::shared_ptr<const Fib4> built(new Fib4(fib));
  // Sixteen addresses at once where the CPU has AVX-512; refused where it has not.
  if (!small) (void)rte_fib_select_lookup(fib, RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512);
  for (const Fib4Route& r : sorted) {
    const int rc = rte_fib_add(fib, r.network, r.length, r.next_hop);
    if (rc != 0)
      return fail(error, std::string("the route table refused a route: ") + rte_strerror(-rc));
  }
  return built;
}

Fib4::~Fib4() {
  rte_fib_free(fib_);
}

void Fib4::lookup(const uint32_t* addresses_host_order, uint64_t* next_hops,
                  unsigned n) const noexcept {
  if (n == 0) return;
  // 22.11 forgot the const; it only reads the addresses, and takes any number of them.
  rte_fib_lookup_bulk(fib_, const_cast<uint32_t*>(addresses_host_order), next_hops,
                      static_cast<int>(n));
}

uint16_t Fib4::lookup(uint32_t address_host_order) const noexcept {
  uint64_t next_hop = 0;
  lookup(&address_host_order, &next_hop, 1);
  return static_cast<uint16_t>(next_hop);
}

}  // namespace maclane
