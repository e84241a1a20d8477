// Rows of the polled menus. See polled.h.
#include "control/observe/polled.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "control/model/secrets.h"
#include "control/observe/log.h"

namespace maclane::observe {
namespace {

using model::Answer;
using model::Call;
using model::Caller;
using model::Fields;
using model::Outcome;
using model::PrintRow;
using model::View;

std::string zone_of_host;  // what TZ was when the daemon was started
bool zone_known = false;

std::tm local_now() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return local;
}

std::string formatted(const std::tm& time, const char* format) {
  std::array<char, 64> text{};
  (void)std::strftime(text.data(), text.size(), format, &time);
  return text.data();
}

std::string zone_name() {
  std::error_code code;
  const std::string target = std::filesystem::read_symlink("/etc/localtime", code).string();
  const size_t at = target.find("/zoneinfo/");
  return at == std::string::npos ? "UTC" : target.substr(at + 10);
}

void clock(const View& row, Fields& out) {
  const std::tm now = local_now();
  out.emplace_back("time", formatted(now, "%H:%M:%S"));
  out.emplace_back("date", formatted(now, "%Y-%m-%d"));
  if (!row.is_set("time-zone-name")) out.emplace_back("time-zone-name", zone_name());
  std::string offset = formatted(now, "%z");
  if (offset.size() == 5) offset.insert(3, ":");
  out.emplace_back("gmt-offset", offset);
  out.emplace_back("dst-active", now.tm_isdst > 0 ? "true" : "false");
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::erase_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

void board(Fields& out) {
  out.emplace_back("board-name", "Maclane");
  out.emplace_back("model", first_line("/sys/class/dmi/id/product_name"));
  out.emplace_back("serial-number", first_line("/sys/class/dmi/id/product_serial"));
}

std::vector<PrintRow> health() {
  std::vector<PrintRow> rows;
  std::error_code code;
  for (unsigned i = 0; i < 32; ++i) {
    const std::string folder = fmt::format("/sys/class/thermal/thermal_zone{}", i);
    if (!std::filesystem::exists(folder, code)) break;
    const std::string value = first_line(folder + "/temp");
    if (value.empty() || value.size() > 9) continue;
    PrintRow row;
    row.id = fmt::format("*{:X}", i + 1);
    row.fields = {{"name", fmt::format("{}-temperature", first_line(folder + "/type"))},
                  {"value", std::to_string(std::atoi(value.c_str()) / 1000)},
                  {"type", "C"}};
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<PrintRow> packages() {
  PrintRow row;
  row.id = "*1";
  row.fields = {{"name", "maclane"},
                {"version", version_text()},
                {"build-time", build_time()},
                {"disabled", "false"}};
  return {row};
}

std::vector<PrintRow> log_rows() {
  std::vector<PrintRow> rows;
  for (const log::Line& line : log::recent()) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(line.time);
    std::tm local{};
    localtime_r(&seconds, &local);
    PrintRow row;
    row.id = fmt::format("*{:X}", line.number);
    row.fields = {{"time", formatted(local, "%Y-%m-%d %H:%M:%S")},
                  {"buffer", "memory"},
                  {"topics", line.topics},
                  {"message", line.message}};
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string software_id(const std::string& state_folder) {
  // Tells installations apart and says nothing of the key it is made from.
  std::string id = model::secrets::to_hex(model::secrets::mac("software-id " + state_folder));
  std::transform(id.begin(), id.end(), id.begin(), [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return id.substr(0, 4) + "-" + id.substr(4, 4);
}

Answer<Outcome> write_log(log::Level level, std::string_view name, const Call& call) {
  log::write_line(level, fmt::format("script,{}", name), call.get("message"));
  return Outcome{};
}

}  // namespace

std::string version_text() {
  return "7.20 (Maclane " MACLANE_VERSION ")";
}

std::string build_time() {
  // The program's own file: what a package was built at, without making two builds differ.
  struct stat st {};
  if (::stat("/proc/self/exe", &st) != 0) return {};
  std::tm local{};
  localtime_r(&st.st_mtime, &local);
  return formatted(local, "%Y-%m-%d %H:%M:%S");
}

void set_time_zone(std::string_view name) {
  if (!zone_known) {
    const char* before = std::getenv("TZ");
    zone_of_host = before == nullptr ? "" : before;
    zone_known = true;
  }
  const bool host = name.empty() || name == "manual";
  const std::string wanted = host ? zone_of_host : ":" + std::string(name);
  const char* now = std::getenv("TZ");
  if (wanted == (now == nullptr ? "" : now)) return;
  if (wanted.empty()) {
    (void)unsetenv("TZ");
  } else {
    (void)setenv("TZ", wanted.c_str(), 1);
  }
  tzset();
}

void serve_polled(model::Commands& commands, const std::string& state_folder) {
  model::Model& model = commands.model();
  model.provide("/system/clock", [](const View& row, Fields& out) { clock(row, out); });
  model.provide("/system/routerboard", [](const View&, Fields& out) { board(out); });
  model.provide("/system/license", [state_folder](const View&, Fields& out) {
    out.emplace_back("software-id", software_id(state_folder));
    out.emplace_back("level", "Apache-2.0");
  });
  model.provide_rows("/system/package", packages);
  model.provide_rows("/system/health", health);
  model.provide_rows("/ip/neighbor", [] { return std::vector<PrintRow>{}; });
  model.provide_rows("/log", log_rows);
  const std::pair<const char*, log::Level> levels[] = {{"debug", log::Level::kDebug},
                                                       {"info", log::Level::kInfo},
                                                       {"warning", log::Level::kWarning},
                                                       {"error", log::Level::kError}};
  for (const auto& [name, level] : levels) {
    commands.on("/log", name,
                [name = std::string(name), level = level](const Call& call, const Caller&) {
                  return write_log(level, name, call);
                });
  }
  commands.on("/console", "inspect", [](const Call& call, const Caller&) { return inspect(call); });
}

}  // namespace maclane::observe
