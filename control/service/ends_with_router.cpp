// Loaded into each program that serves for the router before its own libraries (LD_PRELOAD), so
// that none outlives a router that was killed: it would keep port 53 and answer with what was. The
// kernel ends a program with the thread that started it if the program wants that (prctl(2),
// PR_SET_PDEATHSIG), and forgets it when the program becomes another user, which those here do: it
// is said again then.
//
// No code of the router's; nothing of it is linked.

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

void end_with_router() {
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/// The router may have ended before it was heard.
__attribute__((constructor)) void begin() {
  end_with_router();
  const char* const router = getenv("MACLANE_PID");
  if (router != nullptr && atol(router) != getppid()) _exit(0);  // NOLINT: it is the router's text
}

template <typename... Ids>
int become(const char* name, Ids... ids) {
  const auto real = reinterpret_cast<int (*)(Ids...)>(dlsym(RTLD_NEXT, name));
  const int failure = real(ids...);
  end_with_router();
  return failure;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int setuid(uid_t uid) noexcept {
  return become("setuid", uid);
}
__attribute__((visibility("default"))) int setgid(gid_t gid) noexcept {
  return become("setgid", gid);
}
__attribute__((visibility("default"))) int setresuid(uid_t real, uid_t effective,
                                                     uid_t saved) noexcept {
  return become("setresuid", real, effective, saved);
}
__attribute__((visibility("default"))) int setresgid(gid_t real, gid_t effective,
                                                     gid_t saved) noexcept {
  return become("setresgid", real, effective, saved);
}

}  // extern "C"
