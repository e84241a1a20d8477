// The console's door: a unix socket that speaks one JSON object per line (request.h).
//
// It has no thread and never blocks: the control thread's loop asks it which descriptors to poll
// and hands the result back. Every buffer is bounded: a request line by 1 MiB, a reply by 64 MiB,
// all replies that wait by 256 MiB; a client that does not read gets no more requests answered and
// is dropped after a minute without progress. Control thread only.
#pragma once

#include <poll.h>
#include <sys/stat.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "control/door/request.h"

namespace maclane::door {

class SocketDoor {
 public:
  static constexpr size_t kMaxClients = 64;
  static constexpr size_t kMaxReply = size_t{64} << 20;
  static constexpr size_t kMaxWaiting = size_t{256} << 20;  // replies of all clients together

  SocketDoor(model::Commands& commands, std::string path, size_t max_reply = kMaxReply)
      : requests_(commands), path_(std::move(path)), max_reply_(max_reply) {}
  ~SocketDoor();
  SocketDoor(const SocketDoor&) = delete;
  SocketDoor& operator=(const SocketDoor&) = delete;

  /// Makes the socket: mode 0660, group `maclane` if there is one. Refuses a path where another
  /// router answers; removes a socket nobody answers at. Logs nothing: the error says it.
  [[nodiscard]] Status start();

  /// Appends what to poll.
  void add_fds(std::vector<pollfd>& fds) const;
  /// Does what can be done without waiting; descriptors of others are passed over.
  void handle(const std::vector<pollfd>& fds);

  [[nodiscard]] size_t clients() const { return clients_.size(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Client {
    std::string in;
    size_t scanned = 0;  // bytes of in known to hold no newline
    std::string out;
    size_t sent = 0;
    bool at_end = false;    // no more requests are read
    bool has_line = false;  // a whole request waits in in
    Clock::time_point progress;
    [[nodiscard]] size_t waiting() const { return out.size() - sent; }
  };

  [[nodiscard]] Status clear_way() const;
  void accept_all();
  void read_from(int fd, Client& client);
  void answer_lines(Client& client);
  void say(Client& client, std::string reply);
  [[nodiscard]] bool write_to(int fd, Client& client);  // false: the client is gone
  [[nodiscard]] size_t waiting() const;

  Requests requests_;
  std::string path_;
  size_t max_reply_;
  int listener_ = -1;
  dev_t device_ = 0;  // of our socket file: what is removed at the end is ours
  ino_t inode_ = 0;
  Clock::time_point accept_after_;
  std::map<int, Client> clients_;
};

}  // namespace maclane::door
