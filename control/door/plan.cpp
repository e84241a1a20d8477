// plan, apply, confirm, changes, reset-configuration. See plan.h.
#include "control/door/plan.h"

#include <fmt/format.h>

#include <algorithm>

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

struct Planned {
  model::Tree tree;
  std::vector<std::string> warnings;
};

Answer<Planned> planned(Model& model, const Call& call) {
  if (!call.has("content")) {
    return model::refuse(Trouble::kMissing,
                         "missing =content=: the text of the file; maclanectl reads it when it is "
                         "called as maclanectl plan FILE");
  }
  auto loaded = load_yaml_text(std::string(call.get("content")), std::string(call.get("file")));
  if (!loaded) return model::refuse(std::move(loaded.error()));
  auto tree = model.planned(std::move(loaded->tree));
  if (!tree) return model::refuse(std::move(tree.error()));
  return Planned{std::move(*tree), std::move(loaded->warnings)};
}

std::string text_of(const model::Tree& before, const model::Tree& after, const Caller& caller,
                    std::string_view none) {
  std::string out;
  for (const std::string& line :
       lines(diff(before, after), after, caller.may(model::Policy::kSensitive))) {
    out += (out.empty() ? "" : "\n") + line;
  }
  return out.empty() ? std::string(none) : out;
}

Answer<Outcome> plan(Model& model, const Call& call, const Caller& caller) {
  auto next = planned(model, call);
  if (!next) return tl::make_unexpected(std::move(next.error()));
  Outcome out;
  out.text = text_of(model.tree(), next->tree, caller, "nothing would change");
  out.warnings = std::move(next->warnings);
  return out;
}

Answer<Outcome> apply(Model& model, const Call& call, const Caller& caller) {
  auto next = planned(model, call);
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
  Outcome out;
  out.text = text_of(before, model.tree(), caller, "nothing has changed");
  if (time) {
    out.text += fmt::format("\nsay confirm within {}, or the router goes back by itself",
                            call.get("confirm"));
  }
  out.warnings = std::move(next->warnings);
  return out;
}

Answer<Outcome> reset(Model& model, const Call& call, const Caller& caller) {
  const bool keep_users = call.is_on("keep-users");
  if (!keep_users && !caller.may(model::Policy::kPolicy)) {
    return model::refuse(
        Trouble::kGeneral,
        fmt::format("not enough permissions (9): users would change too, which the "
                    "group of {} may not; say keep-users=yes",
                    caller.text()));
  }
  if (Status status = model.reset(keep_users, caller); !status) {
    return model::refuse(std::move(status.error()));
  }
  return Outcome{};
}

}  // namespace

void add_plan(model::Commands& commands) {
  Model& model = commands.model();
  commands.on("/", "plan", [&model](const Call& call, const Caller& caller) {
    return plan(model, call, caller);
  });
  commands.on("/", "apply", [&model](const Call& call, const Caller& caller) {
    return apply(model, call, caller);
  });
  commands.on("/", "confirm", [&model](const Call&, const Caller& caller) -> Answer<Outcome> {
    if (Status status = model.confirm(caller); !status) {
      return model::refuse(std::move(status.error()));
    }
    return Outcome{};
  });
  commands.on("/", "changes", [&model](const Call&, const Caller& caller) -> Answer<Outcome> {
    Outcome out;
    out.text = text_of(model.base().tree, model.tree(), caller,
                       "nothing was changed beside the configuration file");
    return out;
  });
  commands.on("/system", "reset-configuration", [&model](const Call& call, const Caller& caller) {
    return reset(model, call, caller);
  });
}

Result<std::vector<std::string>> with_file(std::vector<std::string> words) {
  const auto is = [&](size_t word, std::string_view name) {
    return words[word] == name || words[word] == fmt::format("/{}", name);
  };
  const bool named = words.size() >= 2 && (is(0, "plan") || is(0, "apply"));
  const bool has_content = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word.starts_with("content=");
  });
  if (!named || has_content) return words;
  std::string& file = words[1];
  if (file.starts_with("file=")) file.erase(0, 5);
  auto text = read_file(file);
  if (!text) return tl::make_unexpected(std::move(text.error()));
  std::string content;
  for (size_t i = 0; i < text->size(); ++i) {
    const bool line_end = (*text)[i] == '\r' && i + 1 < text->size() && (*text)[i + 1] == '\n';
    if (!line_end) content += (*text)[i];
  }
  file.insert(0, "file=");
  words.push_back("content=" + content);
  // "confirm 60s" as well as confirm=60s.
  for (size_t i = 2; i + 1 < words.size(); ++i) {
    if (words[i] != "confirm" && words[i] != "--confirm") continue;
    words[i] = "confirm=" + words[i + 1];
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    break;
  }
  return words;
}

}  // namespace maclane::door
