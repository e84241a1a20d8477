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

bool by_network(const Fib4Route& a, const Fib4Route& b) noexcept {
  return a.network != b.network ? a.network < b.network : a.length < b.length;
}

bool by_length(const Fib4Route& a, const Fib4Route& b) noexcept {
  return a.length != b.length ? a.length < b.length : a.network < b.network;
}

bool same_prefix(const Fib4Route& a, const Fib4Route& b) noexcept {
  return a.length == b.length && a.network == b.network;
}

/// Host bits cleared, by network and then length, one route a prefix (the last given wins): the
/// same routes make the same table in whatever order they come.
std::vector<Fib4Route> tidy(std::span<const Fib4Route> routes) {
  std::vector<Fib4Route> sorted(routes.begin(), routes.end());
  for (Fib4Route& r : sorted) r.network = network_of(r.network, r.length);
  const auto not_before = [](const Fib4Route& a, const Fib4Route& b) { return !by_network(a, b); };
  if (std::adjacent_find(sorted.begin(), sorted.end(), not_before) == sorted.end()) return sorted;
  std::reverse(sorted.begin(), sorted.end());
  std::stable_sort(sorted.begin(), sorted.end(), by_network);
  sorted.erase(std::unique(sorted.begin(), sorted.end(), same_prefix), sorted.end());
  return sorted;
}

/// How many /24s hold longer routes, of routes by network; DIR24_8 needs a group of 256 entries for
/// each.
uint32_t split_24s(const std::vector<Fib4Route>& routes) {
  uint32_t groups = 0;
  uint64_t last = ~uint64_t{0};
  for (const Fib4Route& r : routes) {
    if (r.length <= 24 || r.network >> 8 == last) continue;
    last = r.network >> 8;
    ++groups;
  }
  return groups;
}

std::shared_ptr<Fib4> fail(std::string* error, std::string_view why) {
  if (error != nullptr) *error = why;
  return nullptr;
}

/// Why these routes make no table; "" if nothing is wrong with them.
std::string_view mistake(std::span<const Fib4Route> routes) {
  for (const Fib4Route& r : routes) {
    if (r.length > 32) return "a route has a prefix length above 32";
    if (r.next_hop > Fib4::kMaxNextHop) return "more next hops than the route table can name";
  }
  return {};
}

constexpr std::string_view kTooManyGroups =
    "routes longer than /24 stand in more than 32766 different /24 networks";

}  // namespace

std::shared_ptr<Fib4> Fib4::make(std::span<const Fib4Route> routes, size_t room, uint32_t groups,
                                 bool small, std::string* error) {
  rte_fib_conf conf{};
  conf.type = small ? RTE_FIB_DUMMY : RTE_FIB_DIR24_8;
  conf.default_nh = 0;
  conf.max_routes = static_cast<int>(room) + 1;
  if (!small) {
    conf.dir24_8.nh_sz = RTE_FIB_DIR24_8_2B;
    conf.dir24_8.num_tbl8 = groups + 1;
  }
  static std::atomic<uint32_t> builds{0};
  const std::string name = "fib4_" + std::to_string(builds.fetch_add(1));
  rte_fib* fib = rte_fib_create(name.c_str(), SOCKET_ID_ANY, &conf);
  if (fib == nullptr)
    return fail(error, std::string("no memory for the route table: ") + rte_strerror(rte_errno));
  std::shared_ptr<Fib4> built(new Fib4(fib));
  // Sixteen addresses at once where the CPU has AVX-512; refused where it has not.
  if (!small) (void)rte_fib_select_lookup(fib, RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512);
  for (const Fib4Route& r : routes) {
    const int rc = rte_fib_add(fib, r.network, r.length, r.next_hop);
    if (rc != 0)
      return fail(error, std::string("the route table refused a route: ") + rte_strerror(-rc));
  }
  return built;
}

std::shared_ptr<const Fib4> Fib4::build(std::span<const Fib4Route> routes, std::string* error,
                                        bool small) {
  if (const std::string_view why = mistake(routes); !why.empty()) return fail(error, why);
  std::vector<Fib4Route> sorted = tidy(routes);
  const uint32_t groups = split_24s(sorted);
  if (!small && groups + 1 > kMaxTbl8) return fail(error, kTooManyGroups);
  std::sort(sorted.begin(), sorted.end(), by_length);
  return make(sorted, sorted.size(), groups, small, error);
}

/// False: it cannot be brought there, and is of no use any more.
bool Fib4Maker::bring_to(Kept& kept, std::vector<Fib4Route>& routes, uint32_t groups) {
  if (routes.size() > kept.room || groups > kept.groups) return false;
  rte_fib* const fib = kept.fib->fib_;
  const auto add = [&](const Fib4Route& r) {
    return rte_fib_add(fib, r.network, r.length, r.next_hop) == 0;
  };
  // What goes makes room for what comes.
  std::vector<Fib4Route> come;
  auto old = kept.routes.begin();
  auto now = routes.begin();
  while (old != kept.routes.end() || now != routes.end()) {
    if (now == routes.end() || (old != kept.routes.end() && by_network(*old, *now))) {
      if (rte_fib_delete(fib, old->network, old->length) != 0) return false;
      ++old;
    } else if (old == kept.routes.end() || by_network(*now, *old)) {
      come.push_back(*now++);
    } else {
      if (old->next_hop != now->next_hop) come.push_back(*now);
      ++old;
      ++now;
    }
  }
  if (!std::all_of(come.begin(), come.end(), add)) return false;
  kept.routes = std::move(routes);
  return true;
}

std::shared_ptr<const Fib4> Fib4Maker::make(std::span<const Fib4Route> routes, std::string* error) {
  if (const std::string_view why = mistake(routes); !why.empty()) return fail(error, why);
  std::vector<Fib4Route> sorted = tidy(routes);
  const uint32_t groups = small_ ? 0 : split_24s(sorted);
  if (groups + 1 > kMaxTbl8) return fail(error, kTooManyGroups);
  // One that is held, a snapshot has: workers may be reading it.
  const auto free = std::find_if(kept_.begin(), kept_.end(),
                                 [](const Kept& one) { return one.fib.use_count() == 1; });
  if (free == kept_.end()) return build(std::move(sorted), groups, error);
  if (bring_to(*free, sorted, groups)) {
    ++changed_;
    return free->fib;
  }
  kept_.erase(free);
  return build(std::move(sorted), groups, error);
}

/// Keeps what it builds, as long as there are not two already: those come back.
std::shared_ptr<const Fib4> Fib4Maker::build(std::vector<Fib4Route> routes, uint32_t groups,
                                             std::string* error) {
  constexpr uint32_t kMoreGroups = 256;
  const size_t more = small_ ? 64 : 1024;
  Kept fresh;
  fresh.room = routes.size() + routes.size() / 2 + more;
  fresh.groups = small_ ? 0 : std::min(groups + groups / 2 + kMoreGroups, kMaxTbl8 - 1);
  std::vector<Fib4Route> shortest_first = routes;
  std::sort(shortest_first.begin(), shortest_first.end(), by_length);
  fresh.fib = Fib4::make(shortest_first, fresh.room, fresh.groups, small_, error);
  if (fresh.fib == nullptr) return nullptr;
  fresh.routes = std::move(routes);
  ++built_;
  std::shared_ptr<const Fib4> built = fresh.fib;
  if (kept_.size() < 2) kept_.push_back(std::move(fresh));
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
