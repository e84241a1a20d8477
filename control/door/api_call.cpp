// A sentence as a call, and what is written back. See api_client.h.
#include <algorithm>

#include "control/door/api_client.h"
#include "control/door/query.h"

namespace maclane::door {
namespace {

using model::Call;
using model::Failure;
using model::Menu;

constexpr std::string_view kEdits[] = {"add",    "set",     "unset",   "remove",
                                       "enable", "disable", "comment", "move"};

template <typename Range>
bool is_one_of(std::string_view text, const Range& range) {
  return std::find(std::begin(range), std::end(range), text) != std::end(range);
}

void append_tag(std::string& out, const std::optional<std::string>& tag) {
  if (!tag) return;
  append_length(out, static_cast<uint32_t>(tag->size() + 5));
  out.append(".tag=").append(*tag);
}

}  // namespace

ApiCall api_call(const Sentence& sentence) {
  ApiCall out;
  const auto refused = [&](Trouble category, std::string message) {
    out.failure = Failure{category, Errors{Error{std::move(message), {}, {}, {}, {}}}};
    return out;
  };
  if (!sentence.problem.empty()) return refused(Trouble::kApi, sentence.problem);
  if (sentence.command.empty() || sentence.command.front() != '/')
    return refused(Trouble::kMissing, "no such command: a command begins with '/'");
  const size_t slash = sentence.command.rfind('/');
  Call& call = out.call;
  call.path = slash == 0 ? "/" : sentence.command.substr(0, slash);
  call.command = sentence.command.substr(slash + 1);
  if (call.command == "getall") call.command = "print";
  for (const auto& [name, value] : sentence.attributes) {
    if (name == ".proplist" || (name == "proplist" && call.command == "print")) {
      for (size_t i = 0; i <= value.size();) {
        const size_t end = std::min(value.find(',', i), value.size());
        if (end > i) call.proplist.push_back(value.substr(i, end - i));
        i = end + 1;
      }
    } else {
      call.arguments.emplace_back(name, value);
    }
  }
  if (!sentence.queries.empty()) {
    auto query = Query::compile(model::find_menu(call.path), sentence.queries);
    if (!query) return refused(Trouble::kApi, query.error());
    call.filter = [query = std::move(*query)](const model::PrintRow& row) {
      return query.matches(row);
    };
  }
  return out;
}

bool is_edit(const ApiCall& asked) {
  if (asked.failure || !is_one_of(asked.call.command, kEdits)) return false;
  const Menu* menu = model::find_menu(asked.call.path);
  return menu != nullptr && menu->has_rows() &&
         std::none_of(menu->commands.begin(), menu->commands.end(),
                      [&](const model::Command& own) { return own.name == asked.call.command; });
}

void append_trap(std::string& out, const std::optional<std::string>& tag, Trouble category,
                 std::string_view message) {
  append_word(out, "!trap");
  append_attribute(out, "category", std::to_string(static_cast<unsigned>(category)));
  append_attribute(out, "message", message);
  append_tag(out, tag);
  end_sentence(out);
}

void append_done(std::string& out, const std::optional<std::string>& tag,
                 const model::Fields& result) {
  append_word(out, "!done");
  for (const auto& [name, value] : result) append_attribute(out, name, value);
  append_tag(out, tag);
  end_sentence(out);
}

void append_row(std::string& out, const model::PrintRow& row,
                const std::optional<std::string>& tag) {
  append_word(out, "!re");
  if (!row.id.empty()) append_attribute(out, ".id", row.id);
  for (const auto& [name, value] : row.fields) append_attribute(out, name, value);
  append_tag(out, tag);
  end_sentence(out);
}

void append_empty(std::string& out, const std::optional<std::string>& tag) {
  append_word(out, "!empty");
  append_tag(out, tag);
  end_sentence(out);
}

}  // namespace maclane::door
