// Datagrams in pieces for the fuzzing of the firewall: all at once, or some now and others when
// rules, addresses, times and connections are different; with pieces that come twice and pieces
// that contradict what went by (RFC 5722).
#pragma once

#include <algorithm>

#include "dataplane/table/fragments.h"
#include "tests/unit/l3/firewall_fuzz_fixture.h"

namespace maclane::test {

class FirewallFuzzFragments : public FirewallFuzzBase {
 protected:
  using Piece = std::vector<uint8_t>;
  using Pieces = std::vector<Piece>;
  static constexpr size_t kMostFlights = 8;

  /// A datagram of which pieces are still to come.
  struct Flight {
    PlainPacket packet;
    Pieces left;
    Pieces waiting{};  // for the first: the router holds them
    Pieces passed{};   // behind the first, since it is known
    Piece first{};
    bool known = false;    // the first came not long ago
    bool spoiled = false;  // a piece contradicted it
    uint32_t since = 0;    // when the first came, or else the first of those that wait
  };

  Pieces pieces_of(const std::vector<uint8_t>& whole) {
    const uint16_t id = ++fragment_id;
    const Ip4Hdr& ip = *reinterpret_cast<const Ip4Hdr*>(whole.data());
    Pieces pieces;
    const size_t step_size = 8 * (40 + below(40));
    for (size_t at = 20; at < whole.size(); at += step_size) {
      const size_t end = std::min(at + step_size, whole.size());
      const auto more = static_cast<uint16_t>(end == whole.size() ? 0 : 0x2000);
      pieces.push_back(
          ip_packet(ip.src.host(), ip.dst.host(), ip.proto,
                    {whole.begin() + static_cast<long>(at), whole.begin() + static_cast<long>(end)},
                    64, static_cast<uint16_t>((at - 20) / 8 | more), id));
    }
    return pieces;
  }
  /// In the order they come, later ones behind the first.
  static Pieces as_they_leave(const Pieces& pieces) {
    const auto first = std::find_if(pieces.begin(), pieces.end(), is_first);
    Pieces order(first, pieces.end());
    order.insert(order.end(), pieces.begin(), first);
    return order;
  }
  static bool is_first(const Piece& p) {
    return reinterpret_cast<const Ip4Hdr*>(p.data())->fragment_offset() == 0;
  }

  /// What the router forgot of it since.
  void age(Flight& f) const {
    const uint32_t age = w->now.cs - f.since;
    if (f.known && age >= FragmentTable::kKnownLifetimeCs) {
      f.known = f.spoiled = false;
      f.passed.clear();
    } else if (!f.known && age >= FragmentTable::kLifetimeCs) {
      f.waiting.clear();
    }
  }
  /// Some of the pieces arrive. Says what came of the last that went on.
  PlainRouter::Outcome bring_some(Flight& f) {
    age(f);
    const size_t count = 1 + below(static_cast<uint32_t>(f.left.size()));
    const Pieces burst(f.left.begin(), f.left.begin() + static_cast<long>(count));
    f.left.erase(f.left.begin(), f.left.begin() + static_cast<long>(count));
    Pieces order, behind;
    for (const Piece& piece : burst) {
      if (f.spoiled) continue;
      if (is_first(piece)) {
        f.known = true;
        f.since = w->now.cs;
        f.first = piece;
        order.push_back(piece);
        behind = std::exchange(f.waiting, {});
        f.passed.insert(f.passed.end(), behind.begin(), behind.end());
      } else if (f.known) {
        order.push_back(piece);
        f.passed.push_back(piece);
      } else {
        if (f.waiting.empty()) f.since = w->now.cs;
        f.waiting.push_back(piece);
      }
    }
    order.insert(order.end(), behind.begin(), behind.end());
    return put_fragments(burst, order, f.packet);
  }
  /// What does not go on: a piece again, or another beginning, which ends the datagram.
  void disturb(Flight& f) {
    age(f);
    if (!f.known) return;
    if (!f.passed.empty() && below(2) == 0) {
      const Piece again = f.passed[below(static_cast<uint32_t>(f.passed.size()))];
      (void)put_fragments({again}, {}, f.packet);
      return;
    }
    const auto& ip = *reinterpret_cast<const Ip4Hdr*>(f.first.data());
    (void)put_fragments(
        {ip_packet(ip.src.host(), ip.dst.host(), ip.proto,
                   {f.first.begin() + 20, f.first.end() - 8}, 64, 0x2000, ip.id.host())},
        {}, f.packet);
    f.spoiled = true;
  }
  /// Something more of one of the datagrams on their way.
  void fly_on() {
    if (flights.empty()) return;
    Flight& f = flights[below(static_cast<uint32_t>(flights.size()))];
    const bool lost = is_outer(f.packet.flow.dst) && f.packet.flow.dst != address;
    if (!lost && !f.left.empty()) {
      if (below(5) == 0) return disturb(f);
      (void)bring_some(f);
      if (!f.left.empty()) return;
    }
    ++landed;
    std::swap(f, flights.back());
    flights.pop_back();
  }

  std::vector<Flight> flights;
  unsigned landed = 0;
  uint16_t fragment_id = 0;
};

}  // namespace maclane::test
