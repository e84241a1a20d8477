// Recursive descent over the text of a where expression. See where.h.
#include <cctype>
#include <optional>

#include "control/door/where.h"
#include "control/model/nearest.h"
#include "control/model/value.h"

namespace maclane::door {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
}

}  // namespace

class WhereParser {
 public:
  WhereParser(const model::Menu& menu, std::string_view text) : menu_(menu), text_(text) {}

  tl::expected<Where, WhereError> run() {
    if (text_.size() > Where::kMaxText) {
      return tl::make_unexpected(WhereError{
          "The expression is longer than 4096 letters; a shorter one is needed.", Where::kMaxText});
    }
    skip();
    if (at_end()) {
      where_.root_ = add({});
      return std::move(where_);
    }
    const auto root = parse_or();
    if (!failed_ && !at_end()) {
      error(at_, text_[at_] == ')' ? "There is no ( for this )."
                                   : "A property name was expected here, as in mode=private.");
    }
    if (failed_) return tl::make_unexpected(*failed_);
    where_.root_ = root;
    return std::move(where_);
  }

 private:
  using Node = Where::Node;
  using Kind = Where::Kind;

  bool at_end() const { return at_ >= text_.size(); }
  void skip() {
    while (!at_end() && is_space(text_[at_])) ++at_;
  }
  bool starts(std::string_view what) const { return text_.substr(at_, what.size()) == what; }
  bool keyword(std::string_view word) const {
    return starts(word) && (at_ + word.size() >= text_.size() || !is_value(at_ + word.size()));
  }
  bool is_value(size_t i) const {
    const char c = text_[i];
    return is_name(c) || c == '=' || c == '<' || c == '>' || c == '~' ||
           (c == '!' && i + 1 < text_.size() && text_[i + 1] == '=');
  }
  bool take(std::string_view symbol, std::string_view word) {
    if (!symbol.empty() && starts(symbol)) {
      at_ += symbol.size();
    } else if (keyword(word)) {
      at_ += word.size();
    } else {
      return false;
    }
    skip();
    return true;
  }
  size_t error(size_t position, std::string message) {
    if (!failed_) failed_ = WhereError{std::move(message), position};
    return 0;
  }
  size_t add(Node node) {
    where_.nodes_.push_back(std::move(node));
    return where_.nodes_.size() - 1;
  }
  size_t join(Kind kind, std::vector<size_t> parts) {
    if (parts.size() == 1) return parts.front();
    Node node;
    node.kind = kind;
    node.parts = std::move(parts);
    return add(std::move(node));
  }

  size_t parse_or() {
    std::vector<size_t> parts{parse_and()};
    while (!failed_ && take("||", "or")) parts.push_back(parse_and());
    return join(Kind::kOr, std::move(parts));
  }

  size_t parse_and() {
    std::vector<size_t> parts{parse_unary()};
    while (!failed_ && !at_end()) {
      if (take("&&", "and")) {
        parts.push_back(parse_unary());
        continue;
      }
      if (text_[at_] == ')' || starts("||") || keyword("or")) break;
      parts.push_back(parse_unary());
    }
    return join(Kind::kAnd, std::move(parts));
  }

  size_t parse_unary() {
    struct Deeper {
      explicit Deeper(int& d) : depth(d) { ++depth; }
      ~Deeper() { --depth; }
      int& depth;
    } deeper(depth_);
    if (depth_ > Where::kMaxDepth) {
      return error(at_, "The expression nests deeper than 64; fewer parentheses are needed.");
    }
    if (at_end()) return error(at_, "The expression ends where a term was expected.");
    if (take("!", "not")) {
      Node node;
      node.kind = Kind::kNot;
      node.parts = {parse_unary()};
      return add(std::move(node));
    }
    if (text_[at_] == '(') {
      const size_t open = at_++;
      skip();
      const size_t inner = parse_or();
      if (failed_) return 0;
      if (at_end() || text_[at_] != ')') return error(open, "There is no ) for this (.");
      ++at_;
      skip();
      return inner;
    }
    return parse_term();
  }

  size_t parse_term() {
    const size_t begin = at_;
    while (!at_end() && is_name(text_[at_])) ++at_;
    Node node;
    node.name = std::string(text_.substr(begin, at_ - begin));
    if (node.name.empty()) {
      return error(begin, "A property name was expected here, as in mode=private.");
    }
    if (!known(node, begin)) return 0;
    const size_t end_of_name = at_;
    skip();
    const bool spaced = at_ != end_of_name;
    const size_t op_at = at_;
    bool negate = false;
    bool tight = false;  // the value must follow at once
    if (starts("!=")) {
      node.kind = Kind::kEqual;
      negate = true;
      tight = !spaced;
      at_ += 2;
    } else if (starts("<=") || starts(">=")) {
      node.kind = text_[at_] == '<' ? Kind::kGreater : Kind::kLess;
      negate = true;
      at_ += 2;
    } else if (starts("<") || starts(">")) {
      node.kind = text_[at_] == '<' ? Kind::kLess : Kind::kGreater;
      ++at_;
    } else if (starts("=")) {
      node.kind = Kind::kEqual;
      tight = !spaced;
      at_ += starts("==") ? 2 : 1;
    } else if (starts("~")) {
      node.kind = Kind::kRegex;
      ++at_;
    } else if (spaced && keyword("in")) {
      node.kind = Kind::kIn;
      at_ += 2;
    } else {
      node.kind = Kind::kIsSet;
      return add(std::move(node));
    }
    if (!tight) skip();
    const size_t value_at = at_;
    if (!parse_value(node.value, op_at)) return 0;
    if (!prepare(node, value_at)) return 0;
    const bool ordered = node.kind == Kind::kLess || node.kind == Kind::kGreater;
    const std::string name = node.name;
    const model::Property* property = node.property;
    const size_t index = add(std::move(node));
    if (!negate) return index;
    Node inverse;
    inverse.kind = Kind::kNot;
    inverse.parts = {index};
    const size_t inverted = add(std::move(inverse));
    if (!ordered) return inverted;
    Node set;  // "not greater" holds for no value too, "less or equal" does not
    set.kind = Kind::kIsSet;
    set.name = name;
    set.property = property;
    set.value = "any";
    return join(Kind::kAnd, {add(std::move(set)), inverted});
  }

  bool known(Node& node, size_t position) {
    node.property = menu_.find(node.name);
    if (node.property != nullptr || node.name == ".id" || node.name == "dynamic") return true;
    std::vector<std::string_view> names;
    for (const auto& letter : menu_.letters) {
      if (letter.property == node.name) return true;
      names.push_back(letter.property);
    }
    for (const auto& property : menu_.properties) names.push_back(property.name);
    const std::string hint = model::did_you_mean(node.name, names);
    error(position, std::string(menu_.path) + " has no property \"" + node.name + "\"" +
                        (hint.empty() ? "." : hint));
    return false;
  }

  bool parse_value(std::string& out, size_t op_at) {
    if (!at_end() && text_[at_] == '"') {
      const size_t open = at_++;
      while (!at_end() && text_[at_] != '"') {
        const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        if (text_[at_] == '\\' && (next == '"' || next == '\\')) ++at_;
        out += text_[at_++];
      }
      if (at_end()) {
        error(open, "There is no closing quote for this one.");
        return false;
      }
      ++at_;
      skip();
      return true;
    }
    while (!at_end() && !is_space(text_[at_]) && text_[at_] != '(' && text_[at_] != ')' &&
           !starts("&&") && !starts("||")) {
      out += text_[at_++];
    }
    if (out.empty()) {
      error(op_at, "A value was expected after this; an empty one is written \"\".");
      return false;
    }
    skip();
    return true;
  }

  bool prepare(Node& node, size_t position) {
    node.canonical = node.value;
    if (node.kind == Kind::kRegex) return prepare_regex(node, position);
    if (node.kind == Kind::kIn) {
      const auto range = model::parse_ip4_set(node.value);
      if (!range) {
        error(position, "\"" + node.value +
                            "\" is not an address, a prefix (10.0.0.0/8) or a range "
                            "(10.0.0.1-10.0.0.9).");
        return false;
      }
      node.range = *range;
    } else if (node.property != nullptr) {
      if (auto canonical = model::normalize(*node.property, node.value)) {
        // "auto" for a MAC normalizes to unset: that is not what was asked for.
        if (!canonical->empty()) node.canonical = *canonical;
      } else if (node.property->type == model::Type::kEnum && node.kind == Where::Kind::kEqual &&
                 !node.property->has(model::Property::kList)) {
        // No row can have it: a slip of the pen, not a question.
        error(position, node.name + ": " + canonical.error());
        return false;
      }
    }
    return true;
  }

  bool prepare_regex(Node& node, size_t position) {
    if (node.value.size() > Where::kMaxRegex) {
      error(position, "The regular expression is longer than 256 letters.");
      return false;
    }
    try {
      auto syntax = std::regex::ECMAScript | std::regex::nosubs;
#ifdef __GLIBCXX__
      syntax |= std::regex_constants::__polynomial;  // no exponential backtracking
#endif
      node.regex = std::make_shared<const std::regex>(node.value, syntax);
    } catch (const std::regex_error& e) {
      error(position, "\"" + node.value + "\" is not a regular expression this router can run: " +
                          std::string(e.what()) + ".");
      return false;
    }
    return true;
  }

  const model::Menu& menu_;
  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  std::optional<WhereError> failed_;
  Where where_;
};

tl::expected<Where, WhereError> Where::parse(const model::Menu& menu, std::string_view text) {
  return WhereParser(menu, text).run();
}

}  // namespace maclane::door
