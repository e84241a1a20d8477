// What LCP and IPCP ask for and agree to (RFC 1661 6, RFC 1332, RFC 1877): the two layers of a
// Link. Included by ppp_link.cpp and ppp_login.cpp only.
#pragma once

#include <array>
#include <utility>

#include "control/service/ppp_link.h"

namespace maclane::ppp {

inline constexpr uint16_t kSmallestMru = 128;
inline constexpr uint16_t kUsualMru = 1492;                   // RFC 2516 7
inline constexpr uint8_t kMd5 = 5, kMs1 = 0x80, kMs2 = 0x81;  // algorithms of CHAP

[[nodiscard]] inline be32 address_of(const Option& option) {
  return be32::from(option.number32().value_or(0));
}

[[nodiscard]] inline bool usable(be32 address) {
  const uint32_t first = address.host() >> 24;
  return first != 0 && first != 127 && first < 224;
}

class Link::Lcp final : public Negotiation {
 public:
  Lcp(Link& link, Send send)
      : Negotiation(std::move(send)), link_(link), peer_mru_(link.settings_.silent_mru) {
    draw_magic();
  }

  [[nodiscard]] uint32_t magic() const { return magic_; }
  [[nodiscard]] uint16_t peer_mru() const { return peer_mru_; }
  [[nodiscard]] Method method() const { return method_; }

 protected:
  std::vector<Option> wanted() override {
    std::vector<Option> out;
    if (ask_mru_) out.push_back(option16(kMru, link_.settings_.mru));
    if (ask_magic_) out.push_back(option32(kMagic, magic_));
    return out;
  }

  void forget_peer() override {
    peer_mru_ = link_.settings_.silent_mru;
    method_ = Method::kNone;
  }

  Verdict judge(const Option& option, Option& better) override {
    switch (option.type) {
      case kMru: {
        const auto mru = option.number16();
        if (!mru) return Verdict::kReject;
        if (*mru < kSmallestMru) {
          better = option16(kMru, kUsualMru);
          return Verdict::kNak;
        }
        peer_mru_ = *mru;
        return Verdict::kAck;
      }
      case kMagic: {
        const auto magic = option.number32();
        if (!magic) return Verdict::kReject;
        if (*magic != magic_ && *magic != 0) return Verdict::kAck;
        // Our own, come back (RFC 1661 6.4), or none.
        better = option32(kMagic, static_cast<uint32_t>(link_.random_()) | 1);
        return Verdict::kNak;
      }
      case kAuthentication:
        method_ = method_of(option);
        if (method_ != Method::kNone && link_.allowed(method_)) return Verdict::kAck;
        method_ = Method::kNone;
        if (link_.best() == Method::kNone) return Verdict::kReject;
        better = option_of(link_.best());
        return Verdict::kNak;
      default:
        return Verdict::kReject;  // compression of headers among them (RFC 2516 7)
    }
  }

  bool suggested(const Option& option) override {
    if (option.type == kMagic) draw_magic();
    // A smaller MRU than we can take is fine; a larger would not come through.
    if (option.type == kMru) {
      const uint16_t mru = option.number16().value_or(0);
      if (mru >= kSmallestMru && mru < link_.settings_.mru) link_.settings_.mru = mru;
    }
    return true;
  }

  bool rejected(const Option& option) override {
    if (option.type == kMagic) ask_magic_ = false;
    if (option.type == kMru) ask_mru_ = false;
    return true;
  }

 private:
  static Method method_of(const Option& option) {
    const Bytes& v = option.value;
    if (v.size() < 2) return Method::kNone;
    const auto protocol = static_cast<uint16_t>(v[0] << 8 | v[1]);
    if (protocol == kPap && v.size() == 2) return Method::kPap;
    if (protocol != kChap || v.size() != 3) return Method::kNone;
    switch (v[2]) {
      case kMd5:
        return Method::kChap;
      case kMs1:
        return Method::kMsChap1;
      case kMs2:
        return Method::kMsChap2;
      default:
        return Method::kNone;
    }
  }
  static Option option_of(Method method) {
    if (method == Method::kPap) return option16(kAuthentication, kPap);
    Option out = option16(kAuthentication, kChap);
    out.value.push_back(method == Method::kChap ? kMd5 : method == Method::kMsChap1 ? kMs1 : kMs2);
    return out;
  }
  void draw_magic() { magic_ = static_cast<uint32_t>(link_.random_()) | 1; }

  Link& link_;
  uint32_t magic_ = 1;
  uint16_t peer_mru_;
  Method method_ = Method::kNone;
  bool ask_mru_ = true, ask_magic_ = true;
};

class Link::Ipcp final : public Negotiation {
 public:
  Ipcp(Link& link, Send send)
      : Negotiation(std::move(send)), ask_dns_{link.settings_.dns, link.settings_.dns} {}

  be32 local{}, remote{};
  std::array<be32, 2> dns{};

 protected:
  std::vector<Option> wanted() override {
    std::vector<Option> out{option32(kAddress, local.host())};
    if (ask_dns_[0]) out.push_back(option32(kPrimaryDns, dns[0].host()));
    if (ask_dns_[1]) out.push_back(option32(kSecondaryDns, dns[1].host()));
    return out;
  }

  void forget_peer() override { remote = be32{}; }

  Verdict judge(const Option& option, Option&) override {
    if (option.type != kAddress || !option.number32()) return Verdict::kReject;
    const be32 asked = address_of(option);
    // Who has none gets none from us; the link does not need it.
    if (!usable(asked)) return Verdict::kReject;
    remote = asked;
    return Verdict::kAck;
  }

  bool suggested(const Option& option) override {
    if (option.type == kAddress) local = address_of(option);
    if (option.type == kPrimaryDns) dns[0] = address_of(option);
    if (option.type == kSecondaryDns) dns[1] = address_of(option);
    return true;
  }

  bool rejected(const Option& option) override {
    if (option.type == kPrimaryDns) ask_dns_[0] = false;
    if (option.type == kSecondaryDns) ask_dns_[1] = false;
    return option.type != kAddress;
  }

 private:
  std::array<bool, 2> ask_dns_;
};

}  // namespace maclane::ppp
