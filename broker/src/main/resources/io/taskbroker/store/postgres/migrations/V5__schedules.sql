-- Schedules, which all brokers share (docs/adr/0040). Each write changes `version` and names the
-- one that it replaces. `due_at` is in milliseconds since the epoch, NULL if nothing is due.
CREATE TABLE taskbroker_schedule (
  name TEXT COLLATE "C" PRIMARY KEY,
  version BIGINT NOT NULL,
  due_at BIGINT,
  state BYTEA NOT NULL
);

CREATE INDEX taskbroker_schedule_due ON taskbroker_schedule (due_at, name)
  WHERE due_at IS NOT NULL;

ALTER TABLE taskbroker_schedule SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
