// What must be kept and not be readable: passwords as hashes, keys and old-login passwords sealed.
//
// One random key of 32 bytes lies in the state folder (secret.key, mode 0600), made at first use.
// Passwords are hashed with yescrypt through libcrypt (crypt(5)); the salt is an HMAC of the
// password and of whose it is under that key, so the same password written again in a file gives
// the same hash and is no change, and neither two routers nor two users ever share one. Sealing is
// AES-256-GCM with a fresh nonce: "$sealed$" and base64url. Until open() is called the key is one
// of this process alone (tests, --check). hash_password() and what seals: any thread; open() before
// any other thread starts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "control/model/result.h"

namespace maclane::model::secrets {

/// Reads or makes the key file of a state folder.
[[nodiscard]] Status open(const std::string& folder);
/// The key itself, for backups.
[[nodiscard]] std::string key();

[[nodiscard]] std::string seal(std::string_view text);
[[nodiscard]] bool is_sealed(std::string_view text);
/// nullopt if it was sealed under another key or is damaged.
[[nodiscard]] std::optional<std::string> unseal(std::string_view sealed);
/// The same under another router's key, which came with its backup.
[[nodiscard]] std::optional<std::string> unseal_with(std::string_view key, std::string_view sealed);

/// HMAC-SHA256 under the key.
[[nodiscard]] std::string mac(std::string_view text);

/// Of a user's password. Milliseconds of one CPU, the first time. "" if libcrypt has no yescrypt.
[[nodiscard]] std::string hash_password(std::string_view password, std::string_view user = {});
/// Whether a value is a hash that crypt(3) knows rather than a password.
[[nodiscard]] bool is_password_hash(std::string_view value);
/// Milliseconds of one CPU.
[[nodiscard]] bool password_is(std::string_view password, const std::string& hash);

/// For Property::convert: a password becomes its hash, a hash stays.
[[nodiscard]] tl::expected<std::string, std::string> convert_password(std::string_view value);
/// The same where it is known whose it is.
[[nodiscard]] tl::expected<std::string, std::string> convert_password_of(std::string_view user,
                                                                         std::string_view value);
/// For Property::convert: a private key in PEM becomes sealed, what is sealed stays.
[[nodiscard]] tl::expected<std::string, std::string> convert_sealed(std::string_view value);

/// The sealed form of a password that convert_password lately hashed to this; "" if it is not known
/// any more. What old-login=yes keeps.
[[nodiscard]] std::string sealed_password(std::string_view hash);

[[nodiscard]] std::string random_bytes(size_t count);
[[nodiscard]] std::string to_hex(std::string_view bytes);
[[nodiscard]] std::string to_base64(std::string_view bytes);
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace maclane::model::secrets
