// Short ways for tests to load YAML and look at what came of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "control/door/yaml.h"
#include "control/model/model.h"

namespace maclane::model {

inline std::string all_text(const Errors& errors) {
  std::string out;
  for (const Error& error : errors) out += error.text() + "\n";
  return out;
}

inline Tree load(const std::string& yaml) {
  auto loaded = door::load_yaml_text(yaml, "t.yaml");
  if (!loaded) {
    ADD_FAILURE() << all_text(loaded.error());
    return Tree();
  }
  return std::move(loaded->tree);
}

/// One line for each error of a file that is right in itself.
inline std::string problems(const std::string& yaml) {
  return all_text(validate(load(yaml)));
}

/// Two ethernets and what a test adds under "interface:", at two spaces.
inline std::string with_ethers(const std::string& more) {
  return "interface:\n"
         "  ethernet:\n"
         "  - {name: ether1, device: net_tap0}\n"
         "  - {name: ether2, device: net_tap1, mtu: 1600, mac-address: 02:00:00:00:00:02}\n" +
         more;
}

}  // namespace maclane::model
