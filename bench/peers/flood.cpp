// The kernel-side flooder: whole UDP frames into an interface by AF_PACKET, past the queueing
// discipline, 64 a call. And its counterpart, which answers them, so that connections are seen in
// both directions before they are measured. Counting what arrives is left to an nft ingress
// counter.
//
// Frames are complete (both checksums are right), so that no checksum offload of a veth matters.
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <x86intrin.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "bench/peers/frames.h"

namespace {

using namespace maclane::peers;

constexpr unsigned kBatch = 64;  // frames a call
constexpr int kReceiveBuffer = 32 << 20;

volatile std::sig_atomic_t stop = 0;

[[noreturn]] void fail(const std::string& sentence) {
  std::fprintf(stderr, "flood: %s\n", sentence.c_str());
  std::exit(1);
}

double now(clockid_t clock = CLOCK_MONOTONIC_RAW) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Options {
  std::string interface;
  std::string to_mac;
  std::string from = "10.1.0.0";
  std::string to = "10.2.0.2";
  uint16_t port = 9;
  uint32_t flows = 1;
  uint32_t hosts = 250;
  uint32_t frame = 60;
  uint64_t count = 0;
  double seconds = 1;
  double rate = 0;
  uint32_t yield_every = 0;
  bool answer = false;
};

/// A packet socket on the interface; `protocol` 0 receives nothing.
int open_socket(const Options& options, uint16_t protocol, Mac* own) {
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) fail(std::string("no packet socket: ") + std::strerror(errno) + "; run it as root");
  ifreq request = {};
  options.interface.copy(request.ifr_name, IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFHWADDR, &request) != 0)
    fail("interface " + options.interface + ": " + std::strerror(errno));
  std::memcpy(own->data(), request.ifr_hwaddr.sa_data, own->size());
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(protocol);
  address.sll_ifindex = static_cast<int>(if_nametoindex(options.interface.c_str()));
  const int on = 1;
  if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) != 0)
    fail(std::string("PACKET_QDISC_BYPASS: ") + std::strerror(errno));
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    fail("interface " + options.interface + " cannot be used: " + std::strerror(errno));
  return fd;
}

/// Frame buffers and the headers that sendmmsg() and recvmmsg() want around them.
struct Batch {
  static constexpr size_t kRoom = 2048;
  std::array<std::array<uint8_t, kRoom>, kBatch> frames = {};
  std::array<iovec, kBatch> pieces = {};
  std::array<mmsghdr, kBatch> messages = {};

  explicit Batch(size_t length) {
    for (unsigned i = 0; i < kBatch; ++i) {
      pieces[i] = {frames[i].data(), length};
      messages[i].msg_hdr.msg_iov = &pieces[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
};

/// Sends the first n; what the interface has no room for is tried once, as a NIC would.
unsigned send_batch(int fd, Batch& batch, unsigned n) {
  unsigned sent = 0;
  for (unsigned at = 0; at < n;) {
    const int rc = sendmmsg(fd, &batch.messages[at], n - at, 0);
    if (rc > 0) {
      at += static_cast<unsigned>(rc);
      sent += static_cast<unsigned>(rc);
    } else if (errno == ENOBUFS || errno == EAGAIN) {
      ++at;
    } else if (errno != EINTR) {
      fail(std::string("a frame cannot be sent: ") + std::strerror(errno));
    } else if (stop != 0) {
      break;
    }
  }
  return sent;
}

/// Waits until `sent` frames are due at this rate.
void keep_rate(double rate, double start, uint64_t sent) {
  const double due = start + static_cast<double>(sent) / rate;
  const double wait = due - now();
  if (wait <= 0) return;
  const timespec time = {static_cast<time_t>(wait),
                         static_cast<long>((wait - static_cast<double>(time_t(wait))) * 1e9)};
  nanosleep(&time, nullptr);
}

void flood(const Options& options) {
  Mac own;
  const int fd = open_socket(options, 0, &own);
  const auto peer = parse_mac(options.to_mac);
  if (!peer) fail("--to-mac " + options.to_mac + " is not a MAC address");
  const auto from = parse_ip(options.from);
  const auto to = parse_ip(options.to);
  if (!from || !to) fail("--from and --to must be IPv4 addresses");

  const std::vector<uint8_t> model = model_frame(own, *peer, *to, options.frame);
  std::vector<Flow> flows(options.flows);
  for (uint32_t i = 0; i < options.flows; ++i)
    flows[i] = make_flow(model, *from + 1 + i % options.hosts, options.port, i);
  // Their order is random, but the same in each run, and each flow comes once a pass.
  std::shuffle(flows.begin(), flows.end(), std::mt19937_64(2544));

  Batch batch(model.size());
  for (auto& frame : batch.frames) std::copy(model.begin(), model.end(), frame.begin());

  uint64_t sent = 0, tried = 0;
  size_t next = 0;
  uint32_t since_yield = 0;
  const double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
  const double start = now();
  const double end = start + options.seconds;
  const uint64_t ticks = __rdtsc();
  double time = start;
  while (stop == 0 && (options.count != 0 ? tried < options.count : time < end)) {
    unsigned n = kBatch;
    if (options.count != 0) n = static_cast<unsigned>(std::min<uint64_t>(n, options.count - tried));
    for (unsigned i = 0; i < n; ++i) {
      put_flow(batch.frames[i].data(), flows[next]);
      if (++next == flows.size()) next = 0;
    }
    sent += send_batch(fd, batch, n);
    tried += n;
    since_yield += n;
    if (options.yield_every != 0 && since_yield >= options.yield_every) {
      since_yield = 0;
      sched_yield();
    }
    if (options.rate > 0) keep_rate(options.rate, start, tried);
    time = now();
  }
  const uint64_t ticks_end = __rdtsc();
  const double seconds = now() - start;
  std::printf(
      "{\"sent\": %llu, \"refused\": %llu, \"seconds\": %.6f, \"cpu_seconds\": %.6f, "
      "\"ticks\": %llu}\n",
      static_cast<unsigned long long>(sent), static_cast<unsigned long long>(tried - sent), seconds,
      now(CLOCK_PROCESS_CPUTIME_ID) - cpu, static_cast<unsigned long long>(ticks_end - ticks));
  close(fd);
}

/// Sends each UDP frame back to where it came from.
void answer(const Options& options) {
  Mac own;
  // All protocols: only such a socket sees frames before nft drops them at ingress.
  const int fd = open_socket(options, ETH_P_ALL, &own);
  const int room = kReceiveBuffer;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
  std::printf("ready\n");
  std::fflush(stdout);
  Batch in(Batch::kRoom), out(0);
  std::array<sockaddr_ll, kBatch> whence = {};
  uint64_t answered = 0;
  while (stop == 0) {
    for (unsigned i = 0; i < kBatch; ++i) {
      in.messages[i].msg_hdr.msg_name = &whence[i];
      in.messages[i].msg_hdr.msg_namelen = sizeof(whence[i]);
    }
    const int got = recvmmsg(fd, in.messages.data(), kBatch, MSG_WAITFORONE, nullptr);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(std::string("nothing can be received: ") + std::strerror(errno));
    unsigned n = 0;
    for (unsigned i = 0; i < static_cast<unsigned>(got); ++i) {
      const uint32_t length = in.messages[i].msg_len;
      if (whence[i].sll_pkttype != PACKET_HOST || !turn_around(in.frames[i].data(), length))
        continue;
      out.pieces[n++] = {in.frames[i].data(), length};
    }
    if (n != 0) answered += send_batch(fd, out, n);
  }
  std::printf("{\"answered\": %llu}\n", static_cast<unsigned long long>(answered));
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Floods an interface with UDP frames of many flows; prints JSON."};
  Options o;
  app.add_option("--interface", o.interface, "where the frames go out")->required();
  app.add_option("--to-mac", o.to_mac, "the router's MAC address");
  app.add_option("--from", o.from, "the network of the sources, each --hosts its own address")
      ->capture_default_str();
  app.add_option("--to", o.to, "the destination")->capture_default_str();
  app.add_option("--port", o.port, "the destination port")->capture_default_str();
  app.add_option("--flows", o.flows, "flows, in an order that looks random")
      ->check(CLI::Range(1u, 4'000'000u))
      ->capture_default_str();
  app.add_option("--hosts", o.hosts, "source addresses")
      ->check(CLI::Range(1u, 65000u))
      ->capture_default_str();
  app.add_option("--frame", o.frame, "bytes of a frame, without FCS")
      ->check(CLI::Range(60u, 1514u))
      ->capture_default_str();
  app.add_option("--seconds", o.seconds, "how long")->capture_default_str();
  app.add_option("--count", o.count, "this many frames, however long that takes");
  app.add_option("--rate", o.rate, "frames a second; 0: as many as there can be");
  app.add_option("--yield-every", o.yield_every,
                 "lets another program of this CPU run after so many frames");
  app.add_flag("--answer", o.answer, "sends frames back instead, until SIGTERM");
  CLI11_PARSE(app, argc, argv);

  struct sigaction action = {};  // without SA_RESTART: a waiting call ends
  action.sa_handler = [](int) { stop = 1; };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  if (o.answer) {
    answer(o);
  } else {
    flood(o);
  }
  return 0;
}
