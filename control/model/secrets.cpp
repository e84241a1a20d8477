// Keys, hashes and seals. See secrets.h.
#include "control/model/secrets.h"

#include <crypt.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

namespace maclane::model::secrets {
namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr std::string_view kMark = "$sealed$";
constexpr size_t kRemembered = 256;  // hashes made lately

struct State {
  std::mutex mutex;  // guards all below
  std::string key = random_bytes(kKeyBytes);
  struct Made {
    std::string hash;
    std::string sealed;
  };
  std::map<std::string, Made> made;  // by HMAC of the password
};

State& state() {
  static State* const instance = new State;  // never destroyed: threads may still ask at the end
  return *instance;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct CipherFree {
  void operator()(EVP_CIPHER_CTX* ctx) const { EVP_CIPHER_CTX_free(ctx); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherFree>;

std::string mac_with(const std::string& key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
       out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string path_of(const std::string& folder) {
  return folder + "/secret.key";
}

Status write_key(const std::string& path, std::string_view key) {
  const std::string temporary = path + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(fmt::format("cannot write {}: {}", temporary, std::strerror(errno)));
  const bool written = ::fchmod(fd, 0600) == 0 &&
                       ::write(fd, key.data(), key.size()) == static_cast<ssize_t>(key.size()) &&
                       ::fsync(fd) == 0;
  const int reason = errno;
  ::close(fd);
  if (!written || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int why = written ? errno : reason;
    ::unlink(temporary.c_str());
    return fail(fmt::format("cannot write {}: {}", path, std::strerror(why)));
  }
  return {};
}

Status take(std::string key) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.key = std::move(key);
  s.made.clear();
  return {};
}

}  // namespace

std::string random_bytes(size_t count) {
  std::string out(count, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count));
  return out;
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(bytes),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3 + 1, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(text),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  out.resize(static_cast<size_t>(size) - padding);
  return out;
}

Status open(const std::string& folder) {
  const std::string path = path_of(folder);
  std::string key(kKeyBytes + 1, '\0');
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno != ENOENT) return fail(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    key = random_bytes(kKeyBytes);
    if (Status status = write_key(path, key); !status) return status;
    return take(std::move(key));
  }
  const ssize_t size = ::read(fd, key.data(), key.size());
  ::close(fd);
  if (size != static_cast<ssize_t>(kKeyBytes)) {
    return fail(fmt::format(
        "{} is damaged: it should hold {} bytes; put it back from a backup, or remove it "
        "and set passwords and certificate keys again",
        path, kKeyBytes));
  }
  key.resize(kKeyBytes);
  return take(std::move(key));
}

std::string key() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  return s.key;
}

std::string seal(std::string_view text) {
  const std::string secret = key();
  std::string out = random_bytes(kNonceBytes);
  std::string sealed(text.size() + kTagBytes, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(sealed.data());
  const Cipher ctx(EVP_CIPHER_CTX_new());
  int size = 0;
  int last = 0;
  if (EVP_EncryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, bytes_of(secret), bytes_of(out)) !=
          1 ||
      EVP_EncryptUpdate(ctx.get(), bytes, &size, bytes_of(text), static_cast<int>(text.size())) !=
          1 ||
      EVP_EncryptFinal_ex(ctx.get(), bytes + size, &last) != 1 ||
      EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, bytes + text.size()) != 1) {
    return {};
  }
  return std::string(kMark) + to_base64(out + sealed);
}

bool is_sealed(std::string_view text) {
  return text.starts_with(kMark);
}

std::optional<std::string> unseal(std::string_view sealed) {
  return unseal_with(key(), sealed);
}

std::optional<std::string> unseal_with(std::string_view secret, std::string_view sealed) {
  if (!is_sealed(sealed) || secret.size() != kKeyBytes) return std::nullopt;
  auto raw = from_base64(sealed.substr(kMark.size()));
  if (!raw || raw->size() < kNonceBytes + kTagBytes) return std::nullopt;
  const size_t length = raw->size() - kNonceBytes - kTagBytes;
  std::string out(length + 1, '\0');
  const Cipher ctx(EVP_CIPHER_CTX_new());
  int size = 0;
  int last = 0;
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());
  auto* tag = raw->data() + kNonceBytes + length;
  if (EVP_DecryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, bytes_of(secret), bytes_of(*raw)) !=
          1 ||
      EVP_DecryptUpdate(ctx.get(), bytes, &size, bytes_of(*raw) + kNonceBytes,
                        static_cast<int>(length)) != 1 ||
      EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag) != 1 ||
      EVP_DecryptFinal_ex(ctx.get(), bytes + size, &last) != 1) {
    return std::nullopt;
  }
  out.resize(length);
  return out;
}

std::string mac(std::string_view text) {
  return mac_with(key(), text);
}

bool is_password_hash(std::string_view value) {
  // "$y$j9T$salt$hash": crypt(5)'s modern forms; "*..." locks an account and no password is it.
  const bool known = value.starts_with("$y$") || value.starts_with("$gy$") ||
                     value.starts_with("$7$") || value.starts_with("$6$") ||
                     value.starts_with("$5$") || value.starts_with("$2b$");
  return known && value.size() > 20 && value.find_first_of(" :;*!\\\n") == std::string_view::npos &&
         value.find('$', 4) != std::string_view::npos;
}

bool password_is(std::string_view password, const std::string& hash) {
  if (!is_password_hash(hash)) return false;
  auto data = std::make_unique<crypt_data>();
  const std::string phrase(password);
  if (phrase.find('\0') != std::string::npos) return false;
  const char* made = crypt_r(phrase.c_str(), hash.c_str(), data.get());
  const bool right = made != nullptr && made[0] != '*' && std::strlen(made) == hash.size() &&
                     CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
  OPENSSL_cleanse(data.get(), sizeof *data);
  return right;
}

std::string hash_password(std::string_view password, std::string_view user) {
  State& s = state();
  const std::string mark =
      mac_with(key(), fmt::format("password {} {}{}", user.size(), user, password));
  {
    const std::lock_guard lock(s.mutex);
    if (const auto found = s.made.find(mark); found != s.made.end()) return found->second.hash;
  }
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (crypt_gensalt_rn("$y$", 0, mark.data(), 16, setting.data(), setting.size()) == nullptr)
    return {};
  auto data = std::make_unique<crypt_data>();
  const char* made = crypt_r(std::string(password).c_str(), setting.data(), data.get());
  std::string hash = made == nullptr || made[0] == '*' ? std::string{} : std::string(made);
  OPENSSL_cleanse(data.get(), sizeof *data);
  if (hash.empty()) return hash;
  std::string sealed = seal(password);
  const std::lock_guard lock(s.mutex);
  if (s.made.size() >= kRemembered) s.made.clear();
  s.made[mark] = {hash, std::move(sealed)};
  return hash;
}

tl::expected<std::string, std::string> convert_password(std::string_view value) {
  return convert_password_of({}, value);
}

tl::expected<std::string, std::string> convert_password_of(std::string_view user,
                                                           std::string_view value) {
  if (value.empty() || is_password_hash(value)) return std::string(value);
  if (value.find('\0') != std::string_view::npos)
    return tl::make_unexpected("a password has no zero bytes");
  std::string hash = hash_password(value, user);
  if (hash.empty())
    return tl::make_unexpected("failure: libcrypt could not hash the password with yescrypt");
  return hash;
}

tl::expected<std::string, std::string> convert_sealed(std::string_view value) {
  if (value.empty() || is_sealed(value)) return std::string(value);
  return seal(value);
}

std::string sealed_password(std::string_view hash) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  for (const auto& [mark, made] : s.made) {
    if (made.hash == hash) return made.sealed;
  }
  return {};
}

}  // namespace maclane::model::secrets
