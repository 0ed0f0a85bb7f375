-- How the artifact is laid out; what was exported before is one array.
alter table longhaul.exports add column format text not null default 'json';
