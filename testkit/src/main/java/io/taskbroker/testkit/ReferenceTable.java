package io.taskbroker.testkit;

/// Table of a SQLite file of the reference, as its last migration left it (reference-spec 4.2).
public final class ReferenceTable {
  public static final String SQL =
      """
      CREATE TABLE inflight_taskactivations (
        id TEXT NOT NULL PRIMARY KEY,
        activation BLOB NOT NULL,
        partition INTEGER NOT NULL,
        offset INTEGER NOT NULL,
        added_at INTEGER NOT NULL,
        processing_attempts INTEGER NOT NULL,
        expires_at INTEGER,
        processing_deadline_duration INTEGER NOT NULL,
        processing_deadline INTEGER,
        status TEXT NOT NULL,
        at_most_once INTEGER NOT NULL DEFAULT 0,
        namespace TEXT,
        delay_until INTEGER,
        on_attempts_exceeded INTEGER NOT NULL DEFAULT 1,
        received_at INTEGER NOT NULL DEFAULT 0,
        taskname TEXT NOT NULL DEFAULT '',
        application TEXT NOT NULL DEFAULT '',
        bucket INTEGER NOT NULL DEFAULT 0,
        claim_expires_at INTEGER
      ) STRICT
      """;

  private ReferenceTable() {}
}
