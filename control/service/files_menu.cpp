// /file's rows and commands. See files.h.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/service/files.h"

namespace maclane {
namespace {

using model::Answer;
using model::Call;
using model::Caller;
using model::Outcome;

constexpr size_t kMostShown = size_t{4} << 20;  // contents in one print

std::string time_text(std::time_t time) {
  std::tm local{};
  localtime_r(&time, &local);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  return text.data();
}

std::string type_of(const Files::Entry& entry) {
  if (entry.directory) return "directory";
  const std::string_view name = entry.name;
  if (name.ends_with(".rsc")) return "script";
  if (name.ends_with(".backup")) return "backup";
  const size_t dot = name.rfind('.');
  const bool has_ending =
      dot != std::string_view::npos && name.find('/', dot) == std::string_view::npos;
  return has_ending ? std::string(name.substr(dot)) + " file" : "file";
}

bool is_text(std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') return false;
  }
  return true;
}

std::string id_of(const Files::Entry& entry) {
  return fmt::format("*{:X}", entry.id);
}

Answer<Outcome> answer(const Status& status) {
  if (!status) return model::refuse(status.error());
  return Outcome{};
}

}  // namespace

std::vector<model::PrintRow> Files::rows() const {
  std::vector<model::PrintRow> out;
  size_t shown = 0;
  for (const Entry& entry : list()) {
    model::PrintRow row;
    row.id = id_of(entry);
    row.fields = {{"name", entry.name}, {"type", type_of(entry)}};
    if (!entry.directory) row.fields.emplace_back("size", std::to_string(entry.size));
    row.fields.emplace_back("last-modified", time_text(entry.modified));
    // An unencrypted backup is text, of keys and hashes, which is nothing to look at.
    const bool backup = entry.name.ends_with(".backup");
    if (!entry.directory && !backup && entry.size <= kMaxShown &&
        shown + entry.size <= kMostShown) {
      shown += entry.size;
      auto text = read(entry.name, kMaxShown);
      if (text && is_text(*text)) row.fields.emplace_back("contents", std::move(*text));
    }
    out.push_back(std::move(row));
  }
  return out;
}

Result<std::vector<std::string>> Files::names_of(const Call& call) const {
  std::vector<std::string> out;
  const std::vector<Entry> all = list();
  for (const std::string& id : call.rows) {
    for (const Entry& entry : all) {
      if (id_of(entry) == id) out.push_back(entry.name);
    }
  }
  if (out.empty() && !call.rows.empty())
    return fail("no such item: no file was named", Trouble::kMissing);
  return out;
}

void Files::serve(model::Commands& commands) {
  commands.model().provide_rows("/file", [this] { return rows(); });
  commands.on("/file", "add", [this](const Call& call, const Caller&) -> Answer<Outcome> {
    const std::string name(call.get("name"));
    const std::vector<Entry> all = list();
    if (std::any_of(all.begin(), all.end(), [&](const Entry& one) { return one.name == name; }))
      return model::refuse(Trouble::kGeneral, "failure: there is a file of this name already");
    const Status made =
        call.get("type") == "directory" ? make_folder(name) : write(name, call.get("contents"));
    if (!made) return model::refuse(made.error());
    Outcome out;
    for (const Entry& entry : list()) {
      if (entry.name == name) out.result = {{"ret", id_of(entry)}};
    }
    return out;
  });
  commands.on("/file", "set", [this](const Call& call, const Caller&) -> Answer<Outcome> {
    const auto names = names_of(call);
    if (!names) return model::refuse(names.error());
    if (!call.has("contents") && !call.has("name"))
      return model::refuse(Trouble::kBadArgument,
                           "missing =contents=: what shall stand in the file");
    for (const std::string& name : *names) {
      if (call.has("contents")) {
        if (Status status = write(name, call.get("contents")); !status) return answer(status);
      }
      if (call.has("name")) {
        if (Status status = rename(name, call.get("name")); !status) return answer(status);
      }
    }
    return Outcome{};
  });
  commands.on("/file", "remove", [this](const Call& call, const Caller&) -> Answer<Outcome> {
    const auto names = names_of(call);
    if (!names) return model::refuse(names.error());
    // What is in a folder goes before the folder.
    for (auto name = names->rbegin(); name != names->rend(); ++name) {
      if (Status status = remove(*name); !status) return answer(status);
    }
    return Outcome{};
  });
}

}  // namespace maclane
