#define OPENSSL_SUPPRESS_DEPRECATED  // see the header
#include "control/service/ppp_auth.h"

#include <openssl/des.h>
#include <openssl/md4.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

#include <algorithm>
#include <vector>

namespace maclane::ppp {
namespace {

using Sha1 = std::array<uint8_t, SHA_DIGEST_LENGTH>;

/// RFC 2759 8.7.
constexpr std::string_view kMagic1 = "Magic server to client signing constant";
constexpr std::string_view kMagic2 = "Pad to make it do more than one iteration";

template <typename Part>
void append(std::vector<uint8_t>& out, const Part& part) {
  out.insert(out.end(), part.begin(), part.end());
}

template <typename... Parts>
Sha1 sha1(const Parts&... parts) {
  std::vector<uint8_t> all;
  (append(all, parts), ...);
  Sha1 out;
  SHA1(all.data(), all.size(), out.data());
  return out;
}

/// UTF-8 to UTF-16LE; a byte that is no UTF-8 counts as Latin-1.
std::vector<uint8_t> utf16(std::string_view text) {
  std::vector<uint8_t> out;
  const auto put = [&](uint32_t unit) {
    out.push_back(static_cast<uint8_t>(unit));
    out.push_back(static_cast<uint8_t>(unit >> 8));
  };
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<uint8_t>(text[i]);
    const size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    uint32_t point = more == 0 ? first : first & (0x3fu >> more);
    bool good = i + more < text.size();
    for (size_t k = 1; good && k <= more; ++k) {
      const auto next = static_cast<uint8_t>(text[i + k]);
      good = (next & 0xc0) == 0x80;
      point = point << 6 | (next & 0x3f);
    }
    if (!good) point = first;
    i += good ? more + 1 : 1;
    if (point < 0x10000) {
      put(point);
    } else {
      put(0xd800 + ((point - 0x10000) >> 10 & 0x3ff));
      put(0xdc00 + (point & 0x3ff));
    }
  }
  return out;
}

/// Seven bytes are a DES key; its parity bits are not looked at.
void encrypt(std::span<const uint8_t, 7> key, std::span<const uint8_t, 8> text, uint8_t* out) {
  uint64_t bits = 0;
  for (const uint8_t byte : key) bits = bits << 8 | byte;
  DES_cblock block;
  for (size_t i = 0; i < 8; ++i) block[i] = static_cast<uint8_t>((bits >> (49 - 7 * i)) << 1);
  DES_key_schedule schedule;
  DES_set_key_unchecked(&block, &schedule);
  DES_cblock in;
  DES_cblock result;
  std::copy(text.begin(), text.end(), in);
  DES_ecb_encrypt(&in, &result, &schedule, DES_ENCRYPT);
  std::copy(std::begin(result), std::end(result), out);
}

Response24 encrypt(const Digest16& hash, std::span<const uint8_t, 8> challenge) {
  std::array<uint8_t, 21> key{};
  std::copy(hash.begin(), hash.end(), key.begin());
  Response24 out;
  for (size_t i = 0; i < 3; ++i)
    encrypt(std::span<const uint8_t, 7>(key.data() + 7 * i, 7), challenge, out.data() + 8 * i);
  return out;
}

std::array<uint8_t, 8> challenge_hash(std::span<const uint8_t, 16> authenticator,
                                      std::span<const uint8_t, 16> peer, std::string_view user) {
  if (const size_t domain = user.find('\\'); domain != std::string_view::npos)
    user.remove_prefix(domain + 1);
  const Sha1 digest = sha1(peer, authenticator, user);
  std::array<uint8_t, 8> out;
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

}  // namespace

Digest16 chap_md5(uint8_t id, std::string_view secret, std::span<const uint8_t> challenge) {
  std::vector<uint8_t> all{id};
  append(all, secret);
  append(all, challenge);
  Digest16 out;
  MD5(all.data(), all.size(), out.data());
  return out;
}

Digest16 nt_hash(std::string_view password) {
  const std::vector<uint8_t> text = utf16(password);
  Digest16 out;
  MD4(text.data(), text.size(), out.data());
  return out;
}

Response24 nt_response(std::span<const uint8_t, 8> challenge, std::string_view password) {
  return encrypt(nt_hash(password), challenge);
}

Response24 nt_response_v2(std::span<const uint8_t, 16> authenticator,
                          std::span<const uint8_t, 16> peer, std::string_view user,
                          std::string_view password) {
  return nt_response(challenge_hash(authenticator, peer, user), password);
}

std::string authenticator_response(std::string_view password, const Response24& response,
                                   std::span<const uint8_t, 16> authenticator,
                                   std::span<const uint8_t, 16> peer, std::string_view user) {
  const Digest16 hash = nt_hash(password);
  Digest16 twice;
  MD4(hash.data(), hash.size(), twice.data());
  const Sha1 first = sha1(twice, response, kMagic1);
  const Sha1 second = sha1(first, challenge_hash(authenticator, peer, user), kMagic2);
  std::string out = "S=";
  for (const uint8_t byte : second) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
  }
  return out;
}

}  // namespace maclane::ppp
