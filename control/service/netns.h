// Network namespaces: opening, making, and being in one for a moment. Control thread.
#pragma once

#include <string>
#include <utility>

#include "control/model/result.h"

namespace maclane {

class Netns {
 public:
  /// Puts the calling thread into the namespace until it ends: sockets and devices made meanwhile
  /// belong there for ever.
  class Scope {
   public:
    Scope(Scope&& other) noexcept : home_(std::exchange(other.home_, -1)) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    Scope& operator=(Scope&&) = delete;
    ~Scope();

   private:
    friend class Netns;
    explicit Scope(int home) : home_(home) {}
    int home_;  // -1: the thread was there already
  };

  Netns() = default;
  Netns(Netns&& other) noexcept;
  Netns& operator=(Netns&& other) noexcept;
  ~Netns();  // a namespace that was made here loses its name, unless somebody else lives in it

  /// The one this process is in.
  [[nodiscard]] static Netns here() { return {}; }
  /// By a name of `ip netns` or a path; a name nobody has yet is given to a new one.
  [[nodiscard]] static Result<Netns> open(const std::string& name);

  /// Why it could not be entered is a sentence of a failed Status; the scope then does nothing.
  [[nodiscard]] Scope enter() const;
  [[nodiscard]] bool is_here() const { return fd_ < 0; }
  /// "" if it is ours.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  void close();

  int fd_ = -1;
  std::string name_;
  bool made_ = false;
};

/// Whether this process is in a namespace that somebody made for it: one with a name of `ip netns`,
/// or another than that of process 1. Where that cannot be seen, it is taken for the host's own.
[[nodiscard]] bool in_own_netns();

}  // namespace maclane
