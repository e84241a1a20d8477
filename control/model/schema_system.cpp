// The tables of /system (C-49, C-51) and of /dataplane, which is ours.
#include "control/model/schema_parts.h"

namespace maclane::model {
namespace {

using namespace parts;  // NOLINT: the tables are made of these parts
using P = Property;

constexpr Property kIdentity[] = {
    {.name = "name",
     .type = Type::kString,
     .default_value = "Maclane",
     .max = 64,
     .help = "what the router calls itself"},
};

constexpr Property kResource[] = {
    read_only("uptime", Type::kTime, "since the daemon started"),
    read_only("version", Type::kString, "the RouterOS version spoken, and ours"),
    read_only("build-time", Type::kString, ""),
    read_only("factory-software", Type::kString, ""),
    in_units("free-memory", "B", "bytes"),
    in_units("total-memory", "B", "bytes"),
    read_only("cpu", Type::kString, ""),
    read_only("cpu-count", Type::kInteger, ""),
    in_units("cpu-frequency", "MHz", "MHz"),
    in_units("cpu-load", "%", "percent"),
    in_units("free-hdd-space", "B", "bytes"),
    in_units("total-hdd-space", "B", "bytes"),
    read_only("architecture-name", Type::kString, ""),
    read_only("board-name", Type::kString, ""),
    read_only("platform", Type::kString, ""),
};

constexpr std::string_view kHugePages[] = {"auto", "yes", "no"};
constexpr std::string_view kSpreads[] = {"ports", "rss"};

constexpr Property kDataplane[] = {
    {.name = "workers",
     .type = Type::kInteger,
     .flags = P::kList | P::kDistinct | P::kOurs,
     .max = 1023,
     .help = "the CPUs that move packets, one worker each; unset: the last one"},
    {.name = "spread",
     .type = Type::kEnum,
     .default_value = "ports",
     .flags = P::kOurs,
     .values = kSpreads,
     .help =
         "which worker a connection lives on. ports: by its ports, which source NAT then keeps; "
         "rss: where the NIC's RSS brings it, without handoff"},
    {.name = "huge-pages",
     .type = Type::kEnum,
     .default_value = "auto",
     .flags = P::kOurs,
     .values = kHugePages,
     .help = "auto: used if the system has any"},
    {.name = "host-plane",
     .type = Type::kString,
     .default_value = "auto",
     .flags = P::kOurs,
     .max = 255,
     .help =
         "where the router's devices for programs stand: yes: in maclane's own network namespace; "
         "no: nowhere; a name or path: in that namespace; auto: in its own if it was made for "
         "it, else in one named maclane"},
    {.name = "memory",
     .type = Type::kInteger,
     .flags = P::kOurs,
     .min = 16,
     .max = 1048576,
     .help = "MiB for the dataplane; unset: what the tables and packet buffers need"},
    {.name = "mbufs",
     .type = Type::kInteger,
     .flags = P::kOurs,
     .min = 1024,
     .max = 16777216,
     .help = "packet buffers; unset: what the devices need"},
    {.name = "max-sessions",
     .type = Type::kInteger,
     .default_value = "262144",
     .flags = P::kOurs,
     .min = 1024,
     .max = 16777216,
     .help = "room for this many connections in each worker, taken at start"},
    {.name = "max-sleep-us",
     .type = Type::kInteger,
     .default_value = "100",
     .flags = P::kOurs,
     .max = 1000000,
     .help = "the longest an idle worker sleeps, in microseconds; 0: never, it polls. With several "
             "workers the ring between two holds 1023 packets: what one hands over in that time"},
};

constexpr Property kDrops[] = {
    read_only("interface", Type::kString, "where the packets came in"),
    read_only("reason", Type::kString, "why they were dropped"),
    read_only("packets", Type::kInteger, "how many"),
    read_only("help", Type::kString, "what it means and what to do"),
};
constexpr std::string_view kDropColumns[] = {"interface", "reason", "packets", "help"};

constexpr Property kWorkers[] = {
    read_only("worker", Type::kInteger, ""),
    read_only("lcore", Type::kInteger, "the CPU it runs on"),
    read_only("busy", Type::kString, "share of its time spent on packets since the last look"),
    read_only("ticks-per-packet", Type::kString, "TSC ticks of its busy rounds"),
    read_only("packets", Type::kInteger, ""),
    read_only("bursts", Type::kInteger, "polls that found packets"),
    read_only("loops", Type::kInteger, "polls"),
    read_only("sessions", Type::kInteger, "connections it holds"),
    read_only("handed-over", Type::kInteger, "packets it gave to the worker that they belong to"),
    read_only("handoff-depth", Type::kInteger, "packets that others gave it and that wait"),
};

constexpr Property kLoopTimes[] = {
    read_only("worker", Type::kInteger, ""),
    read_only("below-us", Type::kString,
              "rounds of its loop that took less, and not below the row before"),
    read_only("rounds", Type::kInteger, "how many, of those that had packets"),
    read_only("share", Type::kString, "of all of them"),
};
constexpr std::string_view kLoopTimeColumns[] = {"worker", "below-us", "rounds", "share"};

constexpr Property kStages[] = {
    read_only("worker", Type::kInteger, ""),
    read_only("stage", Type::kString, "a part of its loop"),
    read_only("ticks-per-packet", Type::kString, "TSC ticks, over one round in sixteen"),
    read_only("share", Type::kString, "of the time its packets take"),
};
constexpr std::string_view kStageColumns[] = {"worker", "stage", "ticks-per-packet", "share"};

constexpr Property kMemory[] = {
    read_only("item", Type::kString, "what the memory is for"),
    in_units("bytes", "B", ""),
};

constexpr std::string_view kWorkerColumns[] = {
    "worker", "lcore", "busy",     "ticks-per-packet", "packets",
    "bursts", "loops", "sessions", "handed-over",      "handoff-depth"};
constexpr std::string_view kMemoryColumns[] = {"item", "bytes"};

constexpr Property kHostPlane[] = {
    read_only("interface", Type::kString, ""),
    read_only("device", Type::kString, "the Linux device of programs"),
    read_only("netns", Type::kString, "the network namespace it stands in; unset: maclane's own"),
    read_only("state", Type::kString, "running, no-carrier, waiting, or why there is no device"),
    counter("to-programs", "packets handed to programs"),
    counter("from-programs", "packets that programs sent"),
    counter("lost", "packets that the kernel would not take"),
    counter("refused", "frames of programs that are not IPv4 from one of the router's addresses"),
};
constexpr std::string_view kHostPlaneColumns[] = {
    "interface", "device", "state", "to-programs", "from-programs", "lost", "refused"};

constexpr Menu kMenus[] = {
    {"/system/identity", Menu::Kind::kSettings, kIdentity, {}, {}, {}, "the router's name"},
    {"/system/resource", Menu::Kind::kSettings, kResource, {}, {}, {}, "the machine"},
    {"/dataplane",
     Menu::Kind::kSettings,
     kDataplane,
     {},
     {},
     {},
     "CPUs and memory for packets; taken at start",
     {},
     {},
     Menu::kMachine},
    {"/dataplane/drops",
     Menu::Kind::kState,
     kDrops,
     {},
     kDropColumns,
     {},
     "packets dropped, by interface and reason"},
    {"/dataplane/workers",
     Menu::Kind::kState,
     kWorkers,
     {},
     kWorkerColumns,
     {},
     "the packet workers"},
    {"/dataplane/loop-times",
     Menu::Kind::kState,
     kLoopTimes,
     {},
     kLoopTimeColumns,
     {},
     "how long the workers' rounds take"},
    {"/dataplane/stages",
     Menu::Kind::kState,
     kStages,
     {},
     kStageColumns,
     {},
     "where the workers' time goes"},
    {"/dataplane/host-plane",
     Menu::Kind::kState,
     kHostPlane,
     {},
     kHostPlaneColumns,
     {},
     "the interfaces as programs on the router see them"},
    {"/dataplane/memory",
     Menu::Kind::kState,
     kMemory,
     {},
     kMemoryColumns,
     {},
     "what the memory is used for"},
};

}  // namespace

std::span<const Menu> system_menus() {
  return kMenus;
}

}  // namespace maclane::model
