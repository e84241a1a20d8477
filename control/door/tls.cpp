// Contexts. See tls.h; certificates are in tls_certificate.cpp.
#include "control/door/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "control/door/bio.h"

namespace maclane::door {
namespace {

bool use_pair(SSL_CTX* ctx, const KeyPair& pair) {
  const Bio certificates = bio_of(pair.certificate);
  X509* leaf = PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr);
  if (leaf == nullptr) return false;
  const bool used = SSL_CTX_use_certificate(ctx, leaf) == 1;
  X509_free(leaf);
  if (!used) return false;
  while (X509* more = PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(ctx, more) != 1) {
      X509_free(more);
      return false;
    }
  }
  ERR_clear_error();  // the end of the file
  const Bio keys = bio_of(pair.key);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(keys.get(), nullptr, nullptr, nullptr);
  if (key == nullptr) return false;
  const bool fits = SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
  EVP_PKEY_free(key);
  return fits;
}

}  // namespace

std::string tls_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* text = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string out = text == nullptr ? "unknown reason" : text;
  ERR_clear_error();
  return out;
}

Result<TlsContext> make_context(const TlsSettings& settings) {
  ERR_clear_error();
  TlsContext ctx(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (ctx == nullptr) return fail("TLS cannot be used: " + tls_reason());
  SSL_CTX* c = ctx.get();
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                             SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                          SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  constexpr unsigned char kContext[] = "maclane";
  SSL_CTX_set_session_id_context(c, kContext, sizeof kContext - 1);
  if (settings.pair.certificate.empty()) {
    // TLS 1.3 knows no anonymous suites. Level 0 is what they need, and nothing else is offered.
    SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set_security_level(c, 0);
    if (SSL_CTX_set_cipher_list(c, "AECDH:ADH:!eNULL:!DES:!3DES:!RC4:!SEED:!MD5@SECLEVEL=0") != 1)
      return fail("TLS cannot offer anonymous DH: " + tls_reason());
    SSL_CTX_set_dh_auto(c, 1);
    return ctx;
  }
  if (settings.only_1_2) SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_dh_auto(c, 1);
  if (!use_pair(c, settings.pair)) {
    return fail("the certificate and its private key cannot be used: " + tls_reason());
  }
  return ctx;
}

}  // namespace maclane::door
