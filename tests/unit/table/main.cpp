// The tables need an EAL (rte_fib takes its memory from it), so these tests have a main of their
// own. The arguments are those that work without privilege or huge pages.
#include <gtest/gtest.h>
#include <rte_eal.h>

#include <array>
#include <cstdio>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::array eal{"table_test", "--no-huge", "--no-shconf", "-m", "256", "--no-pci",
                 "--no-telemetry", "--iova-mode=va", "-l", "0", "--log-level=error",
                 // as the daemon has it: both ways of looking routes up are compared
                 "--force-max-simd-bitwidth=512"};
  std::array<char*, eal.size()> args{};
  for (size_t i = 0; i < eal.size(); ++i) args[i] = const_cast<char*>(eal[i]);
  if (rte_eal_init(static_cast<int>(args.size()), args.data()) < 0) {
    std::fputs("EAL does not start\n", stderr);
    return 1;
  }
  return RUN_ALL_TESTS();
}
