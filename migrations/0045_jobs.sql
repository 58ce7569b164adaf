-- What processing each asset still waits for, by the names of the steps, so that a new step changes no table.
create table read.jobs_v2 (
    asset_id uuid primary key,
    revision bigint not null,
    waiting text[] not null,
    failed text[] not null,
    missing text[] not null,
    waiting_since timestamptz not null
);
comment on table read.jobs_v2 is 'The steps of processing that each asset waits for, failed, or goes without.';
comment on column read.jobs_v2.missing is 'Taken off the queue by somebody, not done; asked for again with what failed.';
create index on read.jobs_v2 (waiting_since) where waiting <> '{}';
create index on read.jobs_v2 (waiting_since) where failed <> '{}';
create index on read.jobs_v2 (waiting_since) where missing <> '{}';

create table read.jobs_counts_v2 (
    stage text not null,
    state text not null,
    count bigint not null,
    primary key (stage, state)
);
comment on table read.jobs_counts_v2 is 'Assets by step and state: waiting, failed, missing.';

create table read.queues_v2 (
    name text primary key,
    revision bigint not null,
    is_paused boolean not null
);
comment on table read.queues_v2 is 'Queues that people did something with.';

drop table read.jobs_v1, read.jobs_counts_v1, read.queues_v1;

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
declare
    read_table record;
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        for read_table in select tablename from pg_tables where schemaname = 'read' loop
            execute format('alter table read.%I owner to calotype_app', read_table.tablename);
        end loop;
    end if;
end $$;
