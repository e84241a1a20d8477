// Fuzz: DHCP messages and frames, and a client that is told them in each of its states.
#include "control/service/dhcp_machine.h"

namespace {

using namespace maclane;  // NOLINT: a fuzz target is one file

struct Quiet final : DhcpMachine::Port {
  void send(const dhcp::Message& message, const DhcpLease*) override {
    if (!dhcp::parse(dhcp::build(message))) __builtin_trap();  // what we say we can read
  }
  void probe(be32) override {}
  [[nodiscard]] std::string taken(be32 address) const override {
    return (address.host() & 7) == 7 ? "it is ours" : "";
  }
  void bound(const DhcpLease& lease, bool) override {
    if (!dhcp::is_host(lease.address) || lease.length == 0 || lease.length > 32) __builtin_trap();
  }
  void lost(const DhcpLease&, std::string_view) override {}
  void say(std::string_view) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  (void)dhcp::read_frame(bytes);
  (void)dhcp::classless_routes(bytes);
  auto message = dhcp::parse(bytes);
  if (!message) return 0;
  const auto again = dhcp::parse(dhcp::build(*message));
  if (!again) __builtin_trap();
  Quiet port;
  DhcpMachine machine(port, size);
  DhcpClientConfig config;
  uint64_t now = 1000;
  const MacAddr mac{{2, 0, 0, 0, 0, 1}};
  machine.configure(config, mac, now);
  machine.set_running(true, now);
  // The type goes round, so that one input meets every state.
  for (unsigned i = 0; i < 12; ++i) {
    now = machine.next_deadline() == kNever ? now + 1 : std::max(now, machine.next_deadline());
    machine.tick(now);
    message->xid = machine.xid();
    message->chaddr = mac;
    if (i % 3 != 2)
      message->set(dhcp::kMessageType, dhcp::Bytes{i % 2 == 0 ? uint8_t{2} : uint8_t{5}});
    machine.handle({mac, mac, {}, {}, *message}, now);
  }
  machine.end(now);
  return 0;
}
