// See resolver.h. Each question has a channel of c-ares to itself: whom it asks may change any
// time, and a channel with questions under way keeps its servers. Two tries of two seconds for each
// server.
#include "control/service/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "control/service/text.h"

namespace maclane {
namespace {

constexpr int kTimeoutMs = 2000, kTries = 2;

void init_library() {
  static const int once = ares_library_init(ARES_LIB_INIT_ALL);
  (void)once;
}

}  // namespace

struct Resolver::Question {
  ares_channel channel = nullptr;
  Done done;
  bool over = false;
  Answer answer;

  ~Question() {
    if (channel != nullptr) ares_destroy(channel);
  }

  void fail(std::string problem) {
    over = true;
    answer.problem = std::move(problem);
  }

  static void on_answer(void* self, int status, int /*timeouts*/, ares_addrinfo* info) {
    auto& question = *static_cast<Question*>(self);
    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
    question.over = true;
    question.answer.answered =
        status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
    for (const ares_addrinfo_node* node = info != nullptr ? info->nodes : nullptr; node != nullptr;
         node = node->ai_next) {
      if (node->ai_family != AF_INET) continue;
      const auto* const address = reinterpret_cast<const sockaddr_in*>(node->ai_addr);
      const auto ttl = static_cast<uint32_t>(std::max(0, node->ai_ttl));
      question.answer.ttl_s =
          question.answer.addresses.empty() ? ttl : std::min(question.answer.ttl_s, ttl);
      question.answer.addresses.push_back(be32{address->sin_addr.s_addr});
    }
    if (info != nullptr) ares_freeaddrinfo(info);
    if (question.answer.addresses.empty())
      question.answer.problem = resolver_problem(status == ARES_SUCCESS ? ARES_ENODATA : status);
  }

  void start(const std::string& name, const std::vector<be32>& servers) {
    init_library();
    ares_options options{};
    options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
    options.timeout = kTimeoutMs;
    options.tries = kTries;
    options.ndomains = 0;
    char lookups[] = "b";  // DNS alone: the files of this machine are not the router's
    options.lookups = lookups;
    std::vector<in_addr> addresses;
    addresses.reserve(servers.size());
    for (const be32 one : servers) addresses.push_back({one.raw});
    options.servers = addresses.data();
    options.nservers = static_cast<int>(addresses.size());
    const int status =
        ares_init_options(&channel, &options,
                          ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_DOMAINS |
                              ARES_OPT_LOOKUPS | ARES_OPT_SERVERS);
    if (status != ARES_SUCCESS) return fail(resolver_problem(status));
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(channel, name.c_str(), nullptr, &hints, on_answer, this);
  }

  void process() {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const int wanted = ares_getsock(channel, sockets.data(), static_cast<int>(sockets.size()));
    std::vector<pollfd> fds;
    for (unsigned i = 0; i < sockets.size(); ++i) {
      short events = 0;
      if (ARES_GETSOCK_READABLE(wanted, i) != 0) events |= POLLIN;
      if (ARES_GETSOCK_WRITABLE(wanted, i) != 0) events |= POLLOUT;
      if (events != 0) fds.push_back({sockets[i], events, 0});
    }
    const int ready = fds.empty() ? 0 : poll(fds.data(), fds.size(), 0);
    for (const pollfd& one : fds) {
      if (ready <= 0 || one.revents == 0 || over) continue;
      const auto is = [&](short what) {
        return (one.revents & (what | POLLERR | POLLHUP)) != 0 ? one.fd : ARES_SOCKET_BAD;
      };
      ares_process_fd(channel, is(POLLIN), is(POLLOUT));
    }
    if (!over) ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // what is late
  }
};

std::string resolver_problem(int status) {
  switch (status) {
    case ARES_ENOTFOUND:
      return "name does not exist";
    case ARES_ENODATA:
      return "name has no IPv4 address";
    case ARES_EBADNAME:
      return "no name of DNS";
    case ARES_ETIMEOUT:
      return "timeout";
    case ARES_ECONNREFUSED:
      return "no DNS server answers";
    case ARES_ESERVFAIL:
      return "server failure";
    case ARES_EREFUSED:
      return "the DNS server refuses";
    default:
      return ares_strerror(status);
  }
}

Resolver::Resolver(Servers servers, std::function<Netns::Scope()> enter)
    : servers_(std::move(servers)), enter_(std::move(enter)) {}

Resolver::~Resolver() = default;

uint64_t Resolver::ask(const std::string& name, be32 server, Done done) {
  auto question = std::make_unique<Question>();
  question->done = std::move(done);
  const std::vector<be32> servers = server.raw != 0 ? std::vector{server} : servers_();
  if (servers.empty()) {
    question->fail("no DNS server is known; set servers= in /ip/dns");
  } else {
    const Netns::Scope scope = enter_();
    question->start(name, servers);
  }
  questions_.emplace(++last_, std::move(question));
  return last_;
}

void Resolver::forget(uint64_t question) {
  questions_.erase(question);
}

void Resolver::tick() {
  if (questions_.empty()) return;
  std::vector<std::unique_ptr<Question>> ended;
  {
    const Netns::Scope scope = enter_();
    for (auto it = questions_.begin(); it != questions_.end();) {
      if (!it->second->over) it->second->process();
      if (it->second->over) {
        ended.push_back(std::move(it->second));
        it = questions_.erase(it);
      } else {
        ++it;
      }
    }
  }
  for (const auto& one : ended) one->done(one->answer);  // may ask more
}

}  // namespace maclane
