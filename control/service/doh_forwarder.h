// DNS over HTTPS (RFC 8484) upstream of the name server: dnsdist, supervised (child.h). Control
// thread.
//
// dnsmasq speaks no DNS over HTTPS, and of Debian 12's packages dnsdist is the one that does and is
// well kept: dnss takes no server whose certificate is not to be checked (RouterOS's default), and
// dnscrypt-proxy only such as its lists describe. dnsmasq asks it at an address of the loopback
// network that nobody else has, and keeps the cache.
//
// A server that is named rather than numbered has to be found first: by a row of /ip/dns/static, or
// by a question to dnsmasq, which sends that one name to the servers of /ip/dns. The answer is
// asked for again when its time is over. Whether the server answers is dnsdist's to find out: it
// asks for the server's own name now and then, and its state is shown.
#pragma once

#include <cstdint>
#include <string>

#include "control/service/child.h"
#include "control/service/dns_question.h"

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

class DohForwarder {
 public:
  static constexpr std::string_view kAddress = "127.53.0.1";
  static constexpr uint16_t kPort = 5453;

  /// folder: of the files it is given; made by who calls configure().
  DohForwarder(std::string folder, const std::string& state_folder);
  DohForwarder(const DohForwarder&) = delete;
  DohForwarder& operator=(const DohForwarder&) = delete;

  void configure(const DohServer& server, const Netns& where, uint64_t now_ms);
  void tick(uint64_t now_ms);
  /// "": all is well; else what is not, as the end of a sentence.
  [[nodiscard]] std::string trouble() const;
  [[nodiscard]] const Child& child() const { return child_; }

 private:
  bool hear(std::string_view line);
  [[nodiscard]] std::string trouble_text() const;
  void run(uint64_t now_ms);
  void ask(uint64_t now_ms);
  void hear_answer(uint64_t now_ms);

  std::string folder_;
  Child child_;
  DohServer server_;
  const Netns* where_ = nullptr;
  std::string address_;  // in use; "": not known yet
  DnsAsker asker_;
  uint16_t id_ = 0;  // of the question that is under way
  uint64_t ask_ms_ = UINT64_MAX;
  bool silent_ = false;  // dnsdist says that it does not answer
};

}  // namespace maclane
