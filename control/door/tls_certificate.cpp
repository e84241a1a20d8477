// Certificates made, read and taken out of files. See tls.h.
#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdlib>
#include <ctime>

#include "control/door/bio.h"
#include "control/door/tls.h"
#include "control/model/secrets.h"

namespace maclane::door {
namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

Certificate certificate_of(const std::string& pem) {
  const Bio bio = bio_of(pem);
  return Certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

std::string pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return text_of(bio.get());
}

std::string pem_of(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

bool add_name(X509_NAME* name, const char* field, const std::string& value) {
  return value.empty() ||
         X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

std::string name_part(const X509_NAME* name, int nid) {
  const int at = X509_NAME_get_index_by_NID(name, nid, -1);
  if (at < 0) return {};
  unsigned char* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return {};
  std::string out(reinterpret_cast<char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  return out;
}

int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<int64_t>(timegm(&parts)) : 0;
}

std::string time_text(const ASN1_TIME* time) {
  const auto seconds = static_cast<std::time_t>(seconds_of(time));
  std::tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  return text.data();
}

std::string alt_names(X509* certificate) {
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return {};
  std::string out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    std::string one;
    if (name->type == GEN_DNS || name->type == GEN_EMAIL) {
      one = fmt::format(
          "{}:{}", name->type == GEN_DNS ? "DNS" : "email",
          std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.ia5)),
                           static_cast<size_t>(ASN1_STRING_length(name->d.ia5))));
    } else if (name->type == GEN_IPADD && ASN1_STRING_length(name->d.iPAddress) == 4) {
      const unsigned char* a = ASN1_STRING_get0_data(name->d.iPAddress);
      one = fmt::format("IP:{}.{}.{}.{}", a[0], a[1], a[2], a[3]);
    }
    if (!one.empty()) out += (out.empty() ? "" : ",") + one;
  }
  GENERAL_NAMES_free(names);
  return out;
}

int refuse_to_ask(char*, int, int, void*) {
  return -1;  // OpenSSL's own question would wait at a terminal
}

/// A private key in PEM, if there is one and the passphrase opens it.
Key key_of(const std::string& bytes, const std::string& passphrase) {
  const Bio bio = bio_of(bytes);
  if (passphrase.empty())
    return Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_to_ask, nullptr));
  std::string copy = passphrase;
  return Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, copy.data()));
}

bool is_rsa(const std::string& key_size) {
  return key_size.find_first_not_of("0123456789") == std::string::npos;
}

Key make_key(const std::string& size) {
  if (!is_rsa(size)) return Key(EVP_EC_gen(size.c_str()));
  return Key(EVP_RSA_gen(std::strtoul(size.c_str(), nullptr, 10)));
}

/// As /certificate has it: "prime256v1", "2048".
std::string key_size_of(const EVP_PKEY* key) {
  std::array<char, 64> curve{};
  size_t size = 0;
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
      EVP_PKEY_get_group_name(key, curve.data(), curve.size(), &size) == 1)
    return {curve.data(), size};
  return std::to_string(EVP_PKEY_get_bits(key));
}

}  // namespace

Result<KeyPair> make_self_signed(const CertificateRequest& request) {
  ERR_clear_error();
  const Key key = make_key(request.key_size);
  const Certificate certificate(X509_new());
  if (key == nullptr || certificate == nullptr)
    return fail("a key could not be made: " + tls_reason());
  X509* c = certificate.get();
  X509_set_version(c, X509_VERSION_3);
  std::string serial = model::secrets::random_bytes(16);
  serial[0] = static_cast<char>((serial[0] & 0x7F) | 0x40);
  BIGNUM* number = BN_bin2bn(reinterpret_cast<const unsigned char*>(serial.data()),
                             static_cast<int>(serial.size()), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(c));
  BN_free(number);
  X509_gmtime_adj(X509_getm_notBefore(c), 0);
  X509_time_adj_ex(X509_getm_notAfter(c), request.days, 0, nullptr);
  X509_set_pubkey(c, key.get());
  X509_NAME* name = X509_get_subject_name(c);
  if (!add_name(name, "C", request.country) || !add_name(name, "ST", request.state) ||
      !add_name(name, "L", request.locality) || !add_name(name, "O", request.organization) ||
      !add_name(name, "OU", request.unit) || !add_name(name, "CN", request.common_name)) {
    return fail(
        "failure: the certificate's subject has a part that is too long or not in form "
        "(country is two letters, the others at most 64): " +
        tls_reason());
  }
  X509_set_issuer_name(c, name);
  std::string names;
  for (const std::string& one : request.names) names += (names.empty() ? "" : ",") + one;
  if (!add_extension(c, NID_basic_constraints, "critical,CA:TRUE") ||
      !add_extension(c, NID_key_usage,
                     is_rsa(request.key_size)
                         ? "critical,digitalSignature,keyEncipherment,keyCertSign"
                         : "critical,digitalSignature,keyAgreement,keyCertSign") ||
      !add_extension(c, NID_ext_key_usage, "serverAuth") ||
      !add_extension(c, NID_subject_key_identifier, "hash")) {
    return fail("the certificate could not be made: " + tls_reason());
  }
  if (!names.empty() && !add_extension(c, NID_subject_alt_name, names)) {
    ERR_clear_error();
    return fail(
        "input does not match any value of subject-alt-name: it is a list of DNS:name, IP:address "
        "and "
        "email:address");
  }
  if (X509_sign(c, key.get(), EVP_sha256()) == 0)
    return fail("the certificate could not be signed: " + tls_reason());
  return KeyPair{pem_of(c), pem_of(key.get())};
}

Result<CertificateFacts> read_certificate(const std::string& pem) {
  ERR_clear_error();
  const Certificate certificate = certificate_of(pem);
  if (certificate == nullptr) {
    ERR_clear_error();
    return fail("this is no certificate in PEM form");
  }
  X509* c = certificate.get();
  CertificateFacts out;
  const X509_NAME* subject = X509_get_subject_name(c);
  out.common_name = name_part(subject, NID_commonName);
  out.organization = name_part(subject, NID_organizationName);
  out.unit = name_part(subject, NID_organizationalUnitName);
  out.country = name_part(subject, NID_countryName);
  out.state = name_part(subject, NID_stateOrProvinceName);
  out.locality = name_part(subject, NID_localityName);
  out.subject_alt_name = alt_names(c);
  std::array<char, 512> text{};
  X509_NAME_oneline(subject, text.data(), static_cast<int>(text.size()));
  out.subject = text.data();
  X509_NAME_oneline(X509_get_issuer_name(c), text.data(), static_cast<int>(text.size()));
  out.issuer = text.data();
  if (BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(c), nullptr)) {
    char* hex = BN_bn2hex(number);
    out.serial = hex;
    OPENSSL_free(hex);
    BN_free(number);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(c, EVP_sha256(), digest.data(), &size);
  out.fingerprint = model::secrets::to_hex({reinterpret_cast<const char*>(digest.data()), size});
  out.invalid_before = time_text(X509_get0_notBefore(c));
  out.invalid_after = time_text(X509_get0_notAfter(c));
  out.not_after = seconds_of(X509_get0_notAfter(c));
  out.days = static_cast<int>((out.not_after - seconds_of(X509_get0_notBefore(c))) / 86400);
  if (const EVP_PKEY* key = X509_get0_pubkey(c)) {
    out.key_size = key_size_of(key);
    const int type = EVP_PKEY_get_base_id(key);
    out.key_type = type == EVP_PKEY_EC        ? "ec"
                   : type == EVP_PKEY_RSA     ? "rsa"
                   : type == EVP_PKEY_ED25519 ? "ed25519"
                                              : "other";
  }
  out.self_signed = X509_NAME_cmp(X509_get_issuer_name(c), subject) == 0;
  out.authority = X509_check_ca(c) == 1;
  ERR_clear_error();
  return out;
}

Status check_pair(const KeyPair& pair) {
  ERR_clear_error();
  const Certificate certificate = certificate_of(pair.certificate);
  if (certificate == nullptr) return fail("this is no certificate in PEM form");
  const Key key = key_of(pair.key, "");
  if (key == nullptr) return fail("this is no private key in PEM form: " + tls_reason());
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return fail("the private key does not belong to the certificate");
  }
  return {};
}

std::vector<std::string> each_certificate(const std::string& pem) {
  std::vector<std::string> out;
  const Bio bio = bio_of(pem);
  while (true) {
    const Certificate one(PEM_read_bio_X509(bio.get(), nullptr, refuse_to_ask, nullptr));
    if (one == nullptr) break;
    out.push_back(pem_of(one.get()));
  }
  ERR_clear_error();  // the end of the text
  return out;
}

bool is_signed_by(const std::string& certificate, const std::string& authority) {
  const Certificate one = certificate_of(certificate);
  const Certificate other = certificate_of(authority);
  const bool out = one != nullptr && other != nullptr &&
                   X509_check_issued(other.get(), one.get()) == X509_V_OK &&
                   X509_verify(one.get(), X509_get0_pubkey(other.get())) == 1;
  ERR_clear_error();
  return out;
}

Result<KeyPair> read_pem_or_p12(const std::string& bytes, const std::string& passphrase) {
  ERR_clear_error();
  KeyPair out;
  for (const std::string& one : each_certificate(bytes)) out.certificate += one;
  if (bytes.find("PRIVATE KEY-----") != std::string::npos) {
    const Key key = key_of(bytes, passphrase);
    if (key == nullptr) {
      ERR_clear_error();
      return fail(passphrase.empty()
                      ? "the private key is damaged, or encrypted: give its passphrase"
                      : "the passphrase does not open the private key, or the key is damaged");
    }
    out.key = pem_of(key.get());
  }
  if (!out.certificate.empty() || !out.key.empty()) return out;

  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* at = data;
  if (const Certificate der(d2i_X509(nullptr, &at, static_cast<long>(bytes.size()))); der) {
    out.certificate = pem_of(der.get());
    return out;
  }
  at = data;
  const std::unique_ptr<PKCS12, Deleter<PKCS12_free>> p12(
      d2i_PKCS12(nullptr, &at, static_cast<long>(bytes.size())));
  ERR_clear_error();
  if (p12 == nullptr)
    return fail("the file holds no certificate and no private key (PEM, DER or PKCS#12)");
  EVP_PKEY* key = nullptr;
  X509* leaf = nullptr;
  STACK_OF(X509)* chain = nullptr;
  if (PKCS12_parse(p12.get(), passphrase.c_str(), &key, &leaf, &chain) != 1) {
    ERR_clear_error();
    return fail("the passphrase does not open the PKCS#12 file, or the file is damaged");
  }
  if (leaf != nullptr) out.certificate = pem_of(leaf);
  for (int i = 0; i < sk_X509_num(chain); ++i) out.certificate += pem_of(sk_X509_value(chain, i));
  if (key != nullptr) out.key = pem_of(key);
  X509_free(leaf);
  EVP_PKEY_free(key);
  sk_X509_pop_free(chain, X509_free);
  return out;
}

}  // namespace maclane::door
