// The requests about the menus themselves: which there are, what they hold. See request.h.
#include <algorithm>

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
    default:
      return "state";
  }
}

}  // namespace

std::vector<std::string_view> commands_of(const Menu& menu) {
  std::vector<std::string_view> out{"print", "get"};
  if (menu.kind == Menu::Kind::kSettings) out.push_back("set");
  if (menu.kind == Menu::Kind::kList || menu.kind == Menu::Kind::kOrdered) {
    out.insert(out.end(), {"add", "set", "remove"});
    if (menu.find("disabled") != nullptr) out.insert(out.end(), {"enable", "disable"});
    if (menu.find("comment") != nullptr) out.push_back("comment");
    if (menu.kind == Menu::Kind::kOrdered) out.push_back("move");
  }
  // Some rows of state can be removed, such as connections; of the others the model says no.
  if (menu.kind == Menu::Kind::kState) out.push_back("remove");
  out.push_back("schema");
  return out;
}

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

Json Requests::menus() const {
  Json list = Json::array();
  const auto add_registered = [&](Json& commands, std::string_view path) {
    for (const auto& [key, handler] : handlers_) {
      const bool there =
          std::find(commands.begin(), commands.end(), Json(key.second)) != commands.end();
      if (key.first == path && !there) commands.push_back(key.second);
    }
  };
  for (const Menu& menu : model::menus()) {
    Json commands = Json::array();
    for (auto c : commands_of(menu)) commands.push_back(c);
    add_registered(commands, menu.path);
    Json properties = Json::array();
    for (const Property& p : menu.properties) properties.push_back(p.name);
    list.push_back({{"path", menu.path},
                    {"kind", name_of(menu.kind)},
                    {"help", menu.help},
                    {"commands", std::move(commands)},
                    {"properties", std::move(properties)}});
  }
  std::string last;
  for (const auto& [key, handler] : handlers_) {
    if (key.first == last || model::find_menu(key.first) != nullptr) continue;
    last = key.first;
    Json commands = Json::array();
    add_registered(commands, key.first);
    list.push_back({{"path", key.first},
                    {"kind", "commands"},
                    {"help", ""},
                    {"commands", std::move(commands)},
                    {"properties", Json::array()}});
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
