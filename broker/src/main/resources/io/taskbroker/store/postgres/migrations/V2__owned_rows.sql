-- Partition ownership: brokers, the partitions they own, and rows keyed by partition.

-- The name of the database. A row's key is the epoch of the broker that inserted it, shifted left
-- by 40 bits, plus a counter.
CREATE TABLE taskbroker_store (
  one INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
  name UUID NOT NULL
);

INSERT INTO taskbroker_store (name) VALUES (gen_random_uuid());

CREATE SEQUENCE taskbroker_broker_epoch MAXVALUE 8388607 NO CYCLE;

CREATE TABLE taskbroker_broker (
  epoch BIGINT PRIMARY KEY,
  member_slot INTEGER NOT NULL,
  lease_until TIMESTAMPTZ NOT NULL,
  bytes BIGINT NOT NULL DEFAULT 0
);

-- One row per partition of a topic, and one per member slot for the rows that came from no
-- partition: topic '', partition -1 - member_slot. `epoch` is the owner's; NULL means released, at
-- `free_since`. `drained` is true if the last owner wrote down every delivery before it released
-- the partition.
CREATE TABLE taskbroker_owned_partition (
  partition_id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  epoch BIGINT,
  generation INTEGER NOT NULL DEFAULT -1,
  free_since TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  drained BOOLEAN NOT NULL DEFAULT TRUE,
  UNIQUE (topic, partition)
);

-- The last two batches of each broker epoch. The checks refuse a batch that writes to a partition
-- of another broker, and a batch that arrives after its successors.
CREATE TABLE taskbroker_batch (
  epoch BIGINT NOT NULL,
  number BIGINT NOT NULL,
  foreign_partitions INTEGER NOT NULL,
  successors INTEGER NOT NULL,
  CONSTRAINT taskbroker_batch_committed_once PRIMARY KEY (epoch, number),
  CONSTRAINT taskbroker_batch_owned_partitions CHECK (foreign_partitions = 0),
  CONSTRAINT taskbroker_batch_in_order CHECK (successors = 0)
);

-- Each update inserts a new version and deletes the old one, so that no row is updated repeatedly.
CREATE TABLE taskbroker_watermark (
  partition_id INTEGER NOT NULL,
  cluster TEXT NOT NULL,
  consumer_group TEXT NOT NULL,
  topic_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  next BIGINT NOT NULL,
  committed BIGINT,
  PRIMARY KEY (partition_id, cluster, consumer_group, topic_id, version)
);

CREATE TABLE taskbroker_tombstone (
  partition_id INTEGER NOT NULL,
  until BIGINT NOT NULL,
  high BIGINT NOT NULL,
  low BIGINT NOT NULL,
  PRIMARY KEY (partition_id, until, high, low)
);

-- Remote reports: reports that reached a broker which does not have the task.
CREATE TABLE taskbroker_remote_report (
  partition_id INTEGER NOT NULL,
  key BIGINT NOT NULL,
  status TEXT NOT NULL,
  number BIGINT GENERATED ALWAYS AS IDENTITY,
  id TEXT NOT NULL,
  max_attempts BIGINT NOT NULL,
  delay_on_retry BIGINT NOT NULL,
  PRIMARY KEY (key, status)
);

DO $$
DECLARE
  invalid RECORD;
BEGIN
  SELECT id, status INTO invalid FROM inflight_taskactivations
  WHERE status NOT IN
    ('Pending', 'Claimed', 'Processing', 'Failure', 'Retry', 'Complete', 'Delay')
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION
      'the activation ''%'' has the status ''%'', which no broker writes; correct or delete that row',
      invalid.id, invalid.status;
  END IF;
END
$$;

INSERT INTO taskbroker_owned_partition (topic, partition)
SELECT DISTINCT topic, partition FROM inflight_taskactivations;

-- `derived` is NULL in rows that the reference inserted: their payload tells whether the id was
-- derived.
ALTER TABLE inflight_taskactivations
  ADD COLUMN partition_id INTEGER,
  ADD COLUMN key BIGINT,
  ADD COLUMN parked_until BIGINT,
  ADD COLUMN deadline_extended BOOLEAN NOT NULL DEFAULT FALSE,
  ADD COLUMN committed BOOLEAN NOT NULL DEFAULT TRUE,
  ADD COLUMN derived BOOLEAN,
  ADD COLUMN forward_topic TEXT,
  ADD COLUMN forward_cluster TEXT,
  ADD COLUMN forward_headers TEXT;

UPDATE inflight_taskactivations t SET partition_id = p.partition_id, key = k.key
FROM
  (SELECT id, row_number() OVER (ORDER BY added_at, id) AS key FROM inflight_taskactivations) k,
  taskbroker_owned_partition p
WHERE k.id = t.id AND p.topic = t.topic AND p.partition = t.partition;

-- Looks constraints and indexes up by table, not by name: a rename or a restore may have changed
-- their names.
DO $$
DECLARE
  found RECORD;
BEGIN
  FOR found IN
    SELECT conname FROM pg_constraint
    WHERE conrelid = 'inflight_taskactivations'::regclass AND contype IN ('p', 'u')
  LOOP
    EXECUTE format('ALTER TABLE inflight_taskactivations DROP CONSTRAINT %I', found.conname);
  END LOOP;
  FOR found IN
    SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'inflight_taskactivations'::regclass
  LOOP
    EXECUTE format('DROP INDEX %I', found.relname);
  END LOOP;
END
$$;

ALTER TABLE inflight_taskactivations
  ALTER COLUMN partition_id SET NOT NULL,
  ALTER COLUMN key SET NOT NULL,
  ADD PRIMARY KEY (partition_id, key),
  ALTER COLUMN activation SET STORAGE EXTERNAL;

CREATE INDEX inflight_taskactivations_parked
  ON inflight_taskactivations (partition_id, application, parked_until, key)
  WHERE parked_until IS NOT NULL;

-- Finds the row of a remote report.
CREATE INDEX inflight_taskactivations_id ON inflight_taskactivations USING hash (id);

-- Rows are short-lived: autovacuum removes dead ones often and without cost delay.
ALTER TABLE inflight_taskactivations SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 1000000,
  toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20000,
  toast.autovacuum_vacuum_cost_delay = 0
);

ALTER TABLE taskbroker_batch SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);

ALTER TABLE taskbroker_watermark SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);

ALTER TABLE taskbroker_tombstone SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_cost_delay = 0
);

ALTER TABLE taskbroker_remote_report SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
