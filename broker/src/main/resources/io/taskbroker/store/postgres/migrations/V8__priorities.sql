-- The priority of a task among those of its application (docs/adr/0044). Parked rows are read by it.
ALTER TABLE taskbroker_activation ADD COLUMN priority SMALLINT NOT NULL DEFAULT 0;

DROP INDEX taskbroker_activation_parked;

CREATE INDEX taskbroker_activation_parked
  ON taskbroker_activation (partition_id, application, priority, parked_until, key)
  WHERE parked_until IS NOT NULL;
