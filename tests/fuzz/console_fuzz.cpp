// Any bytes as lines of the console's protocol: every answer is a line of JSON.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "control/door/console.h"

using namespace maclane;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  model::Model model;
  model::Commands commands(model);
  script::Runner runner(commands);
  runner.serve();
  std::string said;
  {
    door::Console console(runner, model::Caller::router());
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    while (!rest.empty()) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      console.take(rest.substr(0, end), said);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      for (int turn = 0; turn < 5; ++turn) {
        runner.turn();
        console.collect(said);
      }
    }
  }
  for (int turn = 0; turn < 3; ++turn) runner.turn();
  if (!runner.jobs().empty()) std::abort();
  for (size_t begin = 0; begin < said.size();) {
    const size_t end = said.find('\n', begin);
    if (end == std::string::npos) std::abort();
    if (!door::Json::accept(said.substr(begin, end - begin))) std::abort();
    begin = end + 1;
  }
  return 0;
}
