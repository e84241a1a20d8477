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
constexpr int64_t kMillisecondsPerCs = 10;
constexpr int64_t kLongestTimeoutCs = 0x3fffffff;

void compile_sip(Snapshot& snapshot, const model::View& row) {
  snapshot.sip_direct_media = row.get_bool("sip-direct-media");
  const int64_t cs = row.get_time_ms("sip-timeout") / kMillisecondsPerCs;
  snapshot.timeouts[static_cast<unsigned>(TimeoutClass::kSip)] =
      static_cast<uint32_t>(std::clamp(cs, int64_t{1}, kLongestTimeoutCs));
}

}  // namespace

void compile_helpers(Work& work) {
  Snapshot& snapshot = work.snapshot;
  model::for_each(work.tree, "/ip/firewall/service-port", [&](const model::View& row) {
    if (row.get("name") == "sip") compile_sip(snapshot, row);
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
