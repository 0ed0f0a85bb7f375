-- When the running attempt began, and when it last reported: by one clock, the database's, so that
-- their difference is a time that rows took.
alter table longhaul.exports
  add column attempt_at timestamptz,
  add column progress_at timestamptz;
