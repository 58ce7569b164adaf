-- Work that no read model remembers: what people asked of queues, and what is to be done once after an event.

create table read.queue_requests_v1 (
    request_id uuid primary key,
    queue text not null,
    revision bigint not null,
    what text not null,
    asked_at timestamptz not null,
    is_done boolean not null
);
comment on table read.queue_requests_v1 is 'Jobs and re-runs that people asked for: one row for each.';
comment on column read.queue_requests_v1.request_id is 'The event that asked for it.';
comment on column read.queue_requests_v1.revision is 'That event''s place in the queue''s stream.';
comment on column read.queue_requests_v1.what is 'Which job, or which assets a re-run covers, as the event says it.';
comment on column read.queue_requests_v1.is_done is 'Done, or taken off the queue by somebody.';
create index on read.queue_requests_v1 (asked_at) where not is_done;

create table work.errands (
    errand_id uuid primary key,
    kind text collate "C" not null,
    stream_id text collate "C" not null,
    revision bigint not null,
    position bigint not null,
    tries integer not null default 0,
    due_at timestamptz not null default now()
);
comment on table work.errands is 'What is to be done once after an event: written while the checkpoint errands moves past it, deleted when done.';
comment on column work.errands.errand_id is 'The event, or an id of its own where a processor wrote down what it is about to do.';
comment on column work.errands.kind is 'The event''s type, or FormerFiles.';
comment on column work.errands.tries is 'How often it was tried in vain.';
create index on work.errands (due_at);

create table work.reruns (
    request_id uuid primary key,
    after_id uuid not null
);
comment on table work.reruns is 'How far a re-run has come that is under way, so that one that is cut off goes on there.';
comment on column work.reruns.after_id is 'The last asset, in the order of ids, that was asked for.';

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.queue_requests_v1 owner to calotype_app;
        grant select, insert, update, delete on work.errands, work.reruns to calotype_app;
    end if;
end $$;
