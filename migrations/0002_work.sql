-- Work: how far readers are, what they could not do, what was answered. Made again from the log, or lost at the cost of a retry.

create schema work;
comment on schema work is 'Checkpoints, parked work, idempotency outcomes.';

create table work.checkpoints (
    name       text        primary key,
    position   bigint      not null check (position >= 0),
    updated_at timestamptz not null default now()
);
comment on table work.checkpoints is 'How far each reader of the log has come.';
comment on column work.checkpoints.name is 'relay, or a projection with its version.';
comment on column work.checkpoints.position is 'Global position of the last event that was done.';
alter table work.checkpoints set (fillfactor = 50);

create table work.parked (
    kind      text        not null check (kind in ('projection', 'processor')),
    name      text        not null,
    stream_id text        collate "C" not null,
    event_id  uuid        not null,
    position  bigint,
    type      text        not null,
    reason    text        not null,
    code      text        not null,
    attempts  integer     not null default 1 check (attempts > 0),
    parked_at timestamptz not null default now(),
    primary key (kind, name, stream_id, event_id)
);
comment on table work.parked is 'Events that a projection or processor could not handle. For a projection the whole stream waits here, in order.';
comment on column work.parked.name is 'Of the projection or processor.';
comment on column work.parked.position is 'Global position of the event, to retry in order.';
comment on column work.parked.reason is 'What went wrong, in words for a person.';
comment on column work.parked.code is 'What went wrong, in a word for a program.';
comment on column work.parked.attempts is 'How often it was tried.';
create index parked_kind_name_position_idx on work.parked (kind, name, position);

create table work.idempotency (
    actor_id   text        not null,
    key        text        not null,
    digest     bytea       not null,
    outcome    json,
    created_at timestamptz not null default now(),
    primary key (actor_id, key)
);
comment on table work.idempotency is 'Outcomes of requests with an idempotency key, kept for 24 hours.';
comment on column work.idempotency.digest is 'Of the request: the same key with another request is refused.';
comment on column work.idempotency.outcome is 'What was answered; null while the request runs.';
create index idempotency_created_at_idx on work.idempotency (created_at);

do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        grant usage on schema work to calotype_app;
        grant select, insert, update, delete on work.checkpoints, work.parked, work.idempotency to calotype_app;
        alter default privileges in schema work grant select, insert, update, delete on tables to calotype_app;
    end if;
end
$$;
