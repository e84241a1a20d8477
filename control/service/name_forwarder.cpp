#include "control/service/name_forwarder.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "control/observe/log.h"
#include "control/service/text.h"

namespace maclane {
namespace {

constexpr uint64_t kRetryMs = 2000, kReadyMs = 50, kDrainMs = 5000;
constexpr uint32_t kShortestS = 60, kLongestS = 3600;
constexpr std::string_view kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

std::string text_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  std::error_code why;
  if (file) std::filesystem::permissions(path, std::filesystem::perms(0644), why);
  if (file && !why) return true;
  log::write(log::Level::kError, "dns,error", "{} cannot be written", path);
  return false;
}

std::string probe_question(uint16_t id) {
  return address_question("probe.maclane.invalid", id);
}

bool is_address(const std::string& text) {
  return text.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

NameForwarder::NameForwarder(std::string folder, const std::string& state_folder,
                             Resolver& resolver)
    : folder_(std::move(folder)),
      resolver_(resolver),
      slots_{Slot{kPort, state_folder + "/dnsdist.pid"},
             Slot{kOtherPort, state_folder + "/dnsdist-2.pid"}},
      aliases_("unbound", "dns", state_folder + "/unbound.pid") {
  for (int slot = 0; slot < 2; ++slot) {
    slots_[static_cast<size_t>(slot)].child.on_line(
        [this, slot](std::string_view line) { return hear(slot, line); });
  }
  aliases_.on_line([](std::string_view line) {
    return line.find(" info: ") != std::string_view::npos ||
           line.find(" notice: ") != std::string_view::npos;
  });
}

NameForwarder::~NameForwarder() {
  for (const auto& [name, host] : hosts_) resolver_.forget(host.question);
}

void NameForwarder::stop_all() {
  for (Slot& slot : slots_) slot.child.stop();
  aliases_.stop();
  ready_.stop();
  active_ = starting_ = -1;
  drain_ms_ = UINT64_MAX;
  text_.clear();
  alias_text_.clear();
  refused_.clear();
  silent_.clear();
}

void NameForwarder::configure(const ForwarderConfig& config, const Netns& where, uint64_t now_ms) {
  if (where_ == nullptr) {  // a killed router may have left some that this one does not start
    for (Slot& slot : slots_) slot.child.end_predecessor();
    aliases_.end_predecessor();
  }
  where_ = &where;
  if (config == config_) return;
  config_ = config;
  want_hosts(now_ms);
  if (config_.doh.host.empty() && config_.rules.lua.empty()) return stop_all();
  run_aliases(now_ms);
  run(now_ms);
}

void NameForwarder::want_hosts(uint64_t now_ms) {
  std::set<std::string> wanted;
  if (!config_.doh.host.empty() && config_.doh.address.empty()) wanted.insert(config_.doh.host);
  for (const std::string& one : config_.rules.forwards)
    if (!is_address(one)) wanted.insert(one);
  std::erase_if(hosts_, [&](const auto& one) {
    if (wanted.contains(one.first)) return false;
    resolver_.forget(one.second.question);
    return true;
  });
  for (const std::string& one : wanted) {
    if (!hosts_.contains(one)) hosts_[one].ask_ms = now_ms;
  }
}

/// Starts one with what is known, beside the one that runs.
void NameForwarder::run(uint64_t now_ms) {
  std::map<std::string, std::string> address_of;
  for (const auto& [name, host] : hosts_) address_of[name] = host.address;
  const std::string text = dnsdist_text(config_, folder_, address_of);
  const bool nobody = config_.rules.lua.empty() && config_.doh.address.empty() &&
                      address_of[config_.doh.host].empty();
  if (nobody) {  // to ask; what ran so far asks another
    for (Slot& slot : slots_) slot.child.stop();
    active_ = starting_ = -1;
    text_.clear();
    return;
  }
  if (text == text_ && config_.doh.authorities == authorities_) return;
  const int slot = active_ >= 0 ? 1 - active_ : std::max(starting_, 0);
  Slot& one = slots_[static_cast<size_t>(slot)];
  const std::string file = fmt::format("{}/dnsdist-{}.conf", folder_, one.port);
  if (!write_file(folder_ + "/authorities.pem",
                  text_of_file(std::string(kSystemAuthorities)) + config_.doh.authorities) ||
      !write_file(file, fmt::format("setLocal(\"{}:{}\")\n", kAddress, one.port) + text))
    return;
  text_ = text;
  authorities_ = config_.doh.authorities;
  refused_.clear();
  silent_.clear();
  starting_ = slot;
  starts_ = one.child.restarts();
  drain_ms_ = UINT64_MAX;
  ready_.stop();
  ready_ms_ = now_ms;
  one.child.run({"dnsdist", "--supervised", "--disable-syslog", "--config", file, "--uid",
                 "_dnsdist", "--gid", "_dnsdist"},
                *where_, now_ms);
}

void NameForwarder::run_aliases(uint64_t now_ms) {
  const std::string text = unbound_text(config_.rules.aliases);
  if (text == alias_text_) return;
  alias_text_ = text;
  const std::string file = folder_ + "/unbound.conf";
  if (text.empty()) return aliases_.stop();
  if (!write_file(file, text)) return;
  if (aliases_.is_running()) return aliases_.signal(SIGHUP);
  aliases_.run({"unbound", "-d", "-p", "-c", file}, *where_, now_ms);
}

bool NameForwarder::hear(int slot, std::string_view line) {
  if (line.starts_with("Marking downstream ")) {
    std::string_view name = line.substr(sizeof("Marking downstream ") - 1);
    name = name.substr(0, name.find(' '));
    const bool down = line.ends_with("'down'");
    const bool of_old = active_ >= 0 && slot == active_ && starting_ >= 0;
    if (of_old || (active_ >= 0 && starting_ < 0 && slot != active_)) return true;
    const bool news = down ? silent_.emplace(name).second : silent_.erase(std::string(name)) != 0;
    if (news) {
      log::write(down ? log::Level::kWarning : log::Level::kInfo, down ? "dns,warning" : "dns,info",
                 "{} {}", name == "doh" ? config_.doh.url : fmt::format("name server {}", name),
                 !down           ? "answers"
                 : name == "doh" ? silence()
                                 : "does not answer");
    }
    return true;
  }
  for (std::string_view chatter : {"Added downstream", "Listening on", "dnsdist 1", "dnsdist 2",
                                   "ACL allowing", "Console ACL"}) {
    if (line.starts_with(chatter)) return true;
  }
  last_line_ = line;
  return false;
}

std::string NameForwarder::silence() const {
  return config_.doh.verify ? "does not answer, or has no certificate that is trusted"
                            : "does not answer";
}

uint16_t NameForwarder::port() const {
  return slots_[static_cast<size_t>(std::max(active_ >= 0 ? active_ : starting_, 0))].port;
}

std::string NameForwarder::trouble() const {
  if (config_.doh.host.empty() && config_.rules.lua.empty()) return {};
  for (const auto& [name, host] : hosts_) {
    if (host.address.empty()) {
      return fmt::format(
          "the address of {} is not known: a row of /ip/dns/static or a server of servers must "
          "say it",
          name);
    }
  }
  if (!refused_.empty()) return "dnsdist refuses what /ip/dns/static has become: " + refused_;
  if (active_ < 0) return "dnsdist, which it asks, is starting";
  const Slot& slot = slots_[static_cast<size_t>(active_)];
  if (!slot.child.is_running()) return "dnsdist, which it asks, is starting again";
  if (slot.probe.is_silent()) return "dnsdist, which it asks, does not answer";
  if (!alias_text_.empty() && !aliases_.is_running())
    return "unbound, which finds where CNAME rows lead, is starting again";
  if (silent_.contains("doh")) return fmt::format("{} {}", config_.doh.url, silence());
  const auto silent = [&](const std::string& one) { return silent_.contains(one); };
  if (!config_.servers.empty() && std::ranges::all_of(config_.servers, silent))
    return "none of the name servers answers";
  return {};
}

/// dnsmasq knows whom to ask for these names.
void NameForwarder::find_hosts(uint64_t now_ms) {
  constexpr be32 kDnsmasq = be32::from(0x7f000001);
  for (auto& [name, host] : hosts_) {
    if (host.ask_ms > now_ms || host.question != 0) continue;
    host.question = resolver_.ask(
        name, kDnsmasq, [this, to = &host](const Resolver::Answer& answer) { found(*to, answer); });
  }
}

void NameForwarder::found(Host& host, const Resolver::Answer& answer) {
  host.question = 0;
  host.ask_ms = now_ms_ + kRetryMs;
  if (answer.addresses.empty()) return;  // what was known stands
  host.ask_ms = now_ms_ + uint64_t{std::clamp(answer.ttl_s, kShortestS, kLongestS)} * 1000;
  const std::string address = text_of(answer.addresses.front());
  moved_ |= address != host.address;
  host.address = address;
}

/// Once the new one answers, dnsmasq asks it, and the one before has its time to end.
void NameForwarder::look_after_start(uint64_t now_ms) {
  Slot& one = slots_[static_cast<size_t>(starting_)];
  if (active_ >= 0 && one.child.restarts() != starts_) {
    one.child.stop();
    starting_ = -1;
    refused_ = last_line_;
    log::write(log::Level::kError, "dns,error",
               "dnsdist refuses what /ip/dns/static has become: {}; it goes on with what it had",
               last_line_);
    return;
  }
  if (ready_.hear()) {
    ready_.stop();
    if (active_ >= 0) drain_ms_ = now_ms + kDrainMs + uint64_t{config_.doh.timeout_s} * 1000;
    active_ = std::exchange(starting_, -1);
    return;
  }
  if (now_ms < ready_ms_) return;
  ready_ms_ = now_ms + kReadyMs;
  (void)ready_.ask(probe_question(random_id()), *where_, std::string(kAddress), one.port);
}

void NameForwarder::tick(uint64_t now_ms) {
  if (where_ == nullptr || (config_.doh.host.empty() && config_.rules.lua.empty())) return;
  for (Slot& slot : slots_) slot.child.tick(now_ms);
  aliases_.tick(now_ms);
  now_ms_ = now_ms;
  find_hosts(now_ms);
  if (std::exchange(moved_, false)) run(now_ms);
  if (starting_ >= 0) look_after_start(now_ms);
  if (active_ >= 0) {
    Slot& slot = slots_[static_cast<size_t>(active_)];
    if (slot.probe.is_hung(slot.child.pid(), *where_, now_ms, probe_question))
      slot.child.kill_hung();
    if (drain_ms_ <= now_ms) {
      slots_[static_cast<size_t>(1 - active_)].child.stop();
      drain_ms_ = UINT64_MAX;
    }
  }
  if (alias_probe_.is_hung(aliases_.pid(), *where_, now_ms, version_question)) aliases_.kill_hung();
}

}  // namespace maclane
