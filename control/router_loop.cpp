// The control thread's loop: packets and events from the workers, signals, doors, and what is due.
// See router.h.
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <span>

#include "control/clients.h"
#include "control/observe/log.h"
#include "control/router.h"

namespace maclane {
namespace {

constexpr auto kLinkPoll = std::chrono::milliseconds(200);
constexpr auto kQuick = std::chrono::milliseconds(20);  // looked often for so long after traffic

}  // namespace

bool Router::handle_signals(int signal_fd) {
  signalfd_siginfo info{};
  while (read(signal_fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo != SIGHUP) {
      log::write(log::Level::kInfo, "system,info", "ending: signal {}", info.ssi_signo);
      return false;
    }
    if (auto warnings = reload(model::Caller::router()); !warnings) {
      for (const Error& e : warnings.error())
        log::write(log::Level::kError, "system,error", "{}", e.text());
      log::write(log::Level::kError, "system,error",
                 "the new configuration was refused; the running one is unchanged");
    }
  }
  return true;
}

void Router::handle_packets() {
  busy_ = false;
  std::array<rte_mbuf*, 64> packets;
  // Bounded, so that a flood of punts cannot keep the doors waiting.
  for (unsigned round = 0; round < 16; ++round) {
    const unsigned n = dataplane_->receive(packets);
    for (unsigned i = 0; i < n; ++i) services_->handle(packets[i]);
    if (n > 0) busy_ = true;
    if (n < packets.size()) break;
  }
  std::array<Event, 64> events;
  for (unsigned round = 0; round < 16; ++round) {
    const unsigned n = dataplane_->receive_events(events);
    for (unsigned i = 0; i < n; ++i) services_->handle(events[i]);
    if (n < events.size()) break;
  }
}

void Router::run(int signal_fd) {
  auto next_link_poll = std::chrono::steady_clock::now();
  auto quick_until = next_link_poll;
  std::vector<pollfd> fds;
  while (!stop_) {
    handle_packets();
    services_->tick();
    host_->tick();
    leases_->tick();
    if (lease_names_->tick()) names_->set_lease_names(lease_names_->hosts());
    names_->tick(io_->now_ms());
    resolver_->tick();
    model_.tick(model::steady_ms());
    listed_->tick(model::steady_ms());
    if (!model_.in_batch()) {
      listed_names_->configure(model_.tree());
      listed_names_->tick(model::steady_ms());
      listed_answers_->configure(model_.tree());
      listed_leases_->tick();
    }
    serve_due_names();
    const bool learned = services_->changed();
    if (host_->changed() || learned) republish();
    scheduler_.turn(std::time(nullptr));
    event_scripts_.turn();
    runner_.turn();
    door_->turn();
    dataplane_->poll();
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_link_poll) {
      devices_->retry();
      poll_links();
      renew_rules();
      exhaustion_.look(model::steady_ms());
      rates_.look(*dataplane_);
      next_link_poll = now + kLinkPoll;
    }
    // Punted packets cannot wake a sleeper without a system call in the worker, so control looks
    // often while there are any, and every millisecond when there are none.
    if (busy_ || services_->ping().is_eager()) quick_until = now + kQuick;
    const bool due =
        std::min(doors_->next_deadline(), runner_.next_deadline()) <= model::steady_ms();
    const timespec wait{0, due ? 0 : now < quick_until ? 50'000 : 1'000'000};
    fds.assign(1, pollfd{signal_fd, POLLIN, 0});
    fds.push_back(pollfd{host_->fd(), POLLIN, 0});
    doors_->add_fds(fds);
    const size_t ours = fds.size();
    door_->add_fds(fds);
    const int ready = ppoll(fds.data(), fds.size(), &wait, nullptr);
    doors_->turn(std::span(fds).subspan(2, ours - 2));
    if (ready <= 0) continue;
    if ((fds[0].revents & POLLIN) != 0 && !handle_signals(signal_fd)) break;
    if ((fds[1].revents & POLLIN) != 0) {
      host_->handle();
      quick_until = std::chrono::steady_clock::now() + kQuick;
    }
    door_->handle(fds);
  }
  services_->end();
}

}  // namespace maclane
