// The syntax tree of a script: what parser.h makes of a text and interpreter.h carries out.
//
// A tree is immutable once parsed and shared: a function in a global keeps the part it was written
// in. Nodes know the place of the word they came from, for errors. Any thread may read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/script/builtins.h"
#include "control/script/value.h"

namespace maclane::script {

struct Place {
  uint32_t line = 1;
  uint32_t column = 1;  // in bytes
  uint32_t offset = 0;  // in the text
};

enum class Operator : uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kShiftLeft,
  kShiftRight,
  kBitAnd,
  kBitXor,
  kBitOr,
  kConcat,
  kEqual,
  kUnequal,
  kLess,
  kGreater,
  kLessEqual,
  kGreaterEqual,
  kMatch,  // ~
  kIn,
  kAnd,
  kOr,
  kJoin,  // ,
  // one operand
  kNot,
  kNegate,
  kInvert,
  kAny,  // any: whether there is a value
};

struct Command;

/// Commands in their order. Where they stand in `{}`, they have a scope of their own.
struct Block {
  std::vector<std::unique_ptr<const Command>> commands;
  Share share{0};  // about what the tree occupies
};

struct Expression;
using ExpressionPtr = std::unique_ptr<const Expression>;

struct Expression {
  enum class Kind : uint8_t {
    kLiteral,
    kText,      // parts put together: "a $b"
    kVariable,  // $name
    kProperty,  // a bare name in where: of the row
    kCommand,   // [command]
    kArray,     // {a; b; key=c}
    kUnary,
    kBinary,   // parts with ops between them, from left to right
    kElement,  // parts[0] -> parts[1] -> ...
    kQuote,    // (>x): x kept for later, worked out where it is called
  };
  Kind kind = Kind::kLiteral;
  Operator op = Operator::kAdd;  // kUnary
  Place place;
  Value literal;
  std::string name;                  // variable, property; a literal as written, for properties
  std::vector<ExpressionPtr> parts;  // operands; elements of an array
  std::vector<Operator> ops;         // kBinary: between the parts
  std::vector<ExpressionPtr> keys;   // array: beside parts, null where an element has no key
  std::shared_ptr<const Block> block;
};

struct Argument {
  std::string name;                    // "" for one without a name that no parameter takes
  Place place;                         // of its first letter
  Place value_place;                   // of its value's
  ExpressionPtr value;                 // null: a word alone, a flag
  bool unset = false;                  // !name
  std::shared_ptr<const Block> block;  // a parameter that is carried out, not evaluated
};

struct Command {
  enum class Kind : uint8_t {
    kBuiltin,  // :put and its like
    kMenu,     // a command of a menu
    kEnter,    // a path alone: the menu for what follows
    kCall,     // $function arguments
    kBlock,    // { ... }
    kValue,    // an expression alone
    kBad,      // a word that is no command: an error once it is reached
  };
  Kind kind = Kind::kBad;
  Builtin builtin = Builtin::kNone;
  Place place;          // of the command word
  std::string path;     // menu, or the menu entered; the menu a block starts in
  std::string name;     // of the command; of the function, if it has one
  std::string message;  // kBad
  std::vector<Argument> arguments;
  ExpressionPtr where;  // rows it is about; kValue: the expression; kCall: the function
  std::shared_ptr<const Block> block;

  [[nodiscard]] const Argument* find(std::string_view argument) const {
    for (const Argument& one : arguments)
      if (one.name == argument) return &one;
    return nullptr;
  }
};

}  // namespace maclane::script
