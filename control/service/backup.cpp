// Saving and loading. See backup.h.
#include "control/service/backup.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

#include "control/model/secrets.h"
#include "control/observe/log.h"
#include "control/service/waits.h"

namespace maclane {
namespace {

using Json = nlohmann::json;
using model::Answer;
using model::Call;
using model::Caller;
using model::Menu;
using model::Outcome;
namespace secrets = model::secrets;

std::string default_name(std::string_view identity) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), "%Y%m%d-%H%M", &local);
  std::string out(identity);
  for (char& c : out) {
    if (c == '/' || static_cast<unsigned char>(c) < 0x20) c = '_';
  }
  return fmt::format("{}-{}", out, text.data());
}

std::string with_ending(std::string name) {
  if (!name.ends_with(".backup")) name += ".backup";
  return name;
}

/// Nothing that can be read with another router's key alone stays sealed under it.
Status seal_anew(Json& values, std::string_view their_key) {
  const bool ours = their_key == secrets::key();
  for (auto& item : values.items()) {
    if (!item.value().is_string()) return fail("failure: the backup is damaged");
    const auto text = item.value().get<std::string>();
    if (!secrets::is_sealed(text)) continue;
    const auto open = secrets::unseal_with(their_key, text);
    if (!open) return fail("failure: the backup is damaged: a secret in it cannot be read");
    // What our own key opens stays as it is: loading a backup of the same changes nothing.
    if (!ours) item.value() = secrets::seal(*open);
  }
  return {};
}

}  // namespace

std::string Backup::tree_text(const model::Tree& tree) {
  Json out = {{"key", secrets::to_base64(secrets::key())}, {"menus", Json::array()}};
  for (const Menu& menu : model::menus()) {
    if (!menu.has_rows()) continue;
    Json rows = Json::array();
    for (const model::RowPtr& row : tree.rows(menu)) {
      Json values = Json::object();
      for (size_t i = 0; i < menu.properties.size(); ++i) {
        if (!row->values[i].empty()) values[std::string(menu.properties[i].name)] = row->values[i];
      }
      rows.push_back({{"id", row->id}, {"values", std::move(values)}});
    }
    out["menus"].push_back(
        {{"path", menu.path}, {"next", tree.coming_id(menu)}, {"rows", std::move(rows)}});
  }
  return out.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Result<model::Tree> Backup::tree_of(const std::string& text) {
  const auto damaged = [] { return fail("failure: the backup is damaged"); };
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json["menus"].is_array() || !json["key"].is_string()) return damaged();
  const auto key = secrets::from_base64(json["key"].get<std::string>());
  if (!key) return damaged();
  model::Tree tree;
  for (Json& part : json["menus"]) {
    if (!part.is_object() || !part["path"].is_string() || !part["rows"].is_array())
      return damaged();
    const auto path = part["path"].get<std::string>();
    const Menu* menu = model::find_menu(path);
    if (menu == nullptr || !menu->has_rows())
      return fail(
          fmt::format("failure: the backup is of another version: there is no menu {}", path));
    model::Tree::Rows& rows = tree.edit(*menu);
    const bool settings = menu->kind == Menu::Kind::kSettings;
    const uint32_t only = settings && !rows.empty() ? rows.front()->id : 0;
    rows.clear();
    for (Json& one : part["rows"]) {
      if (!one.is_object() || !one["id"].is_number_unsigned() || !one["values"].is_object())
        return damaged();
      if (Status sealed = seal_anew(one["values"], *key); !sealed)
        return tl::make_unexpected(sealed.error());
      auto row = std::make_shared<model::Row>();
      row->id = settings ? only : one["id"].get<uint32_t>();
      row->values.resize(menu->properties.size());
      for (const auto& item : one["values"].items()) {
        const int index = menu->index(item.key());
        if (index < 0)
          return fail(fmt::format("failure: the backup is of another version: {} has no {}", path,
                                  item.key()));
        row->values[static_cast<size_t>(index)] = item.value().get<std::string>();
      }
      rows.push_back(std::move(row));
    }
    if (settings && rows.size() != 1) return damaged();
    if (part["next"].is_number_unsigned()) tree.start_ids(*menu, part["next"].get<uint32_t>());
  }
  return tree;
}

Answer<Outcome> Backup::save(const Call& call) {
  const std::string identity(model_.tree().settings("/system/identity").get("name"));
  std::string name(call.get("name"));
  if (name.empty()) name = default_name(identity);
  name = with_ending(std::move(name));
  const std::string password(call.is_on("dont-encrypt") ? "" : call.get("password"));
  auto shared = std::make_shared<Waits::Shared>();
  const bool taken =
      background_.submit([this, shared, name, identity, password,
                          text = tree_text(model_.tree())]() -> door::Background::Finish {
        auto bytes = std::make_shared<Result<std::string>>(pack(text, identity, password));
        return [this, shared, name, bytes] {
          if (!*bytes) return shared->finish(tl::make_unexpected(bytes->error()));
          const Status written = files_.write(name, **bytes);
          if (written)
            log::write(log::Level::kInfo, "backup,info", "configuration saved to {}", name);
          shared->finish(written);
        };
      });
  if (!taken)
    return model::refuse(Trouble::kGeneral, "failure: too much is done at once; try again");
  Outcome out;
  out.running = std::make_unique<Waits>(std::move(shared));
  return out;
}

Answer<Outcome> Backup::load(const Call& call, const Caller& caller) {
  std::string name(call.get("name"));
  auto bytes = files_.read(name);
  if (!bytes && !name.ends_with(".backup")) bytes = files_.read(name = with_ending(name));
  if (!bytes) return model::refuse(bytes.error());
  auto shared = std::make_shared<Waits::Shared>();
  const bool taken =
      background_.submit([this, shared, name, caller, password = std::string(call.get("password")),
                          sealed = std::move(*bytes)]() -> door::Background::Finish {
        auto text = std::make_shared<Result<std::string>>(unpack(sealed, password));
        return [this, shared, name, caller, text] {
          if (!*text) return shared->finish(tl::make_unexpected(text->error()));
          auto tree = tree_of(**text);
          if (!tree) return shared->finish(tl::make_unexpected(tree.error()));
          const Status done = model_.replace(std::move(*tree), caller);
          if (done)
            log::write(log::Level::kInfo, "backup,info", "configuration loaded from {} by {}", name,
                       caller.text());
          shared->finish(done);
        };
      });
  if (!taken)
    return model::refuse(Trouble::kGeneral, "failure: too much is done at once; try again");
  Outcome out;
  out.running = std::make_unique<Waits>(std::move(shared));
  return out;
}

void Backup::serve(model::Commands& commands) {
  commands.on("/system/backup", "save",
              [this](const Call& call, const Caller&) { return save(call); });
  commands.on("/system/backup", "load",
              [this](const Call& call, const Caller& caller) { return load(call, caller); });
}

}  // namespace maclane
