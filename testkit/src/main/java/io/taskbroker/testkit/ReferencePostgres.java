package io.taskbroker.testkit;

/// Table of a Postgres database of the reference, as its last migration left it (reference-spec
/// 4.2).
public final class ReferencePostgres {
  /// Statements that create it, one by one.
  private static final String[] SQL = {
    """
    CREATE TABLE inflight_taskactivations (
      id TEXT NOT NULL PRIMARY KEY,
      activation BYTEA NOT NULL,
      partition INTEGER NOT NULL,
      kafka_offset BIGINT NOT NULL,
      added_at TIMESTAMPTZ NOT NULL,
      received_at TIMESTAMPTZ NOT NULL,
      processing_attempts INTEGER NOT NULL,
      expires_at TIMESTAMPTZ,
      delay_until TIMESTAMPTZ,
      processing_deadline_duration INTEGER NOT NULL,
      processing_deadline TIMESTAMPTZ,
      status TEXT NOT NULL,
      at_most_once BOOLEAN NOT NULL DEFAULT FALSE,
      application TEXT NOT NULL,
      namespace TEXT NOT NULL,
      taskname TEXT NOT NULL,
      on_attempts_exceeded INTEGER NOT NULL DEFAULT 1,
      bucket SMALLINT NOT NULL DEFAULT 0,
      claim_expires_at TIMESTAMPTZ,
      topic TEXT NOT NULL DEFAULT ''
    )
    """,
    "CREATE INDEX idx_activation_partition ON inflight_taskactivations (partition)",
    "CREATE INDEX idx_activation_claim ON inflight_taskactivations (status, bucket)",
    "CREATE INDEX idx_topic_partition ON inflight_taskactivations (topic, partition)",
    "CREATE INDEX idx_added_at ON inflight_taskactivations (added_at)",
    "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL)",
    "INSERT INTO _sqlx_migrations VALUES (1, 'create_inflight_activations')"
  };

  private ReferencePostgres() {}

  /// Statements that create the table, its indices and the reference's migration record.
  public static String[] statements() {
    return SQL.clone();
  }
}
