-- Rebuilds of read models: the next generation grows in read_next beside the live one, and the one that was live
-- before stays in read_prev until somebody discards it. See docs/adr/0024.

create schema read_prev;
comment on schema read_prev is 'The generation of each read model that was live before the last switch.';

create table work.rebuilds (
    name                  text        primary key,
    tables                text[]      not null,
    wish                  text        not null check (wish in ('rebuild', 'diff', 'rollback')),
    state                 text        not null check (state in ('running', 'paused', 'failed', 'done', 'discarded')),
    stage                 text        not null check (stage in ('filling', 'indexing', 'comparing', 'switching')),
    position              bigint      not null check (position >= 0),
    events                bigint      not null default 0 check (events >= 0),
    events_per_second_max integer     check (events_per_second_max > 0),
    began_at              timestamptz not null default now(),
    resumed_at            timestamptz not null default now(),
    resumed_events        bigint      not null default 0,
    stopped_at            timestamptz,
    failure               json,
    comparison            json,
    examples              json,
    previous_position     bigint      check (previous_position >= 0),
    previous_since        timestamptz
);
comment on table work.rebuilds is 'The last rebuild of each read model, and where the generation before it stands.';
comment on column work.rebuilds.name is 'Of the read model''s checkpoint, as in work.checkpoints.';
comment on column work.rebuilds.tables is 'Of the read model, to drop them in a later release that does not know it.';
comment on column work.rebuilds.position is 'Global position of the last event that the next generation has: its checkpoint.';
comment on column work.rebuilds.events is 'Events of the log that were read.';
comment on column work.rebuilds.resumed_at is 'Since when it runs: rate and time left are told from there.';
comment on column work.rebuilds.stopped_at is 'When it was paused, failed, was done or discarded; null while it runs.';
comment on column work.rebuilds.failure is 'The event that could not be applied, and why.';
comment on column work.rebuilds.comparison is 'Rows that differ, by table: numbers only.';
comment on column work.rebuilds.examples is 'Some rows that differ, in clear: removed an hour after the end, or as soon as something is deleted for good.';
comment on column work.rebuilds.previous_position is 'Up to where the generation in read_prev has the log; null where there is none.';

create table work.read_changes (
    one    boolean primary key default true check (one),
    number bigint  not null default 0
);
comment on table work.read_changes is 'One row: how often rows of read models changed without an event. Whoever keeps answers in memory forgets them when it rises.';
insert into work.read_changes default values;

-- The role that the server runs as makes, moves and drops the tables of a generation.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter schema read_prev owner to calotype_app;
        grant select, insert, update, delete on work.rebuilds to calotype_app;
        grant select, update on work.read_changes to calotype_app;
    end if;
end
$$;
