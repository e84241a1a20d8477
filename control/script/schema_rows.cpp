// Properties as rows. See schema_rows.h.
#include "control/script/schema_rows.h"

#include <array>

namespace maclane::script {
namespace {

using model::Answer;
using model::Call;
using model::Caller;
using model::Menu;
using model::Outcome;
using model::Property;

/// By model::Type.
constexpr std::array<std::string_view, 15> kTypes = {
    "text",     "yes|no",         "number",
    "time",     "auto|time",      "mac-address",
    "address",  "prefix",         "address|prefix|range",
    "gateway",  "choice",         "ports",
    "protocol", "icmp-type:code", "name of a row"};
static_assert(kTypes.size() == static_cast<size_t>(model::Type::kReference) + 1);

std::string flags_of(const Property& property) {
  constexpr std::pair<Property::Flag, std::string_view> kNames[] = {
      {Property::kRequired, "required"}, {Property::kReadOnly, "read-only"},
      {Property::kList, "list"},         {Property::kNegatable, "negatable"},
      {Property::kName, "name"},         {Property::kOurs, "ours"},
      {Property::kSecret, "secret"},     {Property::kWriteOnly, "write-only"},
      {Property::kNotYet, "not-yet"}};
  std::string out;
  for (const auto& [flag, name] : kNames) {
    if (property.has(flag)) out.append(out.empty() ? "" : ",").append(name);
  }
  return out;
}

Outcome rows_of(const Menu& menu) {
  Outcome out;
  for (const Property& property : menu.properties) {
    const auto type = static_cast<size_t>(property.type);
    std::string values;
    for (std::string_view value : property.values) {
      values.append(values.empty() ? "" : "|").append(value);
    }
    model::PrintRow row;
    row.fields = {{"name", std::string(property.name)},
                  {"type", std::string(kTypes[type])},
                  {"default", std::string(property.default_value)},
                  {"flags", flags_of(property)},
                  {"help", std::string(property.help)},
                  {"values", std::move(values)}};
    out.rows.push_back(std::move(row));
  }
  return out;
}

}  // namespace

void serve_schema(model::Commands& commands) {
  for (const Menu& menu : model::menus()) {
    if (model::find_command(menu, "schema") == nullptr) continue;
    commands.on(menu.path, "schema", [](const Call& call, const Caller&) -> Answer<Outcome> {
      return rows_of(*call.menu);
    });
  }
}

}  // namespace maclane::script
