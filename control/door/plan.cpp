// plan, apply, confirm, changes. See plan.h.
#include "control/door/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "control/door/yaml.h"
#include "control/door/yaml_path.h"
#include "control/model/value.h"

namespace maclane::door {
namespace {

using maclane::Trouble;
using model::Answer;
using model::Call;
using model::Caller;
using model::Model;
using model::Outcome;

/// Who may come in, and keys that are nowhere else: a file that does not speak of them leaves them.
constexpr std::string_view kKept[] = {"/user", "/user/group", "/certificate"};

struct Planned {
  model::Tree tree;
  std::vector<std::string> warnings;
  std::vector<model::Fields> kept;  // menus, as JSON has them
};

bool differ(const model::Menu& menu, const model::Tree& a, const model::Tree& b) {
  const auto& one = a.rows(menu);
  const auto& other = b.rows(menu);
  return !std::equal(one.begin(), one.end(), other.begin(), other.end(),
                     [](const auto& x, const auto& y) { return x->values == y->values; });
}

Answer<Planned> planned(Model& model, const Call& call, const CompleteFile& complete) {
  if (!call.has("content")) {
    return model::refuse(Trouble::kMissing,
                         "missing =content=: the text of the file; maclanectl reads it when it is "
                         "called as maclanectl plan FILE");
  }
  auto loaded = load_yaml_text(std::string(call.get("content")), std::string(call.get("file")));
  if (!loaded) return model::refuse(std::move(loaded.error()));
  std::vector<model::Fields> kept;
  for (std::string_view path : kKept) {
    const model::Menu& menu = *model::find_menu(path);
    if (loaded->menus.contains(menu.path) || !differ(menu, loaded->tree, model.tree())) continue;
    loaded->tree.edit(menu) = model.tree().rows(menu);
    kept.push_back({{"menu", std::string(path)}, {"action", "keep"}});
  }
  if (complete) loaded->tree = complete(std::move(loaded->tree));
  auto tree = model.planned(std::move(loaded->tree));
  if (!tree) return model::refuse(std::move(tree.error()));
  return Planned{std::move(*tree), std::move(loaded->warnings), std::move(kept)};
}

/// The changes from one tree to another, to be read and as JSON.
Outcome outcome_of(const model::Tree& before, const model::Tree& after, const Caller& caller,
                   std::string_view none, std::vector<model::Fields> more = {}) {
  const bool sensitive = caller.may(model::Policy::kSensitive);
  auto changes = diff(before, after);
  Outcome out;
  for (const std::string& line : lines(changes, after, sensitive)) {
    out.text += (out.text.empty() ? "" : "\n") + line;
  }
  if (out.text.empty()) out.text = none;
  for (const model::Fields& kept : more) {
    out.text +=
        fmt::format("\n= {} stays as it is: the file does not speak of it", kept.front().second);
  }
  out.json = [changes = std::move(changes), after, sensitive, more = std::move(more)] {
    return model::to_json(changes, after, sensitive, more);
  };
  return out;
}

std::string clock_text(std::time_t when) {
  std::tm local{};
  localtime_r(&when, &local);
  std::array<char, 16> text{};
  (void)std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  return text.data();
}

Answer<Outcome> plan(Model& model, const Call& call, const Caller& caller,
                     const CompleteFile& complete) {
  auto next = planned(model, call, complete);
  if (!next) return tl::make_unexpected(std::move(next.error()));
  Outcome out =
      outcome_of(model.tree(), next->tree, caller, "nothing would change", std::move(next->kept));
  out.warnings = std::move(next->warnings);
  return out;
}

Answer<Outcome> apply(Model& model, const Call& call, const Caller& caller,
                      const CompleteFile& complete) {
  auto next = planned(model, call, complete);
  if (!next) return tl::make_unexpected(std::move(next.error()));
  if (auto may = may_change(model.tree(), next->tree, caller); !may) {
    return tl::make_unexpected(std::move(may.error()));
  }
  const model::Tree before = model.tree();
  const auto time = model::parse_time_ms(call.get("confirm"));
  const uint64_t until = time ? model::steady_ms() + static_cast<uint64_t>(*time) : 0;
  if (Status status = model.take_over(std::move(next->tree), until, caller); !status) {
    return model::refuse(std::move(status.error()));
  }
  Outcome out =
      outcome_of(before, model.tree(), caller, "nothing has changed", std::move(next->kept));
  if (time) {
    out.text += fmt::format(
        "\nthe router goes back to what it was by itself at {}, in {}, unless confirm is said "
        "before (maclanectl confirm)",
        clock_text(std::time(nullptr) + *time / 1000), call.get("confirm"));
  }
  out.warnings = std::move(next->warnings);
  return out;
}

}  // namespace

void add_plan(model::Commands& commands, const CompleteFile& complete) {
  Model& model = commands.model();
  commands.on("/", "plan", [&model, complete](const Call& call, const Caller& caller) {
    return plan(model, call, caller, complete);
  });
  commands.on("/", "apply", [&model, complete](const Call& call, const Caller& caller) {
    return apply(model, call, caller, complete);
  });
  commands.on("/", "confirm", [&model](const Call&, const Caller& caller) -> Answer<Outcome> {
    if (Status status = model.confirm(caller); !status) {
      return model::refuse(std::move(status.error()));
    }
    return Outcome{};
  });
  commands.on("/", "changes", [&model](const Call&, const Caller& caller) -> Answer<Outcome> {
    return outcome_of(model.base().tree, model.tree(), caller,
                      "nothing was changed beside the configuration file");
  });
}

Result<std::vector<std::string>> with_file(std::vector<std::string> words) {
  const bool named = words.size() >= 2 && (words[0] == "plan" || words[0] == "/plan" ||
                                           words[0] == "apply" || words[0] == "/apply");
  const bool has_content = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word.starts_with("content=");
  });
  if (!named || has_content) return words;
  std::vector<std::string> out = {words[0]};
  std::string file;
  for (size_t i = 1; i < words.size(); ++i) {
    std::string word = words[i];
    if (word.starts_with("--confirm")) word.erase(0, 2);
    if (word == "confirm") {  // its time is a word of its own
      const bool has_time = i + 1 < words.size() && model::parse_time_ms(words[i + 1]).has_value();
      if (!has_time) return fail("confirm needs a time, as in apply --confirm 60s FILE");
      out.push_back("confirm=" + words[++i]);
    } else if (file.empty() && word.starts_with("file=")) {
      file = word.substr(5);
    } else if (file.empty() && word.find('=') == std::string::npos) {
      file = word;
    } else {
      out.push_back(std::move(word));
    }
  }
  if (file.empty()) return fail("name the file, as in " + words[0] + " FILE");
  auto text = read_file(file);
  if (!text) return tl::make_unexpected(std::move(text.error()));
  std::string content;
  for (size_t i = 0; i < text->size(); ++i) {
    const bool line_end = (*text)[i] == '\r' && i + 1 < text->size() && (*text)[i + 1] == '\n';
    if (!line_end) content += (*text)[i];
  }
  out.push_back("file=" + file);
  out.push_back("content=" + content);
  return out;
}

}  // namespace maclane::door
