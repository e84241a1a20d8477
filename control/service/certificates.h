// /certificate: what services prove themselves with, and the router's own made at its first start.
//
// Certificates are rows of the tree (so backups, undo and exports have them); their private keys
// are in the rows too, sealed under the key of the state folder. The one for www-ssl with
// certificate=none is made once and kept in the folder `tls` of the state folder. Control thread
// only.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "control/door/background.h"
#include "control/door/tls.h"
#include "control/model/commands.h"
#include "control/service/files.h"

namespace maclane {

class Certificates {
 public:
  Certificates(model::Model& model, Files& files, door::Background& background,
               std::string state_folder);

  /// /certificate's state and commands.
  void serve(model::Commands& commands);
  /// For Model's prepare: refuses rows whose certificate or key is no good.
  [[nodiscard]] static Errors check(const model::Tree& tree);

  /// By name, with the certificates that vouch for it, as far as they are here; an error says what
  /// is missing.
  [[nodiscard]] Result<door::KeyPair> pair(std::string_view name);
  /// The router's own, made if it is not there (or about to expire).
  [[nodiscard]] Result<door::KeyPair> own();

 private:
  [[nodiscard]] model::Answer<model::Outcome> import(const model::Call& call,
                                                     const model::Caller& caller);
  [[nodiscard]] model::Answer<model::Outcome> sign(const model::Call& call,
                                                   const model::Caller& caller);
  [[nodiscard]] model::Answer<model::Outcome> write_out(const model::Call& call);
  [[nodiscard]] const door::CertificateFacts* facts(std::string_view pem);
  /// Of the certificate in a row; "" if there is none.
  [[nodiscard]] std::string fingerprint(const model::View& row);
  /// Those that vouch for a certificate, one after the other, without the last, who vouches for
  /// itself: whoever asks has that.
  [[nodiscard]] std::string authorities(const std::string& certificate);
  void state(const model::View& row, model::Fields& out);

  model::Model& model_;
  Files& files_;
  door::Background& background_;  // makes keys
  std::string folder_;
  std::map<std::string, door::CertificateFacts, std::less<>> facts_;  // by PEM
};

}  // namespace maclane
