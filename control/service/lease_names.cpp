#include "control/service/lease_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "control/observe/log.h"
#include "control/service/dhcp_reply.h"
#include "control/service/text.h"

namespace maclane {
namespace {

constexpr size_t kLongestPart = 63, kLongestName = 253;
/// Names that mean something wherever they are asked for.
constexpr std::array<std::string_view, 3> kNobodys = {"localhost", "wpad", "isatap"};

std::string small(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool is_part(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= kLongestPart && text.front() != '-' &&
         text.back() != '-' && std::ranges::all_of(text, plain);
}

/// Who goes before whom where several call themselves the same.
bool goes_before(const DhcpBinding& a, const DhcpBinding& b) {
  if (a.is_static() != b.is_static()) return a.is_static();
  if (a.named_ms != b.named_ms) return a.named_ms < b.named_ms;
  return a.address < b.address;
}

}  // namespace

std::string lease_name(std::string_view host_name, std::string_view suffix,
                       std::string_view domain) {
  std::string part = small(host_name);
  const std::string end = "." + small(suffix);
  for (const std::string& known : {end, "." + small(domain)}) {
    if (known.size() > 1 && part.size() > known.size() && part.ends_with(known)) {
      part.resize(part.size() - known.size());
      break;
    }
  }
  if (!is_part(part) || part.size() + end.size() > kLongestName ||
      std::ranges::find(kNobodys, part) != kNobodys.end())
    return {};
  return part + end;
}

void LeaseNames::on_config(Taken taken) {
  taken_ = std::move(taken);
  look();
}

bool LeaseNames::tick() {
  const uint64_t now = server_.now_ms();
  if (seen_ == server_.changes() || now < next_ms_) return false;
  next_ms_ = now + kPauseMs;
  const std::vector<LeaseName> before = std::exchange(names_, {});
  look();
  return names_ != before;
}

void LeaseNames::look() {
  seen_ = server_.changes();
  names_.clear();
  std::map<std::string_view, const DhcpServerConfig*> servers;
  for (const DhcpServerConfig& one : server_.config().servers)
    if (one.add_dns_entries) servers.emplace(one.name, &one);
  std::set<std::string> refused;
  const auto refuse = [&](const DhcpBinding& lease, std::string_view why) {
    std::string text =
        fmt::format("{}: {} at {} calls itself \"{}\", {}: it has no DNS name", lease.server,
                    text_of(lease.mac), text_of(be32::from(lease.address)), lease.host_name, why);
    if (!refused_.contains(text)) log::write(log::Level::kInfo, "dhcp,info", "{}", text);
    refused.insert(std::move(text));
  };
  std::map<std::string, const DhcpBinding*> whose;
  for (const auto& [address, lease] : server_.leases()) {
    if (servers.empty()) break;
    if (lease.status != DhcpBinding::Status::kBound || lease.host_name.empty() || lease.blocked)
      continue;
    const auto server = servers.find(lease.server);
    if (server == servers.end()) continue;
    const DhcpNetworkConfig* network = network_of(server_.config().networks, address);
    std::string name = lease_name(lease.host_name, server->second->dns_suffix,
                                  network == nullptr ? "" : network->domain);
    if (name.empty()) {
      refuse(lease, "which is no name that a client may have");
      continue;
    }
    if (taken_ && taken_(name)) {
      refuse(lease, "which is somebody else's in /ip/dns/static, or the router's own");
      continue;
    }
    const auto [holder, fresh] = whose.try_emplace(std::move(name), &lease);
    if (fresh) continue;
    const DhcpBinding* loser = &lease;
    if (goes_before(lease, *holder->second)) loser = std::exchange(holder->second, &lease);
    refuse(*loser, fmt::format("which {} does, too", text_of(be32::from(holder->second->address))));
  }
  refused_ = std::move(refused);
  for (const auto& [name, lease] : whose) names_.push_back({name, lease->address, lease->number});
  std::ranges::sort(names_, {}, &LeaseName::address);
}

std::string LeaseNames::hosts() const {
  std::string out;
  for (const LeaseName& one : names_)
    out += fmt::format("{} {}\n", text_of(be32::from(one.address)), one.name);
  return out;
}

}  // namespace maclane
