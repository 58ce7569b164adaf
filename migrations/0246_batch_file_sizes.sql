-- How long files are that were sent and wait for their commit: they count against their owner's quota.
alter table work.batch_files add column size_bytes bigint not null default 0;
comment on column work.batch_files.size_bytes is 'Bytes that came, of an owner with a quota; 0 until then.';
