// What the helpers share: the packet at hand, and one function for each protocol. Included by
// dataplane/helper/*.cpp only.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "dataplane/helper/helpers.h"
#include "dataplane/table/helper_records.h"
#include "dataplane/worker/worker.h"

namespace maclane {

/// Why a packet does not pass, if it does not.
using Refusal = std::optional<Drop>;
inline constexpr Refusal kPasses{};

/// A whole packet of a session with a helper, on its way out.
struct HelperPacket {
  Worker& w;
  Burst& b;
  unsigned i;
  uint32_t session;
  Session& s;
  HelperRecord& record;
  uint8_t direction;

  [[nodiscard]] std::span<uint8_t> payload() const noexcept;
  [[nodiscard]] std::string_view text() const noexcept {
    const std::span<const uint8_t> bytes = payload();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  /// The host that sent it, as it calls itself, and as the other side knows it.
  [[nodiscard]] be32 speaker() const noexcept { return s.leg(direction).src; }
  [[nodiscard]] be32 public_speaker() const noexcept { return s.leg(opposite(direction)).dst; }
  /// The other side, as it calls itself, and as the host that sent it knows it.
  [[nodiscard]] be32 listener() const noexcept { return s.leg(opposite(direction)).src; }
  [[nodiscard]] be32 public_listener() const noexcept { return s.leg(direction).dst; }
};

/// Text to be put in the place of some other.
struct Edit {
  uint16_t at = 0;  // of the payload
  uint16_t length = 0;
  uint8_t size = 0;
  std::array<char, 27> text{};

  [[nodiscard]] std::string_view view() const noexcept { return {text.data(), size}; }
};

/// Makes edits, which stand in the order of the text and do not touch each other; lengths,
/// checksums and the session's numbers follow. False: there is no room, and nothing was changed.
[[nodiscard]] bool replace_all(HelperPacket& p, std::span<const Edit> edits) noexcept;
/// The same for one: `text` in the place of `length` bytes at `at`.
[[nodiscard]] bool replace(HelperPacket& p, size_t at, size_t length,
                           std::string_view text) noexcept;

/// An expectation of packets between a connection's hosts, from the one that sends in this
/// direction, translated as the connection's are; no ports yet.
[[nodiscard]] Expectation expect_from(const Session& s, uint8_t direction) noexcept;
/// An expectation of a connection from the listener to `port` of the speaker, who is told of by
/// packet p. Fields may be changed before it is announced.
[[nodiscard]] Expectation expect_from_listener(const HelperPacket& p, uint8_t proto,
                                               be16 port) noexcept;
/// Which call of the connection, and which of its streams, something was announced for.
struct Said {
  uint32_t call = 0;
  uint32_t line = 0;
};
/// Announces it, and chooses the port by which the listener will know it (e.dport): the same one if
/// it is free, or that of an earlier promise. With `next`, which is of the speaker's next port,
/// both keep their order: RTP and RTCP.
[[nodiscard]] Refusal announce(HelperPacket& p, Expectation& e, Expectation* next = nullptr,
                               Said said = {}) noexcept;
/// The port alone: it is not announced yet.
[[nodiscard]] Refusal choose_port(HelperPacket& p, Expectation& e, Expectation* next,
                                  Said said) noexcept;
/// The same with a port that the listener knows already. False: somebody else is expected there.
[[nodiscard]] bool claim_port(HelperPacket& p, Expectation& e, be16 port) noexcept;
/// Announces it with a port that the listener knows already.
[[nodiscard]] Refusal announce_as(HelperPacket& p, Expectation& e, be16 port,
                                  Said said = {}) noexcept;
/// A number for the packet's connection that no other has (Expectation::master).
[[nodiscard]] uint64_t number_of(const HelperPacket& p) noexcept;

// One for each protocol.
[[nodiscard]] Refusal help_ftp(HelperPacket& p) noexcept;
[[nodiscard]] Refusal help_tftp(HelperPacket& p) noexcept;
[[nodiscard]] Refusal help_sip(HelperPacket& p) noexcept;
[[nodiscard]] Refusal help_pptp(HelperPacket& p) noexcept;
/// PPTP: the control connection is over, and so are its calls.
void forget_calls(Worker& w, uint32_t session) noexcept;

}  // namespace maclane
