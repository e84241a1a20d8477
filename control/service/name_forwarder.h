// Whom dnsmasq asks for what it cannot do itself: dnsdist, for DNS over HTTPS (RFC 8484) and for
// the rules of /ip/dns/static that dnsmasq has no words for, and behind it unbound, which finds
// where a name leads that stands for another of elsewhere. Both supervised (child.h). Control
// thread.
//
// dnsmasq stays in front: it knows who may ask, and keeps the cache. Of Debian 12's packages
// dnsdist is the one that speaks DNS over HTTPS and is well kept: dnss takes no server whose
// certificate is not to be checked (RouterOS's default), and dnscrypt-proxy only such as its lists
// describe. It has rules for expressions, for whole names and for domains, and any record as an
// answer, but follows no CNAME, and hosts ask for addresses only: unbound does, for which each such
// row is a view, told by the address that it is asked from. All three are at addresses of the
// loopback network that nobody else has.
//
// Another dnsdist takes the place of one that runs when something changed: beside it, at the other
// of two ports; once it answers, dnsmasq is told to ask that one, and the one before ends when its
// questions are answered. One that does not start changes nothing.
//
// A server that is named rather than numbered has to be found first: by a row of /ip/dns/static, or
// by a question to dnsmasq. The answer is asked for again when its time is over. Whether a server
// answers is dnsdist's to find out: it asks for a name now and then, and its state is shown.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "control/service/child.h"
#include "control/service/dns_question.h"
#include "control/service/resolver.h"

namespace maclane {

/// use-doh-server and what belongs to it; an empty host: none.
struct DohServer {
  std::string url;         // as it was written, for people
  std::string host, path;  // of it (model/doh_url.h)
  uint16_t port = 443;
  std::string address;      // known from the start; "": to be asked for
  bool verify = false;      // its certificate
  std::string authorities;  // certificates (PEM) that may have signed it, beside the system's
  uint32_t timeout_s = 5;
  friend bool operator==(const DohServer&, const DohServer&) = default;
};

/// What dnsdist does by itself, and what of it unbound does.
struct NameRules {
  struct Alias {
    std::string pool;    // of dnsdist
    std::string source;  // dnsdist asks from this address: it tells which one this is
    std::string target;  // the name it stands for
    uint32_t ttl_s = 0;
    friend bool operator==(const Alias&, const Alias&) = default;
  };
  std::string lua;                      // in its words
  std::vector<std::string> forwards{};  // whom it asks for some names: addresses and names
  std::vector<Alias> aliases{};
  friend bool operator==(const NameRules&, const NameRules&) = default;
};

struct ForwarderConfig {
  DohServer doh{};
  std::vector<std::string> servers{};  // asked in this order where there is no doh
  NameRules rules{};
  friend bool operator==(const ForwarderConfig&, const ForwarderConfig&) = default;
};

/// Its files. `address_of`: of the servers that are named, "": not known.
[[nodiscard]] std::string dnsdist_text(const ForwarderConfig& config, const std::string& folder,
                                       const std::map<std::string, std::string>& address_of);
[[nodiscard]] std::string unbound_text(std::span<const NameRules::Alias> aliases);

class NameForwarder {
 public:
  static constexpr std::string_view kAddress = "127.53.0.1";
  static constexpr uint16_t kPort = 5453, kOtherPort = 5454, kAliasPort = 5455;

  /// folder: of the files it is given; made by who calls configure(). The resolver outlives it.
  NameForwarder(std::string folder, const std::string& state_folder, Resolver& resolver);
  ~NameForwarder();
  NameForwarder(const NameForwarder&) = delete;
  NameForwarder& operator=(const NameForwarder&) = delete;

  void configure(const ForwarderConfig& config, const Netns& where, uint64_t now_ms);
  void tick(uint64_t now_ms);
  /// Where it is to be asked now.
  [[nodiscard]] uint16_t port() const;
  /// "": all is well; else what is not, as the end of a sentence.
  [[nodiscard]] std::string trouble() const;

 private:
  struct Slot {
    Slot(uint16_t at, std::string pid_file)
        : port(at),
          child("dnsdist", "dns", std::move(pid_file)),
          probe(std::string(kAddress), at) {}
    uint16_t port;
    Child child;
    NameProbe probe;
  };
  struct Host {  // a server that is named
    std::string address;
    uint64_t question = 0;  // of the resolver; 0: none is under way
    uint64_t ask_ms = 0;
  };

  bool hear(int slot, std::string_view line);
  [[nodiscard]] std::string silence() const;
  void want_hosts(uint64_t now_ms);
  void run(uint64_t now_ms);
  void run_aliases(uint64_t now_ms);
  void stop_all();
  void look_after_start(uint64_t now_ms);
  void find_hosts(uint64_t now_ms);
  void found(Host& host, const Resolver::Answer& answer);

  std::string folder_;
  ForwarderConfig config_;
  const Netns* where_ = nullptr;
  std::map<std::string, Host> hosts_;
  Resolver& resolver_;
  bool moved_ = false;  // a host has another address than it had
  uint64_t now_ms_ = 0;
  std::array<Slot, 2> slots_;
  int active_ = -1, starting_ = -1;  // of slots_
  unsigned starts_ = 0;              // of the one that starts, when it was begun
  DnsAsker ready_;
  uint64_t ready_ms_ = 0, drain_ms_ = UINT64_MAX;
  std::string text_, authorities_, alias_text_, refused_;
  std::string last_line_;
  std::set<std::string> silent_;  // servers that dnsdist says do not answer
  Child aliases_;
  NameProbe alias_probe_{std::string(kAddress), kAliasPort};
};

}  // namespace maclane
