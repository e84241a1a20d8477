// Addresses of names, for the router's own use (/ping, :resolve, names in rules): c-ares asks the
// name server that runs here, or else the servers that are known. Questions go out in the host
// plane's namespace, so that rules and routes apply to them as to those of any program there.
// RFC 1035; IPv4 addresses only. Control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/service/netns.h"
#include "dataplane/net/types.h"

namespace maclane {

class Resolver {
 public:
  struct Answer {
    std::vector<be32> addresses;  // in the order of the answer
    uint32_t ttl_s = 0;           // the shortest of them
    std::string problem;          // why there are none: "" if there are
    bool answered = false;        // the servers say so, else they could not be asked
  };
  using Done = std::function<void(const Answer&)>;
  /// Whom to ask, the preferred first; none: nobody can be asked.
  using Servers = std::function<std::vector<be32>()>;

  Resolver(Servers servers, std::function<Netns::Scope()> enter);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Asks for a name's addresses; `done` is called once, from tick() and not before it, unless the
  /// question is forgotten. server: asked instead of the usual ones; 0: those. Never 0.
  uint64_t ask(const std::string& name, be32 server, Done done);
  void forget(uint64_t question);
  /// Each turn of the loop: takes answers up and asks again.
  void tick();
  [[nodiscard]] bool is_waiting() const { return !questions_.empty(); }

 private:
  struct Question;
  Servers servers_;
  std::function<Netns::Scope()> enter_;
  uint64_t last_ = 0;
  std::map<uint64_t, std::unique_ptr<Question>> questions_;
};

/// An answer's or an error's words for people: "no such name" for ARES_ENOTFOUND and the like.
[[nodiscard]] std::string resolver_problem(int status);

}  // namespace maclane
