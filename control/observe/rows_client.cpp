// /ip/dhcp-client and /interface/pppoe-client: what each client has and does.
#include <fmt/format.h>

#include "control/compile/clashes.h"
#include "control/model/value.h"
#include "control/observe/rows.h"
#include "control/router.h"
#include "control/service/text.h"

namespace maclane::observe {
namespace {

using model::Fields;
using model::View;

std::string joined(const std::vector<be32>& all) {
  std::string out;
  for (const be32 one : all) out += (out.empty() ? "" : ",") + text_of(one);
  return out;
}

void dhcp_client_state(const Router& router, const View& row, Fields& out) {
  const DhcpClient& clients = router.services().dhcp_client();
  const std::string_view interface = row.raw("interface");
  const DhcpMachine* client = clients.find(interface);
  out.emplace_back("invalid", yes_no(router.compiled().names.index_of(interface) == kNoIf));
  if (client == nullptr) return;
  out.emplace_back("status", std::string(client->status()));
  const DhcpLease* lease = client->lease();
  if (lease == nullptr) return;
  const auto add = [&](const char* property, std::string value) {
    if (!value.empty()) out.emplace_back(property, std::move(value));
  };
  const auto add_two = [&](const char* first, const char* second, const std::vector<be32>& all) {
    if (!all.empty()) add(first, text_of(all[0]));
    if (all.size() > 1) add(second, text_of(all[1]));
  };
  const model::Ip4Prefix prefix{lease->address.host(), lease->length};
  add("address", model::format_prefix(prefix));
  if (!lease->gateways.empty()) add("gateway", text_of(lease->gateways.front()));
  add("dhcp-server", text_of(lease->server));
  add("netmask", model::format_ip4(prefix.mask()));
  add_two("primary-dns", "secondary-dns", lease->dns);
  add_two("primary-ntp", "secondary-ntp", lease->ntp);
  add("caps-managers", joined(lease->capwap));
  if (lease->end_ms == kNever) return;
  const uint64_t now = clients.now_ms();
  const uint64_t left = lease->end_ms > now ? lease->end_ms - now : 0;
  add("expires-after", model::format_time_ms(static_cast<int64_t>(left / 1000 * 1000)));
}

void pppoe_client_state(const Router& router, const View& row, Fields& out) {
  const IfIndex index = router.compiled().names.index_of(row.raw("name"));
  out.emplace_back("invalid",
                   yes_no(router.compiled().names.index_of(row.raw("interface")) == kNoIf));
  const Snapshot* s = router.dataplane().current();
  const bool known = s != nullptr && index != kNoIf && index < s->interfaces.size();
  out.emplace_back("running", yes_no(known && runs(s->interfaces[index])));
  const auto status = router.services().pppoe_client().status(row.raw("name"));
  if (status != nullptr) {
    out.emplace_back("status", std::string(status->status));
    if (!status->last_error.empty()) out.emplace_back("last-error", status->last_error);
  }
  if (known) out.emplace_back("actual-mtu", std::to_string(s->interfaces[index].mtu));
  add_counters(router, row.raw("name"), out);
  std::erase_if(out, [&](const auto& field) { return row.menu().find(field.first) == nullptr; });
}

/// Whether an interface is disabled, and so carries no address.
bool is_disabled(const Router& router, std::string_view name) {
  for (const std::string_view path : {"/interface/ethernet", "/interface/macvlan",
                                      "/interface/vlan", "/interface/pppoe-client"}) {
    const model::Menu& menu = *model::find_menu(path);
    const model::RowPtr row = router.compiled().tree.find(menu, name);
    if (row != nullptr) return View(menu, *row).disabled();
  }
  return false;
}

/// Learned addresses, as rows of /ip/address.
std::vector<model::PrintRow> learned_addresses(const Router& router) {
  std::vector<model::PrintRow> rows;
  uint32_t number = 0;
  std::vector<compile::Clash> clashes;
  if (const Snapshot* s = router.dataplane().current(); s != nullptr)
    clashes = compile::clashes(router.compiled(), *s);
  for (const compile::AddressInfo& one : router.compiled().addresses) {
    if (one.row != 0) continue;
    model::PrintRow row;
    row.id = dynamic_id(++number);
    row.dynamic = true;
    row.fields = {{"address", model::format_prefix(one.prefix)},
                  {"network", model::format_ip4(one.network)},
                  {"interface", one.interface},
                  {"disabled", "false"},
                  {"actual-interface", one.interface},
                  {"dynamic", "true"},
                  {"invalid", yes_no(is_disabled(router, one.interface))}};
    for (const compile::Clash& clash : clashes) {
      if (clash.interface == one.interface && clash.address == one.prefix.address)
        row.fields.emplace_back("comment", clash.text);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

void provide_client_rows(Router& router) {
  model::Model& model = router.model();
  model.provide("/ip/dhcp-client",
                [&router](const View& row, Fields& out) { dhcp_client_state(router, row, out); });
  model.provide("/interface/pppoe-client",
                [&router](const View& row, Fields& out) { pppoe_client_state(router, row, out); });
  model.provide_rows("/ip/address", [&router] { return learned_addresses(router); });
}

}  // namespace maclane::observe
