-- Records of finished tasks (docs/adr/0038). Times are milliseconds since the epoch. `position` is
-- the number of bytes of the records before it of the same broker epoch, so that the first and the
-- last position tell the size, and the oldest go by ranges of the primary key.
CREATE TABLE taskbroker_finished (
  epoch BIGINT NOT NULL,
  position BIGINT NOT NULL,
  bytes INTEGER NOT NULL,
  ended_at BIGINT NOT NULL,
  kept_until BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  asked BOOLEAN NOT NULL,
  id TEXT NOT NULL,
  first_id TEXT,
  application TEXT NOT NULL,
  namespace TEXT NOT NULL,
  taskname TEXT NOT NULL,
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  record_offset BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  delivered_at BIGINT,
  deliveries INTEGER NOT NULL,
  worker TEXT,
  message TEXT,
  history BYTEA,
  result BYTEA,
  PRIMARY KEY (epoch, position)
);

-- Only of records that clients asked for: others cost no second insert.
CREATE INDEX taskbroker_finished_asked ON taskbroker_finished (id) WHERE asked;

ALTER TABLE taskbroker_finished SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_threshold = 1000000
);
