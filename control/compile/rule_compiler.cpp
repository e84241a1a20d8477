// The rows of one firewall menu to a rule set. Control thread.
//
// Before mangle's forward chain stand rules nobody wrote: a SYN through a PPPoE session is told of
// its MTU, so that TCP works where ICMP is filtered.
//
// Rules of one chain stand together, in the order of the menu. A custom chain exists if a rule
// stands in it or jumps to it; one whose rules are all disabled is empty, which returns at once.
#include <fmt/format.h>

#include <algorithm>

#include "control/compile/parts.h"
#include "control/compile/rule_columns.h"
#include "control/compile/rule_more.h"
#include "control/compile/rule_reuse.h"
#include "dataplane/table/rule_index.h"

namespace maclane::compile {
namespace {

using model::RowPtr;
using model::View;

constexpr size_t kMostIndexes = 0xffff;  // a rule's references are 16 bits; 0xffff is "none"

class RuleCompiler {
 public:
  /// known: the menu's rows. before: what the last compile made of the menu; nullptr at start.
  RuleCompiler(Work& work, InterfaceLists& lists, std::string_view path, KnownRows known,
               const CompileState::Rules* before)
      : work_(work),
        lists_(lists),
        menu_(*model::find_menu(path)),
        columns_(menu_),
        more_columns_(menu_),
        rows_(work.tree.rows(menu_)),
        known_(std::move(known)),
        before_(before),
        former_(before != nullptr ? before->set.get() : nullptr) {}

  CompileState::Rules run() {
    set_->log_prefixes.emplace_back();
    const bool clamps = menu_.path == kManglePath && !work_.state.clamps.empty();
    if (clamps) {
      set_->chains.push_back({0, 0, "forward"});
      chains_.emplace("forward", uint16_t{0});
      by_chain_.resize(1);
    }
    gather();
    set_->rules.reserve(known_.size() + (clamps ? 2 * work_.state.clamps.size() : 0));
    for (size_t i = 0; i < by_chain_.size(); ++i) {
      RuleSet::Chain& chain = set_->chains[i];
      chain.first = static_cast<uint32_t>(set_->rules.size());
      if (clamps && i == 0) append_clamps(work_, *set_);
      for (const uint32_t place : by_chain_[i]) add(place);
      chain.count = static_cast<uint32_t>(set_->rules.size()) - chain.first;
    }
    set_->input = builtin("input");
    set_->forward = builtin("forward");
    set_->output = builtin("output");
    set_->srcnat = builtin("srcnat");
    set_->dstnat = builtin("dstnat");
    set_->prerouting = builtin("prerouting");
    set_->postrouting = builtin("postrouting");
    index_rules(*set_, former_, work_.rules_rest);
    return {std::move(set_), std::move(states_), std::move(times_),
            std::make_shared<const KnownRows>(std::move(known_))};
  }

 private:
  using Indexes = std::unordered_map<std::string_view, uint16_t>;

  uint16_t enter(const RowPtr& row, std::string_view name) {
    const uint16_t chain = index(row, "chain", chains_, name, [&] {
      set_->chains.push_back({0, 0, std::string(name)});
      return set_->chains.size();
    });
    by_chain_.resize(set_->chains.size());
    return chain;
  }

  /// Which rows are rules, by chain. A chain is there from its first mention on.
  void gather() {
    constexpr uint16_t kNotYet = RuleSet::kNoChain;
    std::vector<uint16_t> now(former_ != nullptr ? former_->chains.size() : 0, kNotYet);
    uint32_t place = 0;
    for (CompileState::KnownRow& known : known_) {
      const uint32_t here = place++;
      if (!known.enabled) continue;
      if (known.rule == CompileState::KnownRow::kNone) {
        const RowPtr& row = rows_[here];
        known.chain = enter(row, row->at(columns_.chain));
      } else {
        uint16_t& chain = now[known.chain];
        if (chain == kNotYet) chain = enter(rows_[here], former_->chains[known.chain].name);
        known.chain = chain;
      }
      by_chain_[known.chain].push_back(here);
      if (known.jumps) enter(rows_[here], rows_[here]->at(columns_.jump_target));
    }
  }

  [[nodiscard]] uint16_t builtin(std::string_view name) const {
    auto it = chains_.find(name);
    return it == chains_.end() ? RuleSet::kNoChain : it->second;
  }

  void error(const RowPtr& row, std::string_view property, std::string message) {
    work_.errors.push_back(View(menu_, *row).error(property, std::move(message)));
  }

  /// The index of a name, which make() appends if it is new and then returns how many there are.
  template <typename Make>
  uint16_t index(const RowPtr& row, std::string_view property, Indexes& known,
                 std::string_view name, Make&& make) {
    auto it = known.find(name);
    if (it != known.end()) return it->second;
    if (known.size() >= kMostIndexes - 1) {
      error(row, property,
            fmt::format("more than {} different values of {} in one menu; use fewer",
                        kMostIndexes - 1, property));
      return 0;
    }
    return known.emplace(name, static_cast<uint16_t>(make() - 1)).first->second;
  }

  /// Reads a matcher if it is set: notes its bit and the negation, and returns the bare value.
  std::optional<std::string_view> matcher(const RowPtr& row, int column, Rule& rule,
                                          Rule::Match what) {
    const std::string_view text = row->at(column);
    if (text.empty()) return std::nullopt;
    const model::Negatable value = model::split_negation(text);
    rule.match |= what;
    if (value.negated) rule.negate |= what;
    return value.value;
  }

  void bad(const RowPtr& row, int column, std::string_view right) {
    const auto& property = menu_.properties[static_cast<size_t>(column)];
    error(row, property.name, fmt::format("\"{}\" is not {}", row->at(column), right));
  }

  void match_interface(const RowPtr& row, int column, Rule& rule, Rule::Match what, IfIndex& out) {
    const auto name = matcher(row, column, rule, what);
    if (!name) return;
    if (const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                        [&](const auto& one) { return one.name == *name; });
        kind != std::end(kKinds)) {
      rule.match &= ~uint32_t{what};
      rule.negate &= ~uint32_t{what};
      return;  // match_kind() looks at it
    }
    out = work_.state.names.index_of(*name);
    if (out == kNoIf) bad(row, column, "an interface; name one that exists");
  }

  /// in-interface=all-ppp and the like: a list, together with the one the rule names itself.
  void match_kind(const RowPtr& row, int column, Rule& rule, Rule::Match list_bit, uint16_t& list) {
    const model::Negatable name = model::split_negation(row->at(column));
    const IfKind kind = value_of(kKinds, name.value, IfKind::kNone);
    if (kind == IfKind::kNone) return;
    InterfaceSet both{};
    const bool has_list = (rule.match & list_bit) != 0;
    const bool not_in_list = (rule.negate & list_bit) != 0;
    const auto& interfaces = work_.snapshot.interfaces;
    for (size_t i = 0; i < std::max<size_t>(interfaces.size(), 1); ++i) {
      const bool is_kind = i < interfaces.size() && interfaces[i].kind == kind;
      const auto index = static_cast<IfIndex>(i);  // 0, kNoIf: the router itself
      const bool listed = !has_list || contains(set_->interface_sets[list], index) != not_in_list;
      if (is_kind != name.negated && listed) both[i >> 6] |= uint64_t{1} << (i & 63);
    }
    if (set_->interface_sets.size() >= kMostIndexes)
      return bad(row, column, "possible: too many rules name kinds of interfaces");
    rule.match |= list_bit;
    rule.negate &= ~uint32_t{list_bit};
    list = static_cast<uint16_t>(set_->interface_sets.size());
    set_->interface_sets.push_back(both);
  }

  void match_list(const RowPtr& row, int column, Rule& rule, Rule::Match what, uint16_t& out) {
    const auto name = matcher(row, column, rule, what);
    if (!name) return;
    const auto known = interface_sets_.find(*name);
    if (known != interface_sets_.end()) {
      out = known->second;
      return;
    }
    if (set_->interface_sets.size() >= kMostIndexes)
      return bad(row, column, "possible: too many rules name lists of interfaces");
    out = static_cast<uint16_t>(set_->interface_sets.size());
    interface_sets_.emplace(*name, out);
    set_->interface_sets.push_back(lists_.set(*name));
  }

  void match_addresses(const RowPtr& row, int column, Rule& rule, Rule::Match what,
                       AddressRange& out) {
    const auto text = matcher(row, column, rule, what);
    if (!text) return;
    const auto range = model::parse_ip4_set(*text);
    if (!range) return bad(row, column, "an address, a prefix or a range a-b");
    out = {range->first, range->last};
  }

  void match_address_list(const RowPtr& row, int column, Rule& rule, Rule::Match what,
                          uint16_t& out) {
    const auto name = matcher(row, column, rule, what);
    if (!name) return;
    out = list_index(row, "src-address-list", *name);
  }

  uint16_t list_index(const RowPtr& row, std::string_view property, std::string_view name) {
    return index(row, property, address_sets_, name, [&] {
      set_->address_sets.push_back(address_set(work_, name));
      const bool fills = work_.state.filling_lists.contains(name);
      set_->dynamic_lists.push_back(fills ? work_.state.names.list(name) : uint16_t{0});
      return set_->address_sets.size();
    });
  }

  void match_ports(const RowPtr& row, int column, Rule& rule, Rule::Match what, uint32_t& first,
                   uint16_t& count) {
    const auto text = matcher(row, column, rule, what);
    if (!text) return;
    first = static_cast<uint32_t>(set_->ports.size());
    for (std::string_view part : model::split_list(*text)) {
      const auto range = model::parse_port_range(part);
      if (!range) return bad(row, column, "ports and ranges: 80,443,1000-2000");
      set_->ports.push_back({range->first, range->last});
    }
    count = static_cast<uint16_t>(set_->ports.size() - first);
  }

  template <size_t N>
  void match_words(const RowPtr& row, int column, Rule& rule, Rule::Match what,
                   const Word<uint8_t> (&words)[N], uint8_t& mask) {
    const auto text = matcher(row, column, rule, what);
    if (!text) return;
    for (std::string_view part : model::split_list(*text)) {
      mask = static_cast<uint8_t>(mask | value_of<uint8_t>(words, part, 0));
    }
  }

  /// Whether a rule can match now. One that cannot is left out.
  bool in_force(const RowPtr& row) {
    const Columns& c = columns_;
    // What it names is gone (B-10).
    const bool marks = row->at(c.action) == "mark-routing";
    for (int column : {c.in_interface, c.out_interface, c.in_list, c.out_list,
                       more_columns_.routing_mark, marks ? more_columns_.new_routing_mark : -1})
      if (model::is_lost_reference(model::split_negation(row->at(column)).value)) return false;
    if (model::parse_ipsec_policy(row->at(c.ipsec_policy)).value_or(false)) return false;
    const auto time = model::parse_week_time(row->at(c.time));
    if (!time) return true;
    const auto& now = work_.learned.clock;
    const bool covers = time->covers(now.weekday, now.second);
    times_.emplace_back(*time, covers);
    return covers;
  }

  void add(uint32_t at) {
    CompileState::KnownRow& known = known_[at];
    const auto place = static_cast<uint32_t>(set_->rules.size());
    const uint32_t was = std::exchange(known.rule, CompileState::KnownRow::kNone);
    if (known.stands_alone && work_.same_interfaces()) {
      take_rule(*former_, was, *set_);
      known.rule = place;
      return;
    }
    known.stands_alone = false;
    const RowPtr& row = rows_[at];
    const size_t times = times_.size();
    if (!in_force(row)) return;
    const Columns& c = columns_;
    Rule rule;
    match_interface(row, c.in_interface, rule, Rule::kInInterface, rule.in_if);
    match_interface(row, c.out_interface, rule, Rule::kOutInterface, rule.out_if);
    match_list(row, c.in_list, rule, Rule::kInList, rule.in_list);
    match_list(row, c.out_list, rule, Rule::kOutList, rule.out_list);
    match_kind(row, c.in_interface, rule, Rule::kInList, rule.in_list);
    match_kind(row, c.out_interface, rule, Rule::kOutList, rule.out_list);
    match_addresses(row, c.src, rule, Rule::kSrc, rule.src);
    match_addresses(row, c.dst, rule, Rule::kDst, rule.dst);
    match_address_list(row, c.src_list, rule, Rule::kSrcList, rule.src_list);
    match_address_list(row, c.dst_list, rule, Rule::kDstList, rule.dst_list);
    if (const auto name = matcher(row, c.protocol, rule, Rule::kProtocol)) {
      const auto number = model::parse_protocol(*name);
      if (!number) bad(row, c.protocol, "a protocol; write its name or number");
      rule.protocol = number.value_or(0);
    }
    match_ports(row, c.src_port, rule, Rule::kSrcPort, rule.src_ports, rule.src_port_count);
    match_ports(row, c.dst_port, rule, Rule::kDstPort, rule.dst_ports, rule.dst_port_count);
    if (const auto text = matcher(row, c.icmp, rule, Rule::kIcmp)) {
      const auto options = model::parse_icmp_options(*text);
      if (!options) bad(row, c.icmp, "type:code or type:first-last");
      rule.icmp_type = options ? options->type : 0;
      rule.icmp_code_first = options ? options->code_first : 0;
      rule.icmp_code_last = options ? options->code_last : 255;
    }
    match_words(row, c.state, rule, Rule::kState, kStates, rule.state_mask);
    match_words(row, c.nat_state, rule, Rule::kNatState, kNatStates, rule.nat_mask);
    add_action(row, rule);
    rule.counter = work_.state.names.slot_of(menu_.path, row->id).value_or(0);
    set_->rules.push_back(rule);
    known.rule = place;
    known.stands_alone = times_.size() == times && stands_alone(rule, set_->more_of(rule));
  }

  void add_action(const RowPtr& row, Rule& rule) {
    const Columns& c = columns_;
    rule.action = value_of(kActions, row->at(c.action), Action::kAccept);
    RuleMore more;
    int wrong = -1;
    read_more(more_columns_, *row, rule.action, work_.state.names, *set_, more, &wrong);
    if (wrong >= 0) return bad(row, wrong, "what this property takes");
    if (more.match != 0) rule.match |= Rule::kMore;
    keep_state(row, more);
    if (rule.action == Action::kAddSrcToList || rule.action == Action::kAddDstToList) {
      const uint16_t set = list_index(row, "address-list", row->at(c.address_list));
      more.list = set_->dynamic_lists[set];
      more.list_set = set_->address_sets[set].get();
    }
    more.reject = value_of(kRejects, row->at(c.reject), RejectWith::kNetUnreachable);
    if (rule.action == Action::kJump) more.jump_chain = builtin(row->at(c.jump_target));
    rule.log = row->at(c.log) == "true";
    if (const std::string_view prefix = row->at(c.log_prefix); !prefix.empty()) {
      more.log_prefix = index(row, "log-prefix", prefixes_, prefix, [&] {
        set_->log_prefixes.emplace_back(prefix);
        return set_->log_prefixes.size();
      });
    }
    if (const std::string_view text = row->at(c.to_addresses); !text.empty()) {
      const auto range = model::parse_ip4_set(text);
      if (!range) return bad(row, c.to_addresses, "an address or a range a-b");
      more.to_addresses = {range->first, range->last};
    }
    if (const std::string_view text = row->at(c.to_ports); !text.empty()) {
      const auto range = model::parse_port_range(text);
      if (!range) return bad(row, c.to_ports, "a port or a range a-b");
      more.to_port_first = range->first;
      more.to_port_last = range->last;
    }
    more.same_not_by_dst = row->at(c.same_not_by_dst) == "true";
    more.randomise_ports = row->at(c.randomise_ports) == "true";
    set_->add_more(rule, more);
  }

  /// What the rule remembers: what it did before, if the row says the same.
  void keep_state(const RowPtr& row, RuleMore& more) {
    std::shared_ptr<RuleState> state;
    if (before_ != nullptr) {
      const auto known = before_->states.find(row->id);
      if (known != before_->states.end() && known->second.first->values == row->values)
        state = known->second.second;
    }
    if (state == nullptr) state = state_for(more);
    if (state == nullptr) return;
    more.state = state.get();
    set_->states.push_back(state);
    states_.emplace(row->id, std::pair(row, std::move(state)));
  }

  Work& work_;
  InterfaceLists& lists_;
  const model::Menu& menu_;
  Columns columns_;
  MoreColumns more_columns_;
  const model::Rows& rows_;
  KnownRows known_;  // rows_ one by one
  const CompileState::Rules* before_;
  const RuleSet* former_;                        // of before_
  std::vector<std::vector<uint32_t>> by_chain_;  // places in rows_
  decltype(CompileState::Rules::states) states_;
  decltype(CompileState::Rules::times) times_;
  std::shared_ptr<RuleSet> set_ = std::make_shared<RuleSet>();
  Indexes chains_, interface_sets_, address_sets_, prefixes_;
};

}  // namespace

CompileState::Rules compile_rules(Work& work, InterfaceLists& lists, std::string_view path,
                                  KnownRows known, const CompileState::Rules* before) {
  return RuleCompiler(work, lists, path, std::move(known), before).run();
}

}  // namespace maclane::compile
