// SQLite for Swift: SQLITE_TRANSIENT is a cast, and the extended codes are computed, which Swift cannot
// import.
#pragma once
#include <sqlite3.h>

// Whether the last failure was a second row with one primary key.
static inline int csqlite_is_taken(sqlite3 *database) {
  return sqlite3_extended_errcode(database) == SQLITE_CONSTRAINT_PRIMARYKEY;
}

static inline int csqlite_bind_text(sqlite3_stmt *statement, int place, const void *bytes, int count) {
  return sqlite3_bind_text(statement, place, bytes ? (const char *)bytes : "", count, SQLITE_TRANSIENT);
}
