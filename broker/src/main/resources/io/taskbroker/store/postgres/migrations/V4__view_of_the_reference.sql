-- Renames the table of rows and puts a view in place of the reference's table. The view applies
-- status changes that are due by time and not yet written (docs/adr/0015).
ALTER TABLE inflight_taskactivations RENAME TO taskbroker_activation;
ALTER INDEX inflight_taskactivations_parked RENAME TO taskbroker_activation_parked;
ALTER INDEX inflight_taskactivations_id RENAME TO taskbroker_activation_id;

-- The columns, types and order of the reference's table. `now` is the time of the statement: a
-- second query in the same transaction can see a delay end. The view joins two relations, so that
-- it is read-only.
CREATE VIEW inflight_taskactivations AS
SELECT
  t.id,
  t.activation,
  t.partition,
  t.kafka_offset,
  t.added_at,
  t.received_at,
  t.processing_attempts,
  t.expires_at,
  t.delay_until,
  t.processing_deadline_duration,
  t.processing_deadline,
  CASE
    WHEN t.status = 'Delay' AND t.delay_until <= c.now THEN 'Pending'
    WHEN t.status = 'Claimed' AND NOT t.at_most_once AND t.claim_expires_at <= c.now THEN 'Pending'
    ELSE t.status
  END AS status,
  t.at_most_once,
  t.application,
  t.namespace,
  t.taskname,
  t.on_attempts_exceeded,
  t.bucket,
  CASE
    WHEN t.status = 'Claimed' AND NOT t.at_most_once AND t.claim_expires_at <= c.now THEN NULL
    ELSE t.claim_expires_at
  END AS claim_expires_at,
  t.topic
FROM taskbroker_activation t CROSS JOIN (SELECT statement_timestamp() AS now) c;

-- Every role that could read the table can read the view.
DO $$
DECLARE
  reader RECORD;
BEGIN
  FOR reader IN
    SELECT c.relowner AS role FROM pg_class c WHERE c.oid = 'taskbroker_activation'::regclass
    UNION
    SELECT a.grantee FROM pg_class c, aclexplode(c.relacl) a
    WHERE c.oid = 'taskbroker_activation'::regclass AND a.privilege_type = 'SELECT'
  LOOP
    EXECUTE format(
      'GRANT SELECT ON inflight_taskactivations TO %s',
      CASE
        WHEN reader.role = 0 THEN 'PUBLIC'
        ELSE quote_ident(pg_get_userbyid(reader.role))
      END);
  END LOOP;
END
$$;
