// What a change and a print cost the control thread: rows added one by one, each validated and kept
// in the state folder's database, rows added as one change, and print of many rows. The snapshot
// that a change is compiled to is not in it.
//
//   build/bench/model/model_bench
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>

#include "control/model/commands.h"
#include "control/model/store.h"

namespace maclane::model {
namespace {

class Kept {
 public:
  Kept() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "maclane-bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    folder_ = pattern;
    auto store = Store::open(folder_);
    if (!store) std::abort();
    store_ = std::make_unique<Store>(std::move(*store));
    model_.on_persist([this](const Lasting& state) { return store_->write(state); });
    if (!model_.start(Tree(), {})) std::abort();
  }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  ~Kept() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void add(int64_t number) {
    Call call;
    call.path = "/ip/firewall/address-list";
    call.command = "add";
    call.arguments = {
        {"list", "many"},
        {"address", std::to_string(10 + number / 65536) + "." + std::to_string(number / 256 % 256) +
                        "." + std::to_string(number % 256) + ".1"}};
    if (!commands_.run(call, {})) std::abort();
  }
  size_t print() {
    Call call;
    call.path = "/ip/firewall/address-list";
    call.command = "print";
    auto out = commands_.run(call, {});
    return out ? out->rows.size() : 0;
  }
  Model& model() { return model_; }

 private:
  std::string folder_;
  std::unique_ptr<Store> store_;
  Model model_;
  Commands commands_{model_};
};

/// items_per_second: rows a second, each a change of its own, beside so many that are there.
void AddOneByOne(benchmark::State& state) {
  Kept kept;
  kept.model().begin_batch();
  int64_t number = 0;
  for (; number < state.range(0); ++number) kept.add(number);
  if (!kept.model().commit_batch()) std::abort();
  for (auto _ : state) kept.add(number++);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(AddOneByOne)->Arg(0)->Arg(1000)->Arg(10'000)->Iterations(2000)->UseRealTime();

/// A thousand rows as one change.
void AddAsOneChange(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto kept = std::make_unique<Kept>();
    state.ResumeTiming();
    kept->model().begin_batch();
    for (int64_t number = 0; number < 1000; ++number) kept->add(number);
    if (!kept->model().commit_batch()) std::abort();
    state.PauseTiming();
    kept.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(1000 * static_cast<int64_t>(state.iterations()));
}
BENCHMARK(AddAsOneChange)->UseRealTime();

void Print(benchmark::State& state) {
  Kept kept;
  kept.model().begin_batch();
  for (int64_t number = 0; number < state.range(0); ++number) kept.add(number);
  if (!kept.model().commit_batch()) std::abort();
  for (auto _ : state) benchmark::DoNotOptimize(kept.print());
}
BENCHMARK(Print)->Arg(10'000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace maclane::model

BENCHMARK_MAIN();
