-- How the stored object is packed; what was exported before was not.
alter table longhaul.exports add column compression text not null default 'none';
