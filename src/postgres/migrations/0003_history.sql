-- How each attempt ended that came before: an array, appended to by the update that ends one.
alter table longhaul.exports add column history jsonb not null default '[]';
