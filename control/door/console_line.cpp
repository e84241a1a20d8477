// Lines to requests. See console_line.h; words, paths and completion are in console_words.cpp.
#include "control/door/console_line.h"

#include <algorithm>
#include <optional>

#include "control/door/console_words.h"
#include "control/model/nearest.h"

namespace maclane::door {
namespace {

constexpr std::string_view kStyles[] = {"detail",     "stats", "terse", "value-list",
                                        "count-only", "brief", "all",   "without-paging"};
constexpr std::string_view kRowWords[] = {"numbers", ".id", "place-before", "destination",
                                          "value-name"};

std::string hint_of(std::string_view word, const std::vector<std::string>& names) {
  std::vector<std::string_view> views(names.begin(), names.end());
  const std::string hint = model::did_you_mean(word, views);
  return hint.empty() ? "." : hint;
}

tl::unexpected<LineError> wrong(size_t position, std::string message) {
  return tl::make_unexpected(LineError{std::move(message), position});
}

/// The arguments of print: how to show, and which rows.
std::optional<LineError> parse_print(ConsoleLine& out, const CatalogMenu& menu,
                                     std::string_view line, const std::vector<Word>& words,
                                     size_t next) {
  using observe::Style;
  for (; next < words.size(); ++next) {
    const Word& word = words[next];
    if (word.text == "where") {
      const size_t begin = word.position + word.text.size();
      const size_t first = line.find_first_not_of(" \t", begin);
      if (first == std::string_view::npos) {
        return LineError{"An expression was expected after where, as in where mode=private.",
                         word.position};
      }
      out.where_at = first;
      out.arguments["where"] = std::string(line.substr(first));
      return std::nullopt;
    }
    const auto [key, value] = word.pair();
    if (key == "proplist" || key == ".proplist") {
      size_t begin = 0;
      while (begin <= value.size()) {
        const size_t end = std::min(value.find(',', begin), value.size());
        const std::string name = value.substr(begin, end - begin);
        begin = end + 1;
        const bool known =
            name == ".id" || std::find(menu.properties.begin(), menu.properties.end(), name) !=
                                 menu.properties.end();
        if (!known) {
          return LineError{
              menu.path + " has no property \"" + name + "\"" + hint_of(name, menu.properties),
              word.position};
        }
        out.print.properties.push_back(name);
      }
      continue;
    }
    const auto style = resolve(word.text, {std::begin(kStyles), std::end(kStyles)});
    if (!style) {
      std::vector<std::string> known{std::begin(kStyles), std::end(kStyles)};
      known.insert(known.end(), {"proplist", "where"});
      const bool is_property =
          std::find(menu.properties.begin(), menu.properties.end(), key) != menu.properties.end();
      return LineError{
          "print has no argument \"" + key + "\"" +
              (is_property ? "; rows are chosen with: where " + word.text : hint_of(key, known)),
          word.position};
    }
    if (*style == "detail") out.print.style = Style::kDetail;
    if (*style == "stats" && out.print.style != Style::kDetail) out.print.style = Style::kStats;
    if (*style == "terse") out.print.style = Style::kTerse;
    if (*style == "value-list") out.print.style = Style::kValueList;
    if (*style == "count-only") out.arguments["count-only"] = true;
  }
  return std::nullopt;
}

/// The arguments of an edit or of a registered command: rows first, then name=value.
std::optional<LineError> parse_values(ConsoleLine& out, const CatalogMenu& menu,
                                      const std::vector<Word>& words, size_t next) {
  const bool of_model = menu.kind != "commands" && !menu.properties.empty();
  const bool takes_rows =
      of_model && menu.kind != "settings" && out.command != "add" && out.command != "schema";
  bool rows_taken = false;
  for (; next < words.size(); ++next) {
    const Word& word = words[next];
    const auto [key, value] = word.pair();
    if (!word.has_value()) {
      if (word.text.starts_with("[")) {
        return LineError{
            "Rows are named by name, *ID or number here; expressions in brackets are "
            "for print where.",
            word.position};
      }
      if (takes_rows && !rows_taken) {
        out.arguments["numbers"] = key;
        rows_taken = true;
      } else if (!of_model) {
        out.arguments[key] = "";
      } else {
        return LineError{"A property with its value was expected here, as in comment=\"text\".",
                         word.position};
      }
      continue;
    }
    std::string_view name = key;
    if (name.starts_with("!")) name.remove_prefix(1);
    const bool special =
        std::find(std::begin(kRowWords), std::end(kRowWords), name) != std::end(kRowWords);
    if (of_model && !special &&
        std::find(menu.properties.begin(), menu.properties.end(), name) == menu.properties.end()) {
      return LineError{menu.path + " has no property \"" + std::string(name) + "\"" +
                           hint_of(name, menu.properties),
                       word.position};
    }
    out.arguments[key] = value;
  }
  return std::nullopt;
}

}  // namespace

tl::expected<ConsoleLine, LineError> parse_line(const Catalog& catalog, std::string_view context,
                                                std::string_view line) {
  std::vector<Word> words;
  if (auto error = split_words(line, words)) return tl::make_unexpected(*error);
  ConsoleLine out;
  if (words.empty()) return out;
  PathWalk walk(catalog, line.substr(words.front().position).starts_with("/") ? "" : context);
  size_t next = 0;
  bool at_system = false;
  std::optional<LineError> here;  // what is wrong with the first word in the menu we stand in
  while (next < words.size()) {
    const auto step = walk.take(words[next]);
    if (step == PathWalk::Step::kError) {
      // What is not here may stand at the root, and what main registers at /system needs no path.
      if (next == 0 && !context.empty() && walk.path() == context) {
        here = walk.error();
        walk = PathWalk(catalog, "");
        context = "";
        continue;
      }
      if (next == 0 && !at_system && words[next].text.find('/') == std::string::npos) {
        at_system = true;
        const CatalogMenu* system = catalog.find("/system");
        if (system != nullptr && resolve(words[0].text, system->commands)) {
          walk = PathWalk(catalog, "/system");
          continue;
        }
      }
      return tl::make_unexpected(next == 0 && here ? *here : walk.error());
    }
    ++next;
    if (step == PathWalk::Step::kCommand) break;
  }
  out.path = walk.path();
  out.command = walk.command();
  if (out.command.empty()) return out;
  const CatalogMenu* menu = catalog.find(out.path);
  if (menu == nullptr) return wrong(words.front().position, "There is no such menu.");
  const auto error = out.command == "print" && menu->kind != "commands"
                         ? parse_print(out, *menu, line, words, next)
                         : parse_values(out, *menu, words, next);
  if (error) return tl::make_unexpected(*error);
  return out;
}

std::string join_words(const std::vector<std::string>& words) {
  if (words.size() == 1) return words.front();  // a whole line in one argument
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    const size_t name =
        word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
    const bool is_pair = name != std::string::npos && name != 0 &&
                         (word[name] == '=' || word[name] == '~' || word[name] == '!');
    const size_t op = is_pair ? word.find_first_of("=~", name) : std::string::npos;
    const std::string value = op == std::string::npos ? "" : word.substr(op + 1);
    const bool spaces =
        value.find_first_of(" \t") != std::string::npos && value.find('=') == std::string::npos;
    const bool groups = op != std::string::npos && word[op] == '~' &&
                        value.find_first_of("(|&") != std::string::npos;
    if ((op != std::string::npos && value.find('"') == std::string::npos && (spaces || groups)) ||
        (op != std::string::npos && value.empty())) {
      std::string quoted;
      for (char c : value) {
        if (c == '\\') quoted += '\\';
        quoted += c;
      }
      line += word.substr(0, op + 1) + '"' + quoted + '"';
    } else {
      line += word;
    }
  }
  return line;
}

}  // namespace maclane::door
