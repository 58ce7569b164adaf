-- The key of a repeated request makes the id of its command: the log itself knows it.
drop table work.idempotency;
comment on schema work is 'Checkpoints, parked work, requests to processors, and what is counted outside of the log.';
