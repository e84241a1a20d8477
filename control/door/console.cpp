// Requests of a console to jobs, and what these say back to it. See console.h.
#include "control/door/console.h"

#include <algorithm>

namespace maclane::door {
namespace {

using script::Completion;
using script::Ended;

constexpr size_t kMaxCandidates = 500;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_on(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::string_view kind_name(Completion::Kind kind) {
  switch (kind) {
    case Completion::Kind::kMenu:
      return "menu";
    case Completion::Kind::kCommand:
      return "command";
    case Completion::Kind::kParameter:
      return "parameter";
    case Completion::Kind::kVariable:
      return "variable";
    default:
      return "value";
  }
}

/// Names of rows that a value or a command's `numbers` can be.
std::vector<std::string> names_of(const model::Tree& tree, const model::Menu& menu) {
  std::vector<std::string> out;
  const int name = model::name_index(menu);
  if (!menu.has_rows() || name < 0) return out;
  for (const model::RowPtr& row : tree.rows(menu)) {
    out.emplace_back(model::View(menu, *row).get(menu.properties[static_cast<size_t>(name)].name));
    if (out.size() >= kMaxCandidates) break;
  }
  return out;
}

}  // namespace

Console::Console(script::Runner& runner, model::Caller caller)
    : runner_(runner), caller_(std::move(caller)) {}

Console::~Console() {
  if (job_ != nullptr) job_->stop();
}

std::string Console::refusal(std::string_view why) {
  return line_of({{"refused", why}});
}

std::string Console::prompt(std::string_view menu) const {
  const std::string_view name =
      runner_.commands().model().tree().settings("/system/identity").get("name");
  const model::SafeMode* safe = runner_.commands().model().safe_mode();
  const bool ours = safe != nullptr && safe->owner.session == caller_.session;
  std::string out = "[" + caller_.user + "@" + std::string(name) + (ours ? "] <SAFE> " : "] ");
  return out + std::string(menu) + (menu.empty() ? "> " : " > ");
}

void Console::take(std::string_view line, std::string& out) {
  auto request = parse_bounded(line);
  if (!request) {
    out += refusal(request.error() + " A request is one JSON object on one line.");
  } else if (!request->is_object()) {
    out += refusal("A request is a JSON object.");
  } else if (request->contains("stop")) {
    if (job_ != nullptr) job_->stop();
  } else if (request->contains("answer")) {
    if (job_ != nullptr) job_->answer(is_on(*request, "answer"));
  } else if (request->contains("hello")) {
    out += line_of({{"hello", {{"prompt", prompt("")}}}});
  } else if (request->contains("complete")) {
    out += line_of({{"completion", complete(*request)}});
  } else if (!request->contains("run")) {
    out += refusal("A request has run, complete, answer, stop or hello.");
  } else if (job_ != nullptr) {
    out += refusal("A command runs already; stop it first.");
  } else {
    run(*request, out);
  }
}

void Console::run(const Json& request, std::string& out) {
  script::Task task;
  task.source = text_at(request, "run");
  task.menu = text_at(request, "menu");
  task.caller = caller_;
  task.piecewise = is_on(request, "pieces");
  const auto width = request.find("width");
  if (width != request.end() && width->is_number_unsigned()) {
    task.screen.width = std::min<size_t>(width->get<size_t>(), 10'000);
  }
  task.screen.bold = is_on(request, "bold");
  task.screen.json = is_on(request, "json");
  task.screen.values = !task.piecewise;
  task.screen.asks = is_on(request, "asks");
  job_ = runner_.start(std::move(task));
  if (job_ == nullptr) out += refusal("Too many scripts run already; stop some of them.");
}

void Console::collect(std::string& out) {
  if (job_ == nullptr) return;
  if (const std::string text = job_->take_output(); !text.empty()) {
    Json said = {{"out", text}};
    if (job_->is_live()) said["live"] = true;
    if (job_->is_whole()) said["whole"] = true;
    out += line_of(said);
  }
  if (const std::string text = job_->take_warnings(); !text.empty()) {
    out += line_of({{"warn", text}});
  }
  if (const std::string question = job_->take_question(); !question.empty()) {
    out += line_of({{"ask", question}});
  }
  const Ended* ended = job_->ended();
  if (ended == nullptr) return;
  const bool mistyped =
      ended->kind == Ended::Kind::kMistyped || ended->message.starts_with("bad command name");
  Json done = {{"code", ended->kind == Ended::Kind::kDone ? 0 : (mistyped ? 2 : 1)},
               {"menu", ended->menu},
               {"prompt", prompt(ended->menu)}};
  if (ended->quit) done["quit"] = true;
  if (job_->is_live()) done["live"] = true;
  if (ended->kind != Ended::Kind::kDone) {
    done["error"] = ended->message;
    done["line"] = ended->place.line;
    done["column"] = ended->place.column;
  }
  out += line_of({{"done", std::move(done)}});
  job_ = nullptr;
}

Json Console::complete(const Json& request) const {
  const std::string text = text_at(request, "complete");
  Completion found =
      script::complete(script::Words::of_schema(), text.substr(0, script::kMaxSource),
                       {text_at(request, "menu"), {}});
  const model::Tree& tree = runner_.commands().model().tree();
  const std::string_view word = std::string_view(text).substr(std::min(found.begin, text.size()));
  const auto offer = [&](const model::Menu* menu) {
    if (menu == nullptr) return;
    for (std::string& name : names_of(tree, *menu)) {
      if (name.starts_with(word) && found.candidates.size() < kMaxCandidates) {
        found.candidates.push_back({std::move(name), "", Completion::Kind::kValue});
      }
    }
  };
  if (found.property != nullptr && found.property->type == model::Type::kReference) {
    for (std::string_view path : found.property->reference) offer(model::find_menu(path));
  } else if (found.parameter == "numbers") {
    offer(model::find_menu(found.menu));
  }
  Json candidates = Json::array();
  for (const auto& one : found.candidates) {
    candidates.push_back({{"text", one.text}, {"help", one.help}, {"kind", kind_name(one.kind)}});
  }
  Json out = {{"begin", found.begin}, {"candidates", std::move(candidates)}};
  if (found.property != nullptr) {
    out["value"] = found.parameter;
    out["help"] = found.property->help;
  }
  return out;
}

}  // namespace maclane::door
