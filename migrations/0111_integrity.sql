-- Checks of the stored files: what waits to be done, and what was found.
create table read.integrity_works_v1 (
    name text not null,
    number bigint not null,
    work text not null,
    asked_at timestamptz not null,
    primary key (name, number)
);
comment on table read.integrity_works_v1 is 'Checks that somebody asked for and that are not done; number is the revision of the request.';

create table work.integrity_findings (
    id       uuid        primary key,
    name     text        not null,
    asset_id uuid,
    key      text        not null,
    found_at timestamptz not null,
    unique (name, key)
);
comment on table work.integrity_findings is 'What checks found last; made again by the next check. Ids are of version 7.';
comment on column work.integrity_findings.key is 'The file, by its place under the folder of originals.';
create index on work.integrity_findings (name, id);
create index on work.integrity_findings (asset_id) where asset_id is not null;

create table work.integrity_progress (
    name  text primary key,
    after uuid not null
);
comment on table work.integrity_progress is 'Up to which asset digests were compared, where a check ended before its last asset.';

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
