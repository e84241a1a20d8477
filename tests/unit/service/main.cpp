// The services work on mbufs, so these tests need an EAL: without privilege, huge pages or devices.
#include <gtest/gtest.h>
#include <rte_eal.h>

#include <array>
#include <cstdio>

#include "control/observe/log.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::array eal{"service_test", "--no-huge", "--no-shconf",      "-m",
                 "64",           "--no-pci",  "--no-telemetry",   "--iova-mode=va",
                 "-l",           "0",         "--log-level=error"};
  std::array<char*, eal.size()> args{};
  for (size_t i = 0; i < eal.size(); ++i) args[i] = const_cast<char*>(eal[i]);
  if (rte_eal_init(static_cast<int>(args.size()), args.data()) < 0) {
    std::fputs("EAL does not start\n", stderr);
    return 1;
  }
  maclane::log::set_stderr(false);
  return RUN_ALL_TESTS();
}
