// /ip/service: what is served and what is not, and no port twice (C-47). Times of day.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "control/model/validate.h"
#include "control/model/value.h"
#include "control/model/zones.h"

namespace maclane::model {
namespace {

constexpr std::string_view kServices[] = {"ftp",     "ssh",    "telnet", "www",
                                          "www-ssl", "winbox", "api",    "api-ssl"};

/// What serves instead of a service that is not here; "" for those that are.
std::string_view instead_of(std::string_view name) {
  if (name == "ftp")
    return "files are reached through /file over REST and the API, or the host's sftp";
  if (name == "ssh") return "the host's own sshd serves SSH; maclanectl is the console there";
  if (name == "telnet") return "maclanectl, over the host's SSH, is the console";
  if (name == "winbox") return "REST (www, www-ssl), the API (api, api-ssl) and maclanectl serve";
  return {};
}

void validate_times(Check& check) {
  if (!check.concerns({"/system/scheduler"})) return;
  for_each(check.tree, "/system/scheduler", [&](const View& row) {
    const std::string_view date = row.raw("start-date");
    if (!date.empty() && !parse_day(date)) {
      check.add(row, "start-date",
                fmt::format("invalid value for argument start-date: \"{}\" is no day; write "
                            "2026-11-30 or nov/30/2026",
                            date));
    }
    const std::string_view time = row.raw("start-time");
    if (!time.empty() && time != "startup" && !parse_time_of_day(time)) {
      check.add(row, "start-time",
                fmt::format("invalid value for argument start-time: \"{}\" is no time of a day; "
                            "write 03:30:00, or startup",
                            time));
    }
  });
}

}  // namespace

void validate_service(Check& check) {
  validate_times(check);
  if (!check.concerns({"/ip/service", "/system/clock"})) return;
  std::map<int64_t, View> ports;
  for_each(check.tree, "/ip/service", [&](const View& row) {
    const std::string_view name = row.get("name");
    const bool known =
        std::find(std::begin(kServices), std::end(kServices), name) != std::end(kServices);
    if (!known) check.add(row, "name", "failure: the names of the services are fixed");
    if (row.disabled() || !known) return;
    if (const std::string_view instead = instead_of(name); !instead.empty()) {
      check.add(row, "disabled", fmt::format("failure: {} is not served here: {}", name, instead));
      return;
    }
    const auto [other, fresh] = ports.emplace(row.get_integer("port"), row);
    if (fresh) return;
    // It is said of the one that was changed.
    const View& first = other->second;
    const RowPtr was = check.before == nullptr ? nullptr : check.before->find(row.menu(), name);
    const bool stood = was != nullptr && was->values == row.row().values;
    check.add(stood ? first : row, "port",
              fmt::format("failure: {} has this port", (stood ? row : first).get("name")));
  });
  const View clock = check.tree.settings("/system/clock");
  const std::string_view zone = clock.get("time-zone-name");
  if (!zone.empty() && zone != "manual" && zone != "UTC" && !is_zone(zone)) {
    check.add(clock, "time-zone-name",
              fmt::format("input does not match any value of time-zone-name: {} is no zone this "
                          "system knows (Europe/Riga, UTC, manual; Debian's tzdata has them)",
                          zone));
  }
}

}  // namespace maclane::model
