// The arguments of a call, brought into the form its command knows. See commands.h.
#include <fmt/format.h>

#include <algorithm>

#include "control/model/commands_parts.h"
#include "control/model/nearest.h"

namespace maclane::model {
namespace {

/// Whether rows of the menu, or of those it gathers, have a property of this name.
bool has_property(const Menu& menu, std::string_view name) {
  if (menu.index(name) >= 0) return true;
  return std::any_of(menu.gathers.begin(), menu.gathers.end(), [&](std::string_view path) {
    const Menu* other = find_menu(path);
    return other != nullptr && other->index(name) >= 0;
  });
}

/// The name a door's spelling stands for; "" if it is none of the command's.
std::string_view known_name(const Job& job, std::string_view written) {
  const Command& command = job.command;
  if (written == ".id" && command.find("numbers") != nullptr) return "numbers";
  // RouterOS's `/system/script/run number=`.
  if (written == "number" && command.find("number") == nullptr &&
      command.find("numbers") != nullptr && !has_property(job.menu, written)) {
    return "numbers";
  }
  if ((written == ".id" || written == "numbers") && command.find("from") != nullptr) return "from";
  if (written == ".proplist" && command.find("proplist") != nullptr) return "proplist";
  if (command.find(written) != nullptr) return written;
  if (!command.has(Command::kProperties)) return {};
  const std::string_view property = written.starts_with('!') ? written.substr(1) : written;
  return has_property(job.menu, property) ? written : std::string_view{};
}

Error unknown(const Job& job, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Property& argument : job.command.arguments) names.push_back(argument.name);
  if (job.command.has(Command::kProperties)) {
    for (const Property& property : job.menu.properties) {
      if (!property.has(Property::kReadOnly)) names.push_back(property.name);
    }
  }
  const std::string_view shown = name.substr(0, 64);
  std::string hint = did_you_mean(name, names);
  if (hint.empty() && job.command.name == "print" && job.menu.index(name) >= 0) {
    hint = "; rows are chosen with where";
  }
  return Error{fmt::format("unknown parameter {}{}", shown, hint),
               std::string(job.menu.path),
               {},
               std::string(shown),
               {},
               Trouble::kBadArgument};
}

/// RouterOS's `print dynamic`: a switch of the rows as an argument chooses those that have it;
/// `print active` of leases those that somebody has (D-20, D-36).
bool take_switch(Job& job, std::string_view name, std::string_view value) {
  if (job.command.name != "print") return false;
  const bool wanted = value != "no" && value != "false";
  const Property* property = job.menu.find(name);
  if (property == nullptr && name == "active" && job.menu.find("active-address") != nullptr) {
    job.call.filter = [before = std::move(job.call.filter), wanted](const PrintRow& row) {
      return (!before || before(row)) && !row.get("active-address").empty() == wanted;
    };
    return true;
  }
  if (property == nullptr || property->type != Type::kBool) return false;
  job.call.filter = [before = std::move(job.call.filter), name = property->name,
                     wanted](const PrintRow& row) {
    return (!before || before(row)) && (row.get(name) == "true") == wanted;
  };
  return true;
}

}  // namespace

Answer<void> normalize_arguments(Job& job) {
  std::vector<std::pair<std::string, std::string>> taken;
  Errors errors;
  for (auto& [written, value] : job.call.arguments) {
    std::string name(known_name(job, written));
    if (name.empty() && written.find('_') != std::string::npos) {  // E-5
      std::string hyphens = written;
      std::replace(hyphens.begin(), hyphens.end(), '_', '-');
      name = known_name(job, hyphens);
      if (!name.empty()) {
        job.warnings.push_back(fmt::format("\"{}\" is taken for \"{}\"", written, name));
      }
    }
    if (name.empty()) {
      if (!take_switch(job, written, value)) errors.push_back(unknown(job, written));
      continue;
    }
    const Property* argument = job.command.find(name);
    if (argument == nullptr) {  // a property of the row: the model reads it
      taken.emplace_back(std::move(name), std::move(value));
      continue;
    }
    if (argument->type == Type::kBool && value.empty()) value = "true";
    auto canonical = normalize(*argument, value);
    if (!canonical) {
      errors.push_back(Error{std::move(canonical.error()),
                             std::string(job.menu.path),
                             {},
                             name,
                             {},
                             Trouble::kBadArgument});
      continue;
    }
    // An empty `numbers` is a find that found nothing; an empty .id is a mistake.
    if (name == "numbers" && value.empty() && written == ".id") {
      errors.push_back(Error{"no such item: .id is empty; it is a row's *ID, name or number",
                             std::string(job.menu.path),
                             {},
                             ".id",
                             {},
                             Trouble::kMissing});
      continue;
    }
    taken.emplace_back(std::move(name), std::move(*canonical));
  }
  job.call.arguments = std::move(taken);
  for (const Property& argument : job.command.arguments) {
    const auto about = [&](const Error& error) { return error.property == argument.name; };
    if (job.call.has(argument.name) || std::any_of(errors.begin(), errors.end(), about)) continue;
    if (argument.has(Property::kRequired)) {
      errors.push_back(Error{fmt::format("missing ={}=: {}", argument.name, argument.help),
                             std::string(job.menu.path),
                             {},
                             std::string(argument.name),
                             {},
                             Trouble::kMissing});
    } else if (!argument.default_value.empty()) {
      job.call.arguments.emplace_back(argument.name, argument.default_value);
    }
  }
  if (!errors.empty()) return refuse(std::move(errors));
  return {};
}

}  // namespace maclane::model
