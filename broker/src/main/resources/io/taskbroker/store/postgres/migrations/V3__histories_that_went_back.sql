-- What tells that a history went back: of Kafka's log, and of this database (docs/adr/0012).

-- A record that was read below `next`: with another one at its offset the log is another.
ALTER TABLE taskbroker_watermark
  ADD COLUMN last_offset BIGINT,
  ADD COLUMN last_epoch INTEGER,
  ADD COLUMN last_timestamp BIGINT;

-- Refuses a batch whose predecessor, which the broker knows to be committed, is not there.
ALTER TABLE taskbroker_batch
  ADD COLUMN missing_predecessor INTEGER NOT NULL DEFAULT 0,
  ADD CONSTRAINT taskbroker_batch_after_predecessor CHECK (missing_predecessor = 0);
