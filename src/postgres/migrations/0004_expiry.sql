-- what is due to expire, soonest first
create index exports_by_expiry on longhaul.exports (expires_at) where state = 'completed';
