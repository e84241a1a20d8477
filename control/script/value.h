// A value of RouterOS's language.
//
// Values are cheap to copy: texts and arrays are shared and changed only by who holds them alone.
// An array keeps the elements without a key in their order, and after them those with a key in the
// order of the keys, as RouterOS does. Bounded: a text by kMaxText, an array by kMaxElements and
// kMaxNesting; whoever would go beyond gets no value and the sentence why. Control thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "control/script/budget.h"

namespace maclane::script {

inline constexpr size_t kMaxText = size_t{4} << 20;
inline constexpr size_t kMaxElements = 100'000;
inline constexpr uint32_t kMaxNesting = 64;
inline constexpr int64_t kSecond = 1'000'000'000;  // times are in nanoseconds

struct Block;
class Value;

struct Prefix {
  uint32_t address = 0;  // host order, host bits as written
  uint8_t length = 0;
  friend bool operator==(const Prefix&, const Prefix&) = default;
};

/// Commands that can be called.
struct Function {
  enum class Kind : uint8_t {
    kFunction,  // do={...}; its type is "array", as in RouterOS
    kCode,      // made by :parse
    kQuoted,    // (>[...]): sees the variables of who calls it; its type is "op"
  };
  std::shared_ptr<const Block> body;
  Kind kind = Kind::kFunction;
};

enum class Type : uint8_t {
  kNothing,  // a variable nobody gave a value
  kNil,      // a conversion that could not be done, a search that found nothing
  kBool,
  kNumber,
  kTime,
  kText,
  kIp,
  kPrefix,
  kIp6,
  kIp6Prefix,
  kId,
  kArray,
  kFunction,
};

struct Array;

class Value {
 public:
  Value() = default;

  [[nodiscard]] static Value nil();
  [[nodiscard]] static Value boolean(bool value);
  [[nodiscard]] static Value number(int64_t value);
  [[nodiscard]] static Value time(int64_t nanoseconds);
  [[nodiscard]] static Value text(std::string value);
  [[nodiscard]] static Value ip(uint32_t host_order);
  [[nodiscard]] static Value prefix(Prefix value);
  [[nodiscard]] static Value ip6(std::string text, bool prefix);
  [[nodiscard]] static Value id(std::string text);  // "*1A"
  [[nodiscard]] static Value array(Array value);
  [[nodiscard]] static Value function(Function value);
  /// An unquoted word as RouterOS types it: a number, a time, an address, yes and no, *ID; with
  /// commas an array of these; else a text.
  [[nodiscard]] static Value literal(std::string_view word);

  [[nodiscard]] Type type() const { return type_; }
  [[nodiscard]] bool is(Type type) const { return type_ == type; }
  [[nodiscard]] bool empty() const { return type_ == Type::kNothing || type_ == Type::kNil; }
  /// As :typeof says it.
  [[nodiscard]] std::string_view type_name() const;
  /// As messages say it: "string", "integer number", "time interval".
  [[nodiscard]] std::string_view spoken_type() const;

  [[nodiscard]] bool as_bool() const { return std::get<int64_t>(data_) != 0; }
  [[nodiscard]] int64_t as_number() const { return std::get<int64_t>(data_); }
  [[nodiscard]] int64_t as_time() const { return std::get<int64_t>(data_); }
  [[nodiscard]] uint32_t as_ip() const { return static_cast<uint32_t>(std::get<int64_t>(data_)); }
  [[nodiscard]] const Prefix& as_prefix() const { return std::get<Prefix>(data_); }
  /// Of a text, an IPv6 address or prefix, an ID.
  [[nodiscard]] const std::string& as_text() const;
  [[nodiscard]] const Array& as_array() const;
  [[nodiscard]] const Function& as_function() const { return std::get<Function>(data_); }
  /// Sets the element of a key. What is wrong, as a sentence, if that cannot be.
  [[nodiscard]] std::optional<std::string> put(const Value& key, Value element);

  /// As :tostr and :put write it; arrays with semicolons.
  [[nodiscard]] std::string to_text() const;
  /// As the value of a property: arrays with commas.
  [[nodiscard]] std::string to_argument() const;
  /// As :environment print and code write it: texts quoted, arrays in braces.
  [[nodiscard]] std::string to_code() const;

  /// How deep arrays stand in this value: 0 for one that is none.
  [[nodiscard]] uint32_t nesting() const;

 private:
  struct TextRep;
  struct ArrayRep;
  using Data = std::variant<int64_t, Prefix, std::shared_ptr<const TextRep>,
                            std::shared_ptr<ArrayRep>, Function>;
  Value(Type type, Data data) : type_(type), data_(std::move(data)) {}

  Type type_ = Type::kNothing;
  Data data_ = int64_t{0};
};

struct Array {
  std::vector<Value> list;
  std::map<std::string, Value, std::less<>> keyed;

  [[nodiscard]] size_t size() const { return list.size() + keyed.size(); }
  [[nodiscard]] bool empty() const { return list.empty() && keyed.empty(); }
  /// The element at a place, those with keys last; nullptr beyond the end.
  [[nodiscard]] const Value* at(size_t index) const;
  /// The element of a key: a number counts places, anything else is a name.
  [[nodiscard]] const Value* find(const Value& key) const;
};

// Typed readings of text, as :tonum and its like do them.
[[nodiscard]] std::optional<int64_t> read_number(std::string_view text);
/// "1h30m", "10:00", "1d00:00:01.5", "200ms": nanoseconds.
[[nodiscard]] std::optional<int64_t> read_time(std::string_view text);
/// "01:30:00", "1d00:00:00", "00:00:00.200".
[[nodiscard]] std::string write_time(int64_t nanoseconds);
/// "10.0.0.1", or with the places in between left out, as inet_aton has it: "10.1".
[[nodiscard]] std::optional<uint32_t> read_ip(std::string_view text);
[[nodiscard]] bool is_ip6(std::string_view text);
[[nodiscard]] bool is_ip6_prefix(std::string_view text);
[[nodiscard]] bool is_id(std::string_view text);
/// A text in quotes with what needs it escaped.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace maclane::script
