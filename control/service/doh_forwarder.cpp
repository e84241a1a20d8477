#include "control/service/doh_forwarder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "control/observe/log.h"

namespace maclane {
namespace {

constexpr uint64_t kRetryMs = 2000;
constexpr uint32_t kShortestS = 60, kLongestS = 3600;
constexpr uint16_t kDnsPort = 53;
constexpr std::string_view kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

std::string text_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  std::error_code why;
  if (file) std::filesystem::permissions(path, std::filesystem::perms(0644), why);
  if (file && !why) return true;
  log::write(log::Level::kError, "dns,error", "{} cannot be written: no DNS over HTTPS", path);
  return false;
}

}  // namespace

DohForwarder::DohForwarder(std::string folder, const std::string& state_folder)
    : folder_(std::move(folder)), child_("dnsdist", "dns", state_folder + "/dnsdist.pid") {
  child_.on_line([this](std::string_view line) { return hear(line); });
}

void DohForwarder::configure(const DohServer& server, const Netns& where, uint64_t now_ms) {
  where_ = &where;
  if (server == server_) return;
  const bool moved = server.host != server_.host || server.address != server_.address;
  server_ = server;
  if (server_.host.empty()) {
    child_.stop();
    asker_.stop();
    address_.clear();
    ask_ms_ = UINT64_MAX;
    return;
  }
  if (moved) {
    asker_.stop();
    address_ = server_.address;
    ask_ms_ = address_.empty() ? now_ms : UINT64_MAX;
  }
  run(now_ms);
}

/// Starts it with what is known, or ends it where nothing is.
void DohForwarder::run(uint64_t now_ms) {
  if (address_.empty()) {
    child_.stop();
    return;
  }
  const std::string authorities = folder_ + "/authorities.pem", config = folder_ + "/dnsdist.conf";
  std::string text = fmt::format(
      "-- made by maclane from /ip/dns at each change\n"
      "setLocal(\"{0}:{1}\")\nsetACL(\"127.0.0.0/8\")\nsetSecurityPollSuffix(\"\")\n"
      "setServFailWhenNoServer(true)\nsetTCPRecvTimeout({2})\nsetTCPSendTimeout({2})\n",
      kAddress, kPort, server_.timeout_s);
  text += fmt::format(
      "newServer({{address=\"{}:{}\", name=\"doh\", tls=\"openssl\", subjectName=\"{}\", "
      "dohPath=\"{}\", validateCertificates={}, caStore=\"{}\", tcpConnectTimeout={}, "
      "checkName=\"{}.\", checkInterval=5, checkTimeout={}, maxCheckFailures=2, "
      "mustResolve=false}})\n",
      address_, server_.port, server_.host, server_.path, server_.verify, authorities,
      server_.timeout_s, server_.host, server_.timeout_s * 1000);
  if (!write_file(authorities,
                  text_of_file(std::string(kSystemAuthorities)) + server_.authorities) ||
      !write_file(config, text)) {
    child_.stop();
    return;
  }
  silent_ = false;
  child_.run({"dnsdist", "--supervised", "--disable-syslog", "--config", config, "--uid",
              "_dnsdist", "--gid", "_dnsdist"},
             *where_, now_ms);
}

bool DohForwarder::hear(std::string_view line) {
  if (line.starts_with("Marking downstream")) {
    const bool silent = line.ends_with("'down'");
    if (silent != silent_) {
      log::write(silent ? log::Level::kWarning : log::Level::kInfo,
                 silent ? "dns,warning" : "dns,info", "{} {}", server_.url,
                 silent ? trouble_text() : "answers");
    }
    silent_ = silent;
    return true;
  }
  for (std::string_view chatter : {"Added downstream", "Listening on", "dnsdist 1", "dnsdist 2",
                                   "ACL allowing", "Console ACL"}) {
    if (line.starts_with(chatter)) return true;
  }
  return false;
}

std::string DohForwarder::trouble_text() const {
  return server_.verify ? "does not answer, or has no certificate that is trusted"
                        : "does not answer";
}

std::string DohForwarder::trouble() const {
  if (server_.host.empty()) return {};
  if (address_.empty()) {
    return fmt::format(
        "the address of {} is not known: a row of /ip/dns/static or a server of "
        "servers must say it",
        server_.host);
  }
  if (!child_.is_running()) return "dnsdist, which speaks DNS over HTTPS, is starting again";
  return silent_ ? fmt::format("{} {}", server_.url, trouble_text()) : std::string();
}

/// dnsmasq, which knows whom to ask for this name.
void DohForwarder::ask(uint64_t now_ms) {
  ask_ms_ = now_ms + kRetryMs;
  id_ = random_id();
  (void)asker_.ask(address_question(server_.host, id_), *where_, "127.0.0.1", kDnsPort);
}

void DohForwarder::hear_answer(uint64_t now_ms) {
  const auto answer = asker_.hear();
  if (!answer) return;
  uint32_t ttl_s = 0;
  const std::string address = read_address_answer(*answer, id_, ttl_s);
  if (address.empty()) return;  // asked again soon
  asker_.stop();
  ask_ms_ = now_ms + uint64_t{std::clamp(ttl_s, kShortestS, kLongestS)} * 1000;
  if (address == address_) return;
  address_ = address;
  run(now_ms);
}

void DohForwarder::tick(uint64_t now_ms) {
  child_.tick(now_ms);
  if (asker_.is_asking()) hear_answer(now_ms);
  if (ask_ms_ <= now_ms) ask(now_ms);
}

}  // namespace maclane
