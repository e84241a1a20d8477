// The tree of menus and commands for the parser. See words.h.
#include "control/script/words.h"

#include <algorithm>

namespace maclane::script {

const Parameter* CommandWord::find(std::string_view parameter) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const Parameter& one) { return one.name == parameter; });
  return found == parameters.end() ? nullptr : &*found;
}

const MenuWord* MenuWord::at(std::string_view path) const {
  const MenuWord* here = this;
  for (size_t begin = 0; here != nullptr && begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (end != begin) {
      const auto found = here->menus.find(path.substr(begin, end - begin));
      here = found == here->menus.end() ? nullptr : found->second.get();
    }
    begin = end + 1;
  }
  return here;
}

bool MenuWord::has_property(std::string_view property) const {
  if (menu == nullptr) return false;
  if (property == ".id" || property == "dynamic" || menu->find(property) != nullptr) return true;
  return std::any_of(menu->letters.begin(), menu->letters.end(),
                     [&](const auto& letter) { return letter.property == property; });
}

std::vector<std::string_view> MenuWord::properties() const {
  std::vector<std::string_view> out;
  if (menu == nullptr) return out;
  for (const auto& property : menu->properties) out.push_back(property.name);
  for (const auto& letter : menu->letters) {
    if (std::find(out.begin(), out.end(), letter.property) == out.end()) {
      out.push_back(letter.property);
    }
  }
  return out;
}

Words::Words() {
  for (CommandWord& word : builtin_words()) {
    std::string name = word.name;
    root_.commands.emplace(std::move(name), std::move(word));
  }
  for (const char* level : {"debug", "error", "info", "warning"}) {
    CommandWord word;
    word.name = level;
    word.help = "writes a line to the log";
    word.builtin = Builtin::kLog;
    word.parameters.push_back({"message", Parameter::Kind::kValue, "", nullptr});
    word.positional.emplace_back("message");
    menu("/log").commands.emplace(level, std::move(word));
  }
}

const CommandWord* Words::command(std::string_view path, std::string_view name) const {
  const MenuWord* here = root_.at(path);
  if (here == nullptr) return nullptr;
  const auto found = here->commands.find(name);
  return found == here->commands.end() ? nullptr : &found->second;
}

MenuWord& Words::menu(std::string_view path) {
  MenuWord* here = &root_;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (end != begin) {
      const std::string name(path.substr(begin, end - begin));
      std::unique_ptr<MenuWord>& next = here->menus[name];
      if (next == nullptr) {
        next = std::make_unique<MenuWord>();
        next->name = name;
        next->path = here->path + "/" + name;
      }
      here = next.get();
    }
    begin = end + 1;
  }
  return *here;
}

}  // namespace maclane::script
