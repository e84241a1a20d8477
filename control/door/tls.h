// TLS for the doors: contexts, certificates and keys through OpenSSL.
//
// Certificates made here are ECDSA P-256 unless another key is asked for, so that a handshake costs
// the control thread little. An API port without a certificate offers anonymous DH as RouterOS does
// (D-14), which ends at TLS 1.2. A context is shared by all connections made while it was in use;
// live changes make a new one. No state; any thread.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/result.h"

namespace maclane::door {

using TlsContext = std::shared_ptr<SSL_CTX>;

struct KeyPair {
  std::string certificate;  // PEM, the leaf first
  std::string key;          // PEM
};

struct TlsSettings {
  KeyPair pair;  // empty: anonymous DH
  bool only_1_2 = false;
};
[[nodiscard]] Result<TlsContext> make_context(const TlsSettings& settings);

struct CertificateRequest {
  std::string common_name;
  std::vector<std::string> names;  // "DNS:a.example", "IP:192.0.2.1"
  std::string organization, unit, country, state, locality;
  int days = 3650;
  std::string key_size = "prime256v1";  // a curve, or the bits of an RSA key
};
/// RSA keys take their time: a second for 4096 bits, a minute for 8192.
[[nodiscard]] Result<KeyPair> make_self_signed(const CertificateRequest& request);

/// What /certificate prints of one.
struct CertificateFacts {
  std::string common_name, organization, unit, country, state, locality;
  std::string subject_alt_name;               // "DNS:a,IP:b"
  std::string subject, issuer, serial;        // the first two in one line each
  std::string fingerprint;                    // SHA-256 in hex
  std::string invalid_before, invalid_after;  // "2026-01-31 12:00:00"
  std::string key_type;                       // "ec", "rsa", "ed25519"
  std::string key_size;                       // the curve's name, or bits
  int days = 0;
  int64_t not_after = 0;  // seconds since 1970
  bool self_signed = false, authority = false;
};
[[nodiscard]] Result<CertificateFacts> read_certificate(const std::string& pem);
/// Whether the key belongs to the (first) certificate; says so in a sentence if not.
[[nodiscard]] Status check_pair(const KeyPair& pair);

/// Takes certificates and a private key out of PEM, DER or PKCS#12. What is not there stays empty.
[[nodiscard]] Result<KeyPair> read_pem_or_p12(const std::string& bytes,
                                              const std::string& passphrase);

/// Each certificate of a PEM text as a text of its own.
[[nodiscard]] std::vector<std::string> each_certificate(const std::string& pem);
/// Whether the (first) certificate was signed by that one, an authority.
[[nodiscard]] bool is_signed_by(const std::string& certificate, const std::string& authority);

/// OpenSSL's latest error as words; clears its queue.
[[nodiscard]] std::string tls_reason();

}  // namespace maclane::door
