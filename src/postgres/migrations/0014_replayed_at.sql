-- Up to when a standby that was read had replayed what its primary had committed; null for a primary.
alter table longhaul.exports add column replayed_at timestamptz;
