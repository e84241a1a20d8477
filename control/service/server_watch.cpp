#include "control/service/server_watch.h"

#include <iterator>

namespace maclane {

void ServerWatch::clear() {
  open_.clear();
  heard_ms_.clear();
}

void ServerWatch::hear(std::string_view question, std::string_view words, uint64_t now_ms) {
  constexpr std::string_view kForwarded = "forwarded ", kTo = " to ";
  const auto known = open_.find(question);
  if (words.starts_with(kForwarded)) {
    const size_t to = words.rfind(kTo);
    if (to == std::string_view::npos) return;
    const std::string server(words.substr(to + kTo.size()));
    if (known != open_.end()) {
      known->second.several |= known->second.server != server;
      return;
    }
    if (open_.size() >= kMostOpen) open_.clear();
    open_.emplace(question, Open{server, now_ms});
  } else if (known != open_.end() && words.starts_with("reply ")) {
    if (!known->second.several) heard_ms_[known->second.server] = now_ms;
    open_.erase(known);
  }
}

std::string ServerWatch::silent(uint64_t now_ms, uint64_t patience_ms) {
  for (auto it = open_.begin(); it != open_.end();) {
    const Open& one = it->second;
    if (now_ms - one.since_ms < patience_ms) {
      ++it;
      continue;
    }
    const auto heard = heard_ms_.find(one.server);
    const bool answers = heard != heard_ms_.end() && heard->second >= one.since_ms;
    std::string server = one.several || answers ? std::string() : one.server;
    it = open_.erase(it);
    if (!server.empty()) return server;
  }
  return {};
}

}  // namespace maclane
