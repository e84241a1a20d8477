// A program that serves for the router: started in the host plane's namespace, restarted when it
// ends, its words in the router's log. Control thread; nothing here waits for it.
//
// A program that ends by itself is started again at once, then after 1 s, 2 s and so on up to 30 s;
// one that ran for a minute begins anew. It ends with a router that was killed
// (ends_with_router.cpp). Should it not, its pid is kept in a file, and the next router ends it
// before it starts its own, if the process still has the words that were kept with it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/service/netns.h"

namespace maclane {

/// What a program said that was run to its end.
struct Ran {
  bool ok = false;  // it ended with 0
  std::string said;
};
/// Runs one and waits for it, for so long; then it is killed, and did not end well.
[[nodiscard]] Ran run_to_end(std::vector<std::string> words, const Netns& where, int most_ms);

/// The file of a library that programs are started with, beside ours or in lib/maclane; "": it is
/// not there.
[[nodiscard]] std::string preloaded(std::string_view name);

/// Started and ended by the same thread: it ends with that.
class Child {
 public:
  static constexpr uint64_t kLongestWaitMs = 30'000, kSteadyMs = 60'000, kLookMs = 20;

  /// topics: of its lines in the log. pid_file: "" keeps none.
  Child(std::string name, std::string topics, std::string pid_file);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Told of each line it writes; true: the line needs no place in the log.
  void on_line(std::function<bool(std::string_view)> line) { on_line_ = std::move(line); }
  /// A library that is loaded before those of the program, from the next start on; "": none.
  void preload(std::string library) { library_ = std::move(library); }
  /// From now on it runs with these words, the first its program; what ran so far is ended.
  void run(std::vector<std::string> words, const Netns& where, uint64_t now_ms);
  void stop();
  /// It runs on until it ends or is stopped, and is not started again; its pid is in this file.
  void retire(std::string pid_file);
  /// One that a killed router left behind.
  void end_predecessor();
  void tick(uint64_t now_ms);
  /// Ends one that hangs, whatever it does; tick() starts it again.
  void kill_hung() const;
  void signal(int number) const;
  /// Reads what it writes until done() says so, or for so long.
  void listen(const std::function<bool()>& done, int most_ms);

  [[nodiscard]] bool is_wanted() const { return !words_.empty(); }
  [[nodiscard]] bool is_running() const { return pid_ > 0; }
  [[nodiscard]] unsigned restarts() const { return restarts_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void start(uint64_t now_ms);
  void end();
  void read_lines();
  void keep_pid() const;

  std::string name_, topics_, pid_file_, library_;
  std::function<bool(std::string_view)> on_line_;
  std::vector<std::string> words_;
  const Netns* where_ = nullptr;
  pid_t pid_ = -1;
  int output_ = -1;
  std::string line_;
  uint64_t started_ms_ = 0, again_ms_ = 0, wait_ms_ = 0, look_ms_ = 0;
  unsigned restarts_ = 0;
};

}  // namespace maclane
