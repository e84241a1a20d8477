// The bytes of a backup. See backup.h.
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>

#include "control/model/secrets.h"
#include "control/service/backup.h"

namespace maclane {
namespace {

using Json = nlohmann::json;
namespace secrets = model::secrets;

constexpr std::string_view kFirstLine = "MACLANE-BACKUP 1\n";
constexpr std::string_view kCipher = "aes-256-gcm scrypt-32768-8-1";
constexpr size_t kKeyBytes = 32;
constexpr size_t kSaltBytes = 16;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kLongestHeader = 4096;

struct CipherFree {
  void operator()(EVP_CIPHER_CTX* ctx) const { EVP_CIPHER_CTX_free(ctx); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherFree>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string derive(std::string_view password, std::string_view salt) {
  std::string key(kKeyBytes, '\0');
  constexpr uint64_t kRounds = 32768;
  constexpr uint64_t kMemory = uint64_t{64} << 20;
  if (EVP_PBE_scrypt(password.data(), password.size(), bytes_of(salt), salt.size(), kRounds, 8, 1,
                     kMemory, bytes_of(key), key.size()) != 1) {
    ERR_clear_error();
    key.clear();
  }
  return key;
}

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return secrets::to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

std::string encrypt(std::string_view key, std::string_view nonce, std::string_view said,
                    std::string_view text) {
  std::string out(text.size() + kTagBytes, '\0');
  int size = 0;
  const Cipher ctx(EVP_CIPHER_CTX_new());
  EVP_EncryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce));
  EVP_EncryptUpdate(ctx.get(), nullptr, &size, bytes_of(said), static_cast<int>(said.size()));
  EVP_EncryptUpdate(ctx.get(), bytes_of(out), &size, bytes_of(text), static_cast<int>(text.size()));
  EVP_EncryptFinal_ex(ctx.get(), bytes_of(out) + size, &size);
  EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out.data() + text.size());
  return out;
}

/// false: the key is wrong or something was changed.
bool decrypt(std::string_view key, std::string_view nonce, std::string_view said,
             std::string_view sealed, std::string& out) {
  if (sealed.size() < kTagBytes) return false;
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  sealed.remove_suffix(kTagBytes);
  out.resize(sealed.size());
  int size = 0;
  const Cipher ctx(EVP_CIPHER_CTX_new());
  return EVP_DecryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key),
                            bytes_of(nonce)) == 1 &&
         EVP_DecryptUpdate(ctx.get(), nullptr, &size, bytes_of(said),
                           static_cast<int>(said.size())) == 1 &&
         EVP_DecryptUpdate(ctx.get(), bytes_of(out), &size, bytes_of(sealed),
                           static_cast<int>(sealed.size())) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
         EVP_DecryptFinal_ex(ctx.get(), bytes_of(out) + size, &size) == 1;
}

std::string text_at(const Json& header, const char* key) {
  const auto found = header.find(key);
  return found != header.end() && found->is_string() ? found->get<std::string>() : std::string();
}

tl::unexpected<Errors> damaged() {
  return fail("failure: the backup is damaged");
}

}  // namespace

Result<std::string> Backup::pack(std::string_view tree, std::string_view identity,
                                 std::string_view password) {
  Json header = {{"identity", identity},
                 {"date", static_cast<int64_t>(std::time(nullptr))},
                 {"version", MACLANE_VERSION}};
  if (password.empty()) {
    header["sha256"] = sha256(tree);
    return fmt::format("{}{}\n{}", kFirstLine,
                       header.dump(-1, ' ', true, Json::error_handler_t::replace), tree);
  }
  const std::string salt = secrets::random_bytes(kSaltBytes);
  const std::string nonce = secrets::random_bytes(kNonceBytes);
  header["cipher"] = kCipher;
  header["salt"] = secrets::to_base64(salt);
  header["nonce"] = secrets::to_base64(nonce);
  const std::string line = header.dump(-1, ' ', true, Json::error_handler_t::replace);
  const std::string key = derive(password, salt);
  if (key.empty()) return fail("failure: no memory to derive the backup's key (32 MiB)");
  return fmt::format("{}{}\n{}", kFirstLine, line, encrypt(key, nonce, line, tree));
}

Result<std::string> Backup::unpack(std::string_view bytes, std::string_view password) {
  if (!bytes.starts_with(kFirstLine))
    return fail(
        "failure: this is no backup of Maclane; backups of RouterOS cannot be loaded, its "
        "exports can be imported");
  bytes.remove_prefix(kFirstLine.size());
  const size_t end = bytes.substr(0, kLongestHeader).find('\n');
  if (end == std::string_view::npos) return damaged();
  const std::string_view line = bytes.substr(0, end);
  const std::string_view payload = bytes.substr(end + 1);
  const Json header = Json::parse(line, nullptr, false);
  if (!header.is_object()) return damaged();
  const std::string cipher = text_at(header, "cipher");
  if (cipher.empty()) {
    if (text_at(header, "sha256") != sha256(payload)) return damaged();
    return std::string(payload);
  }
  if (cipher != kCipher)
    return fail("failure: the backup is encrypted in a way this version does not know");
  const auto about_password = [](std::string message) {
    return tl::make_unexpected(Errors{{.message = std::move(message), .property = "password"}});
  };
  if (password.empty())
    return about_password("failure: the backup is encrypted; give its password");
  const auto salt = secrets::from_base64(text_at(header, "salt"));
  const auto nonce = secrets::from_base64(text_at(header, "nonce"));
  if (!salt || !nonce || nonce->size() != kNonceBytes) return damaged();
  std::string out;
  const std::string key = derive(password, *salt);
  if (key.empty()) return fail("failure: no memory to derive the backup's key (32 MiB)");
  if (!decrypt(key, *nonce, line, payload, out))
    return about_password("failure: the password is wrong, or the backup is damaged");
  return out;
}

}  // namespace maclane
