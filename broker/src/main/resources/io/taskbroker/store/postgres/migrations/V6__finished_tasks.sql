-- Pages of records of finished tasks (docs/adr/0038), encoded by FinishedCodec. `position` is the
-- number of bytes of the pages before it of the same broker epoch, so that the first and the last
-- position tell the size, and the oldest go by ranges of the primary key. `kept_until` is in
-- milliseconds since the epoch.
CREATE TABLE taskbroker_finished (
  epoch BIGINT NOT NULL,
  position BIGINT NOT NULL,
  bytes INTEGER NOT NULL,
  kept_until BIGINT NOT NULL,
  id TEXT,
  records BYTEA NOT NULL,
  PRIMARY KEY (epoch, position)
);

-- Only of records that clients asked for, which have pages of their own.
CREATE INDEX taskbroker_finished_id ON taskbroker_finished (id) WHERE id IS NOT NULL;

ALTER TABLE taskbroker_finished
  ALTER COLUMN records SET STORAGE EXTERNAL,
  SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0);
