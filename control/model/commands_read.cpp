// print, get and find: rows as doors show them. See commands.h.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "control/model/commands_parts.h"
#include "control/model/value.h"

namespace maclane::model {
namespace {

/// proplist as an argument, "name,mtu", joins what the door took apart itself.
void take_proplist(Job& job) {
  for (std::string_view name : split_list(job.call.get("proplist"))) {
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!name.empty()) job.call.proplist.emplace_back(name);
  }
}

Answer<void> take_from(Job& job) {
  if (!job.call.has("from")) return {};
  for (auto& [name, value] : job.call.arguments) {
    if (name == "from") name = "numbers";
  }
  const Filter filter = std::move(job.call.filter);
  job.call.filter = nullptr;
  auto ids = select_rows(job, true);
  if (!ids) return tl::make_unexpected(std::move(ids.error()));
  job.call.filter = [filter, chosen = std::unordered_set<std::string>(ids->begin(), ids->end())](
                        const PrintRow& row) {
    return chosen.contains(row.id) && (!filter || filter(row));
  };
  return {};
}

/// print static and print dynamic; print all is what print does anyway.
void take_kind(Job& job) {
  const bool dynamic = job.call.is_on("dynamic");
  if (job.call.is_on("all") || dynamic == job.call.is_on("static")) return;
  job.call.filter = [filter = std::move(job.call.filter), dynamic](const PrintRow& row) {
    return row.dynamic == dynamic && (!filter || filter(row));
  };
}

/// What `get` without value-name gives: ".id=*1;name=ether1;mtu=1500".
std::string as_value(const PrintRow& row) {
  std::string out;
  if (!row.id.empty()) out = fmt::format(".id={}", row.id);
  for (const auto& [name, value] : row.fields) {
    out += fmt::format("{}{}={}", out.empty() ? "" : ";", name, value);
  }
  return out;
}

}  // namespace

void keep_only(const std::vector<std::string>& proplist, PrintRow& row) {
  if (proplist.empty()) return;
  std::erase_if(row.fields, [&](const auto& field) {
    return std::find(proplist.begin(), proplist.end(), field.first) == proplist.end();
  });
}

Answer<Outcome> print(Job& job) {
  take_proplist(job);
  if (auto from = take_from(job); !from) return tl::make_unexpected(std::move(from.error()));
  take_kind(job);
  Outcome out;
  if (job.call.is_on("follow") || job.call.is_on("follow-only")) {
    out.running = follow(job, job.call.is_on("follow"));
    return out;
  }
  if (const auto interval = parse_time_ms(job.call.get("interval"))) {
    out.running = repeat_print(job, static_cast<uint64_t>(*interval));
    return out;
  }
  std::vector<PrintRow> rows = visible_rows(job.model, job.menu, job.caller);
  if (job.call.filter) {
    std::erase_if(rows, [&](const PrintRow& row) { return !job.call.filter(row); });
  }
  if (job.call.is_on("count-only")) {
    out.result.emplace_back("ret", std::to_string(rows.size()));
    return out;
  }
  for (PrintRow& row : rows) keep_only(job.call.proplist, row);
  out.rows = std::move(rows);
  return out;
}

Answer<Outcome> get(Job& job) {
  std::vector<PrintRow> rows = visible_rows(job.model, job.menu, job.caller);
  if (job.menu.kind != Menu::Kind::kSettings) {
    auto ids = select_rows(job, true);
    if (!ids) return tl::make_unexpected(std::move(ids.error()));
    if (ids->size() != 1) {
      return refuse(
          Errors{Error{ids->empty() ? "no such item: none matches" : "get takes one row; name one",
                       std::string(job.menu.path),
                       {},
                       "numbers",
                       {},
                       ids->empty() ? Trouble::kMissing : Trouble::kBadArgument}});
    }
    std::erase_if(rows, [&](const PrintRow& row) { return row.id != ids->front(); });
  }
  Outcome out;
  if (rows.empty()) return out;
  const std::string property(job.call.get("value-name"));
  if (property.empty()) {
    out.result.emplace_back("ret", as_value(rows.front()));
    out.rows.push_back(std::move(rows.front()));
    return out;
  }
  if (property != ".id" && job.menu.find(property) == nullptr) {
    return refuse(Errors{Error{fmt::format("unknown value name \"{0}\": input does not match any "
                                           "value of value-name; there is no property {0}",
                                           property.substr(0, 64)),
                               std::string(job.menu.path),
                               {},
                               property.substr(0, 64),
                               {},
                               Trouble::kBadArgument}});
  }
  out.result.emplace_back(
      "ret", property == ".id" ? std::string_view(rows.front().id) : rows.front().get(property));
  return out;
}

Answer<Outcome> find(Job& job) {
  Outcome out;
  std::string all;
  for (PrintRow& row : visible_rows(job.model, job.menu, job.caller)) {
    if (job.call.filter && !job.call.filter(row)) continue;
    all += (all.empty() ? "" : ";") + row.id;
    PrintRow only;
    only.id = std::move(row.id);
    only.number = row.number;
    only.dynamic = row.dynamic;
    out.rows.push_back(std::move(only));
  }
  out.result.emplace_back("ret", std::move(all));
  return out;
}

}  // namespace maclane::model
