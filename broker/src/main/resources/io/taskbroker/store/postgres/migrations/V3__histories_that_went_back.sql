-- Evidence of lost history, in Kafka's log and in this database (docs/adr/0012).

-- A record that was read below `next`. A different record at its offset means a different log.
ALTER TABLE taskbroker_watermark
  ADD COLUMN last_offset BIGINT,
  ADD COLUMN last_epoch INTEGER,
  ADD COLUMN last_timestamp BIGINT;

-- Refuses a batch whose predecessor is missing although the broker saw it acknowledged.
ALTER TABLE taskbroker_batch
  ADD COLUMN missing_predecessor INTEGER NOT NULL DEFAULT 0,
  ADD CONSTRAINT taskbroker_batch_after_predecessor CHECK (missing_predecessor = 0);
