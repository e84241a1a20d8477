// The requests about the menus themselves: which there are, what they hold. See request.h.
#include "control/door/request.h"
#include "control/door/request_text.h"

namespace maclane::door {

using model::Menu;
using model::Property;

namespace {

std::string_view name_of(Menu::Kind kind) {
  switch (kind) {
    case Menu::Kind::kList:
      return "list";
    case Menu::Kind::kOrdered:
      return "ordered";
    case Menu::Kind::kSettings:
      return "settings";
    case Menu::Kind::kGroup:
      return "commands";
    default:
      return "state";
  }
}

}  // namespace

Json describe(const Menu& menu) {
  Json flags = Json::array();
  for (const auto& f : menu.letters) {
    flags.push_back(
        {{"letter", std::string(1, f.letter)}, {"property", f.property}, {"meaning", f.meaning}});
  }
  Json texts = Json::array();
  Json hidden = Json::array();
  Json switches = Json::array();
  for (const Property& p : menu.properties) {
    // RouterOS quotes what people write, except the names of chains.
    const bool is_chain = p.name == "chain" || p.name == "jump-target";
    if (p.type == model::Type::kString && !p.has(Property::kReadOnly) && !is_chain) {
      texts.push_back(p.name);
    }
    if (p.type == model::Type::kBool) switches.push_back(p.name);
    if (p.has(Property::kHidden)) hidden.push_back(p.name);
  }
  Json columns = Json::array();
  Json stats = Json::array();
  for (auto c : menu.columns) columns.push_back(c);
  for (auto c : menu.stats_columns) stats.push_back(c);
  return {{"path", menu.path},  {"kind", name_of(menu.kind)},
          {"columns", columns}, {"stats-columns", stats},
          {"flags", flags},     {"texts", texts},
          {"hidden", hidden},   {"switches", switches}};
}

Json Requests::menus() {
  Json list = Json::array();
  for (const Menu& menu : model::menus()) {
    const bool group = menu.kind == Menu::Kind::kGroup;
    if (menu.path == "/" || (group && menu.commands.empty())) continue;
    Json commands = Json::array();
    for (const model::Command* c : model::commands_of(menu)) commands.push_back(c->name);
    if (!group) commands.push_back("schema");
    Json properties = Json::array();
    for (const Property& p : menu.properties) properties.push_back(p.name);
    list.push_back({{"path", menu.path},
                    {"kind", name_of(menu.kind)},
                    {"help", menu.help},
                    {"commands", std::move(commands)},
                    {"properties", std::move(properties)}});
  }
  return {{"ok", true}, {"menus", std::move(list)}};
}

Json Requests::schema(const Menu& menu) {
  static constexpr std::string_view kTypes[] = {
      "text",          "yes|no",    "number",
      "time",          "auto|time", "mac-address",
      "address",       "prefix",    "address|prefix|range",
      "address|range", "gateway",   "choice",
      "ports",         "protocol",  "icmp-type:code",
      "name of a row"};
  Json list = Json::array();
  for (const Property& p : menu.properties) {
    Json flags = Json::array();
    const auto flag = [&](Property::Flag f, const char* name) {
      if (p.has(f)) flags.push_back(name);
    };
    flag(Property::kRequired, "required");
    flag(Property::kReadOnly, "read-only");
    flag(Property::kList, "list");
    flag(Property::kNegatable, "negatable");
    flag(Property::kName, "name");
    flag(Property::kOurs, "ours");
    Json values = Json::array();
    for (auto v : p.values) values.push_back(v);
    Json reference = Json::array();
    for (auto r : p.reference) reference.push_back(r);
    const auto type = static_cast<size_t>(p.type);
    list.push_back({{"name", p.name},
                    {"type", type < std::size(kTypes) ? kTypes[type] : "text"},
                    {"default", p.default_value},
                    {"values", std::move(values)},
                    {"reference", std::move(reference)},
                    {"flags", std::move(flags)},
                    {"help", p.help}});
  }
  Json described = describe(menu);
  described["help"] = menu.help;
  return {{"ok", true}, {"menu", std::move(described)}, {"properties", std::move(list)}};
}

}  // namespace maclane::door
