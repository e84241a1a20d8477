// /system/resource and /dataplane: load, memory, drops.
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <fstream>

#include "control/model/value.h"
#include "control/observe/polled.h"
#include "control/observe/processor.h"
#include "control/observe/rows.h"
#include "control/router.h"

namespace maclane::observe {
namespace {

using model::Fields;
using model::View;

std::string percent_busy(const WorkerStats& now, const LoopCounters& before) {
  const uint64_t busy = now.loop.busy_tsc - before.busy_tsc;
  const uint64_t all = busy + now.loop.idle_tsc - before.idle_tsc;
  return fmt::format("{:.1f}",
                     all == 0 ? 0.0 : 100.0 * static_cast<double>(busy) / static_cast<double>(all));
}

/// Busy since the last time somebody looked, not since the start: load is a matter of now.
std::string busy_of(const WorkerStats& stats) {
  static std::array<LoopCounters, kMaxWorkers> last;
  std::string text = percent_busy(stats, last[stats.id]);
  last[stats.id] = stats.loop;
  return text;
}

std::string per_packet(uint64_t ticks, uint64_t packets) {
  return packets == 0
             ? std::string()
             : fmt::format("{:.1f}", static_cast<double>(ticks) / static_cast<double>(packets));
}

std::string share_of(uint64_t part, uint64_t whole) {
  return whole == 0 ? std::string()
                    : fmt::format("{:.1f}%",
                                  100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::vector<model::PrintRow> loop_times(const Router& router) {
  std::vector<model::PrintRow> rows;
  const double tick_us = 1e6 / static_cast<double>(Dataplane::tsc_hz());
  for (unsigned w = 0; w < router.dataplane().workers(); ++w) {
    const WorkerStats s = router.dataplane().worker_stats(w);
    uint64_t all = 0;
    for (const uint64_t n : s.times.rounds) all += n;
    for (unsigned i = 0; i < LoopTimes::kBuckets; ++i) {
      if (s.times.rounds[i] == 0) continue;
      const double below = static_cast<double>(uint64_t{2} << i) * tick_us;
      model::PrintRow row;
      row.id = dynamic_id(w * LoopTimes::kBuckets + i);
      row.fields = {{"worker", std::to_string(s.id)},
                    {"below-us", fmt::format("{:.{}f}", below, below < 10 ? 2 : 0)},
                    {"rounds", std::to_string(s.times.rounds[i])},
                    {"share", share_of(s.times.rounds[i], all)}};
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<model::PrintRow> stages(const Router& router) {
  std::vector<model::PrintRow> rows;
  for (unsigned w = 0; w < router.dataplane().workers(); ++w) {
    const WorkerStats s = router.dataplane().worker_stats(w);
    uint64_t all = 0;
    for (const uint64_t ticks : s.times.ticks) all += ticks;
    for (unsigned i = 0; i < kStages; ++i) {
      model::PrintRow row;
      row.id = dynamic_id(w * kStages + i);
      row.fields = {{"worker", std::to_string(s.id)},
                    {"stage", std::string(stage_name(static_cast<Stage>(i)))},
                    {"ticks-per-packet", per_packet(s.times.ticks[i], s.times.sampled_packets)},
                    {"share", share_of(s.times.ticks[i], all)}};
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<model::PrintRow> workers(const Router& router) {
  std::vector<model::PrintRow> rows;
  for (unsigned w = 0; w < router.dataplane().workers(); ++w) {
    const WorkerStats s = router.dataplane().worker_stats(w);
    model::PrintRow row;
    row.id = dynamic_id(w);
    row.fields = {{"worker", std::to_string(s.id)},
                  {"lcore", std::to_string(s.cpu)},
                  {"busy", busy_of(s)},
                  {"ticks-per-packet", per_packet(s.loop.busy_tsc, s.loop.packets)},
                  {"packets", std::to_string(s.loop.packets)},
                  {"bursts", std::to_string(s.loop.bursts)},
                  {"loops", std::to_string(s.loop.loops)},
                  {"sessions", std::to_string(s.sessions)},
                  {"handed-over", std::to_string(s.handed)},
                  {"handoff-depth", std::to_string(s.handoff_depth)}};
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<model::PrintRow> drops(const Router& router) {
  std::vector<model::PrintRow> rows;
  const compile::Names& names = router.compiled().names;
  for (size_t i = 0; i < names.interface_limit(); ++i) {
    const auto index = static_cast<IfIndex>(i);
    const std::string_view name = i == 0 ? std::string_view("(none)") : names.name_of(index);
    if (name.empty()) continue;
    for (unsigned r = 0; r < kDropCount; ++r) {
      const uint64_t n = router.dataplane().drops(index, static_cast<Drop>(r));
      if (n == 0) continue;
      model::PrintRow row;
      row.id = dynamic_id(static_cast<uint32_t>(i * kDropCount + r));
      row.fields = {{"interface", std::string(name)},
                    {"reason", std::string(drop_name(static_cast<Drop>(r)))},
                    {"packets", std::to_string(n)},
                    {"help", std::string(drop_help(static_cast<Drop>(r)))}};
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<model::PrintRow> host_plane(const Router& router) {
  std::vector<model::PrintRow> rows;
  for (const HostRow& host : router.host_plane().rows()) {
    model::PrintRow row;
    row.id = dynamic_id(host.interface);
    row.fields = {{"interface", std::string(router.compiled().names.name_of(host.interface))},
                  {"device", host.device},
                  {"netns", router.host_plane().netns().name()},
                  {"state", host.state},
                  {"to-programs", std::to_string(host.to_host)},
                  {"from-programs", std::to_string(host.from_host)},
                  {"lost", std::to_string(host.lost)},
                  {"refused", std::to_string(host.refused)}};
    std::erase_if(row.fields, [](const auto& field) { return field.second.empty(); });
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<model::PrintRow> memory(const Router& router) {
  std::vector<model::PrintRow> rows;
  for (const MemoryItem& item : router.dataplane().memory()) {
    model::PrintRow row;
    row.id = dynamic_id(static_cast<uint32_t>(rows.size()));
    row.fields = {{"item", item.item}, {"bytes", std::to_string(item.bytes)}};
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string uptime(const Router& router) {
  const auto up = std::chrono::steady_clock::now() - router.started();
  return model::format_time_ms(std::chrono::duration_cast<std::chrono::seconds>(up).count() * 1000);
}

void resource(const Router& router, Fields& out) {
  struct sysinfo info {};
  (void)sysinfo(&info);
  struct utsname name {};
  (void)uname(&name);
  out.emplace_back("uptime", uptime(router));
  out.emplace_back("version", version_text());
  out.emplace_back("build-time", build_time());
  out.emplace_back("free-memory", std::to_string(uint64_t{info.freeram} * info.mem_unit));
  out.emplace_back("total-memory", std::to_string(uint64_t{info.totalram} * info.mem_unit));
  const Processor& cpu = processor();
  out.emplace_back("cpu", cpu.model);
  if (cpu.mhz > 0) out.emplace_back("cpu-frequency", std::to_string(cpu.mhz));
  out.emplace_back("cpu-load", std::to_string(processor_load()));
  out.emplace_back("cpu-count", std::to_string(sysconf(_SC_NPROCESSORS_ONLN)));
  struct statvfs disk {};
  if (statvfs("/", &disk) == 0) {
    out.emplace_back("free-hdd-space", std::to_string(uint64_t{disk.f_bavail} * disk.f_frsize));
    out.emplace_back("total-hdd-space", std::to_string(uint64_t{disk.f_blocks} * disk.f_frsize));
  }
  out.emplace_back("architecture-name", name.machine);
  out.emplace_back("board-name", "Maclane");
  out.emplace_back("platform", "Maclane");
}

uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t pages = 0;
  uint64_t resident = 0;
  statm >> pages >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

model::Fields status(const Router& router) {
  uint64_t sessions = 0;
  std::string load;
  for (unsigned w = 0; w < router.dataplane().workers(); ++w) {
    const WorkerStats s = router.dataplane().worker_stats(w);
    sessions += s.sessions;
    load +=
        fmt::format("{}worker {} on CPU {}: {}", load.empty() ? "" : ", ", s.id, s.cpu, busy_of(s));
  }
  const Snapshot* snapshot = router.dataplane().current();
  unsigned running = 0;
  unsigned all = 0;
  for (const Interface& i : snapshot->interfaces) {
    if (i.kind == IfKind::kNone) continue;
    ++all;
    if (i.up) ++running;
  }
  return {{"version", "Maclane " MACLANE_VERSION},
          {"uptime", uptime(router)},
          {"interfaces", fmt::format("{} of {} running", running, all)},
          {"connections", std::to_string(sessions)},
          {"generation", std::to_string(snapshot->generation)},
          {"busy", load},
          {"memory", fmt::format("{} MiB resident", resident_bytes() >> 20)}};
}

void provide_system_rows(Router& router) {
  model::Model& model = router.model();
  model.provide_rows("/dataplane/workers", [&router] { return workers(router); });
  model.provide_rows("/dataplane/loop-times", [&router] { return loop_times(router); });
  model.provide_rows("/dataplane/stages", [&router] { return stages(router); });
  model.provide_rows("/dataplane/drops", [&router] { return drops(router); });
  model.provide_rows("/dataplane/host-plane", [&router] { return host_plane(router); });
  model.provide_rows("/dataplane/memory", [&router] { return memory(router); });
  model.provide("/system/resource", [&router](const View&, Fields& out) { resource(router, out); });
}

void provide_rows(Router& router) {
  provide_interface_rows(router);
  provide_ip_rows(router);
  provide_connection_rows(router);
  provide_client_rows(router);
  provide_dhcp_rows(router);
  provide_dns_rows(router);
  provide_firewall_rows(router);
  provide_system_rows(router);
}

}  // namespace maclane::observe
