// What a person types at the console, to a request for the socket.
//
// Both spellings of a path, whole or abbreviated as far as it is clear: "/interface/macvlan/print",
// "interface macvlan print", "/int macv pr". The menus and their commands come from the router
// (the `menus` request), so the console knows what that router knows. No state beside the catalog;
// any thread.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "control/door/request.h"
#include "control/observe/table.h"

namespace maclane::door {

struct CatalogMenu {
  std::string path;
  std::string kind;  // "list", "ordered", "settings", "state", "commands"
  std::string help;
  std::vector<std::string> commands;
  std::vector<std::string> properties;
};

class Catalog {
 public:
  Catalog() = default;
  explicit Catalog(std::vector<CatalogMenu> menus) : menus_(std::move(menus)) {}
  /// From the reply to `menus`.
  [[nodiscard]] static Catalog from_reply(const Json& reply);

  [[nodiscard]] const std::vector<CatalogMenu>& menus() const { return menus_; }
  [[nodiscard]] const CatalogMenu* find(std::string_view path) const;
  /// The words that can follow a path ("" = the root): its sub-menus.
  [[nodiscard]] std::vector<std::string> children(std::string_view path) const;

 private:
  std::vector<CatalogMenu> menus_;
};

struct LineError {
  std::string message;  // a sentence
  size_t position = 0;  // of the word in the line, 0-based
};

struct ConsoleLine {
  std::string path;     // "/interface/macvlan"; "" = the root
  std::string command;  // "" = a path alone
  Json arguments = Json::object();
  observe::PrintOptions print;
  size_t where_at = std::string::npos;  // where its text begins in the line
};

/// context is the menu the console stands in, "" for the root; a line that begins with / is
/// absolute.
[[nodiscard]] tl::expected<ConsoleLine, LineError> parse_line(const Catalog& catalog,
                                                              std::string_view context,
                                                              std::string_view line);

/// What can stand for the last word of the text, in order. A word ends at a space or a slash.
[[nodiscard]] std::vector<std::string> complete_line(const Catalog& catalog,
                                                     std::string_view context,
                                                     std::string_view text);

/// Words of a shell, whose quotes are gone, as one line: values with spaces get theirs back.
[[nodiscard]] std::string join_words(const std::vector<std::string>& words);

}  // namespace maclane::door
