// The console's door: a unix socket that speaks one JSON object per line (console.h).
//
// It has no thread and never blocks: the control thread's loop asks it which descriptors to poll
// and hands the result back, and lets it fetch what running commands wrote. Every buffer is
// bounded: a request line by 4 MiB, what was said and not read by kHighWater and one answer; the
// command of a client that does not read waits, and the client is dropped after a minute without
// progress; so is one whose line takes longer to come (patience.h). Control thread only.
#pragma once

#include <poll.h>
#include <sys/stat.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/door/console.h"
#include "control/door/patience.h"

namespace maclane::door {

class SocketDoor {
 public:
  static constexpr size_t kMaxClients = 64;
  static constexpr size_t kHighWater = size_t{1} << 20;  // said and not read

  SocketDoor(script::Runner& runner, std::string path) : runner_(runner), path_(std::move(path)) {}
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
  /// Sends what running commands wrote since.
  void turn();

  [[nodiscard]] size_t clients() const { return clients_.size(); }
  /// Those who are connected, as rows of /user/active.
  [[nodiscard]] std::vector<model::PrintRow> active_rows() const;
  /// Closes the connection of a session at the next turn; nothing if there is none.
  void end_session(uint64_t session);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  using Clock = std::chrono::steady_clock;
  // Apart from those that the doors to the network count.
  static constexpr uint64_t kFirstSession = uint64_t{1} << 32;
  struct Client {
    std::string in;
    size_t scanned = 0;  // bytes of in known to hold no newline
    std::string out;
    size_t sent = 0;
    bool at_end = false;    // no more requests are read
    bool has_line = false;  // a whole request waits in in
    uint64_t session = 0;
    std::string when;   // it came
    Patience patience;  // with the line that is coming
    std::unique_ptr<Console> console;
    Clock::time_point progress;
    [[nodiscard]] size_t waiting() const { return out.size() - sent; }
  };

  [[nodiscard]] Status clear_way() const;
  void accept_all();
  void read_from(int fd, Client& client);
  void answer_lines(Client& client);
  static void say(Client& client, std::string_view lines);
  [[nodiscard]] static bool write_to(int fd, Client& client);  // false: the client is gone
  /// Fetches and sends; false: the client is done with.
  [[nodiscard]] bool serve(int fd, Client& client);
  void close(std::map<int, Client>::iterator client);

  script::Runner& runner_;
  std::string path_;
  int listener_ = -1;
  dev_t device_ = 0;  // of our socket file: what is removed at the end is ours
  ino_t inode_ = 0;
  Clock::time_point accept_after_;
  uint64_t next_session_ = kFirstSession;
  std::map<int, Client> clients_;
};

}  // namespace maclane::door
