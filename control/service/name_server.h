// The DNS forwarder and cache (behaviour.md C5): dnsmasq, supervised (child.h). Control thread.
//
// It runs in the host plane's namespace while /ip/dns has something for it to do, and is given
// files made from the tree and from what was learned. What changes often it takes up as it runs,
// with its cache and the questions that are under way: name servers (of /ip/dns, DHCP and PPPoE)
// and names with the usual ttl, as it looks at those files itself. Names for which others are
// asked, or nobody is, it reads anew at SIGHUP, which empties the cache. The rest needs another one
// in its place, with an empty cache, but no question is lost by it: the new one listens beside the
// one before (shared_port.cpp) and takes all that comes, and that one ends when its questions are
// answered, or when who asked them has asked again. What changes until then waits for it, as there
// are two at most. A new name that it remembers an answer of others about, be it that there is
// none, empties the cache as well: else that would stand beside ours. These files stand in a folder
// of /run, as it gives up root. What is new is read by `dnsmasq
// --test` first: what that refuses takes nothing's place. One that runs and answers nothing for ten
// seconds is ended and started again.
//
// It would stay with a name server that fell silent for twenty seconds (server_watch.h): such a one
// is left out for so long while there are others, and all are asked again (C-31).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/service/child.h"
#include "control/service/heard_answers.h"
#include "control/service/name_cache.h"
#include "control/service/name_forwarder.h"
#include "control/service/server_watch.h"

namespace maclane {

/// What it is given.
struct NameFiles {
  std::string config;   // taken at its start; "": it is not needed
  std::string servers;  // as in resolv.conf, in the order they are asked
  std::string domains;  // server= lines; the forwarder is asked at NameForwarder::kPort in them
  std::string hosts;    // as in /etc/hosts
  ForwarderConfig forwarder{};  // asked by such lines
  uint64_t patience_ms = 0;     // with a server that says nothing
  friend bool operator==(const NameFiles&, const NameFiles&) = default;
};

class NameServer {
 public:
  /// The resolver outlives it.
  NameServer(const std::string& state_folder, Resolver& resolver);
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  void configure(const NameFiles& files, const Netns& where, uint64_t now_ms);
  /// Lines of a hosts file: names of DHCP clients, after those of configure().
  void set_lease_names(std::string hosts);
  /// Told of each address it gives as an answer. Once.
  using Answered = std::function<void(const HeardAnswer&)>;
  void on_answer(Answered answered) { answered_ = std::move(answered); }
  /// Takes up what it has noted so far.
  void look();
  void tick(uint64_t now_ms);
  /// What it has cached; waits for its answer, which takes milliseconds, half a second at most.
  [[nodiscard]] std::vector<CachedName> cache();
  void flush();
  /// "running", "stopped", that it is being started again, or that it has nobody to ask, or that
  /// what it is to run with is refused, or that another program has its port.
  [[nodiscard]] std::string state() const;
  /// It runs, and nothing keeps it from listening.
  [[nodiscard]] bool is_serving() const { return child_->is_running() && taken_.empty(); }
  [[nodiscard]] const Child& child() const { return *child_; }

 private:
  /// True: it is no line for the log.
  bool hear(std::string_view line);
  std::string_view hear_answer(std::string_view line);
  [[nodiscard]] std::unique_ptr<Child> made_child();
  [[nodiscard]] bool listens() const { return child_->pid() > 0 && child_->pid() == listener_; }
  [[nodiscard]] std::string former_pid() const { return state_folder_ + "/dnsmasq-former.pid"; }
  void apply(uint64_t now_ms);
  void replace(uint64_t now_ms);
  void end_former(uint64_t now_ms);
  bool hear_taken(std::string_view where_and_why);
  [[nodiscard]] bool write(const std::string& path, const std::string& text) const;
  [[nodiscard]] bool write_all();
  [[nodiscard]] bool write_domains();
  [[nodiscard]] bool write_servers();
  void leave_silent_servers(uint64_t now_ms);
  [[nodiscard]] bool write_hosts();
  [[nodiscard]] bool takes(const NameFiles& files, const Netns& where);

  std::string folder_, file_;
  NameFiles wanted_;                 // as told last
  NameFiles files_;                  // what it runs with
  std::string lease_hosts_, hosts_;  // of the leases; all, as they were written
  std::string refused_;              // why these are not the same
  std::string taken_;                // why it cannot listen
  const Netns* where_ = nullptr;
  std::string state_folder_;
  std::unique_ptr<Child> child_, former_;  // former_: answers its last questions
  uint64_t started_ms_ = 0, look_ms_ = 0;  // child_; and when former_ is looked at
  pid_t listener_ = 0;                     // said that it listens
  bool flushes_ = false;                   // as soon as it does
  bool late_ = false;                      // wanted_ waits for former_
  NameProbe probe_{"127.0.0.1", 53};
  NameForwarder forwarder_;
  uint16_t forwarder_port_ = 0;  // that it was told
  std::vector<CachedName> cache_;
  LongNames long_names_;
  AskedNames asked_;
  Answered answered_;
  HeardAnswers answers_;
  ServerWatch watch_;
  std::map<std::string, uint64_t> left_out_;  // servers that say nothing, and until when
  uint64_t now_ms_ = 0;
  bool in_table_ = false;
  unsigned dumps_ = 0;  // tables it began since it was asked for one
};

}  // namespace maclane
