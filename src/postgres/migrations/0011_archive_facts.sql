-- What tells, beside the calendar, which windows an archive should have by now; as the latest worker to start had it.
alter table longhaul.archives
  add column start_at timestamptz,
  add column settle_ms bigint not null default 7200000;
