// SQLite as the store needs it: a database and statements that close themselves, errors as
// sentences. https://www.sqlite.org/c3ref/intro.html. One thread at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "control/model/result.h"

namespace maclane::model::sqlite {

class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}

  /// Parameters count from 1, columns from 0.
  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, int64_t number);
  Statement& bind_null(int parameter);

  enum class Step : uint8_t { kRow, kDone, kFailed };
  Step step();
  /// Ready to be carried out again.
  void reset();
  /// Carries out what gives no rows; ready again afterwards.
  bool run();

  [[nodiscard]] std::string_view text(int column) const;  // until the next step
  [[nodiscard]] int64_t integer(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

class Database {
 public:
  /// Opens the file, or makes it readable by its owner alone.
  [[nodiscard]] static Result<Database> open(const std::string& path);

  /// Carries out statements that give no rows.
  [[nodiscard]] Status run(const std::string& statements);
  /// A statement that is right by itself; a database that cannot prepare it is damaged.
  [[nodiscard]] Result<Statement> prepare(std::string_view statement);
  /// What went wrong last: "/var/lib/maclane/maclane.db: database disk image is malformed".
  [[nodiscard]] std::string reason() const;
  /// The first column of the only row of a statement.
  [[nodiscard]] Result<int64_t> number(std::string_view statement);

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace maclane::model::sqlite
