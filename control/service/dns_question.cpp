#include "control/service/dns_question.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace maclane {
namespace {

std::string question(const std::string& name, int kind, int type, uint16_t id) {
  std::array<unsigned char, NS_PACKETSZ> bytes{};
  const int size = res_mkquery(ns_o_query, name.c_str(), kind, type, nullptr, 0, nullptr,
                               bytes.data(), bytes.size());
  if (size < NS_HFIXEDSZ) return {};
  bytes[0] = static_cast<unsigned char>(id >> 8);
  bytes[1] = static_cast<unsigned char>(id & 0xff);
  return {reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(size)};
}

}  // namespace

std::string address_question(const std::string& host, uint16_t id) {
  return question(host, ns_c_in, ns_t_a, id);
}

std::string version_question(uint16_t id) {
  return question("version.bind", ns_c_chaos, ns_t_txt, id);
}

uint16_t random_id() {
  uint16_t id = 0;
  return getrandom(&id, sizeof id, 0) == sizeof id ? id : uint16_t{1};
}

bool DnsAsker::ask(const std::string& question, const Netns& where, const std::string& address,
                   uint16_t port) {
  stop();
  if (question.empty()) return false;
  {
    const Netns::Scope there = where.enter();
    socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  if (socket_ >= 0 && inet_pton(AF_INET, address.c_str(), &to.sin_addr) == 1 &&
      connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
      send(socket_, question.data(), question.size(), 0) >= 0)
    return true;
  stop();
  return false;
}

std::optional<std::string> DnsAsker::hear() {
  std::array<char, 4096> bytes{};
  const ssize_t size = socket_ < 0 ? -1 : recv(socket_, bytes.data(), bytes.size(), 0);
  if (size < 0 && errno == ECONNREFUSED) stop();  // nobody listens there
  if (size <= 0) return std::nullopt;
  return std::string(bytes.data(), static_cast<size_t>(size));
}

void DnsAsker::stop() {
  if (socket_ >= 0) close(std::exchange(socket_, -1));
}

bool NameProbe::is_hung(int pid, const Netns& where, uint64_t now_ms,
                        std::string (*question)(uint16_t)) {
  if (pid != pid_) {
    asker_.stop();
    pid_ = pid;
    missed_ = 0;
    next_ms_ = now_ms + kEveryMs;
  }
  if (pid <= 0) return false;
  if (asker_.is_asking() && asker_.hear()) {
    asker_.stop();
    missed_ = 0;
  }
  if (now_ms < next_ms_) return false;
  next_ms_ = now_ms + kEveryMs;
  if (asker_.is_asking() && ++missed_ == kMost) {
    asker_.stop();
    return true;
  }
  // One that cannot be sent is no silence: the program listens elsewhere, or not yet.
  (void)asker_.ask(question(random_id()), where, address_, port_);
  return false;
}

}  // namespace maclane
