// /ip/firewall/service-port to what workers follow (behaviour.md B-24). Control thread.
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
};
constexpr Known kKnown[] = {{"ftp", Helper::kFtp, kProtoTcp}, {"tftp", Helper::kTftp, kProtoUdp}};

}  // namespace

void compile_helpers(Work& work) {
  Snapshot& snapshot = work.snapshot;
  model::for_each(work.tree, "/ip/firewall/service-port", [&](const model::View& row) {
    if (row.disabled()) return;
    for (const Known& known : kKnown) {
      if (known.name != row.get("name")) continue;
      snapshot.helpers_on =
          static_cast<uint8_t>(snapshot.helpers_on | 1u << static_cast<unsigned>(known.helper));
      for (const std::string_view text : model::split_list(row.get("ports"))) {
        uint16_t port = 0;
        std::from_chars(text.data(), text.data() + text.size(), port);
        snapshot.helper_ports.push_back({known.proto, known.helper, be16::from(port)});
      }
    }
  });
}

}  // namespace maclane::compile
