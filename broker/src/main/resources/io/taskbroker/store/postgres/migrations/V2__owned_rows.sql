-- Who has what: the brokers, the places of rows, and the rows by place and key.

-- The name of the database, and the numbers of the runs of brokers. A key of a row is the number of
-- the run that made it, shifted by 40 bits, and a count.
CREATE TABLE taskbroker_store (
  one INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
  name UUID NOT NULL
);

INSERT INTO taskbroker_store (name) VALUES (gen_random_uuid());

CREATE SEQUENCE taskbroker_run_number MAXVALUE 8388607 NO CYCLE;

CREATE TABLE taskbroker_run (
  run BIGINT PRIMARY KEY,
  seat INTEGER NOT NULL,
  lease_until TIMESTAMPTZ NOT NULL,
  bytes BIGINT NOT NULL DEFAULT 0
);

-- A place is a partition of a topic, or what came from no partition to the broker of a seat: topic
-- '', partition -1 - seat. One that nobody has is free since then; it was drained if its last broker
-- had written down what its workers had.
CREATE TABLE taskbroker_place (
  slot INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  run BIGINT,
  generation INTEGER NOT NULL DEFAULT -1,
  free_since TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  drained BOOLEAN NOT NULL DEFAULT TRUE,
  UNIQUE (topic, partition)
);

-- The last two batches of each run. The checks refuse a batch of a partition that is not its
-- broker's, and one that comes after its successors.
CREATE TABLE taskbroker_batch (
  run BIGINT NOT NULL,
  number BIGINT NOT NULL,
  foreign_places INTEGER NOT NULL,
  successors INTEGER NOT NULL,
  CONSTRAINT taskbroker_batch_once PRIMARY KEY (run, number),
  CONSTRAINT taskbroker_batch_of_owned_places CHECK (foreign_places = 0),
  CONSTRAINT taskbroker_batch_in_order CHECK (successors = 0)
);

-- Written as new versions, so that no row is updated again and again.
CREATE TABLE taskbroker_watermark (
  slot INTEGER NOT NULL,
  cluster TEXT NOT NULL,
  grp TEXT NOT NULL,
  topic_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  next BIGINT NOT NULL,
  committed BIGINT,
  PRIMARY KEY (slot, cluster, grp, topic_id, version)
);

CREATE TABLE taskbroker_tombstone (
  slot INTEGER NOT NULL,
  until BIGINT NOT NULL,
  high BIGINT NOT NULL,
  low BIGINT NOT NULL,
  PRIMARY KEY (slot, until, high, low)
);

-- What workers reported to brokers that do not have the row.
CREATE TABLE taskbroker_report (
  slot INTEGER NOT NULL,
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
  strange RECORD;
BEGIN
  SELECT id, status INTO strange FROM inflight_taskactivations
  WHERE status NOT IN
    ('Pending', 'Claimed', 'Processing', 'Failure', 'Retry', 'Complete', 'Delay')
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION
      'the activation ''%'' has the status ''%'', which no broker writes; mend or delete that row',
      strange.id, strange.status;
  END IF;
END
$$;

INSERT INTO taskbroker_place (topic, partition)
SELECT DISTINCT topic, partition FROM inflight_taskactivations;

-- Whether the id of a row was derived is not known of rows of the reference: NULL. Their payloads say.
ALTER TABLE inflight_taskactivations
  ADD COLUMN slot INTEGER,
  ADD COLUMN key BIGINT,
  ADD COLUMN parked_until BIGINT,
  ADD COLUMN deadline_extended BOOLEAN NOT NULL DEFAULT FALSE,
  ADD COLUMN committed BOOLEAN NOT NULL DEFAULT TRUE,
  ADD COLUMN derived BOOLEAN,
  ADD COLUMN leaving_topic TEXT,
  ADD COLUMN leaving_cluster TEXT,
  ADD COLUMN leaving_headers TEXT;

UPDATE inflight_taskactivations t SET slot = p.slot, key = k.key
FROM
  (SELECT id, row_number() OVER (ORDER BY added_at, id) AS key FROM inflight_taskactivations) k,
  taskbroker_place p
WHERE k.id = t.id AND p.topic = t.topic AND p.partition = t.partition;

-- By the key, and not by the name, which a table that was renamed or restored may have changed.
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
  ALTER COLUMN slot SET NOT NULL,
  ALTER COLUMN key SET NOT NULL,
  ADD PRIMARY KEY (slot, key),
  ALTER COLUMN activation SET STORAGE EXTERNAL;

CREATE INDEX inflight_taskactivations_parked
  ON inflight_taskactivations (slot, application, parked_until, key)
  WHERE parked_until IS NOT NULL;

-- Where a report is to go that reached another broker.
CREATE INDEX inflight_taskactivations_id ON inflight_taskactivations USING hash (id);

-- Rows come and go: what they leave behind is cleared away often, and at once.
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

ALTER TABLE taskbroker_report SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
