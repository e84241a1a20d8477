// /ip/firewall/service-port to what workers follow (behaviour.md B-24). Control thread.
#include <algorithm>
#include <charconv>
#include <utility>

#include "control/compile/parts.h"
#include "control/model/value.h"
#include "dataplane/net/wire.h"

namespace maclane::compile {
namespace {

struct Known {
  std::string_view name;
  Helper helper;
  uint8_t proto;
  uint16_t port = 0;  // of one whose ports are not set
};
constexpr Known kKnown[] = {{"ftp", Helper::kFtp, kProtoTcp},
                            {"tftp", Helper::kTftp, kProtoUdp},
                            {"sip", Helper::kSip, kProtoUdp},
                            {"sip", Helper::kSip, kProtoTcp},
                            {"pptp", Helper::kPptp, kProtoTcp, 1723}};
/// Rows that stand for a transport, whose ports are read or not.
constexpr std::pair<std::string_view, Snapshot::Portless> kTransports[] = {
    {"sctp", Snapshot::kSctp}, {"dccp", Snapshot::kDccp}, {"udplite", Snapshot::kUdpLite}};

void compile_sip(Snapshot& snapshot, const model::View& row) {
  snapshot.sip_direct_media = row.get_bool("sip-direct-media");
  snapshot.timeouts[static_cast<unsigned>(TimeoutClass::kSip)] =
      timeout_cs(row.get_time_ms("sip-timeout"));
}

}  // namespace

void compile_helpers(Work& work) {
  Snapshot& snapshot = work.snapshot;
  model::for_each(work.tree, "/ip/firewall/service-port", [&](const model::View& row) {
    if (row.get("name") == "sip") compile_sip(snapshot, row);
    for (const auto& [name, bit] : kTransports) {
      if (name == row.get("name") && row.disabled())
        snapshot.portless = static_cast<uint8_t>(snapshot.portless | bit);
    }
    if (row.disabled()) return;
    for (const Known& known : kKnown) {
      if (known.name != row.get("name")) continue;
      snapshot.helpers_on =
          static_cast<uint8_t>(snapshot.helpers_on | 1u << static_cast<unsigned>(known.helper));
      if (known.port != 0)
        snapshot.helper_ports.add(known.proto, be16::from(known.port), known.helper);
      for (const std::string_view text : model::split_list(row.get("ports"))) {
        uint16_t port = 0;
        std::from_chars(text.data(), text.data() + text.size(), port);
        snapshot.helper_ports.add(known.proto, be16::from(port), known.helper);
      }
    }
  });
}

}  // namespace maclane::compile
