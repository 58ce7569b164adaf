-- After a change of one asset, the others of its stack are read with it.
create index on read.timeline_v2 (stack_id) where stack_id is not null;
