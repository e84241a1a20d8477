#include "control/service/renames.h"

namespace maclane {

void rename(const Renames& renames, Learned& learned) {
  if (renames.empty()) return;
  for (LearnedAddress& one : learned.addresses) rename(renames, one.interface);
  for (LearnedRoute& one : learned.routes) {  // "interface", or "a.b.c.d%interface"
    const size_t percent = one.gateway.find('%');
    const size_t at = percent == std::string::npos ? 0 : percent + 1;
    std::string interface = one.gateway.substr(at);
    rename(renames, interface);
    one.gateway = one.gateway.substr(0, at) + interface;
  }
  for (LearnedRedirect& one : learned.redirects) rename(renames, one.interface);
  for (auto* const servers : {&learned.dns, &learned.ntp})
    for (LearnedServer& one : *servers) rename(renames, one.interface);
  rename_keys(renames, learned.sessions);
  const auto lost = std::exchange(learned.lost_gateways, {});
  for (const auto& [by_ping, interface, address] : lost)
    learned.lost_gateways.emplace(by_ping, std::string(renamed(renames, interface)), address);
  const auto scanned = std::exchange(learned.scanned, {});
  for (const std::string& interface : scanned) learned.scanned.emplace(renamed(renames, interface));
}

}  // namespace maclane
