-- Where the artifact of an archived window belongs; null for what somebody asked for.
alter table longhaul.exports add column archive jsonb;

-- An archive that was entered once; its calendar never changes.
create table longhaul.archives (
  name text primary key,
  unit text not null,
  time_zone text not null,
  entered_at timestamptz not null
);

-- The ledger: each generation of each window, and the export that it led to.
create table longhaul.archive_windows (
  archive text not null references longhaul.archives,
  from_at timestamptz not null,
  generation integer not null check (generation > 0),
  to_at timestamptz not null check (to_at > from_at),
  name text not null,
  date text not null,
  -- what is exported of it, as it was when it was planned
  request jsonb not null,
  state text not null default 'planned' check (state in ('planned', 'running', 'archived', 'failed')),
  tries integer not null default 0,
  export_id uuid references longhaul.exports,
  error jsonb,
  retry_at timestamptz,
  archived_at timestamptz,
  primary key (archive, from_at, generation)
);

create index archive_windows_open on longhaul.archive_windows (archive, from_at) where state <> 'archived';
