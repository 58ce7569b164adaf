-- Albums whose deletion may still be taken back.
create table read.deleted_albums_v1 (
    album_id uuid primary key,
    revision bigint not null,
    deleted_at timestamptz not null
);
comment on table read.deleted_albums_v1 is 'Albums that were deleted and are not forgotten yet.';
create index on read.deleted_albums_v1 (deleted_at);

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
