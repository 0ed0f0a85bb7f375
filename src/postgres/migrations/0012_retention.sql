-- A window that was deleted by policy stays in the ledger, so that it is never planned again.
alter table longhaul.archive_windows
  drop constraint archive_windows_state_check,
  add constraint archive_windows_state_check
    check (state in ('planned', 'running', 'archived', 'failed', 'deleted')),
  add column deleted_at timestamptz,
  add column deleted_reason text,
  -- when nothing of it was left in the bucket
  add column removed_at timestamptz;

-- What somebody may look for often: neither what is archived for long, nor what is gone.
drop index longhaul.archive_windows_open;
create index archive_windows_open on longhaul.archive_windows (archive, from_at)
  where state in ('planned', 'running', 'failed');
create index archive_windows_unremoved on longhaul.archive_windows (archive, from_at)
  where state = 'deleted' and removed_at is null;

-- The policy by which an operator has let windows be deleted; another one has to be confirmed anew.
alter table longhaul.archives add column confirmed_keep text;

-- Ranges of which nothing is deleted. A hold that was released stays, to tell that there was one.
create table longhaul.archive_holds (
  id integer generated always as identity primary key,
  archive text not null references longhaul.archives,
  from_at timestamptz not null,
  -- null: without an end
  to_at timestamptz check (to_at > from_at),
  reason text not null,
  placed_at timestamptz not null,
  released_at timestamptz
);

create index archive_holds_active on longhaul.archive_holds (archive) where released_at is null;
