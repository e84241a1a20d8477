// What the parts of validation share. Included by validate*.cpp only.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/model/tree.h"

namespace maclane::model {

constexpr size_t kMostErrors = 1000;  // a report longer than this helps nobody

/// One validation: the tree, facts worth finding out once, and the errors so far.
struct Check {
  const Tree& tree;
  const Tree* before = nullptr;
  std::vector<InterfaceFacts> interfaces;
  std::unordered_map<std::string_view, const InterfaceFacts*> by_name;
  Errors errors;

  void add(const View& row, std::string_view property, std::string message,
           Trouble trouble = Trouble::kGeneral) {
    if (errors.size() >= kMostErrors) return;
    errors.push_back(row.error(property, std::move(message)));
    errors.back().trouble = trouble;
  }
  [[nodiscard]] const InterfaceFacts* interface(std::string_view name) const {
    auto it = by_name.find(name);
    return it == by_name.end() ? nullptr : it->second;
  }
};

/// `at soho.yaml:12` or `in /interface/vlan`: where the other of two rows stands.
[[nodiscard]] std::string where(const View& other);

/// What is wrong with a MAC as an interface's or neighbour's own; "" if nothing (A-56, F-15).
[[nodiscard]] std::string mac_mistake(std::string_view canonical);

void validate_interfaces(Check& check);
void validate_ip(Check& check);
void validate_firewall(Check& check);

}  // namespace maclane::model
