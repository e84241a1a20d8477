// Words, the catalog, the walk along a path, and completion. See console_words.h, console_line.h.
#include "control/door/console_words.h"

#include <algorithm>

#include "control/model/nearest.h"

namespace maclane::door {
namespace {

constexpr std::string_view kPrintWords[] = {
    "brief", "count-only", "detail", "proplist=", "stats", "terse", "value-list", "where"};

std::vector<std::string> strings_of(const Json& object, const char* key) {
  std::vector<std::string> out;
  if (const auto found = object.find(key); found != object.end() && found->is_array()) {
    for (const Json& item : *found)
      if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

void keep_beginning(std::vector<std::string>& names, std::string_view with) {
  std::erase_if(names, [&](const std::string& name) { return !name.starts_with(with); });
}

}  // namespace

bool Word::has_value() const {
  return text.find('=') != std::string::npos;
}

std::pair<std::string, std::string> Word::pair() const {
  const size_t equal = std::min(text.find('='), text.size());
  std::pair<std::string, std::string> out;
  out.first = text.substr(0, equal);
  bool quoted = false;
  std::string& into = equal == text.size() ? out.first : out.second;
  if (equal == text.size()) into.clear();
  for (size_t i = equal == text.size() ? 0 : equal + 1; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (quoted && text[i] == '\\' && (next == '"' || next == '\\')) {
      into += text[++i];
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else {
      into += text[i];
    }
  }
  return out;
}

std::optional<LineError> split_words(std::string_view line, std::vector<Word>& out) {
  size_t i = 0;
  while (true) {
    i = line.find_first_not_of(" \t\r\n", i);
    if (i == std::string_view::npos) return std::nullopt;
    Word word{{}, i};
    size_t open = std::string_view::npos;
    for (; i < line.size(); ++i) {
      const char c = line[i];
      if (open == std::string_view::npos && (c == ' ' || c == '\t' || c == '\r' || c == '\n'))
        break;
      if (c == '\\' && open != std::string_view::npos && i + 1 < line.size()) {
        word.text += c;
        word.text += line[++i];
        continue;
      }
      if (c == '"') open = open == std::string_view::npos ? i : std::string_view::npos;
      word.text += c;
    }
    if (open != std::string_view::npos) {
      const bool in_where =
          std::any_of(out.begin(), out.end(), [](const Word& w) { return w.text == "where"; });
      // The router reads what follows where, and points at the quote itself.
      if (!in_where) return LineError{"There is no closing quote for this one.", open};
    }
    out.push_back(std::move(word));
  }
}

std::optional<std::string> resolve(std::string_view word, const std::vector<std::string>& names) {
  if (word.empty()) return std::nullopt;
  std::optional<std::string> found;
  for (const std::string& name : names) {
    if (name == word) return name;
    if (!name.starts_with(word)) continue;
    if (found && *found != name) return std::nullopt;
    found = name;
  }
  return found;
}

Catalog Catalog::from_reply(const Json& reply) {
  std::vector<CatalogMenu> menus;
  if (const auto list = reply.find("menus"); list != reply.end() && list->is_array()) {
    for (const Json& item : *list) {
      if (!item.is_object()) continue;
      menus.push_back({item.value("path", ""), item.value("kind", ""), item.value("help", ""),
                       strings_of(item, "commands"), strings_of(item, "properties")});
    }
  }
  return Catalog(std::move(menus));
}

const CatalogMenu* Catalog::find(std::string_view path) const {
  for (const CatalogMenu& menu : menus_)
    if (menu.path == path) return &menu;
  return nullptr;
}

std::vector<std::string> Catalog::children(std::string_view path) const {
  std::vector<std::string> out;
  const std::string prefix = std::string(path) + "/";
  for (const CatalogMenu& menu : menus_) {
    if (!menu.path.starts_with(prefix)) continue;
    const size_t end = std::min(menu.path.find('/', prefix.size()), menu.path.size());
    std::string child = menu.path.substr(prefix.size(), end - prefix.size());
    if (std::find(out.begin(), out.end(), child) == out.end()) out.push_back(std::move(child));
  }
  return out;
}

PathWalk::Step PathWalk::take(const Word& word) {
  size_t begin = 0;
  Step step = Step::kPath;
  while (begin <= word.text.size()) {
    const size_t end = std::min(word.text.find('/', begin), word.text.size());
    if (end != begin) {
      if (step == Step::kCommand) {
        error_ = {"The path goes on after the command " + command_ + "; a space was expected.",
                  word.position + begin};
        return Step::kError;
      }
      step =
          take_part(std::string_view(word.text).substr(begin, end - begin), word.position + begin);
      if (step == Step::kError) return step;
    }
    begin = end + 1;
  }
  return step;
}

PathWalk::Step PathWalk::take_part(std::string_view part, size_t position) {
  if (part == "..") {
    path_.erase(std::min(path_.rfind('/'), path_.size()));
    return Step::kPath;
  }
  std::vector<std::string> words = catalog_->children(path_);
  const size_t menus = words.size();
  const CatalogMenu* menu = catalog_->find(path_);
  if (menu != nullptr) words.insert(words.end(), menu->commands.begin(), menu->commands.end());
  if (const auto found = resolve(part, words)) {
    // A menu goes before a command of the same name.
    const auto at = std::find(words.begin(), words.end(), *found);
    if (static_cast<size_t>(at - words.begin()) < menus) {
      path_ += "/" + *found;
      return Step::kPath;
    }
    command_ = *found;
    return Step::kCommand;
  }
  std::vector<std::string> several = words;
  keep_beginning(several, part);
  std::sort(several.begin(), several.end());
  several.erase(std::unique(several.begin(), several.end()), several.end());
  const std::vector<std::string_view> views(several.begin(), several.end());
  const std::vector<std::string_view> all(words.begin(), words.end());
  const std::string written(part);
  std::string message;
  if (several.size() > 1) {
    message = "\"" + written + "\" can be " + model::any_of(views) + "; write more of it.";
  } else {
    const std::string hint = model::did_you_mean(part, all);
    message = (menu != nullptr ? path_ + " has no menu or command \"" + written + "\""
                               : "There is no menu \"" + path_ + "/" + written + "\"") +
              (hint.empty() ? "." : hint);
  }
  error_ = {std::move(message), position};
  return Step::kError;
}

std::vector<std::string> complete_line(const Catalog& catalog, std::string_view context,
                                       std::string_view text) {
  const size_t cut = text.find_last_of(" \t/");
  const size_t begin = cut == std::string_view::npos ? 0 : cut + 1;
  const std::string_view last = text.substr(begin);
  const size_t first = text.find_first_not_of(" \t");
  const bool absolute = first != std::string_view::npos && text[first] == '/';
  PathWalk walk(catalog, absolute ? "" : context);
  std::vector<Word> words;
  if (split_words(text.substr(0, begin), words)) return {};
  bool in_command = false;
  bool in_where = false;
  for (const Word& word : words) {
    if (in_command) {
      in_where = in_where || word.text == "where";
      continue;
    }
    const auto step = walk.take(word);
    if (step == PathWalk::Step::kError) return {};
    in_command = step == PathWalk::Step::kCommand;
  }
  std::vector<std::string> out;
  const CatalogMenu* menu = catalog.find(walk.path());
  if (!in_command) {
    out = catalog.children(walk.path());
    if (menu != nullptr) out.insert(out.end(), menu->commands.begin(), menu->commands.end());
  } else if (menu != nullptr && walk.command() == "print" && !in_where) {
    out.assign(std::begin(kPrintWords), std::end(kPrintWords));
  } else if (menu != nullptr && walk.command() != "schema") {
    for (const std::string& name : menu->properties) out.push_back(name + "=");
  }
  keep_beginning(out, last);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace maclane::door
