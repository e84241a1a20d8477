// The rows of one menu in their order: a value that is cheap to copy and cheap to compare with what
// it was copied from.
//
// Rows stand in chunks which copies share until one of them is edited, so that an edit beside
// 100,000 rows copies one chunk, and two versions of a menu are compared chunk by chunk. Beside its
// rows a chunk holds their ids and the hashes of their keys: a row is found by scanning those.
// A row's key is its name, or what Menu::key lists. Control thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "control/model/schema.h"

namespace maclane::model {

struct Row {
  uint32_t id = 0;  // shown as "*" and upper-case hex; unique in its menu, never reused
  std::vector<std::string> values;  // by property index
  std::vector<Source> sources;      // by property index; empty if no value came from a file
  Source source;                    // of the row itself

  [[nodiscard]] std::string_view at(int index) const {
    return index < 0 ? std::string_view{} : std::string_view{values[static_cast<size_t>(index)]};
  }
};
using RowPtr = std::shared_ptr<const Row>;

struct RowsDiff;

class Rows {
 public:
  static constexpr size_t kMostOfChunk = 256;

  class Iterator;
  using const_iterator = Iterator;
  using value_type = RowPtr;

  Rows() = default;
  /// key: what makes up the key of this menu's rows (key_of in schema.h).
  explicit Rows(std::span<const KeyPart> key) : key_(key) {}

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const RowPtr& operator[](size_t index) const;
  [[nodiscard]] const RowPtr& front() const { return chunks_.front()->rows.front(); }
  [[nodiscard]] const RowPtr& back() const { return chunks_.back()->rows.back(); }
  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] Iterator end() const;
  /// Whether they are the very same rows in the same order.
  [[nodiscard]] bool operator==(const Rows& other) const;

  /// The place of the row with an id; nullopt if there is none.
  [[nodiscard]] std::optional<size_t> place_of(uint32_t id) const;
  [[nodiscard]] RowPtr by_id(uint32_t id) const;
  /// Calls fn(const RowPtr&) for each row whose key has this hash, in order; fn compares the
  /// values.
  template <typename Fn>
  void with_key(uint64_t hash, Fn&& fn) const {
    for (const auto& chunk : chunks_) {
      for (size_t i = 0; i < chunk->keys.size(); ++i) {
        if (chunk->keys[i] == hash) fn(chunk->rows[i]);
      }
    }
  }
  /// The same for many hashes, in one walk over the rows.
  template <typename Fn>
  void with_keys(const std::unordered_set<uint64_t>& hashes, Fn&& fn) const {
    if (hashes.size() <= 1) {
      for (const uint64_t hash : hashes) with_key(hash, fn);
      return;
    }
    for (const auto& chunk : chunks_) {
      for (size_t i = 0; i < chunk->keys.size(); ++i) {
        if (hashes.contains(chunk->keys[i])) fn(chunk->rows[i]);
      }
    }
  }
  /// The hash of a row's key.
  [[nodiscard]] uint64_t key_of(const Row& row) const;
  /// Whether two rows have the same key; no two have if rows of this menu have none.
  [[nodiscard]] bool same_key(const Row& a, const Row& b) const;

  void push_back(RowPtr row);
  /// To stand at this place, those from there on behind it.
  void insert(size_t place, RowPtr row);
  void replace(size_t place, RowPtr row);
  void erase(size_t place);
  /// The row at `from` stands before the one that was at `before`; size() is the end.
  void move(size_t from, size_t before);
  void clear();
  template <typename Predicate>
  void erase_if(Predicate&& predicate) {
    for (size_t i = size_; i-- > 0;) {
      if (predicate((*this)[i])) erase(i);
    }
  }

 private:
  friend RowsDiff compare(const Rows& before, const Rows& after);
  struct Chunk {
    std::vector<RowPtr> rows;
    std::vector<uint32_t> ids;
    std::vector<uint64_t> keys;  // empty where rows have no keys
  };
  using ChunkPtr = std::shared_ptr<Chunk>;
  struct Place {
    size_t chunk, offset;
  };
  [[nodiscard]] Place find(size_t index) const;
  /// A chunk for editing: copied if it is shared.
  Chunk& own(size_t chunk);
  void put(Chunk& chunk, size_t offset, RowPtr row);

  std::vector<ChunkPtr> chunks_;
  size_t size_ = 0;
  std::span<const KeyPart> key_;
};

class Rows::Iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = RowPtr;
  using difference_type = std::ptrdiff_t;
  using pointer = const RowPtr*;
  using reference = const RowPtr&;

  Iterator() = default;
  reference operator*() const { return (*chunk_)->rows[offset_]; }
  pointer operator->() const { return &**this; }
  Iterator& operator++() {
    if (++offset_ == (*chunk_)->rows.size()) {
      ++chunk_;
      offset_ = 0;
    }
    return *this;
  }
  Iterator operator++(int) {
    Iterator old = *this;
    ++*this;
    return old;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) {
    return a.chunk_ == b.chunk_ && a.offset_ == b.offset_;
  }

 private:
  friend class Rows;
  Iterator(const ChunkPtr* chunk, size_t offset) : chunk_(chunk), offset_(offset) {}
  const ChunkPtr* chunk_ = nullptr;
  size_t offset_ = 0;
};

inline Rows::Iterator Rows::begin() const {
  return {chunks_.data(), 0};
}
inline Rows::Iterator Rows::end() const {
  return {chunks_.data() + chunks_.size(), 0};
}

/// What became of rows from one version of a menu to the next.
struct RowsDiff {
  struct Changed {
    RowPtr before, after;
  };
  std::vector<RowPtr> added;  // in their order
  std::vector<RowPtr> removed;
  std::vector<Changed> changed;
  bool moved = false;  // those that are in both stand in another order

  [[nodiscard]] bool empty() const {
    return added.empty() && removed.empty() && changed.empty() && !moved;
  }
};
[[nodiscard]] RowsDiff compare(const Rows& before, const Rows& after);

/// The hash of a key that is a name.
[[nodiscard]] uint64_t name_hash(std::string_view name);

}  // namespace maclane::model
