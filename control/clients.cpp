#include "control/clients.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "control/model/state.h"
#include "control/model/value.h"
#include "control/observe/log.h"
#include "control/service/text.h"

namespace maclane {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kFile = "/dhcp-client.json";

KeptAddresses read_kept(const std::string& path) {
  KeptAddresses kept;
  std::ifstream file(path);
  if (!file) return kept;
  const Json json = Json::parse(file, nullptr, false);
  if (!json.is_object()) {
    log::write(log::Level::kWarning, "dhcp,warning",
               "{} is damaged: the DHCP clients do not know the addresses they had", path);
    return kept;
  }
  for (const auto& item : json.items()) {
    const Json& one = item.value();
    if (!one.is_object()) continue;
    const auto text = [&one](const char* key) {
      const auto found = one.find(key);
      return found != one.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    const auto address = model::parse_ip4(text("address"));
    const auto mac = model::parse_mac(text("mac-address"));
    if (address && mac) kept[item.key()] = {be32::from(*address), MacAddr{*mac}};
  }
  return kept;
}

void write_kept(const std::string& path, const KeptAddresses& kept) {
  Json json = Json::object();
  for (const auto& [interface, one] : kept)
    json[interface] = {{"address", text_of(one.address)}, {"mac-address", text_of(one.mac)}};
  const Status status = model::write_atomically(path, json.dump(2) + "\n");
  if (status) return;
  for (const Error& e : status.error())
    log::write(log::Level::kError, "dhcp,error", "{}", e.text());
}

model::PrintRow monitor_row(const PppoeStatus& status) {
  model::PrintRow row;
  const auto add = [&](const char* property, std::string value) {
    if (!value.empty()) row.fields.emplace_back(property, std::move(value));
  };
  const auto add_number = [&](const char* property, unsigned value) {
    if (value != 0) add(property, std::to_string(value));
  };
  add("status", std::string(status.status));
  if (status.status == "connected") {
    constexpr uint64_t kSecond = 1000;
    add("uptime",
        model::format_time_ms(static_cast<int64_t>(status.uptime_ms / kSecond * kSecond)));
    add("active-links", "1");
  }
  if (!status.ac_mac.is_zero()) {
    row.fields.emplace_back("service-name", status.service_name);
    add("ac-name", status.ac_name);
    add("ac-mac", text_of(status.ac_mac));
    add_number("session-id", status.session);
  }
  add("authentication", std::string(status.authentication));
  add_number("mtu", status.mtu);
  add_number("mru", status.mru);
  if (status.local != be32{}) add("local-address", text_of(status.local));
  if (status.remote != be32{}) add("remote-address", text_of(status.remote));
  add("last-error", status.last_error);
  return row;
}

/// monitor until it is stopped.
class Monitor final : public model::Running {
 public:
  Monitor(const PppoeClient& clients, std::vector<std::string> names, uint64_t interval_ms)
      : clients_(clients), names_(std::move(names)), interval_ms_(interval_ms) {}
  [[nodiscard]] uint64_t next_deadline() const override { return next_ms_; }
  State step(uint64_t now_ms, std::vector<model::PrintRow>& rows) override {
    if (now_ms < next_ms_) return State::kGoesOn;
    next_ms_ = now_ms + interval_ms_;
    for (const std::string& name : names_) rows.push_back(look(clients_, name));
    return State::kGoesOn;
  }
  static model::PrintRow look(const PppoeClient& clients, const std::string& name) {
    const auto status = clients.status(name);
    if (status != nullptr) return monitor_row(*status);
    PppoeStatus none;
    none.status = "disabled";
    return monitor_row(none);
  }

 private:
  const PppoeClient& clients_;
  std::vector<std::string> names_;
  uint64_t interval_ms_;
  uint64_t next_ms_ = 0;
};

/// Tells of each service of each concentrator once.
class Scan final : public model::Running {
 public:
  Scan(PppoeClient& clients, std::string_view name, IfIndex interface, uint64_t duration_ms)
      : clients_(clients), scan_(clients.start_scan(std::string(name), interface)) {
    if (duration_ms != 0) end_ms_ = model::steady_ms() + duration_ms;
  }
  Scan(const Scan&) = delete;
  Scan& operator=(const Scan&) = delete;
  ~Scan() override { clients_.stop_scan(scan_); }
  [[nodiscard]] uint64_t next_deadline() const override { return next_ms_; }
  State step(uint64_t now_ms, std::vector<model::PrintRow>& rows) override {
    constexpr uint64_t kLookMs = 100;
    next_ms_ = now_ms + kLookMs;
    const auto& offers = clients_.offers(scan_);
    for (; told_ < offers.size(); ++told_) {
      const PppoeOffer& one = offers[told_];
      model::PrintRow row;
      row.fields = {{"service", one.service_name},
                    {"mac-address", text_of(one.mac)},
                    {"ac-name", one.ac_name}};
      rows.push_back(std::move(row));
    }
    return now_ms >= end_ms_ ? State::kDone : State::kGoesOn;
  }
  void stop() override { clients_.stop_scan(scan_); }

 private:
  PppoeClient& clients_;
  uint64_t scan_;
  size_t told_ = 0;
  uint64_t end_ms_ = UINT64_MAX;
  uint64_t next_ms_ = 0;
};

void add_pppoe_commands(model::Commands& commands, PppoeClient& clients,
                        const InterfaceIndex& index_of) {
  using model::Answer;
  using model::Call;
  using model::Caller;
  using model::Outcome;
  commands.on("/interface/pppoe-client", "monitor",
              [&commands, &clients](const Call& call, const Caller&) -> Answer<Outcome> {
                std::vector<std::string> names;
                for (const std::string& id : call.rows) {
                  const model::RowPtr row = commands.model().tree().find(*call.menu, id);
                  if (row != nullptr) names.emplace_back(model::View(*call.menu, *row).raw("name"));
                }
                Outcome out;
                if (call.is_on("once")) {
                  for (const std::string& name : names)
                    out.rows.push_back(Monitor::look(clients, name));
                  return out;
                }
                const int64_t ms = model::parse_time_ms(call.get("interval")).value_or(1000);
                out.running =
                    std::make_unique<Monitor>(clients, std::move(names), static_cast<uint64_t>(ms));
                return out;
              });
  commands.on(
      "/interface/pppoe-client", "scan",
      [&clients, index_of](const Call& call, const Caller&) -> Answer<Outcome> {
        const std::string_view name = call.get("interface");
        const IfIndex index = index_of(name);
        if (index == kNoIf)
          return model::refuse(
              Trouble::kBadArgument,
              fmt::format("input does not match any value of interface: there is no interface "
                          "named \"{}\"",
                          name));
        const int64_t ms = model::parse_time_ms(call.get("duration")).value_or(0);
        Outcome out;
        out.running = std::make_unique<Scan>(clients, name, index, static_cast<uint64_t>(ms));
        return out;
      });
}

}  // namespace

void keep_clients(Services& services, const std::string& state_folder) {
  const std::string path = state_folder + std::string(kFile);
  services.dhcp_client().restore(read_kept(path));
  services.dhcp_client().on_save([path](const KeptAddresses& kept) { write_kept(path, kept); });
}

void add_client_commands(model::Commands& commands, Services& services,
                         const InterfaceIndex& index_of) {
  add_pppoe_commands(commands, services.pppoe_client(), index_of);
  using model::Answer;
  using model::Call;
  using model::Caller;
  using model::Outcome;
  using Action = bool (DhcpClient::*)(std::string_view);
  const auto add = [&](std::string_view name, Action action) {
    commands.on(
        "/ip/dhcp-client", name,
        [&commands, &services, action](const Call& call, const Caller&) -> Answer<Outcome> {
          const model::Tree& tree = commands.model().tree();
          for (const std::string& id : call.rows) {
            const model::RowPtr row = tree.find(*call.menu, id);
            if (row == nullptr) continue;
            const std::string_view interface = model::View(*call.menu, *row).raw("interface");
            if ((services.dhcp_client().*action)(interface)) continue;
            return model::refuse(
                Trouble::kGeneral,
                fmt::format("failure: the client on {} is disabled; enable it first", interface));
          }
          return Outcome{};
        });
  };
  add("renew", &DhcpClient::renew);
  add("release", &DhcpClient::release);
}

}  // namespace maclane
