// Any text as a script: it is parsed, completed, and carried out on a model of its own, and neither
// time nor memory nor the tree's validity gives way.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "control/script/runner.h"

using namespace maclane;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)script::complete(script::Words::of_schema(), text, {"/interface/macvlan", {}});
  model::Model model;
  model::Commands commands(model);
  script::Runner runner(commands);
  runner.serve();
  script::Task task;
  task.source = text;
  task.piecewise = size % 2 == 0;
  const auto job = runner.start(std::move(task));
  for (int turn = 0; turn < 20 && job->ended() == nullptr; ++turn) {
    runner.turn();
    (void)job->take_output();
  }
  job->stop();
  for (int turn = 0; turn < 3; ++turn) runner.turn();
  if (job->ended() == nullptr || model.in_batch()) std::abort();
  if (!model::validate(model.tree()).empty()) std::abort();
  return 0;
}
