// What the parts of the SIP helper share. Included by dataplane/helper/sip*.cpp only.
#pragma once

#include <algorithm>

#include "dataplane/helper/protocols.h"
#include "dataplane/helper/sip_text.h"

namespace maclane::sip {

/// The edits of a packet, as they are found.
class Edits {
 public:
  void add(size_t at, size_t length, const Written& text) noexcept {
    if (count_ == edits_.size()) return;
    Edit& edit = edits_[count_++];
    edit.at = static_cast<uint16_t>(at);
    edit.length = static_cast<uint16_t>(length);
    edit.size = text.size;
    std::copy_n(text.text.begin(), text.size, edit.text.begin());
  }
  /// By how much they make the text longer that begins at `from`.
  [[nodiscard]] int32_t growth(size_t from) const noexcept {
    int32_t by = 0;
    for (unsigned i = 0; i < count_; ++i)
      if (edits_[i].at >= from) by += int32_t{edits_[i].size} - int32_t{edits_[i].length};
    return by;
  }
  /// Whether there is room for all that one message can need.
  [[nodiscard]] bool has_room() const noexcept { return edits_.size() - count_ >= kOfOne; }
  [[nodiscard]] std::span<const Edit> in_order() noexcept {
    std::sort(edits_.begin(), edits_.begin() + count_,
              [](const Edit& a, const Edit& b) { return a.at < b.at; });
    return {edits_.data(), count_};
  }

 private:
  static constexpr size_t kOfOne =
      Message::kPlaces + Description::kAddresses + 2 * Description::kStreams + 1;
  unsigned count_ = 0;
  std::array<Edit, 2 * kOfOne> edits_;
};

/// A message in the text of a packet, where it begins there, and what is to be written into it.
struct Reading {
  std::string_view text;  // of the message
  size_t base = 0;        // where that is in the packet's
  const Message& m;
  Edits& edits;
};

/// The streams of a message's description are expected, and its addresses written anew.
[[nodiscard]] Refusal read_media(HelperPacket& p, const Reading& r) noexcept;
/// Nobody waits for the streams of a call any more.
void forget_call(HelperPacket& p, uint32_t call) noexcept;
/// REGISTER: who calls the contacts is expected once the registrar has agreed, as long as it says.
[[nodiscard]] Refusal register_request(HelperPacket& p, const Reading& r) noexcept;
void register_response(HelperPacket& p, const Message& m) noexcept;

}  // namespace maclane::sip
