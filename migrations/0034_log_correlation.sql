-- Taking back what a request did needs its events. Correlation ids are of version 7, so this grows at one end.
create index events_correlation_id_idx on log.events (correlation_id);
comment on index log.events_correlation_id_idx is 'Everything that one request or job did.';
