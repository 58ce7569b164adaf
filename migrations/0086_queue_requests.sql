-- What was asked of queues before requests were answered is no request that waits: the first table held it open.

create table read.queue_requests_v2 (
    request_id uuid primary key,
    queue text not null,
    revision bigint not null,
    what text not null,
    asked_at timestamptz not null,
    is_done boolean not null
);
comment on table read.queue_requests_v2 is 'Jobs and re-runs that people asked for since these are answered: one row for each.';
comment on column read.queue_requests_v2.request_id is 'The event that asked for it.';
comment on column read.queue_requests_v2.revision is 'That event''s place in the queue''s stream.';
comment on column read.queue_requests_v2.what is 'Which job, or which assets a re-run covers, as the event says it.';
comment on column read.queue_requests_v2.is_done is 'Done, or taken off the queue by somebody.';
create index on read.queue_requests_v2 (asked_at) where not is_done;

drop table read.queue_requests_v1;

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.queue_requests_v2 owner to calotype_app;
    end if;
end $$;
