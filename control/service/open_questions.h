// Whether a name server still has questions to answer, as the kernel shows its sockets: dnsmasq
// asks each question of others by a port of its own, and has a process for each TCP connection of
// its clients. Control thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string_view>

namespace maclane {

/// False, too: it has ended. True, too: the kernel does not show its processes.
[[nodiscard]] bool has_open_questions(pid_t pid);

/// Adds the inodes of sockets of `table` (/proc/net/udp, proc(5)) that are not at port 53.
void read_asking_sockets(std::string_view table, std::set<uint64_t>& inodes);

}  // namespace maclane
