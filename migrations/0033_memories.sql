-- Memories with their assets.
create table read.memories_v1 (
    memory_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    year integer not null,
    memory_at timestamptz not null,
    show_at timestamptz,
    hide_at timestamptz,
    seen_at timestamptz,
    is_saved boolean not null,
    is_deleted boolean not null,
    asset_ids uuid[] not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table read.memories_v1 is 'Memories with their assets in order. A deleted one stays, so that taking the deletion back finds it.';
create index on read.memories_v1 (owner_id, memory_at) where not is_deleted;
create index on read.memories_v1 (created_at) where not is_deleted and not is_saved;

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
