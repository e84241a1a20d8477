// Certificates made, taken in and shown. See certificates.h.
#include "control/service/certificates.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "control/model/secrets.h"
#include "control/model/state.h"
#include "control/model/value.h"
#include "control/observe/log.h"
#include "control/service/waits.h"

namespace maclane {
namespace {

using door::KeyPair;
using model::Answer;
using model::Call;
using model::Caller;
using model::Edit;
using model::Outcome;
using model::View;
namespace secrets = model::secrets;

constexpr size_t kMostFacts = 4096;
constexpr int kLongestChain = 8;
constexpr int kOwnDays = 3650;
constexpr int64_t kRenewSeconds = int64_t{30} * 86400;

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string_view last_part(std::string_view file) {
  const size_t slash = file.rfind('/');
  return slash == std::string_view::npos ? file : file.substr(slash + 1);
}

std::vector<std::string> names_of(std::string_view list) {
  std::vector<std::string> out;
  for (std::string_view one : model::split_list(list)) {
    while (one.starts_with(' ')) one.remove_prefix(1);
    out.emplace_back(one);
  }
  return out;
}

Answer<Outcome> done(const Result<std::vector<std::string>>& applied) {
  if (!applied) return model::refuse(applied.error());
  return Outcome{};
}

}  // namespace

Certificates::Certificates(model::Model& model, Files& files, door::Background& background,
                           std::string state_folder)
    : model_(model),
      files_(files),
      background_(background),
      folder_(std::move(state_folder) + "/tls") {}

Errors Certificates::check(const model::Tree& tree) {
  Errors errors;
  for_each(tree, "/certificate", [&](const View& row) {
    const std::string certificate(row.raw("certificate-pem"));
    const std::string_view sealed = row.raw("key-pem");
    if (certificate.empty() && sealed.empty()) return;
    if (certificate.empty()) {
      errors.push_back(row.error("key-pem", "a private key stands beside its certificate"));
      return;
    }
    if (const auto read = door::read_certificate(certificate); !read) {
      errors.push_back(row.error("certificate-pem", read.error().front().message));
      return;
    }
    if (sealed.empty()) return;
    const auto key = secrets::unseal(sealed);
    if (!key) {
      errors.push_back(
          row.error("key-pem", "the private key was sealed by another router: import it again"));
      return;
    }
    if (const Status fits = door::check_pair({certificate, *key}); !fits)
      errors.push_back(row.error("key-pem", fits.error().front().message));
  });
  return errors;
}

std::string Certificates::fingerprint(const View& row) {
  const door::CertificateFacts* read = facts(row.raw("certificate-pem"));
  return read == nullptr ? "" : read->fingerprint;
}

std::string Certificates::authorities(const std::string& certificate) {
  const model::Menu& menu = *model::find_menu("/certificate");
  std::string out;
  std::string at = certificate;
  for (int i = 0; i < kLongestChain; ++i) {
    const door::CertificateFacts* read = facts(at);
    if (read == nullptr || read->self_signed) return out;
    const std::string issuer = read->issuer;
    std::string next;
    for (const model::RowPtr& row : model_.tree().rows(menu)) {
      const std::string pem(View(menu, *row).raw("certificate-pem"));
      const door::CertificateFacts* other = facts(pem);
      if (other == nullptr || other->subject != issuer || !door::is_signed_by(at, pem)) continue;
      next = other->self_signed ? "" : pem;
      break;
    }
    if (next.empty()) return out;
    out += next;
    at = next;
  }
  return out;
}

Result<KeyPair> Certificates::pair(std::string_view name) {
  const model::Menu& menu = *model::find_menu("/certificate");
  const model::RowPtr row = model_.tree().find(menu, name);
  if (row == nullptr) return fail(fmt::format("there is no certificate {}", name));
  const View view(menu, *row);
  KeyPair out;
  out.certificate = view.raw("certificate-pem");
  const auto key = secrets::unseal(view.raw("key-pem"));
  if (out.certificate.empty() || !key)
    return fail(fmt::format("the certificate {} has no {}; {}", name,
                            out.certificate.empty() ? "certificate yet" : "private key",
                            out.certificate.empty() ? "sign or import it" : "import its key"));
  out.key = *key;
  // A row may hold the whole chain itself.
  if (door::each_certificate(out.certificate).size() == 1)
    out.certificate += authorities(out.certificate);
  return out;
}

Result<KeyPair> Certificates::own() {
  const std::string certificate = folder_ + "/self-signed.crt";
  const std::string key = folder_ + "/self-signed.key";
  KeyPair kept{file_text(certificate), file_text(key)};
  if (const auto read = door::read_certificate(kept.certificate);
      read && door::check_pair(kept) && read->not_after > std::time(nullptr) + kRenewSeconds)
    return kept;
  door::CertificateRequest request;
  request.common_name = "Maclane";
  request.names = {"DNS:maclane", "DNS:localhost", "IP:127.0.0.1"};
  request.days = kOwnDays;
  auto made = door::make_self_signed(request);
  if (!made) return made;
  if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(fmt::format("cannot make {}: {}", folder_, std::strerror(errno)));
  for (const auto& [path, text] :
       {std::pair(&key, &made->key), {&certificate, &made->certificate}}) {
    if (Status written = model::write_atomically(*path, *text); !written)
      return tl::make_unexpected(written.error());
    (void)::chmod(path->c_str(), 0600);
  }
  if (const auto read = door::read_certificate(made->certificate))
    log::write(log::Level::kInfo, "certificate,info",
               "made a certificate for www-ssl, SHA-256 fingerprint {}", read->fingerprint);
  return made;
}

const door::CertificateFacts* Certificates::facts(std::string_view pem) {
  if (pem.empty()) return nullptr;
  if (const auto found = facts_.find(pem); found != facts_.end()) return &found->second;
  auto read = door::read_certificate(std::string(pem));
  if (!read) return nullptr;
  if (facts_.size() >= kMostFacts) facts_.clear();
  return &facts_.emplace(std::string(pem), std::move(*read)).first->second;
}

void Certificates::state(const View& row, model::Fields& out) {
  const door::CertificateFacts* read = facts(row.raw("certificate-pem"));
  out.emplace_back("private-key", row.is_set("key-pem") ? "true" : "false");
  if (read == nullptr) return;
  const int64_t left = read->not_after - std::time(nullptr);
  out.emplace_back("common-name", read->common_name);
  out.emplace_back("country", read->country);
  out.emplace_back("state", read->state);
  out.emplace_back("locality", read->locality);
  out.emplace_back("organization", read->organization);
  out.emplace_back("unit", read->unit);
  out.emplace_back("subject-alt-name", read->subject_alt_name);
  out.emplace_back("fingerprint", read->fingerprint);
  out.emplace_back("serial-number", read->serial);
  out.emplace_back("issuer", read->issuer);
  out.emplace_back("invalid-before", read->invalid_before);
  out.emplace_back("invalid-after", read->invalid_after);
  if (left > 0) out.emplace_back("expires-after", model::format_time_ms(left * 1000));
  out.emplace_back("key-type", read->key_type);
  out.emplace_back("key-size", read->key_size);
  out.emplace_back("days-valid", std::to_string(read->days));
  out.emplace_back("authority", read->authority ? "true" : "false");
  out.emplace_back("expired", left <= 0 ? "true" : "false");
}

Answer<Outcome> Certificates::import(const Call& call, const Caller& caller) {
  const std::string file(call.get("file-name"));
  const auto bytes = files_.read(file, size_t{1} << 20);
  if (!bytes) return model::refuse(bytes.error());
  const auto read = door::read_pem_or_p12(*bytes, std::string(call.get("passphrase")));
  if (!read) return model::refuse(Trouble::kGeneral, "failure: " + read.error().front().message);
  const model::Menu& menu = *model::find_menu("/certificate");
  std::vector<Edit> edits;
  const auto key_fits = [&](const std::string& certificate) {
    return !read->key.empty() && static_cast<bool>(door::check_pair({certificate, read->key}));
  };
  const model::Fields key = {{"key-pem", read->key.empty() ? "" : secrets::seal(read->key)}};
  bool key_taken = false;
  // What is here already stays; the key may be what it lacks.
  std::set<std::string> here;
  for (const model::RowPtr& row : model_.tree().rows(menu)) {
    const View view(menu, *row);
    const std::string print = fingerprint(view);
    if (print.empty()) continue;
    here.insert(print);
    if (key_taken || !key_fits(std::string(view.raw("certificate-pem")))) continue;
    key_taken = true;
    edits.push_back({Edit::Kind::kSet, "/certificate", fmt::format("*{:X}", row->id), key, {}, {}});
  }
  // Each of a chain is a row, named as RouterOS names them: own.crt_0 and own.crt_1 of own.crt.
  const std::string stem(call.has("name") ? call.get("name") : last_part(file));
  std::string name(call.get("name"));
  unsigned next = 0;
  unsigned added = 0;
  for (const std::string& one : door::each_certificate(read->certificate)) {
    const auto known = door::read_certificate(one);
    if (!known || !here.insert(known->fingerprint).second) continue;
    if (added > 0 && next == 0 && !call.get("name").empty()) next = 1;
    while (name.empty() || model_.tree().find(menu, name) != nullptr)
      name = fmt::format("{}_{}", stem, next++);
    edits.push_back({Edit::Kind::kAdd,
                     "/certificate",
                     {},
                     {{"name", std::exchange(name, {})}, {"certificate-pem", one}},
                     {},
                     {}});
    ++added;
    if (key_taken || !key_fits(one)) continue;
    key_taken = true;
    edits.back().values.push_back(key.front());
  }
  const bool key_left = !read->key.empty() && !key_taken;
  if (key_left && read->certificate.empty())
    return model::refuse(
        Trouble::kGeneral,
        "failure: the private key belongs to none of the certificates here; import "
        "its certificate first");
  if (const auto applied = model_.apply(edits, caller); !applied) return done(applied);
  Outcome out;
  out.result = {{"certificates-imported", std::to_string(added)},
                {"private-keys-imported", key_taken ? "1" : "0"},
                {"files-imported", "1"},
                {"decryption-failures", "0"},
                {"keys-with-no-certificate", key_left ? "1" : "0"}};
  if (key_left)
    out.warnings.push_back(fmt::format(
        "the private key in {} belongs to none of the certificates and was left out", file));
  return out;
}

Answer<Outcome> Certificates::sign(const Call& call, const Caller& caller) {
  const model::Menu& menu = *model::find_menu("/certificate");
  struct Signed {
    std::string id;
    door::CertificateRequest request;
    Result<KeyPair> made = KeyPair{};
  };
  auto all = std::make_shared<std::vector<Signed>>();
  for (const std::string& id : call.rows) {
    const model::RowPtr row = model_.tree().find(menu, id);
    if (row == nullptr) continue;
    const View view(menu, *row);
    if (view.is_set("certificate-pem"))
      return model::refuse(Trouble::kGeneral,
                           fmt::format("failure: {} is signed already", view.label()));
    door::CertificateRequest request;
    request.common_name = view.is_set("common-name") ? view.get("common-name") : view.get("name");
    request.names = names_of(view.get("subject-alt-name"));
    request.country = view.get("country");
    request.state = view.get("state");
    request.locality = view.get("locality");
    request.organization = view.get("organization");
    request.unit = view.get("unit");
    request.days = static_cast<int>(view.get_integer("days-valid"));
    request.key_size = view.get("key-size");
    all->push_back({id, std::move(request)});
  }
  auto shared = std::make_shared<Waits::Shared>();
  const auto keep = [this, all, shared, caller, name = std::string(call.get("name"))] {
    std::vector<Edit> edits;
    for (const Signed& one : *all) {
      if (!one.made) return shared->finish(tl::make_unexpected(one.made.error()));
      edits.push_back(
          {Edit::Kind::kSet,
           "/certificate",
           one.id,
           {{"certificate-pem", one.made->certificate}, {"key-pem", secrets::seal(one.made->key)}},
           {},
           {}});
      if (!name.empty()) edits.back().values.emplace_back("name", name);
    }
    const auto applied = model_.apply(edits, caller);
    shared->finish(applied ? Status{} : Status(tl::make_unexpected(applied.error())));
  };
  const bool taken = background_.submit([all, keep]() -> door::Background::Finish {
    for (Signed& one : *all) one.made = door::make_self_signed(one.request);
    return keep;
  });
  if (!taken)
    return model::refuse(Trouble::kGeneral, "failure: too much is done at once; try again");
  Outcome out;
  out.running = std::make_unique<Waits>(std::move(shared));
  return out;
}

Answer<Outcome> Certificates::write_out(const Call& call) {
  const model::Menu& menu = *model::find_menu("/certificate");
  for (const std::string& id : call.rows) {
    const model::RowPtr row = model_.tree().find(menu, id);
    if (row == nullptr) continue;
    const View view(menu, *row);
    if (!view.is_set("certificate-pem"))
      return model::refuse(Trouble::kGeneral,
                           fmt::format("failure: {} is not signed yet", view.label()));
    std::string file(call.get("file-name"));
    if (file.empty()) file = fmt::format("cert_export_{}", view.get("name"));
    if (!file.ends_with(".crt")) file += ".crt";
    if (const Status written = files_.write(file, view.raw("certificate-pem")); !written)
      return model::refuse(written.error());
  }
  return Outcome{};
}

void Certificates::serve(model::Commands& commands) {
  model_.provide("/certificate", [this](const View& row, model::Fields& out) { state(row, out); });
  commands.on("/certificate", "import",
              [this](const Call& call, const Caller& caller) { return import(call, caller); });
  commands.on("/certificate", "sign",
              [this](const Call& call, const Caller& caller) { return sign(call, caller); });
  commands.on("/certificate", "export-certificate",
              [this](const Call& call, const Caller&) { return write_out(call); });
}

}  // namespace maclane
