// Loaded into dnsmasq before its own libraries (LD_PRELOAD), so that another one can listen beside
// it while it answers its last questions. By UDP it lets it by itself, and the kernel gives what
// comes to the one that came last. By TCP both have to say so (SO_REUSEPORT, socket(7)), as the
// same user, and the kernel would share connections out among them: a filter gives them to the
// second in the row, which is the one that came last as long as there are two, and where there is
// one, the kernel takes that.
//
// No code of the router's; nothing of it is linked.

#include <dlfcn.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

/// Which dnsmasq becomes once it listens: addresses that come later are its.
constexpr const char* kUser = "nobody";

bool is_stream(int fd) {
  int type = 0;
  socklen_t length = sizeof(type);
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

void share(int fd) {
  const passwd* const user = geteuid() == 0 ? getpwnam(kUser) : nullptr;
  if (user != nullptr) (void)!fchown(fd, user->pw_uid, static_cast<gid_t>(-1));
  const int on = 1;
  (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int bind(int fd, const sockaddr* address,
                                                socklen_t length) noexcept {
  using Bind = int (*)(int, const sockaddr*, socklen_t);
  static const auto real = reinterpret_cast<Bind>(dlsym(RTLD_NEXT, "bind"));
  const bool ip =
      address != nullptr && (address->sa_family == AF_INET || address->sa_family == AF_INET6);
  if (ip && is_stream(fd)) share(fd);
  return real(fd, address, length);
}

__attribute__((visibility("default"))) int listen(int fd, int backlog) noexcept {
  using Listen = int (*)(int, int);
  static const auto real = reinterpret_cast<Listen>(dlsym(RTLD_NEXT, "listen"));
  const int failure = real(fd, backlog);
  sock_filter second{BPF_RET | BPF_K, 0, 0, 1};
  const sock_fprog program{1, &second};
  if (failure == 0)
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program));
  return failure;
}

}  // extern "C"
