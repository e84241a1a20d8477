// Addresses that are in address lists for a while (behaviour.md B-13): rows of
// /ip/firewall/address-list with a timeout, and those that rules put there.
//
// A row with a timeout is no part of the configuration: it is kept here, is shown with flag D, and
// is gone when its time is over or the router ends. A single address of such a row stands in
// DynamicLists, as one that a rule added does, so that nothing is compiled for it; a prefix or a
// range is compiled into its list while it lasts. What rules added with none-static is moved into
// the configuration, many at once and at most once a second. Control thread only.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/model/model.h"
#include "control/service/learned.h"
#include "dataplane/table/dynamic_lists.h"

namespace maclane {

class ListedAddresses {
 public:
  /// Rows that rules may make of the configuration, all lists together: a flood of made-up sources
  /// shall not fill the disk.
  static constexpr size_t kMostKept = 250'000;

  struct World {
    DynamicLists* lists = nullptr;
    std::function<uint32_t()> now_cs;                  // the workers' clock
    std::function<uint16_t(std::string_view)> number;  // of a list; 0: it has none yet
    std::function<std::string_view(uint16_t)> name;    // ""
    std::function<void()> republish;                   // with the news of add_learned()
  };
  ListedAddresses(model::Model& model, World world) : model_(model), world_(std::move(world)) {}
  ListedAddresses(const ListedAddresses&) = delete;
  ListedAddresses& operator=(const ListedAddresses&) = delete;

  /// Registers with the model. Once.
  void serve();
  /// Lets go of what is over, and keeps what is to be kept. now_ms: model::steady_ms().
  void tick(uint64_t now_ms);
  /// An address that a name has is in a list for so long, from now on; the name is its comment.
  /// Whatever else put it there stays as it is. timeout_ms: 0: until unlearn().
  void learn(const std::string& list, uint32_t address, std::string_view name, uint64_t timeout_ms);
  /// learn() will be told of such a list: then it has it published already.
  void expect(const std::string& list);
  /// Whether learn() put it there.
  [[nodiscard]] bool has(const std::string& list, uint32_t address, std::string_view name) const;
  /// It has it no more.
  void unlearn(const std::string& list, uint32_t address, std::string_view name);
  /// For the next compile.
  void add_learned(Learned& learned) const;

 private:
  using Clock = std::chrono::system_clock;
  struct Timed {
    model::RowPtr row;
    std::string list;
    uint32_t first = 0, last = 0;
    uint64_t until_ms = 0;  // 0: as long as the router runs
    Clock::time_point created;
    uint16_t number = 0;  // of the list, while the address stands in DynamicLists
    std::string name{};   // whose address it is (learn()); "": somebody added it
  };
  using Key = std::pair<std::string, std::string>;  // list and address
  static constexpr std::string_view kPath = "/ip/firewall/address-list";
  [[nodiscard]] static const model::Menu& menu();

  Result<std::string> add(const model::Fields& values, std::string_view replaces);
  Status set(std::string_view id, const model::Fields& values);
  Status remove(std::string_view id);
  [[nodiscard]] std::vector<model::PrintRow> rows() const;

  /// Takes a row over, if it is right: a new one, or one in its new form.
  Status take(const model::RowPtr& row, std::string_view replaces, bool new_time);
  /// A row comes to be, becomes another one, or goes.
  void put(uint32_t id, std::optional<Timed> next);
  void begin() { undo_.emplace(); }
  void end(bool keep);
  /// Whether a row of the configuration may stand beside these, which have not its address (B-13).
  [[nodiscard]] Status may_store(const model::Fields& values) const;
  [[nodiscard]] Status check(const model::View& row, std::string_view replaces) const;
  void place(Timed& timed);
  void erase(std::map<uint32_t, Timed>::iterator at);
  void restore(const DynamicLists::Entry& entry);
  /// By the number in an id; end() if there is none.
  [[nodiscard]] std::map<uint32_t, Timed>::iterator find(std::optional<uint64_t> number);
  [[nodiscard]] uint64_t given_since(const Timed& timed) const;
  void keep();
  [[nodiscard]] std::vector<model::Edit> rows_to_keep(
      const std::vector<DynamicLists::Entry>& entries) const;
  [[nodiscard]] std::optional<DynamicLists::Entry> entry_of(std::string_view id) const;
  [[nodiscard]] model::PrintRow shown(const DynamicLists::Entry& entry, uint32_t now_cs) const;
  [[nodiscard]] model::PrintRow shown(const Timed& timed) const;

  model::Model& model_;
  World world_;
  model::Tree empty_;  // what an edit of one row begins with
  uint32_t next_id_ = 1;
  std::map<uint32_t, Timed> timed_;
  std::map<Key, uint32_t> by_key_;
  std::unordered_map<uint64_t, uint32_t> placed_;  // list number and address
  std::set<std::pair<uint64_t, uint32_t>> due_;    // until_ms, id
  std::set<std::string, std::less<>> lists_;       // that have single addresses
  uint64_t now_ms_ = 0;
  uint64_t next_keep_ms_ = 0;
  uint32_t kept_ = 0;  // DynamicLists::to_keep() when they were kept last
  bool full_told_ = false;
  /// How to take back what was done since begin(), the last first.
  std::optional<std::vector<std::function<void()>>> undo_;
};

}  // namespace maclane
