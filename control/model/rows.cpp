// Rows in shared chunks. See rows.h.
#include "control/model/rows.h"

#include <algorithm>
#include <unordered_map>

namespace maclane::model {
namespace {

constexpr size_t kFewOfChunk = Rows::kMostOfChunk / 4;  // fewer join the chunk beside them

std::string_view part_of(const Row& row, const KeyPart& part) {
  std::string_view value = row.at(part.index);
  if (value.empty()) value = part.property->default_value;
  // An address is the same in whatever network it stands.
  const bool address =
      part.property->type == Type::kIp4Prefix && !part.property->has(Property::kNetwork);
  return address ? value.substr(0, value.find('/')) : value;
}

uint64_t mixed(uint64_t hash, std::string_view part) {
  hash ^= std::hash<std::string_view>{}(part);
  hash *= 0xFF51AFD7ED558CCDu;
  return hash ^ hash >> 32;
}

constexpr uint64_t kHashOfNothing = 0x9E3779B97F4A7C15u;

/// The chunk of the row with an id, and its place there. Ids mostly rise from row to row: the chunk
/// is looked for by halves. One that was moved, or was read from a file, may stand elsewhere: then
/// all are looked through.
template <typename Chunks>
std::optional<std::pair<size_t, size_t>> place_by_id(const Chunks& chunks, uint32_t id) {
  const auto within = [&](size_t chunk) -> std::optional<std::pair<size_t, size_t>> {
    const auto& ids = chunks[chunk]->ids;
    const auto found = std::find(ids.begin(), ids.end(), id);
    if (found == ids.end()) return std::nullopt;
    return std::pair(chunk, static_cast<size_t>(found - ids.begin()));
  };
  const auto behind =
      std::upper_bound(chunks.begin(), chunks.end(), id,
                       [](uint32_t one, const auto& chunk) { return one < chunk->ids.front(); });
  if (behind != chunks.begin())
    if (const auto place = within(static_cast<size_t>(behind - chunks.begin()) - 1)) return place;
  for (size_t chunk = 0; chunk < chunks.size(); ++chunk)
    if (const auto place = within(chunk)) return place;
  return std::nullopt;
}

}  // namespace

uint64_t name_hash(std::string_view name) {
  return mixed(kHashOfNothing, name);
}

uint64_t Rows::key_of(const Row& row) const {
  uint64_t hash = kHashOfNothing;
  for (const KeyPart& part : key_) hash = mixed(hash, part_of(row, part));
  return hash;
}

bool Rows::same_key(const Row& a, const Row& b) const {
  return !key_.empty() && std::all_of(key_.begin(), key_.end(), [&](const KeyPart& part) {
    return part_of(a, part) == part_of(b, part);
  });
}

Rows::Place Rows::find(size_t index) const {
  size_t chunk = 0;
  while (index >= chunks_[chunk]->rows.size()) index -= chunks_[chunk++]->rows.size();
  return {chunk, index};
}

const RowPtr& Rows::operator[](size_t index) const {
  const Place place = find(index);
  return chunks_[place.chunk]->rows[place.offset];
}

bool Rows::operator==(const Rows& other) const {
  if (this == &other || chunks_ == other.chunks_) return true;
  return size_ == other.size_ && std::equal(begin(), end(), other.begin());
}

std::optional<size_t> Rows::place_of(uint32_t id) const {
  const auto place = place_by_id(chunks_, id);
  if (!place) return std::nullopt;
  size_t before = 0;
  for (size_t chunk = 0; chunk < place->first; ++chunk) before += chunks_[chunk]->ids.size();
  return before + place->second;
}

RowPtr Rows::by_id(uint32_t id) const {
  const auto place = place_by_id(chunks_, id);
  return place ? chunks_[place->first]->rows[place->second] : nullptr;
}

Rows::Chunk& Rows::own(size_t chunk) {
  ChunkPtr& mine = chunks_[chunk];
  if (mine.use_count() > 1) mine = std::make_shared<Chunk>(*mine);
  return *mine;
}

void Rows::put(Chunk& chunk, size_t offset, RowPtr row) {
  const auto at = static_cast<std::ptrdiff_t>(offset);
  chunk.ids.insert(chunk.ids.begin() + at, row->id);
  if (!key_.empty()) chunk.keys.insert(chunk.keys.begin() + at, key_of(*row));
  chunk.rows.insert(chunk.rows.begin() + at, std::move(row));
}

void Rows::push_back(RowPtr row) {
  insert(size_, std::move(row));
}

void Rows::insert(size_t index, RowPtr row) {
  if (index == size_) {
    if (chunks_.empty() || chunks_.back()->rows.size() == kMostOfChunk) {
      chunks_.push_back(std::make_shared<Chunk>());
    }
    Chunk& last = own(chunks_.size() - 1);
    put(last, last.rows.size(), std::move(row));
  } else {
    Place place = find(index);
    if (chunks_[place.chunk]->rows.size() == kMostOfChunk) {
      const Chunk& whole = *chunks_[place.chunk];
      const auto half = static_cast<std::ptrdiff_t>(kMostOfChunk / 2);
      auto first = std::make_shared<Chunk>();
      auto second = std::make_shared<Chunk>();
      const auto split = [&](const auto& all, auto& front, auto& back) {
        if (all.empty()) return;
        front.assign(all.begin(), all.begin() + half);
        back.assign(all.begin() + half, all.end());
      };
      split(whole.rows, first->rows, second->rows);
      split(whole.ids, first->ids, second->ids);
      split(whole.keys, first->keys, second->keys);
      const auto here = chunks_.begin() + static_cast<std::ptrdiff_t>(place.chunk);
      *here = std::move(first);
      chunks_.insert(here + 1, std::move(second));
      place = find(index);
    }
    put(own(place.chunk), place.offset, std::move(row));
  }
  ++size_;
}

void Rows::replace(size_t index, RowPtr row) {
  const Place place = find(index);
  Chunk& chunk = own(place.chunk);
  chunk.ids[place.offset] = row->id;
  if (!key_.empty()) chunk.keys[place.offset] = key_of(*row);
  chunk.rows[place.offset] = std::move(row);
}

void Rows::erase(size_t index) {
  const Place place = find(index);
  Chunk& chunk = own(place.chunk);
  const auto at = static_cast<std::ptrdiff_t>(place.offset);
  chunk.rows.erase(chunk.rows.begin() + at);
  chunk.ids.erase(chunk.ids.begin() + at);
  if (!key_.empty()) chunk.keys.erase(chunk.keys.begin() + at);
  --size_;
  const auto drop = [&](size_t gone) {
    chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(gone));
  };
  if (chunk.rows.empty()) return drop(place.chunk);
  // What has become small joins its neighbour, so that chunks stay few.
  if (chunk.rows.size() > kFewOfChunk || place.chunk + 1 >= chunks_.size()) return;
  const ChunkPtr next = chunks_[place.chunk + 1];
  if (chunk.rows.size() + next->rows.size() > kMostOfChunk) return;
  chunk.rows.insert(chunk.rows.end(), next->rows.begin(), next->rows.end());
  chunk.ids.insert(chunk.ids.end(), next->ids.begin(), next->ids.end());
  chunk.keys.insert(chunk.keys.end(), next->keys.begin(), next->keys.end());
  drop(place.chunk + 1);
}

void Rows::move(size_t from, size_t before) {
  if (before == from || before == from + 1) return;
  RowPtr row = (*this)[from];
  erase(from);
  insert(before > from ? before - 1 : before, std::move(row));
}

void Rows::clear() {
  chunks_.clear();
  size_ = 0;
}

RowsDiff compare(const Rows& before, const Rows& after) {
  RowsDiff diff;
  // Chunks that both have at their ends hold nothing new.
  const auto& old_chunks = before.chunks_;
  const auto& new_chunks = after.chunks_;
  const size_t least = std::min(old_chunks.size(), new_chunks.size());
  size_t front = 0;
  while (front < least && old_chunks[front] == new_chunks[front]) ++front;
  size_t back = 0;
  while (back < least - front &&
         old_chunks[old_chunks.size() - 1 - back] == new_chunks[new_chunks.size() - 1 - back]) {
    ++back;
  }
  struct Old {
    RowPtr row;
    size_t place;
    bool seen = false;
  };
  std::unordered_map<uint32_t, Old> old_rows;
  size_t place = 0;
  for (size_t c = front; c < old_chunks.size() - back; ++c) {
    for (const RowPtr& row : old_chunks[c]->rows) old_rows.emplace(row->id, Old{row, place++});
  }
  size_t last = 0;
  for (size_t c = front; c < new_chunks.size() - back; ++c) {
    for (const RowPtr& row : new_chunks[c]->rows) {
      const auto found = old_rows.find(row->id);
      if (found == old_rows.end()) {
        diff.added.push_back(row);
        continue;
      }
      Old& old = found->second;
      old.seen = true;
      if (old.place < last) diff.moved = true;
      last = std::max(last, old.place);
      if (old.row != row) diff.changed.push_back({old.row, row});
    }
  }
  for (size_t c = front; c < old_chunks.size() - back; ++c) {
    for (const RowPtr& row : old_chunks[c]->rows) {
      if (!old_rows.find(row->id)->second.seen) diff.removed.push_back(row);
    }
  }
  return diff;
}

}  // namespace maclane::model
