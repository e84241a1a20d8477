// What the parser knows about commands: the menus, what can be said in them, and the parameters.
//
// The tree is made once from the schema, with the language's own commands (:put, :if ...) at its
// root; a test makes its own. Immutable after that; any thread may read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/schema.h"
#include "control/script/builtins.h"

namespace maclane::script {

struct Parameter {
  enum class Kind : uint8_t {
    kValue,
    kFlag,       // a word alone
    kBlock,      // {commands}, carried out by the command
    kFunction,   // {commands}, kept; they see none of the variables around them
    kVariable,   // the name of a variable that is declared by it
    kCounter,    // one or two of these: i, or k,v
    kTarget,     // what :set sets: a declared variable or an element of one
    kCondition,  // an expression the command evaluates itself
    kSource,     // a text; {commands} stand for their own text
  };
  std::string name;
  Kind kind = Kind::kValue;
  std::string help;
  const model::Property* property = nullptr;
};

struct CommandWord {
  std::string name;
  std::string help;
  std::vector<Parameter> parameters;
  std::vector<std::string> positional;  // parameters that words without a name are, in order
  Builtin builtin = Builtin::kNone;
  bool takes_where = false;  // where EXPRESSION at its end
  bool is_find = false;      // all its arguments are that expression
  bool any_parameter = false;

  [[nodiscard]] const Parameter* find(std::string_view parameter) const;
};

struct MenuWord {
  std::string name;
  std::string path;  // "" at the root
  std::string help;
  const model::Menu* menu = nullptr;  // nullptr: only menus below it
  std::map<std::string, std::unique_ptr<MenuWord>, std::less<>> menus;
  std::map<std::string, CommandWord, std::less<>> commands;

  /// The menu of a path below this one; nullptr if there is none.
  [[nodiscard]] const MenuWord* at(std::string_view path) const;
  /// Names a where expression can speak of.
  [[nodiscard]] bool has_property(std::string_view property) const;
  [[nodiscard]] std::vector<std::string_view> properties() const;
};

class Words {
 public:
  /// The language's own commands alone.
  Words();
  /// With every menu of the schema.
  [[nodiscard]] static const Words& of_schema();

  [[nodiscard]] const MenuWord& root() const { return root_; }
  /// A command of a menu; nullptr if there is none.
  [[nodiscard]] const CommandWord* command(std::string_view path, std::string_view name) const;
  /// A menu and those above it, made if they are not there.
  MenuWord& menu(std::string_view path);

 private:
  MenuWord root_;
};

}  // namespace maclane::script
