#include "control/dhcp_servers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "control/model/dhcp_option.h"
#include "control/model/state.h"
#include "control/model/value.h"
#include "control/observe/log.h"
#include "control/service/text.h"

namespace maclane {
namespace {

using Json = nlohmann::json;
using LeaseStatus = DhcpBinding::Status;

constexpr uint64_t kForever = UINT64_MAX;

uint64_t wall_ms() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count());
}

/// A time of a binding, whose clock says `now`, on the wall's.
uint64_t wall_of(int64_t then_ms, uint64_t now) {
  return wall_ms() - (now - static_cast<uint64_t>(then_ms));
}

/// `now`: on the clock of the binding's times.
std::string line_of(const DhcpBinding& b, uint64_t now) {
  Json json = {{"address", text_of(be32::from(b.address))}};
  if (b.status == LeaseStatus::kBound) {
    json["server"] = b.server;
    if (!b.interface.empty()) json["interface"] = b.interface;
    if (b.seen_ms != DhcpBinding::kNeverSeen) json["seen"] = wall_of(b.seen_ms, now);
    json["mac-address"] = text_of(b.mac);
    if (!b.client_id.empty()) json["client-id"] = model::format_client_id(b.client_id);
    // Who is told by the MAC alone, whatever the client calls itself.
    json["by-client-id"] = b.identity.starts_with('c');
    if (!b.host_name.empty()) json["host-name"] = b.host_name;
    if (b.bound_ms != DhcpBinding::kNeverSeen) json["bound"] = wall_of(b.bound_ms, now);
    if (b.named_ms != DhcpBinding::kNeverSeen) json["named"] = wall_of(b.named_ms, now);
    if (!b.class_id.empty()) json["class-id"] = b.class_id;
    json["until"] =
        b.until_ms == kForever ? 0 : wall_ms() + (b.until_ms - std::min(now, b.until_ms));
  }
  return json.dump() + "\n";
}

std::optional<DhcpBinding> binding_of(const Json& json, uint64_t now) {
  const auto text = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  DhcpBinding b;
  const auto address = model::parse_ip4(text("address"));
  const auto mac = model::parse_mac(text("mac-address"));
  const auto until = json.find("until");
  if (!address || !mac || until == json.end() || !until->is_number_unsigned()) return std::nullopt;
  b.address = *address;
  b.mac = MacAddr{*mac};
  b.server = text("server");
  b.interface = text("interface");
  const auto time = [&](const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number_unsigned()) return DhcpBinding::kNeverSeen;
    const uint64_t wall = wall_ms(), then = std::min(found->get<uint64_t>(), wall);
    return static_cast<int64_t>(now) - static_cast<int64_t>(wall - then);
  };
  b.seen_ms = time("seen");
  b.bound_ms = time("bound");
  b.named_ms = time("named");
  b.client_id = model::parse_client_id(text("client-id")).value_or(std::vector<uint8_t>());
  b.host_name = text("host-name");
  b.class_id = text("class-id");
  const bool by_id = json.value("by-client-id", false);
  b.identity = DhcpLeases::identity(b.mac, by_id ? b.client_id : std::vector<uint8_t>());
  b.status = LeaseStatus::kBound;
  const uint64_t end = until->get<uint64_t>(), wall = wall_ms();
  if (end == 0) {
    b.until_ms = kForever;
  } else if (end <= wall) {
    return std::nullopt;
  } else {
    b.until_ms = now + (end - wall);
  }
  return b;
}

}  // namespace

LeaseFile::LeaseFile(DhcpServer& server, const std::string& state_folder)
    : server_(server), path_(state_folder + "/dhcp-leases.jsonl") {
  server_.on_lease([this](const DhcpBinding& binding) { append(binding); });
}

void LeaseFile::read() {
  std::ifstream file(path_);
  std::map<uint32_t, DhcpBinding> kept;
  size_t damaged = 0;
  for (std::string line; std::getline(file, line);) {
    const Json json = Json::parse(line, nullptr, false);
    const auto address = json.is_object() && json.contains("address") && json["address"].is_string()
                             ? model::parse_ip4(json["address"].get<std::string>())
                             : std::nullopt;
    if (!address) {
      ++damaged;
      continue;
    }
    kept.erase(*address);
    if (auto binding = binding_of(json, server_.now_ms())) kept.emplace(*address, *binding);
  }
  if (damaged != 0) {
    log::write(log::Level::kWarning, "dhcp,warning",
               "{}: {} lines are damaged; the leases in them are not known", path_, damaged);
  }
  std::vector<DhcpBinding> leases;
  leases.reserve(kept.size());
  for (auto& [address, binding] : kept) leases.push_back(std::move(binding));
  server_.restore(std::move(leases));
  reading_ = false;
  if (!kept.empty() || damaged != 0) rewrite();
}

void LeaseFile::append(const DhcpBinding& binding) {
  if (reading_ || interval_ms_ == kForever) return;
  const std::string line = line_of(binding, server_.now_ms());
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  bool written =
      fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (written && interval_ms_ == 0) written = fdatasync(fd) == 0;
  if (!written && !failed_) {
    log::write(log::Level::kError, "dhcp,error", "{}: {}; leases are not known after a restart",
               path_, std::strerror(errno));
  }
  failed_ = !written;
  if (fd >= 0) close(fd);
  dirty_ = true;
}

void LeaseFile::rewrite() {
  std::string text;
  const uint64_t now = server_.now_ms();
  for (const auto& [address, binding] : server_.leases())
    if (binding.status == LeaseStatus::kBound) text += line_of(binding, now);
  const Status status = model::write_atomically(path_, text);
  dirty_ = false;
  if (status) return;
  for (const Error& e : status.error())
    log::write(log::Level::kError, "dhcp,error", "{}", e.text());
}

void LeaseFile::tick() {
  constexpr uint64_t kLeast = 60'000;  // so often at most: lines are added meanwhile
  if (!dirty_ || interval_ms_ == kForever) return;
  const uint64_t now = server_.now_ms();
  if (next_ms_ == 0) next_ms_ = now + std::max(interval_ms_, kLeast);
  if (now < next_ms_) return;
  next_ms_ = 0;
  rewrite();
}

namespace {

const DhcpBinding* binding_at(const DhcpServer& server, std::string_view id) {
  for (const auto& [address, binding] : server.leases())
    if (!binding.is_static() && fmt::format("*{:X}", 0x80000000u + binding.number) == id)
      return &binding;
  return nullptr;
}

model::Answer<model::Outcome> make_static(model::Commands& commands, DhcpServer& server,
                                          const model::Call& call, const model::Caller& caller) {
  std::vector<model::Edit> edits;
  for (const std::string& id : call.rows) {
    const DhcpBinding* binding = binding_at(server, id);
    if (binding == nullptr) continue;  // it is static already
    model::Edit edit;
    edit.kind = model::Edit::Kind::kAdd;
    edit.path = "/ip/dhcp-server/lease";
    edit.values = {{"address", text_of(be32::from(binding->address))},
                   {"mac-address", text_of(binding->mac)},
                   {"server", binding->server}};
    if (binding->identity.starts_with('c'))
      edit.values.emplace_back("client-id", model::format_client_id(binding->client_id));
    edits.push_back(std::move(edit));
  }
  if (edits.empty()) return model::Outcome{};
  auto ids = commands.model().apply(edits, caller);
  if (!ids) return model::refuse(std::move(ids.error()));
  return model::Outcome{};
}

}  // namespace

void add_dhcp_server_commands(model::Commands& commands, Services& services) {
  using model::Answer;
  using model::Call;
  using model::Caller;
  using model::Outcome;
  DhcpServer& server = services.dhcp_server();
  commands.on("/ip/dhcp-server/lease", "make-static",
              [&commands, &server](const Call& call, const Caller& caller) {
                return make_static(commands, server, call, caller);
              });
  commands.on("/ip/dhcp-server/lease", "check-status",
              [&server](const Call& call, const Caller&) -> Answer<Outcome> {
                for (const std::string& id : call.rows) {
                  const DhcpBinding* binding = binding_at(server, id);
                  if (binding != nullptr && (binding->status == LeaseStatus::kConflict ||
                                             binding->status == LeaseStatus::kDeclined))
                    server.remove(binding->number);
                }
                return Outcome{};
              });
  commands.on("/ip/dhcp-server/alert", "reset-alert",
              [&commands, &services](const Call& call, const Caller&) -> Answer<Outcome> {
                for (const std::string& id : call.rows) {
                  const model::RowPtr row = commands.model().tree().find(*call.menu, id);
                  if (row != nullptr) services.dhcp_alert().reset(row->id);
                }
                return Outcome{};
              });
  commands.model().provide_remove(
      "/ip/dhcp-server/lease", [&server](std::string_view id) -> Status {
        const DhcpBinding* binding = binding_at(server, id);
        if (binding == nullptr || !server.remove(binding->number))
          return fail(fmt::format("no such item: there is no lease {}", id));
        return {};
      });
}

}  // namespace maclane
