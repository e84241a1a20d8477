#include "control/service/dhcp_leases.h"

#include <algorithm>
#include <utility>

namespace maclane {
namespace {

std::string client_key(const std::string& server, const std::string& identity) {
  std::string key = server;
  key.push_back('\0');
  return key += identity;
}

}  // namespace

std::string_view status_text(BindingStatus status) {
  switch (status) {
    case BindingStatus::kWaiting:
      return "waiting";
    case BindingStatus::kTesting:
      return "testing";
    case BindingStatus::kOffered:
      return "offered";
    case BindingStatus::kBound:
      return "bound";
    case BindingStatus::kDeclined:
      return "declined";
    case BindingStatus::kConflict:
      return "conflict";
  }
  return "";
}

std::string DhcpLeases::identity(const MacAddr& mac, std::span<const uint8_t> client_id) {
  if (client_id.empty()) return "m" + std::string(mac.bytes.begin(), mac.bytes.end());
  return "c" + std::string(client_id.begin(), client_id.end());
}

/// The leases of servers that are called something else now are theirs all the same.
/// One that took another's place on its interface, as a name changed in a file does, has its, too.
void DhcpLeases::rename(const DhcpServingConfig& config,
                        const std::function<void(const DhcpBinding&)>& renamed) {
  std::map<std::string, std::string> now;  // by the name before
  const std::map<uint32_t, std::string> old = std::exchange(names_, config.names);
  for (const auto& entry : old) {
    const uint32_t id = entry.first;
    const std::string& before = entry.second;
    const auto found = names_.find(id);
    if (found != names_.end()) {
      if (found->second != before) now.emplace(before, found->second);
      continue;
    }
    const auto lease = std::ranges::find_if(
        by_address_, [&](const auto& one) { return one.second.server == before; });
    if (lease == by_address_.end()) continue;
    const auto heir = std::ranges::find_if(config.servers, [&](const DhcpServerConfig& s) {
      return !old.contains(s.id) && s.interface_name == lease->second.interface;
    });
    if (heir != config.servers.end()) now.emplace(before, heir->name);
  }
  if (now.empty()) return;
  for (auto& [address, binding] : by_address_) {
    const auto found = now.find(binding.server);
    if (found == now.end()) continue;
    if (binding.identity.empty()) {
      binding.server = found->second;
    } else {
      claim(binding, found->second, binding.identity);
    }
    if (binding.status == BindingStatus::kBound) renamed(binding);
  }
  std::unordered_map<std::string, uint32_t> had;
  for (const auto& [key, address] : had_) {
    const size_t end = key.find('\0');
    const auto found = now.find(key.substr(0, end));
    had.emplace(found == now.end() ? key : found->second + key.substr(end), address);
  }
  had_ = std::move(had);
}

void DhcpLeases::configure(const DhcpServingConfig& config,
                           const std::function<void(const DhcpBinding&)>& gone,
                           const std::function<void(const DhcpBinding&)>& renamed) {
  rename(config, renamed);
  statics_.clear();
  for (const DhcpStaticLease& one : config.leases) statics_.emplace(one.address, one);
  std::vector<uint32_t> ended;
  for (const auto& entry : by_address_) {
    const uint32_t address = entry.first;
    const DhcpBinding& binding = entry.second;
    const auto row = statics_.find(address);
    const bool has_row = row != statics_.end();
    const bool same_client =
        has_row && (row->second.client_id.empty() ? binding.mac == row->second.mac
                                                  : binding.client_id == row->second.client_id);
    const bool enabled = std::ranges::any_of(
        config.servers, [&](const DhcpServerConfig& s) { return s.name == binding.server; });
    const bool there = enabled || std::ranges::any_of(config.names, [&](const auto& name) {
                         return name.second == binding.server;
                       });
    const bool begun =
        binding.status == BindingStatus::kTesting || binding.status == BindingStatus::kOffered;
    if (binding.is_static()
            ? !has_row || (binding.status != BindingStatus::kWaiting && (!same_client || !there))
            : (has_row && !same_client) || !there || (begun && !enabled))
      ended.push_back(address);
  }
  for (const uint32_t address : ended) {
    DhcpBinding& binding = by_address_.at(address);
    if (binding.status == BindingStatus::kBound) gone(binding);
    binding.static_id = 0;
    end(binding);
  }
  for (const auto& [address, row] : statics_) {
    DhcpBinding* binding = at(address);
    if (binding == nullptr) {
      DhcpBinding fresh;
      fresh.address = address;
      binding = &insert(std::move(fresh));
    }
    binding->static_id = row.id;
    binding->pool.clear();
    binding->blocked = row.block;
    if (binding->status != BindingStatus::kWaiting) continue;
    binding->mac = row.mac;
    binding->client_id = row.client_id;
    binding->server = row.server;
  }
}

DhcpBinding& DhcpLeases::insert(DhcpBinding binding) {
  binding.number = ++last_number_;
  const uint32_t address = binding.address;
  return by_address_.insert_or_assign(address, std::move(binding)).first->second;
}

DhcpBinding* DhcpLeases::at(uint32_t address) {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? nullptr : &found->second;
}

DhcpBinding* DhcpLeases::find_static(const std::string& server, const MacAddr& mac,
                                     std::span<const uint8_t> client_id) {
  DhcpBinding* by_mac = nullptr;
  for (const auto& [address, row] : statics_) {
    if (!row.server.empty() && row.server != server) continue;
    if (!row.client_id.empty()) {  // the client-id first (C-11)
      if (std::ranges::equal(row.client_id, client_id)) return at(address);
    } else if (row.mac == mac && by_mac == nullptr) {
      by_mac = at(address);
    }
  }
  return by_mac;
}

DhcpBinding* DhcpLeases::find(const std::string& server, const std::string& identity) {
  const auto found = by_client_.find(client_key(server, identity));
  return found == by_client_.end() ? nullptr : at(found->second);
}

bool DhcpLeases::is_free(uint32_t address, const Reserved& reserved) const {
  return !by_address_.contains(address) && !statics_.contains(address) && !reserved(address);
}

DhcpBinding* DhcpLeases::allocate(const std::string& server, std::span<const DhcpPoolRange> ranges,
                                  const std::string& identity, uint32_t wanted,
                                  const Reserved& reserved) {
  if (by_address_.size() >= kMost) return nullptr;
  const auto take = [&](uint32_t address, const std::string& pool) {
    DhcpBinding fresh;
    fresh.address = address;
    fresh.pool = pool;
    DhcpBinding& binding = insert(std::move(fresh));
    claim(binding, server, identity);
    return &binding;
  };
  const auto had = had_.find(client_key(server, identity));
  for (const uint32_t address : {had == had_.end() ? 0 : had->second, wanted}) {
    if (address == 0 || !is_free(address, reserved)) continue;
    for (const DhcpPoolRange& range : ranges)
      if (address >= range.first && address <= range.last) return take(address, range.pool);
  }
  for (const DhcpPoolRange& range : ranges) {
    // From where the last search ended down, then from the end. What is taken is at most kMost.
    uint32_t& next = next_[range.pool + " " + std::to_string(range.first)];
    if (next < range.first || next > range.last) next = range.last;
    const uint64_t size = uint64_t{range.last} - range.first + 1;
    const uint64_t most = std::min<uint64_t>(size, kMost + 256);
    for (uint64_t i = 0; i < most; ++i) {
      const uint32_t address = next;
      next = next == range.first ? range.last : next - 1;
      if (is_free(address, reserved)) return take(address, range.pool);
    }
  }
  return nullptr;
}

DhcpBinding* DhcpLeases::adopt(DhcpBinding binding) {
  DhcpBinding* there = at(binding.address);
  if (there != nullptr && (there->status != BindingStatus::kWaiting || !there->is_static()))
    return nullptr;
  if (by_address_.size() >= kMost) return nullptr;
  const std::string server = binding.server, identity = binding.identity;
  const BindingStatus status = binding.status;
  const uint64_t until = binding.until_ms;
  binding.static_id = there == nullptr ? 0 : there->static_id;
  binding.blocked = there != nullptr && there->blocked;
  binding.until_ms = UINT64_MAX;
  DhcpBinding& kept = insert(std::move(binding));
  claim(kept, server, identity);
  set_status(kept, status, until);
  return &kept;
}

void DhcpLeases::claim(DhcpBinding& binding, const std::string& server,
                       const std::string& identity) {
  forget_client(binding);
  binding.server = server;
  binding.identity = identity;
  by_client_[client_key(server, identity)] = binding.address;
}

void DhcpLeases::forget_client(const DhcpBinding& binding) {
  const auto found = by_client_.find(client_key(binding.server, binding.identity));
  if (found != by_client_.end() && found->second == binding.address) by_client_.erase(found);
}

void DhcpLeases::set_status(DhcpBinding& binding, BindingStatus status, uint64_t until_ms) {
  if (binding.until_ms != UINT64_MAX) timers_.erase({binding.until_ms, binding.address});
  binding.status = status;
  binding.until_ms = until_ms;
  if (until_ms != UINT64_MAX) timers_.emplace(until_ms, binding.address);
}

void DhcpLeases::end(DhcpBinding& binding) {
  if (binding.status == BindingStatus::kBound && !binding.is_static()) {
    if (had_.size() >= kMost) had_.clear();
    had_[client_key(binding.server, binding.identity)] = binding.address;
  }
  set_status(binding, BindingStatus::kWaiting, UINT64_MAX);
  forget_client(binding);
  binding.identity.clear();
  binding.offers = 0;
  const auto row = statics_.find(binding.address);
  if (!binding.is_static() || row == statics_.end()) {
    by_address_.erase(binding.address);
    return;
  }
  binding.server = row->second.server;
  binding.mac = row->second.mac;
  binding.client_id = row->second.client_id;
}

DhcpBinding* DhcpLeases::due(uint64_t now_ms) {
  if (timers_.empty() || timers_.begin()->first > now_ms) return nullptr;
  return at(timers_.begin()->second);
}

}  // namespace maclane
