// Addresses that names turned out to have, in address lists (behaviour.md C-32: address-list of
// /ip/dns/static): whoever asks the router's name server for a name that such a row is about puts
// the addresses of the answer into the row's list, with the name as their comment, for as long as
// the answer counts and address-list-extra-time longer. They are there before the answer leaves
// (HostPlane::before_names()), so that no connection comes too soon.
//
// The name server's notes say nothing of how long an answer counts: it is asked for that (Resolver)
// at the first answer, and again when that time is over and somebody asks again.
//
// The row that counts for a name is the one that is its answer: expressions from the top, then
// whole names, then the longest domain. Control thread only.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/listed_addresses.h"
#include "control/model/name_text.h"
#include "control/service/heard_answers.h"
#include "control/service/resolver.h"

namespace maclane {

class ListedAnswers {
 public:
  /// Asks for a name's addresses, as Resolver::ask() does.
  using Ask = std::function<void(const std::string& name, Resolver::Done done)>;

  ListedAnswers(ListedAddresses& listed, Ask ask) : listed_(listed), ask_(std::move(ask)) {}

  /// The configuration in force. Publishes where lists are new.
  void configure(const model::Tree& tree);
  /// Whether any row has a list.
  [[nodiscard]] bool is_wanted() const { return !lists_.empty(); }
  /// Publishes nothing: the host plane may be in the midst of its work.
  void hear(const HeardAnswer& answer);

 private:
  static constexpr size_t kMostNames = 16'384;  // asked for how long they count
  static constexpr size_t kMostAsked = 64;      // at a time: each question has a socket
  using Lists = std::vector<std::string>;

  [[nodiscard]] const Lists* lists_of(const std::string& name) const;
  /// Several names may have an address: it stays for the longest.
  void put(const std::string& list, uint32_t address, const std::string& name, uint64_t for_ms);
  void ask(const std::string& name, unsigned tries);
  void counts(const std::string& name, const Resolver::Answer& answer, unsigned tries);

  ListedAddresses& listed_;
  Ask ask_;
  model::Rows rows_;  // that the rest was made from
  std::vector<std::pair<model::NameExpression, Lists>> expressions_;
  std::map<std::string, Lists, std::less<>> whole_, below_;  // below_: with all that is below them
  std::set<std::string> lists_;
  uint64_t extra_ms_ = 0;
  struct Placed {
    std::string name;  // the comment
    uint64_t until_ms = 0;
  };
  std::map<std::pair<std::string, uint32_t>, Placed> placed_;  // by list and address
  size_t asked_ = 0;                                           // questions under way
  struct Known {
    uint64_t until_ms = 0;  // it needs no question until then
    bool counted = false;   // for so long it counts, else a question is under way
  };
  std::map<std::string, Known> known_;
};

}  // namespace maclane
