// Ports and turns. See api.h.
#include "control/door/api.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "control/door/strangers.h"
#include "control/observe/log.h"

namespace maclane::door {
namespace {

constexpr uint64_t kPlainMark = 1;
constexpr uint64_t kTlsMark = 2;
constexpr size_t kAcceptedPerTurn = 32;

uint32_t epoll_events(short events) {
  uint32_t out = 0;
  if ((events & POLLIN) != 0) out |= EPOLLIN;
  if ((events & POLLOUT) != 0) out |= EPOLLOUT;
  return out;
}

}  // namespace

ApiDoor::ApiDoor(model::Commands& commands, Auth& auth)
    : commands_(commands), auth_(auth), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

ApiDoor::~ApiDoor() {
  clients_.clear();
  if (epoll_ >= 0) close(epoll_);
}

void ApiDoor::watch_listener(Port& port, uint64_t mark) {
  const int fd = port.listener.fd();
  // A closed descriptor left the epoll by itself; its number may be another's now.
  if (fd < 0) {
    port.watched = -1;
    return;
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = mark;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0) port.watched = fd;
}

void ApiDoor::configure(const Settings& plain, const Settings& tls) {
  const uint64_t now_ms = model::steady_ms();
  for (const bool is_tls : {false, true}) {
    Port& port = ports_[is_tls ? 1 : 0];
    port.settings = is_tls ? tls : plain;
    port.listener.configure(port.settings.service, now_ms);
    if (is_tls && port.settings.service.enabled && port.settings.context == nullptr)
      port.listener.spoil(port.settings.problem, now_ms);
    watch_listener(port, is_tls ? kTlsMark : kPlainMark);
  }
  configured_ = true;
}

void ApiDoor::retry(uint64_t now_ms) {
  for (const bool tls : {false, true}) {
    Port& port = ports_[tls ? 1 : 0];
    const int before = port.listener.fd();
    port.listener.tick(now_ms);
    if (port.listener.fd() != before) watch_listener(port, tls ? kTlsMark : kPlainMark);
  }
}

void ApiDoor::end_unwanted() {
  if (!std::exchange(configured_, false)) return;
  for (auto& [id, client] : clients_) {
    const Port& port = ports_[client->is_tls() ? 1 : 0];
    client->set_empty_replies(port.settings.empty_replies);
    if (!port.listener.allows(client->guest().address)) client->end("the service was changed");
    refresh(id, *client);
  }
  std::erase_if(clients_, [](const auto& item) { return item.second->gone(); });
}

size_t ApiDoor::connected(bool tls) const {
  return static_cast<size_t>(std::count_if(clients_.begin(), clients_.end(), [&](const auto& item) {
    return item.second->is_tls() == tls;
  }));
}

std::string ApiDoor::end_stranger(bool tls) {
  Strangers strangers;
  for (const auto& [id, client] : clients_) {
    if (client->is_tls() == tls && client->is_stranger())
      strangers.add(id, client->guest().address);
  }
  const auto first = strangers.first_to_go();
  if (!first) return {};
  const auto client = clients_.find(*first);
  std::string address = client->second->guest().address;
  clients_.erase(client);
  return address;
}

void ApiDoor::accept_all(bool tls, uint64_t now_ms) {
  Port& port = ports_[tls ? 1 : 0];
  for (size_t i = 0; i < kAcceptedPerTurn; ++i) {
    Guest guest = port.listener.accept(connected(tls), now_ms, [&] { return end_stranger(tls); });
    if (guest.fd < 0) return;
    const int fd = guest.fd;
    const uint64_t id = next_id_++;
    auto client = std::make_unique<ApiClient>(
        id, ApiClient::Context{commands_, auth_, load_}, std::move(guest),
        tls ? port.settings.context : nullptr, port.settings.empty_replies);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = id;
    client->watched = POLLIN;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) continue;  // closed with the client
    clients_.emplace(id, std::move(client));
  }
}

void ApiDoor::refresh(uint64_t id, ApiClient& client) {
  client.send(model::steady_ms());
  if (client.can_go_on()) queue(id, client);
  going_deadline_ = std::min(going_deadline_, client.next_deadline());
  const short events = client.events();
  if (events == client.watched || client.gone()) return;
  epoll_event event{};
  event.events = epoll_events(events);
  event.data.u64 = id;
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, client.fd(), &event) == 0) client.watched = events;
}

void ApiDoor::queue(uint64_t id, ApiClient& client) {
  if (std::exchange(client.queued, true)) return;
  ready_.push_back(id);
}

void ApiDoor::turn() {
  const uint64_t began = model::steady_ms();
  end_unwanted();
  std::array<epoll_event, 64> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const uint64_t id = events[static_cast<size_t>(i)].data.u64;
    if (id == kPlainMark || id == kTlsMark) {
      accept_all(id == kTlsMark, began);
      continue;
    }
    const auto found = clients_.find(id);
    if (found == clients_.end()) continue;
    if ((events[static_cast<size_t>(i)].events & (EPOLLERR | EPOLLHUP)) != 0)
      found->second->hang_up();
    queue(id, *found->second);
  }
  for (const uint64_t id : std::exchange(load_.woken, {})) {
    if (const auto found = clients_.find(id); found != clients_.end()) queue(id, *found->second);
  }
  for (size_t left = ready_.size(); left > 0; --left) {
    const uint64_t now = model::steady_ms();
    if (now >= began + kTurnMs) break;
    const uint64_t id = ready_.front();
    ready_.pop_front();
    const auto found = clients_.find(id);
    if (found == clients_.end()) continue;
    ApiClient& client = *found->second;
    client.queued = false;
    if (!client.gone()) {
      client.receive();
      client.answer(kSentencesPerTurn, now, began + kTurnMs);
      refresh(id, client);
    }
    if (client.gone()) clients_.erase(found);
  }
  sweep(model::steady_ms());
}

void ApiDoor::sweep(uint64_t now_ms) {
  const bool check = now_ms >= swept_ms_ + 1000;
  if (!check && now_ms < going_deadline_) return;
  if (check) swept_ms_ = now_ms;
  going_deadline_ = UINT64_MAX;
  for (auto it = clients_.begin(); it != clients_.end();) {
    ApiClient& client = *it->second;
    if (check) client.check_time(now_ms);
    if (client.next_deadline() <= now_ms) client.step(now_ms);
    refresh(it->first, client);
    going_deadline_ = std::min(going_deadline_, client.next_deadline());
    it = client.gone() ? clients_.erase(it) : std::next(it);
  }
}

uint64_t ApiDoor::next_deadline() const {
  if (configured_ || !ready_.empty() || !load_.woken.empty()) return 0;
  return std::min(going_deadline_, swept_ms_ + 1000);
}

}  // namespace maclane::door
