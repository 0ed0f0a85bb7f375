-- Who asked: the name of an API key; empty where there are no keys. One's idempotency keys are nobody else's.
alter table longhaul.exports add column requested_by text not null default '';
alter table longhaul.exports drop constraint exports_idempotency_key_key;
alter table longhaul.exports
  add constraint exports_idempotency_key unique (requested_by, idempotency_key);
create index exports_by_requester on longhaul.exports (requested_by, created_at desc, id desc);
