-- The tables of Context Services that an export reads. An installation that has such tables already
-- maps them with views of these names instead. Longhaul reads them only.
-- Everything is `if not exists`: tables that were created by hand stay as they are.

create schema if not exists context_services;

-- `started` and `completed` hold the context an event was recorded with; its time is the column's.
create table if not exists context_services.services (
  service_id text primary key,
  tenant_id text not null default 'default',
  group_id text,
  service_type text not null,
  customer_id text,
  contact_key text,
  est_duration integer,
  disposition text,
  disposition_desc text,
  started_at timestamptz not null,
  started jsonb not null default '{}',
  completed_at timestamptz,
  completed jsonb,
  extensions jsonb not null default '{}'
);

create table if not exists context_services.states (
  service_id text not null,
  state_id text not null,
  state_type text not null,
  previous_state_id text,
  est_duration integer,
  disposition text,
  disposition_desc text,
  started_at timestamptz not null,
  started jsonb not null default '{}',
  completed_at timestamptz,
  completed jsonb,
  extensions jsonb not null default '{}',
  primary key (service_id, state_id)
);

-- A task without a state, or with one that its service does not have, hangs on the service.
create table if not exists context_services.tasks (
  service_id text not null,
  task_id text not null,
  state_id text,
  task_type text not null,
  est_duration integer,
  disposition text,
  disposition_desc text,
  started_at timestamptz not null,
  started jsonb not null default '{}',
  completed_at timestamptz,
  completed jsonb,
  extensions jsonb not null default '{}',
  primary key (service_id, task_id)
);

-- The order of an export, in bytes, whatever the locale of the database.
create index if not exists services_started
  on context_services.services (started_at, service_id collate "C");

create index if not exists services_completed
  on context_services.services (completed_at, service_id collate "C")
  where completed_at is not null;
