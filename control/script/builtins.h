// The language's own commands: their names and parameters. What they do is in interpreter*.cpp.
#pragma once

#include <cstdint>
#include <vector>

namespace maclane::script {

enum class Builtin : uint8_t {
  kNone,
  // flow
  kLocal,
  kGlobal,
  kSet,
  kIf,
  kFor,
  kForeach,
  kWhile,
  kDo,
  kOnError,
  kRetry,
  kReturn,
  kError,
  kQuit,
  kDelay,
  kTime,
  kExecute,
  kParse,
  kJobname,
  kEnvironment,
  // values
  kPut,
  kLen,
  kPick,
  kFind,
  kTypeof,
  kTostr,
  kTonum,
  kToarray,
  kTobool,
  kToip,
  kToip6,
  kTotime,
  kToid,
  kTonsec,
  kTolf,
  kTocrlf,
  kNothing,
  kRange,
  kTimestamp,
  kRndnum,
  kRndstr,
  kConvert,
  kSerialize,
  kDeserialize,
  kBeep,
  kLog,
};

struct CommandWord;
/// As the parser needs them.
[[nodiscard]] std::vector<CommandWord> builtin_words();

}  // namespace maclane::script
