// Rows as commands. See export.h.
#include "control/script/export.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <numeric>
#include <set>
#include <unordered_set>

#include "control/door/yaml.h"
#include "control/model/chains.h"
#include "control/model/value.h"
#include "control/script/export_order.h"
#include "control/script/export_ports.h"
#include "control/script/export_values.h"

namespace maclane::script {
namespace {

using model::Answer;
using model::Call;
using model::Caller;
using model::Menu;
using model::Outcome;
using model::Property;
using model::RowPtr;
using model::View;

constexpr size_t kWidth = 80;
constexpr std::string_view kPorts = "/interface/ethernet";

/// What is said of a row by property, in the order of their names, as RouterOS has them:
/// "name=value", "!name" where a value was taken away, "fib".
using Pairs = std::map<std::string, std::string>;

std::string value_text(const Property& property, std::string_view value) {
  if (property.type == model::Type::kBool) return value == "true" ? "yes" : "no";
  const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.,:/!@%*+").find(c) != std::string_view::npos;
  });
  return plain ? std::string(value) : quoted(value);
}

bool takes_away(const Pairs::value_type& pair) {
  return pair.second.starts_with('!');
}

Pairs pairs_of(const View& row, const model::InitialRow* initial, const ExportOptions& options) {
  Pairs out;
  for (const auto& [property, value] : said_of(row, initial, options)) {
    const bool alone = property->has(Property::kWritten) && property->type == model::Type::kBool &&
                       value == "true";
    out.emplace(property->name,
                value.empty() ? fmt::format("!{}", property->name)
                : alone       ? std::string(property->name)
                              : fmt::format("{}={}", property->name, value_text(*property, value)));
  }
  return out;
}

/// A command in lines of at most kWidth, where it can be broken.
std::string wrapped(const std::vector<std::string>& words, bool wrap) {
  std::string out;
  size_t used = 0;
  for (const std::string& word : words) {
    if (wrap && used != 0 && used + 1 + word.size() + 2 > kWidth) {
      out += " \\\n    ";
      used = 4;
    } else if (!out.empty()) {
      out += ' ';
      ++used;
    }
    out += word;
    used += word.size();
  }
  return out + '\n';
}

void add_words(std::vector<std::string>& words, const Pairs& pairs) {
  for (const auto& [name, word] : pairs) words.push_back(word);
}

/// How a row of the beginning is found again.
std::string finder(const Menu& menu, const model::InitialRow& initial) {
  std::string out = "[ find";
  const int name = model::name_index(menu);
  for (const auto& one : initial.values) {
    const Property* property = menu.find(one.property);
    const bool tells = name >= 0 ? menu.index(one.property) == name
                                 : std::any_of(menu.key.begin(), menu.key.end(),
                                               [&](auto key) { return key == one.property; });
    if (tells && property != nullptr) {
      out += fmt::format(" {}={}", one.property, value_text(*property, one.value));
    }
  }
  return out + " ]";
}

class Writer {
 public:
  Writer(const model::Tree& tree, std::string_view path, const ExportOptions& options)
      : tree_(tree), options_(options) {
    const std::string below = path == "/" ? "/" : std::string(path) + "/";
    for (const Menu& menu : model::menus()) {
      if (menu.path == path || menu.path.starts_with(below)) menus_.insert(menu.path);
    }
    for (const Menu& menu : model::menus()) {
      if (menus_.contains(menu.path)) write(menu);
    }
    write_rest();
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  /// A menu, but for rows that need one of a menu that is written later: `write_rest` writes those.
  void write(const Menu& menu) {
    commands_.clear();
    if (menu.kind == Menu::Kind::kSettings) {
      if (!options_.left_out) settings(menu);
    } else if (menu.has_rows()) {
      Part part(menu, tree_);
      if (!options_.left_out) removed(part);
      for (const RowPtr& row : part.rows) {
        if (model::initial_row(menu, *row) != nullptr) made(menu, *row);
      }
      rows(part);
      if (!part.left.empty()) rest_.push_back(std::move(part));
    }
    flush(menu);
  }

  /// Round after round, as long as one makes what another waits for.
  void write_rest() {
    while (!rest_.empty()) {
      const size_t before = waiting();
      for (Part& part : rest_) {
        commands_.clear();
        rows(part);
        flush(*part.menu);
      }
      std::erase_if(rest_, [](const Part& part) { return part.left.empty(); });
      forced_ = waiting() == before;  // a circle: the rows are written as they stand
    }
  }

  /// The rows of a menu: which places are there, and which are still to be written, in order.
  struct Part {
    Part(const Menu& of, const model::Tree& tree) : menu(&of) {
      for (const RowPtr& row : tree.rows(of)) rows.push_back(row);
      for (size_t i = 0; i < rows.size(); ++i) {
        if (model::initial_row(of, *rows[i]) != nullptr) written.insert(i);
      }
      left = order_of(of, rows);
    }
    const Menu* menu;
    std::vector<RowPtr> rows;
    std::set<size_t> written;
    std::vector<size_t> left;
  };

  [[nodiscard]] size_t waiting() const {
    return std::accumulate(rest_.begin(), rest_.end(), size_t{0},
                           [](size_t sum, const Part& part) { return sum + part.left.size(); });
  }

  void flush(const Menu& menu) {
    if (commands_.empty()) return;
    std::string path(menu.path.substr(1));
    std::replace(path.begin(), path.end(), '/', ' ');
    if (!options_.terse) out_ += "/" + path + "\n";
    for (std::vector<std::string>& words : commands_) {
      if (options_.terse && !words.front().starts_with(':'))
        words.front() = fmt::format("/{} {}", path, words.front());
      out_ += wrapped(words, !options_.terse);
    }
  }

  void settings(const Menu& menu) {
    const Pairs pairs = pairs_of(tree_.settings(menu.path), nullptr, options_);
    if (pairs.empty()) return;
    commands_.push_back({"set"});
    add_words(commands_.back(), pairs);
  }

  void made(const Menu& menu, const model::Row& row) {
    if (const int name = model::name_index(menu); name >= 0) {
      const Property& property = menu.properties[static_cast<size_t>(name)];
      made_[std::string(menu.path)].emplace(View(menu, row).get(property.name));
    }
  }

  /// Whether a reference finds its row in what is written so far, or never will.
  [[nodiscard]] bool found(const Property& property, const std::string& name) const {
    bool elsewhere = false;
    for (const std::string_view path : property.reference) {
      const auto names = made_.find(std::string(path));
      if (names != made_.end() && names->second.contains(name)) return true;
      const Menu* menu = model::find_menu(path);
      elsewhere = elsewhere || (menu != nullptr && menus_.contains(menu->path) &&
                                tree_.find(*menu, name) != nullptr);
    }
    return !elsewhere;
  }

  [[nodiscard]] bool ready(const View& row) const {
    for (const Property& property : row.menu().properties) {
      if (property.type != model::Type::kReference) continue;
      for (std::string_view part : model::split_list(row.raw(property.name))) {
        if (part.starts_with('!')) part.remove_prefix(1);
        if (!part.empty() && !found(property, std::string(part))) return false;
      }
    }
    return true;
  }

  /// The commands of what is left of a menu and finds what it needs.
  void rows(Part& part) {
    const Menu& menu = *part.menu;
    if (menu.path == kPorts) return ports(part);
    const bool ordered = menu.kind == Menu::Kind::kOrdered;
    std::vector<size_t> left;
    for (const size_t i : part.left) {
      const View row(menu, *part.rows[i]);
      if (!forced_ && !ready(row)) {
        left.push_back(i);
        continue;
      }
      if (options_.left_out && options_.left_out(menu, *part.rows[i])) continue;
      const model::InitialRow* initial = model::initial_row(menu, *part.rows[i]);
      Pairs pairs = pairs_of(row, initial, options_);
      if (initial != nullptr) {
        if (pairs.empty()) continue;
        commands_.push_back({"set", finder(menu, *initial)});
        add_words(commands_.back(), pairs);
        continue;
      }
      std::erase_if(pairs, takes_away);
      commands_.push_back({"add"});
      add_words(commands_.back(), pairs);
      const auto after = part.written.upper_bound(i);
      if (ordered && after != part.written.end()) {
        // Once a rule FastTracks, rows that show its counters stand first.
        const size_t leading = fast_tracks_ ? model::fast_track_chains(menu.path).size() : 0;
        const size_t number =
            static_cast<size_t>(std::distance(part.written.begin(), after)) + leading;
        commands_.back().push_back(fmt::format("place-before={}", number));
      }
      fast_tracks_ =
          fast_tracks_ || (row.get("action") == "fasttrack-connection" && !row.disabled());
      part.written.insert(i);
      made(menu, *part.rows[i]);
    }
    part.left = std::move(left);
  }

  /// All are there before the first is set: names go from one to another.
  void ports(Part& part) {
    const Menu& menu = *part.menu;
    const std::vector<PortNames> names = port_names(tree_, options_.base);
    std::vector<size_t> left;
    std::swap(left, part.left);
    if (options_.left_out)
      std::erase_if(left, [&](size_t i) { return options_.left_out(menu, *part.rows[i]); });
    for (const size_t i : left) {
      commands_.push_back({fmt::format(
          ":if ([:len [/interface ethernet find default-name={0}]] = 0) do={{/interface ethernet "
          "add device={1} name={2}}}",
          model::default_name(i),
          value_text(*menu.find("device"), View(menu, *part.rows[i]).raw("device")),
          value_text(*menu.find("name"), names[i].added))});
      made(menu, *part.rows[i]);
    }
    for (const size_t i : left) {
      const View row(menu, *part.rows[i]);
      for (const auto& [other, name] : names[i].asides)
        if (!options_.left_out)
          commands_.push_back({"set", found_port(other), fmt::format("name={}", name)});
      Pairs pairs = pairs_of(row, nullptr, options_);
      std::erase_if(pairs, takes_away);
      pairs.erase("device");
      if (!names[i].is_set && !options_.verbose) pairs.erase("name");
      if (pairs.empty()) continue;
      commands_.push_back({"set", found_port(i)});
      add_words(commands_.back(), pairs);
    }
  }

  static std::string found_port(size_t place) {
    return fmt::format("[ find default-name={} ]", model::default_name(place));
  }

  /// Rows of the beginning that are gone.
  void removed(const Part& part) {
    for (const model::InitialRow& initial : part.menu->initial) {
      const auto is = [&](auto& row) { return model::initial_row(*part.menu, *row) == &initial; };
      const bool there = std::any_of(part.rows.begin(), part.rows.end(), is);
      if (!there) commands_.push_back({"remove", finder(*part.menu, initial)});
    }
  }

  const model::Tree& tree_;
  const ExportOptions& options_;
  std::set<std::string_view> menus_;                   // what is exported
  std::map<std::string, std::set<std::string>> made_;  // names by menu
  bool fast_tracks_ = false;                           // a rule that does is written
  std::vector<Part> rest_;
  bool forced_ = false;
  std::vector<std::vector<std::string>> commands_;  // words
  std::string out_;
};

}  // namespace

std::string export_text(const model::Tree& tree, std::string_view path,
                        const ExportOptions& options) {
  return Writer(tree, path, options).take();
}

void serve_export(model::Commands& commands, const Runner::FileAccess& files) {
  const auto carry_out = [&commands, &files](const Call& call,
                                             const Caller& caller) -> Answer<Outcome> {
    if (call.has("file")) {
      if (auto may = model::may_write_files("export file=", caller); !may)
        return tl::make_unexpected(std::move(may.error()));
    }
    ExportOptions options;
    options.base = &commands.model().base().tree;
    options.verbose = call.is_on("verbose");
    options.terse = call.is_on("terse");
    options.sensitive = call.is_on("show-sensitive") && !call.is_on("hide-sensitive") &&
                        caller.may(model::Policy::kSensitive);
    std::unordered_set<std::string> chosen;
    if (call.filter) {
      Call print = call;
      print.command = "print";
      print.arguments.clear();
      auto shown = commands.run(print, caller);  // as the caller may see them
      if (!shown) return tl::make_unexpected(std::move(shown.error()));
      for (const model::PrintRow& row : shown->rows) chosen.insert(row.id);
      options.left_out = [chosen = std::move(chosen), chosen_of = call.menu](
                             const Menu& menu, const model::Row& row) {
        return &menu != chosen_of || !chosen.contains(model::row_id(row.id));
      };
    }
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    Outcome out;
    if (call.is_on("yaml")) {
      out.text = door::to_yaml(commands.model().tree());
    } else {
      out.text = fmt::format("# {:%Y-%m-%d %H:%M:%S} by Maclane " MACLANE_VERSION "\n", local) +
                 export_text(commands.model().tree(), call.menu->path, options);
      out.json = [tree = commands.model().tree(), path = call.menu->path, options] {
        return export_json(tree, path, options);
      };
    }
    const std::string_view file = call.get("file");
    if (file.empty()) return out;
    if (!files.write) return model::refuse(Trouble::kGeneral, "there are no files here");
    std::string name(file);
    const std::string_view ending = call.is_on("yaml") ? ".yaml" : ".rsc";
    if (!name.ends_with(ending)) name += ending;
    if (Status status = files.write(name, out.text); !status) {
      return model::refuse(std::move(status.error()));
    }
    out.text.clear();
    out.json = {};
    return out;
  };
  for (const Menu& menu : model::menus()) {
    if (model::find_command(menu, "export") != nullptr) {
      commands.on(menu.path, "export", carry_out);
    }
  }
}

}  // namespace maclane::script
