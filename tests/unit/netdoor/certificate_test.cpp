// Certificates: made, read, imported in every form; contexts that take them; the rows of
// /certificate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <filesystem>

#include "control/model/secrets.h"
#include "control/service/certificates.h"

namespace maclane {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
namespace secrets = model::secrets;

door::KeyPair made(const std::string& name = "router.example") {
  door::CertificateRequest request;
  request.common_name = name;
  request.names = {"DNS:" + name, "IP:192.0.2.1"};
  request.organization = "Example";
  request.days = 100;
  auto pair = door::make_self_signed(request);
  EXPECT_TRUE(pair) << (pair ? "" : pair.error().front().message);
  return pair ? *pair : door::KeyPair{};
}

TEST(Certificate, SelfSignedSaysWhatItWasAskedFor) {
  const door::KeyPair pair = made();
  const auto facts = door::read_certificate(pair.certificate);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->common_name, "router.example");
  EXPECT_EQ(facts->organization, "Example");
  EXPECT_EQ(facts->subject_alt_name, "DNS:router.example,IP:192.0.2.1");
  EXPECT_EQ(facts->key_type, "ec");
  EXPECT_EQ(facts->key_size, "prime256v1");
  EXPECT_EQ(facts->days, 100);
  EXPECT_THAT(facts->fingerprint, SizeIs(64));
  EXPECT_TRUE(facts->self_signed);
  EXPECT_TRUE(door::check_pair(pair));
  EXPECT_FALSE(door::check_pair({pair.certificate, made().key}));
}

TEST(Certificate, PartsThatCannotBeAreSaid) {
  door::CertificateRequest request;
  request.common_name = std::string(200, 'x');
  EXPECT_THAT(door::make_self_signed(request).error().front().message, HasSubstr("too long"));
  request.common_name = "x";
  request.names = {"nonsense"};
  EXPECT_THAT(door::make_self_signed(request).error().front().message,
              HasSubstr("subject-alt-name"));
}

TEST(Certificate, ContextsTakeAPairOrAnonymousDh) {
  EXPECT_TRUE(door::make_context({made(), false}));
  EXPECT_TRUE(door::make_context({made(), true}));
  EXPECT_TRUE(door::make_context({}));
  door::TlsSettings wrong{made(), false};
  wrong.pair.key = made().key;
  EXPECT_FALSE(door::make_context(wrong));
  wrong.pair.key = "nonsense";
  EXPECT_FALSE(door::make_context(wrong));
}

TEST(Certificate, NoFileIsTakenForOne) {
  for (const std::string& bytes :
       {std::string(), std::string("nonsense"), std::string(5000, '\x30'),
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")})
    EXPECT_FALSE(door::read_pem_or_p12(bytes, ""));
}

class CertificateMenu : public testing::Test {
 protected:
  CertificateMenu() {
    char pattern[] = "/tmp/maclane-cert-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    files_.emplace(folder_ + "/files");
    certificates_.emplace(model_, *files_, background_, folder_);
    certificates_->serve(commands_);
    model_.on_prepare([](model::Tree tree) -> Result<model::Tree> {
      if (Errors errors = Certificates::check(tree); !errors.empty())
        return tl::make_unexpected(errors);
      return tree;
    });
  }
  ~CertificateMenu() override { std::filesystem::remove_all(folder_); }
  std::string run(const char* command, model::Fields arguments) {
    model::Call call;
    call.path = "/certificate";
    call.command = command;
    call.arguments = std::move(arguments);
    const auto out = commands_.run(call, {});
    if (!out) return out.error().text();
    if (out->running == nullptr) return "";
    std::vector<model::PrintRow> rows;
    auto state = model::Running::State::kGoesOn;
    while (state == model::Running::State::kGoesOn) {
      pollfd made{background_.fd(), POLLIN, 0};
      (void)::poll(&made, 1, 1000);
      background_.handle();
      state = out->running->step(model::steady_ms(), rows);
    }
    return out->running->failure().text();
  }
  model::PrintRow row(size_t i = 0) {
    const auto rows = model_.print(*model::find_menu("/certificate"));
    return i < rows.size() ? rows[i] : model::PrintRow{};
  }
  std::string folder_;
  model::Model model_;
  model::Commands commands_{model_};
  door::Background background_{1};
  std::optional<Files> files_;
  std::optional<Certificates> certificates_;
};

TEST_F(CertificateMenu, AddAndSign) {
  EXPECT_EQ(run("add", {{"name", "c1"}, {"common-name", "r1"}, {"days-valid", "30"}}), "");
  EXPECT_FALSE(certificates_->pair("c1"));
  EXPECT_EQ(run("sign", {{"numbers", "c1"}}), "");
  EXPECT_EQ(row().get("private-key"), "true");
  EXPECT_EQ(row().get("common-name"), "r1");
  EXPECT_THAT(std::string(row().get("fingerprint")), SizeIs(64));
  ASSERT_TRUE(certificates_->pair("c1"));
  EXPECT_TRUE(door::make_context({*certificates_->pair("c1"), false}));
  EXPECT_THAT(run("sign", {{"numbers", "c1"}}), HasSubstr("signed already"));
  EXPECT_EQ(run("export-certificate", {{"numbers", "c1"}}), "");
  EXPECT_THAT(files_->read("cert_export_c1.crt").value(), HasSubstr("BEGIN CERTIFICATE"));
}

TEST_F(CertificateMenu, ImportsACertificateThenItsKey) {
  const door::KeyPair pair = made();
  ASSERT_TRUE(files_->write("r.crt", pair.certificate));
  ASSERT_TRUE(files_->write("r.key", pair.key));
  ASSERT_TRUE(files_->write("other.key", made().key));
  EXPECT_THAT(run("import", {{"file-name", "r.key"}}), HasSubstr("belongs to none"));
  EXPECT_EQ(run("import", {{"file-name", "r.crt"}}), "");
  EXPECT_EQ(row().get("name"), "r.crt_0");
  EXPECT_EQ(row().get("private-key"), "false");
  EXPECT_THAT(run("import", {{"file-name", "other.key"}}), HasSubstr("belongs to none"));
  EXPECT_EQ(run("import", {{"file-name", "r.key"}}), "");
  EXPECT_EQ(row().get("private-key"), "true");
  EXPECT_EQ(certificates_->pair("r.crt_0")->key, pair.key);
  // The key is not to be read in the tree.
  const auto raw = model_.tree().rows("/certificate")[0];
  for (const std::string& value : raw->values) EXPECT_EQ(value.find("PRIVATE"), std::string::npos);
  EXPECT_THAT(run("import", {{"file-name", "none"}}), HasSubstr("no such item"));
}

TEST_F(CertificateMenu, KeysOfEverySize) {
  for (const auto& [size, type] :
       {std::pair("1024", "rsa"), {"2048", "rsa"}, {"secp384r1", "ec"}}) {
    const std::string name = std::string("k") + size;
    EXPECT_EQ(run("add", {{"name", name}, {"key-size", size}, {"days-valid", "7"}}), "");
    EXPECT_EQ(run("sign", {{"numbers", name}}), "");
    const auto facts = door::read_certificate(certificates_->pair(name)->certificate);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->key_size, size);
    EXPECT_EQ(facts->key_type, type);
    EXPECT_EQ(facts->days, 7);
  }
  EXPECT_TRUE(door::make_context({*certificates_->pair("k2048"), false}));
}

TEST_F(CertificateMenu, WhatIsShownOfAnImportedOneIsItsOwn) {
  door::CertificateRequest request;
  request.common_name = "rsa.example";
  request.days = 40;
  request.key_size = "2048";
  ASSERT_TRUE(files_->write("own.crt", door::make_self_signed(request)->certificate));
  request.common_name = "other.example";
  ASSERT_TRUE(files_->write("ca/own.crt", door::make_self_signed(request)->certificate) ||
              (files_->make_folder("ca") &&
               files_->write("ca/own.crt", door::make_self_signed(request)->certificate)));
  EXPECT_EQ(run("import", {{"file-name", "own.crt"}}), "");
  EXPECT_EQ(run("import", {{"file-name", "ca/own.crt"}}), "");
  EXPECT_EQ(row(0).get("name"), "own.crt_0");
  EXPECT_EQ(row(1).get("name"), "own.crt_1");
  EXPECT_EQ(row().get("key-type"), "rsa");
  EXPECT_EQ(row().get("key-size"), "2048");
  EXPECT_EQ(row().get("days-valid"), "40");
  EXPECT_EQ(row().get("common-name"), "rsa.example");
}

TEST_F(CertificateMenu, BothInOneFileAndAsARow) {
  const door::KeyPair pair = made();
  ASSERT_TRUE(files_->write("both.pem", pair.certificate + pair.key));
  EXPECT_EQ(run("import", {{"file-name", "both.pem"}, {"name", "web"}}), "");
  EXPECT_TRUE(certificates_->pair("web"));
  const door::KeyPair other = made("other.example");
  EXPECT_EQ(
      run("add", {{"name", "y"}, {"certificate-pem", other.certificate}, {"key-pem", other.key}}),
      "");
  EXPECT_TRUE(certificates_->pair("y"));
  EXPECT_THAT(
      run("add", {{"name", "z"}, {"certificate-pem", other.certificate}, {"key-pem", pair.key}}),
      HasSubstr("does not belong"));
  EXPECT_THAT(run("add", {{"name", "z"}, {"certificate-pem", "nonsense"}}),
              HasSubstr("no certificate"));
}

TEST_F(CertificateMenu, EachCertificateOfAFileIsARowAndTheKeyGoesToTheOneItFits) {
  const door::KeyPair first = made("first.example");
  const door::KeyPair second = made("second.example");
  ASSERT_TRUE(files_->write(
      "two.pem", "words\n" + second.key + first.certificate + "more words\n" + second.certificate));
  EXPECT_EQ(run("import", {{"file-name", "two.pem"}}), "");
  EXPECT_EQ(row(0).get("name"), "two.pem_0");
  EXPECT_EQ(row(0).get("private-key"), "false");
  EXPECT_EQ(row(1).get("name"), "two.pem_1");
  EXPECT_EQ(row(1).get("private-key"), "true");
  EXPECT_EQ(row(1).get("common-name"), "second.example");
  // The same again, written otherwise.
  ASSERT_TRUE(files_->write("again.pem", "# \r\n" + first.certificate + first.key));
  EXPECT_EQ(run("import", {{"file-name", "again.pem"}}), "");
  EXPECT_TRUE(row(2).fields.empty()) << "known by its fingerprint";
  EXPECT_EQ(row(0).get("private-key"), "true");
  ASSERT_TRUE(files_->write("named.pem", made("a").certificate + made("b").certificate));
  EXPECT_EQ(run("import", {{"file-name", "named.pem"}, {"name", "mine"}}), "");
  EXPECT_EQ(row(2).get("name"), "mine");
  EXPECT_EQ(row(3).get("name"), "mine_1");
}

TEST_F(CertificateMenu, AKeyThatFitsNoneIsLeftOutAndThatIsSaid) {
  ASSERT_TRUE(files_->write("wrong.pem", made("a").certificate + made("b").key));
  model::Call call;
  call.path = "/certificate";
  call.command = "import";
  call.arguments = {{"file-name", "wrong.pem"}};
  const auto out = commands_.run(call, {});
  ASSERT_TRUE(out);
  ASSERT_THAT(out->warnings, SizeIs(1));
  EXPECT_THAT(out->warnings.front(), HasSubstr("belongs to none of the certificates"));
  EXPECT_EQ(row().get("private-key"), "false");
}

TEST_F(CertificateMenu, TheRoutersOwnIsMadeOnceAndMendedIfDamaged) {
  const auto first = certificates_->own();
  ASSERT_TRUE(first);
  EXPECT_EQ(certificates_->own()->certificate, first->certificate);
  namespace fs = std::filesystem;
  EXPECT_EQ(fs::status(folder_ + "/tls/self-signed.key").permissions() & fs::perms::mask,
            fs::perms(0600));
  fs::resize_file(folder_ + "/tls/self-signed.key", 10);
  const auto second = certificates_->own();
  ASSERT_TRUE(second);
  EXPECT_NE(second->certificate, first->certificate);
}

}  // namespace
}  // namespace maclane
