// SQLite's calls. See sqlite.h.
#include "control/model/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace maclane::model::sqlite {

Statement& Statement::bind(int parameter, std::string_view text) {
  // What is bound stays where it is until the statement is carried out. An empty text is no NULL.
  const char* data = text.data() == nullptr ? "" : text.data();
  sqlite3_bind_text(handle_.get(), parameter, data, static_cast<int>(text.size()), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind(int parameter, int64_t number) {
  sqlite3_bind_int64(handle_.get(), parameter, number);
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  sqlite3_bind_null(handle_.get(), parameter);
  return *this;
}

Statement::Step Statement::step() {
  const int result = sqlite3_step(handle_.get());
  if (result == SQLITE_ROW) return Step::kRow;
  return result == SQLITE_DONE ? Step::kDone : Step::kFailed;
}

void Statement::reset() {
  sqlite3_reset(handle_.get());
  sqlite3_clear_bindings(handle_.get());
}

bool Statement::run() {
  const bool done = step() == Step::kDone;
  reset();
  return done;
}

std::string_view Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  if (data == nullptr) return {};
  return {data, static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

Result<Database> Database::open(const std::string& path) {
  // SQLite gives its other files the mode of this one.
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  close(fd);
  Database database;
  database.path_ = path;
  sqlite3* handle = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database.handle_.reset(handle);
  if (result != SQLITE_OK) return fail(fmt::format("cannot open {}", database.reason()));
  return database;
}

Status Database::run(const std::string& statements) {
  if (sqlite3_exec(handle_.get(), statements.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) {
    return {};
  }
  return fail(reason());
}

Result<Statement> Database::prepare(std::string_view statement) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v3(handle_.get(), statement.data(), static_cast<int>(statement.size()),
                         SQLITE_PREPARE_PERSISTENT, &prepared, nullptr) != SQLITE_OK) {
    return fail(reason());
  }
  return Statement(prepared);
}

Result<int64_t> Database::number(std::string_view statement) {
  auto prepared = prepare(statement);
  if (!prepared) return tl::make_unexpected(std::move(prepared.error()));
  if (prepared->step() != Statement::Step::kRow) return fail(reason());
  return prepared->integer(0);
}

std::string Database::reason() const {
  return fmt::format("{}: {}", path_, sqlite3_errmsg(handle_.get()));
}

}  // namespace maclane::model::sqlite
