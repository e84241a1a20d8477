// The DNS forwarder between its parts: the file it is given, and its commands. Control thread.
#pragma once

#include <string>

#include "control/model/commands.h"
#include "control/service/learned.h"
#include "control/service/lease_names.h"
#include "control/service/name_server.h"

namespace maclane {

/// What cache-size counts.
inline constexpr int64_t kNamesPerKib = 4;

/// dnsmasq's files for /ip/dns. It serves the router itself, with its cache and the names it is
/// given, and others where allow-remote-requests says so; without a config nobody may ask but the
/// router, and there is neither a server to ask nor a name to answer. `ours`: the router's
/// addresses, where the namespace is shared with the host and it must not serve at others; else
/// empty.
[[nodiscard]] NameFiles dns_files(const model::Tree& tree, const Learned& learned,
                                  std::span<const be32> ours);
/// Names that no client of DHCP may have: those of /ip/dns/static, and the router's own.
[[nodiscard]] LeaseNames::Taken taken_names(const model::Tree& tree);
/// The IPv4 name servers of /ip/dns.
[[nodiscard]] std::vector<be32> dns_servers(const model::Tree& tree);

/// /ip/dns/cache flush.
void add_dns_commands(model::Commands& commands, NameServer& server);

}  // namespace maclane
