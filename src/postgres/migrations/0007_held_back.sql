-- A queued export without a job: its key runs as many as it may. It is given one when it is its turn.
alter table longhaul.exports add column held_back boolean not null default false;
create index exports_held_back on longhaul.exports (requested_by, created_at, id)
  where held_back and state = 'queued';
create index exports_running on longhaul.exports (requested_by) where state = 'running';
