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

}  // namespace

void keep_clients(Services& services, const std::string& state_folder) {
  const std::string path = state_folder + std::string(kFile);
  services.dhcp_client().restore(read_kept(path));
  services.dhcp_client().on_save([path](const KeptAddresses& kept) { write_kept(path, kept); });
}

void add_client_commands(model::Commands& commands, Services& services) {
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
