// /file: the router's own files, in the folder `files` of the state folder (exports, scripts,
// backups, certificates).
//
// Names are relative paths. Nothing outside the folder is ever reached: each part is opened by
// itself and without following links, "..", "." and control letters are refused. One file is at
// most kMaxFile, all together kMaxFolder in kMaxFiles; names are at most 255 bytes, folders
// kMaxDepth deep. Writing is atomic: a crash leaves the old file or the new one. Control thread
// only.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/commands.h"

namespace maclane {

class Files {
 public:
  static constexpr size_t kMaxFile = size_t{32} << 20;
  static constexpr size_t kMaxFolder = size_t{256} << 20;
  static constexpr size_t kMaxFiles = 4096;
  static constexpr size_t kMaxDepth = 8;
  static constexpr size_t kMaxShown = 60U << 10;  // contents in a print

  /// The folder is made when something is written.
  explicit Files(std::string folder);
  ~Files();
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  struct Entry {
    std::string name;
    bool directory = false;
    uint64_t size = 0;
    std::time_t modified = 0;
    uint64_t id = 0;
  };
  [[nodiscard]] std::vector<Entry> list() const;
  [[nodiscard]] Result<std::string> read(std::string_view name, size_t most = kMaxFile) const;
  Status write(std::string_view name, std::string_view bytes);
  Status make_folder(std::string_view name);
  Status remove(std::string_view name);
  Status rename(std::string_view from, std::string_view to);

  /// /file's rows and commands.
  void serve(model::Commands& commands);

 private:
  struct Place;  // the folder a name is in, open, and its last part
  [[nodiscard]] Result<Place> place(std::string_view name) const;
  [[nodiscard]] Result<std::vector<std::string>> parts_of(std::string_view name) const;
  void list_into(int folder, const std::string& prefix, size_t depth,
                 std::vector<Entry>& out) const;
  [[nodiscard]] int root() const;  // a new descriptor, or -1
  [[nodiscard]] Result<std::vector<std::string>> names_of(const model::Call& call) const;
  [[nodiscard]] std::vector<model::PrintRow> rows() const;

  std::string folder_;
};

}  // namespace maclane
