-- Of the span that asked for the export: whatever is done for it later joins its trace.
alter table longhaul.exports add column traceparent text;
