// The parameters of the language's own commands, in RouterOS's names and order. See builtins.h.
#include "control/script/builtins.h"

#include <string_view>

#include "control/script/words.h"

namespace maclane::script {
namespace {

using Kind = Parameter::Kind;

struct Given {
  std::string_view name;
  Kind kind = Kind::kValue;
  bool positional = false;
};

struct Row {
  Builtin builtin;
  std::string_view name;
  std::string_view help;
  std::vector<Given> parameters;
};

constexpr bool kUnnamed = true;

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {Builtin::kLocal,
       "local",
       "declares a variable of this block",
       {{"name", Kind::kVariable, kUnnamed},
        {"value", Kind::kValue, kUnnamed},
        {"do", Kind::kFunction}}},
      {Builtin::kGlobal,
       "global",
       "declares a variable that all scripts can declare",
       {{"name", Kind::kVariable, kUnnamed},
        {"value", Kind::kValue, kUnnamed},
        {"do", Kind::kFunction}}},
      {Builtin::kSet,
       "set",
       "gives a variable or an element of one a value; without a value, takes it away",
       {{"name", Kind::kTarget, kUnnamed},
        {"value", Kind::kValue, kUnnamed},
        {"do", Kind::kFunction}}},
      {Builtin::kIf,
       "if",
       "carries out do if the condition holds, else otherwise",
       {{"condition", Kind::kCondition, kUnnamed}, {"do", Kind::kBlock}, {"else", Kind::kBlock}}},
      {Builtin::kFor,
       "for",
       "counts from a number to another",
       {{"counter", Kind::kCounter, kUnnamed},
        {"from", Kind::kValue},
        {"to", Kind::kValue},
        {"step", Kind::kValue},
        {"do", Kind::kBlock}}},
      {Builtin::kForeach,
       "foreach",
       "goes through the elements of an array",
       {{"counter", Kind::kCounter, kUnnamed},
        {"in", Kind::kValue},
        {"do", Kind::kBlock},
        {"on-error", Kind::kBlock}}},
      {Builtin::kWhile,
       "while",
       "repeats do as long as the condition holds",
       {{"condition", Kind::kCondition, kUnnamed}, {"do", Kind::kBlock}}},
      {Builtin::kDo,
       "do",
       "carries out commands; with while again, with on-error instead of an error",
       {{"command", Kind::kBlock, kUnnamed},
        {"while", Kind::kCondition},
        {"on-error", Kind::kBlock}}},
      {Builtin::kOnError,
       "onerror",
       "carries out do with the message in a variable if in fails",
       {{"error", Kind::kVariable, kUnnamed},
        {"in", Kind::kBlock, kUnnamed},
        {"do", Kind::kBlock}}},
      {Builtin::kRetry,
       "retry",
       "tries a command until it succeeds",
       {{"command", Kind::kBlock, kUnnamed},
        {"delay", Kind::kValue},
        {"max", Kind::kValue},
        {"on-error", Kind::kBlock}}},
      {Builtin::kReturn,
       "return",
       "ends a function with a value",
       {{"value", Kind::kValue, kUnnamed}}},
      {Builtin::kError, "error", "fails with a message", {{"message", Kind::kValue, kUnnamed}}},
      {Builtin::kQuit, "quit", "ends the script, or the session", {}},
      {Builtin::kDelay,
       "delay",
       "waits",
       {{"delay-time", Kind::kValue, kUnnamed}, {"max", Kind::kValue}}},
      {Builtin::kTime, "time", "how long a command takes", {{"command", Kind::kBlock, kUnnamed}}},
      {Builtin::kExecute,
       "execute",
       "runs a text as a script of its own",
       {{"script", Kind::kSource, kUnnamed}, {"file", Kind::kValue}, {"as-string", Kind::kFlag}}},
      {Builtin::kParse, "parse", "makes a function of a text", {{"code", Kind::kSource, kUnnamed}}},
      {Builtin::kJobname, "jobname", "the name of the script that runs", {}},
      {Builtin::kEnvironment, "environment", "the variables", {{"print", Kind::kFlag}}},
      {Builtin::kPut, "put", "writes a value", {{"message", Kind::kValue, kUnnamed}}},
      {Builtin::kLen,
       "len",
       "letters of a text, elements of an array",
       {{"value", Kind::kValue, kUnnamed}}},
      {Builtin::kPick,
       "pick",
       "a part of a text or array",
       {{"value", Kind::kValue, kUnnamed},
        {"begin", Kind::kValue, kUnnamed},
        {"end", Kind::kValue, kUnnamed}}},
      {Builtin::kFind,
       "find",
       "where something stands in a text or array",
       {{"in", Kind::kValue, kUnnamed},
        {"key", Kind::kValue, kUnnamed},
        {"from", Kind::kValue, kUnnamed}}},
      {Builtin::kTypeof, "typeof", "the type of a value", {{"value", Kind::kValue, kUnnamed}}},
      {Builtin::kTostr, "tostr", "as a text", {{"value", Kind::kValue, kUnnamed}}},
      {Builtin::kTonum, "tonum", "as a number", {{"value", Kind::kValue, kUnnamed}}},
      {Builtin::kToarray,
       "toarray",
       "as an array; a text is split at its commas",
       {{"value", Kind::kValue, kUnnamed}, {"delimiter", Kind::kValue}}},
      {Builtin::kTobool, "tobool", "as true or false", {{"value", Kind::kValue, kUnnamed}}},
      {Builtin::kToip, "toip", "as an address", {{"value", Kind::kValue, kUnnamed}}},
      {Builtin::kToip6, "toip6", "as an IPv6 address", {{"value", Kind::kValue, kUnnamed}}},
      {Builtin::kTotime, "totime", "as a time", {{"value", Kind::kValue, kUnnamed}}},
      {Builtin::kToid, "toid", "as the number of a row", {{"value", Kind::kValue, kUnnamed}}},
      {Builtin::kTonsec, "tonsec", "a time in nanoseconds", {{"value", Kind::kValue, kUnnamed}}},
      {Builtin::kTolf, "tolf", "line ends as LF", {{"value", Kind::kValue, kUnnamed}}},
      {Builtin::kTocrlf, "tocrlf", "line ends as CR LF", {{"value", Kind::kValue, kUnnamed}}},
      {Builtin::kNothing, "nothing", "no value", {}},
      {Builtin::kRange,
       "range",
       "the numbers from one to another",
       {{"from", Kind::kValue, kUnnamed}, {"to", Kind::kValue, kUnnamed}, {"step", Kind::kValue}}},
      {Builtin::kTimestamp, "timestamp", "the time since 1970", {}},
      {Builtin::kRndnum,
       "rndnum",
       "a random number",
       {{"from", Kind::kValue, kUnnamed}, {"to", Kind::kValue, kUnnamed}}},
      {Builtin::kRndstr,
       "rndstr",
       "a random text",
       {{"from", Kind::kValue}, {"length", Kind::kValue}}},
      {Builtin::kConvert,
       "convert",
       "from one encoding to another",
       {{"value", Kind::kValue, kUnnamed},
        {"from", Kind::kValue},
        {"to", Kind::kValue},
        {"transform", Kind::kValue}}},
      {Builtin::kSerialize,
       "serialize",
       "a value as JSON",
       {{"value", Kind::kValue, kUnnamed}, {"to", Kind::kValue}, {"options", Kind::kValue}}},
      {Builtin::kDeserialize,
       "deserialize",
       "JSON as a value",
       {{"value", Kind::kValue, kUnnamed}, {"from", Kind::kValue}, {"options", Kind::kValue}}},
      {Builtin::kBeep,
       "beep",
       "beeps, where there is something to beep with",
       {{"frequency", Kind::kValue}, {"length", Kind::kValue}}},
  };
  return all;
}

}  // namespace

std::vector<CommandWord> builtin_words() {
  std::vector<CommandWord> out;
  for (const Row& row : rows()) {
    CommandWord word;
    word.name = row.name;
    word.help = row.help;
    word.builtin = row.builtin;
    for (const Given& one : row.parameters) {
      word.parameters.push_back({std::string(one.name), one.kind, {}, nullptr});
      if (one.positional) word.positional.emplace_back(one.name);
    }
    out.push_back(std::move(word));
  }
  return out;
}

}  // namespace maclane::script
