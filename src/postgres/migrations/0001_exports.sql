-- The record of every export: the truth that the queue only dispatches.
create table longhaul.exports (
  id uuid primary key,
  dataset text not null,
  range_from timestamptz not null,
  range_to timestamptz not null,
  filter_events text not null,
  export_content boolean not null,
  filter_state text not null,

  state text not null default 'queued'
    check (state in ('queued', 'running', 'completed', 'failed', 'canceled', 'expired')),
  -- grows with every claim: fences the updates of an attempt, and names its object key
  attempt integer not null default 0,
  -- attempts that ended by error or lost lease without reading more rows than any before
  failures integer not null default 0,
  highest_rows bigint not null default 0,
  -- how often it was put on the queue: part of the job's id
  dispatch integer not null default 1,
  lease_until timestamptz,

  rows bigint not null default 0,
  bytes bigint not null default 0,
  estimated_rows bigint,

  idempotency_key text unique,
  fingerprint text not null,

  error jsonb,
  artifact jsonb,
  expires_at timestamptz,

  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  snapshot_at timestamptz,

  check (range_from < range_to),
  check ((state in ('completed', 'expired')) = (artifact is not null)),
  check ((state in ('queued', 'running')) = (finished_at is null)),
  check (state <> 'running' or lease_until is not null)
);

-- newest first, also within one state; the id breaks ties
create index exports_by_age on longhaul.exports (created_at desc, id desc);
create index exports_by_state on longhaul.exports (state, created_at desc, id desc);
