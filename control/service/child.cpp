#include "control/service/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "control/observe/log.h"

namespace maclane {
namespace {

constexpr size_t kLongestLine = 4096;
constexpr int kEndMs = 2000;  // what a program gets to end by itself

/// The words of a process, as they stand in /proc.
std::string words_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/cmdline", pid), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out.append(word).push_back('\0');
  return out;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was ended by signal {}", WTERMSIG(status));
  return fmt::format("ended with {}", WEXITSTATUS(status));
}

/// The libraries it is started with; `more`: "" for none beside that all have.
std::string preloads(const std::string& more) {
  static const std::string all = preloaded("maclane-ends-with-router.so");
  return fmt::format("LD_PRELOAD={}{}{}", all, all.empty() || more.empty() ? "" : ":", more);
}

/// 0, or why it could not be; `output`: the end of the pipe that it writes to. library: "": none.
int spawn(std::vector<std::string>& words, const std::string& library, const Netns& where,
          pid_t& pid, int& output) {
  std::array<int, 2> pipes{-1, -1};
  if (pipe2(pipes.data(), O_CLOEXEC | O_NONBLOCK) != 0) pipes = {-1, -1};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, pipes[1], 1);
  posix_spawn_file_actions_adddup2(&files, pipes[1], 2);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", zone = "TZ=UTC", language = "LC_ALL=C";
  std::string preload = preloads(library), router = fmt::format("MACLANE_PID={}", getpid());
  const std::array<char*, 6> environment = {path.data(),    zone.data(),   language.data(),
                                            preload.data(), router.data(), nullptr};
  int failure = 0;
  {
    const Netns::Scope scope = where.enter();  // it stays where it is born
    failure =
        posix_spawnp(&pid, arguments[0], &files, &attributes, arguments.data(), environment.data());
  }
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (pipes[1] >= 0) close(pipes[1]);
  output = pipes[0];
  return failure;
}

}  // namespace

std::string preloaded(std::string_view name) {
  namespace fs = std::filesystem;
  std::error_code why;
  const fs::path folder = fs::read_symlink("/proc/self/exe", why).parent_path();
  for (const fs::path& one : {folder / name, folder / "../lib/maclane" / name})
    if (fs::exists(one, why)) return fs::canonical(one, why).string();
  return {};
}

Ran run_to_end(std::vector<std::string> words, const Netns& where, int most_ms) {
  Ran ran;
  pid_t pid = -1;
  int output = -1, status = 0;
  const int failure = spawn(words, "", where, pid, output);
  if (failure != 0) {
    if (output >= 0) close(output);
    ran.said = fmt::format("{} cannot be started: {}{}", words.front(), std::strerror(failure),
                           failure == ENOENT ? "; install the package that has it" : "");
    return ran;
  }
  const auto read_all = [&] {
    std::array<char, 4096> bytes;
    for (ssize_t n = 0; (n = read(output, bytes.data(), bytes.size())) > 0;)
      if (ran.said.size() < kLongestLine) ran.said.append(bytes.data(), static_cast<size_t>(n));
  };
  bool killed = false, open = true;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(most_ms);
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (!killed && std::chrono::steady_clock::now() >= end) killed = kill(pid, SIGKILL) == 0;
    pollfd one{open ? output : -1, POLLIN, 0};
    (void)poll(&one, 1, 1);
    if ((one.revents & POLLHUP) != 0) open = false;  // it closed it: that would always be ready
    read_all();
  }
  read_all();
  close(output);
  if (killed && ran.said.empty())
    ran.said = fmt::format("{} did not end within {} ms", words.front(), most_ms);
  ran.ok = !killed && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return ran;
}

Child::Child(std::string name, std::string topics, std::string pid_file)
    : name_(std::move(name)), topics_(std::move(topics)), pid_file_(std::move(pid_file)) {}

Child::~Child() {
  stop();
}

void Child::run(std::vector<std::string> words, const Netns& where, uint64_t now_ms) {
  end();
  end_predecessor();
  words_ = std::move(words);
  where_ = &where;
  wait_ms_ = 0;
  start(now_ms);
}

void Child::stop() {
  words_.clear();
  end();
  if (!pid_file_.empty()) (void)unlink(pid_file_.c_str());
}

void Child::retire(std::string pid_file) {
  words_.clear();
  if (!pid_file_.empty()) (void)std::rename(pid_file_.c_str(), pid_file.c_str());
  pid_file_ = std::move(pid_file);
}

void Child::start(uint64_t now_ms) {
  const int failure = spawn(words_, library_, *where_, pid_, output_);
  started_ms_ = now_ms;
  if (failure == 0) {
    keep_pid();
    return;
  }
  pid_ = -1;
  if (wait_ms_ == 0) {
    log::write(log::Level::kError, topics_ + ",error", "{} cannot be started: {}{}", name_,
               std::strerror(failure),
               failure == ENOENT ? "; install the package that has it" : "");
  }
  wait_ms_ = std::clamp<uint64_t>(wait_ms_ * 2, 1000, kLongestWaitMs);
  again_ms_ = now_ms + wait_ms_;
}

void Child::keep_pid() const {
  if (pid_file_.empty()) return;
  std::ofstream file(pid_file_, std::ios::binary | std::ios::trunc);
  file << pid_ << '\n' << joined(words_);
}

void Child::end_predecessor() {
  if (pid_file_.empty()) return;
  std::ifstream file(pid_file_, std::ios::binary);
  pid_t pid = 0;
  if (!(file >> pid) || pid <= 1) return;
  file.get();
  const std::string kept{std::istreambuf_iterator<char>(file), {}};
  if (!kept.empty() && words_of(pid) == kept) {
    log::write(log::Level::kInfo, topics_ + ",info", "{} of a killed router (pid {}) is ended",
               name_, pid);
    kill(pid, SIGKILL);
  }
  (void)unlink(pid_file_.c_str());
}

void Child::end() {
  if (pid_ > 0) {
    kill(pid_, SIGTERM);
    kill(pid_, SIGCONT);  // one that was stopped hears nothing
    int status = 0;
    for (int ms = 0; waitpid(pid_, &status, WNOHANG) == 0; ++ms) {
      if (ms == kEndMs) kill(pid_, SIGKILL);
      (void)poll(nullptr, 0, 1);
    }
    pid_ = -1;
  }
  if (output_ >= 0) close(std::exchange(output_, -1));
  line_.clear();
}

void Child::kill_hung() const {
  if (pid_ <= 0) return;
  log::write(log::Level::kError, topics_ + ",error", "{} runs, but does not answer: it is ended",
             name_);
  kill(pid_, SIGKILL);
}

void Child::signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

void Child::read_lines() {
  std::array<char, 8192> bytes;
  for (;;) {
    const ssize_t n = output_ < 0 ? 0 : read(output_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    for (const char c : std::string_view(bytes.data(), static_cast<size_t>(n))) {
      if (c != '\n') {
        if (line_.size() < kLongestLine) line_.push_back(c);
        continue;
      }
      if (!on_line_ || !on_line_(line_)) {
        log::write(log::Level::kInfo, topics_ + ",info", "{}: {}", name_, line_);
      }
      line_.clear();
    }
  }
}

void Child::listen(const std::function<bool()>& done, int most_ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(most_ms);
  read_lines();
  while (!done() && output_ >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd one{output_, POLLIN, 0};
    if (left.count() <= 0 || poll(&one, 1, static_cast<int>(left.count())) <= 0) return;
    if ((one.revents & POLLIN) == 0) return;
    read_lines();
  }
}

void Child::tick(uint64_t now_ms) {
  if (now_ms < look_ms_) return;
  look_ms_ = now_ms + kLookMs;
  read_lines();
  if (pid_ > 0) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_) return;
    read_lines();
    pid_ = -1;
    if (output_ >= 0) close(std::exchange(output_, -1));
    if (!is_wanted()) return;
    if (now_ms - started_ms_ >= kSteadyMs) wait_ms_ = 0;
    again_ms_ = now_ms + wait_ms_;
    log::write(log::Level::kError, topics_ + ",error", "{} {}; it is started again{}", name_,
               how_it_ended(status), wait_ms_ == 0 ? "" : fmt::format(" in {} s", wait_ms_ / 1000));
    wait_ms_ = std::clamp<uint64_t>(wait_ms_ * 2, 1000, kLongestWaitMs);
    ++restarts_;
  }
  if (is_wanted() && now_ms >= again_ms_) start(now_ms);
}

}  // namespace maclane
