// The rows of /ip/dns/static that dnsmasq cannot carry out (behaviour.md C-32): as rules of
// dnsdist, which dnsmasq asks for such names, and as views of unbound, which finds where a name
// leads that stands for another of elsewhere. Control thread.
//
// dnsmasq goes on answering all it can: its cache, its listeners and who may ask stay one. A name
// is its own where a row of type A or AAAA without match-subdomain has it, and where CNAME rows
// lead to those. Expressions go before all plain names: with one, dnsmasq asks dnsdist for every
// name it does not know, and rows that an expression may be about are dnsdist's.
//
// dnsdist takes the rules in order: expressions as they stand, whole names, then names with those
// below them, the longest first. An answer "no such name" to another type of a name that has a row
// is "no such data" (C-32).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "control/model/name_text.h"
#include "control/model/tree.h"
#include "control/service/name_forwarder.h"

namespace maclane {

/// A name as it stands in an answer: its parts with their lengths.
[[nodiscard]] std::string wire_name(std::string_view name);
/// The data of a TXT record.
[[nodiscard]] std::string text_record(std::string_view text);

/// How long others may remember what dnsmasq answers without a time of its own, in ms: the usual
/// ttl of /ip/dns/static, 1d; while clients of DHCP have names, as long as the shortest lease-time
/// of their servers, as dnsmasq has one time for all hosts files.
[[nodiscard]] int64_t local_ttl_ms(const model::Tree& tree);

/// Whether clients of DHCP have names.
[[nodiscard]] bool names_clients(const model::Tree& tree);

class NamePlan {
 public:
  explicit NamePlan(const model::Tree& tree);

  [[nodiscard]] const std::vector<model::View>& rows() const { return rows_; }
  /// dnsmasq answers it.
  [[nodiscard]] bool is_dnsmasqs(const model::View& row) const;
  /// dnsdist is asked for every name that dnsmasq has not.
  [[nodiscard]] bool has_expressions() const { return !expressions_.empty(); }
  /// Names that dnsdist is asked for, each once.
  [[nodiscard]] std::set<std::string> forwarded() const;
  /// What dnsdist and unbound are given.
  [[nodiscard]] NameRules rules() const;

 private:
  [[nodiscard]] bool is_expressed(const model::View& row) const;

  std::vector<model::View> rows_;  // that are enabled
  int64_t usual_ttl_ms_;           // local_ttl_ms()
  std::vector<model::NameExpression> expressions_;
  std::set<std::string> own_;  // names dnsmasq has addresses of
};

}  // namespace maclane
