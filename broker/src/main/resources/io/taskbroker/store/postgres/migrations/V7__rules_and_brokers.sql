-- What operators set for all brokers, and see of them.

-- Versions of the rules that were set by the API; all brokers follow the newest (docs/adr/0043).
CREATE TABLE taskbroker_rules_version (
  number BIGINT PRIMARY KEY,
  at TIMESTAMPTZ NOT NULL,
  who TEXT NOT NULL,
  why TEXT NOT NULL,
  rules TEXT NOT NULL
);

-- NULL in rows of brokers of earlier versions.
ALTER TABLE taskbroker_broker
  ADD COLUMN version TEXT, ADD COLUMN started_at TIMESTAMPTZ, ADD COLUMN renewed_at TIMESTAMPTZ;

-- Since when `epoch` is the owner.
ALTER TABLE taskbroker_owned_partition ADD COLUMN owned_since TIMESTAMPTZ;
