-- The alarm of all archives together, while it lasts: one row at most.
create table longhaul.archive_alarm (
  only_one boolean primary key default true check (only_one),
  since timestamptz not null,
  logged_at timestamptz not null,
  message_id text not null,
  told_at timestamptz
);
