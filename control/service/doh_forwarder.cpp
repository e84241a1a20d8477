#include "control/service/doh_forwarder.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

std::string address_question(const std::string& host, uint16_t id) {
  std::array<unsigned char, NS_PACKETSZ> bytes{};
  const int size = res_mkquery(ns_o_query, host.c_str(), ns_c_in, ns_t_a, nullptr, 0, nullptr,
                               bytes.data(), bytes.size());
  if (size < NS_HFIXEDSZ) return {};
  bytes[0] = static_cast<unsigned char>(id >> 8);
  bytes[1] = static_cast<unsigned char>(id & 0xff);
  return {reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(size)};
}

std::string read_address_answer(std::string_view answer, uint16_t id, uint32_t& ttl_s) {
  ns_msg message;
  if (ns_initparse(reinterpret_cast<const unsigned char*>(answer.data()),
                   static_cast<int>(answer.size()), &message) != 0 ||
      ns_msg_id(message) != id || ns_msg_getflag(message, ns_f_qr) == 0 ||
      ns_msg_getflag(message, ns_f_rcode) != ns_r_noerror)
    return {};
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) return {};
    if (ns_rr_type(record) != ns_t_a || ns_rr_class(record) != ns_c_in ||
        ns_rr_rdlen(record) != sizeof(in_addr))
      continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    if (inet_ntop(AF_INET, ns_rr_rdata(record), text.data(), text.size()) == nullptr) return {};
    ttl_s = ns_rr_ttl(record);
    return text.data();
  }
  return {};
}

DohForwarder::DohForwarder(std::string folder, const std::string& state_folder)
    : folder_(std::move(folder)), child_("dnsdist", "dns", state_folder + "/dnsdist.pid") {
  child_.on_line([this](std::string_view line) { return hear(line); });
}

DohForwarder::~DohForwarder() {
  stop_asking();
}

void DohForwarder::configure(const DohServer& server, const Netns& where, uint64_t now_ms) {
  where_ = &where;
  if (server == server_) return;
  const bool moved = server.host != server_.host || server.address != server_.address;
  server_ = server;
  if (server_.host.empty()) {
    child_.stop();
    stop_asking();
    address_.clear();
    ask_ms_ = UINT64_MAX;
    return;
  }
  if (moved) {
    stop_asking();
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

void DohForwarder::stop_asking() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

/// dnsmasq, which knows whom to ask for this name.
void DohForwarder::ask(uint64_t now_ms) {
  stop_asking();
  ask_ms_ = now_ms + kRetryMs;
  if (getrandom(&id_, sizeof id_, 0) != sizeof id_) return;
  const std::string question = address_question(server_.host, id_);
  if (question.empty()) return;
  {
    const Netns::Scope there = where_->enter();
    socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(kDnsPort);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (socket_ < 0 || connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 ||
      send(socket_, question.data(), question.size(), 0) < 0)
    stop_asking();
}

void DohForwarder::hear_answer(uint64_t now_ms) {
  std::array<char, 4096> bytes{};
  const ssize_t size = recv(socket_, bytes.data(), bytes.size(), 0);
  if (size <= 0) return;
  uint32_t ttl_s = 0;
  const std::string address =
      read_address_answer({bytes.data(), static_cast<size_t>(size)}, id_, ttl_s);
  if (address.empty()) return;  // asked again soon
  stop_asking();
  ask_ms_ = now_ms + uint64_t{std::clamp(ttl_s, kShortestS, kLongestS)} * 1000;
  if (address == address_) return;
  address_ = address;
  run(now_ms);
}

void DohForwarder::tick(uint64_t now_ms) {
  child_.tick(now_ms);
  if (socket_ >= 0) hear_answer(now_ms);
  if (ask_ms_ <= now_ms) ask(now_ms);
}

}  // namespace maclane
