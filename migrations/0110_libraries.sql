-- External libraries, the files that are assets of theirs, and what an asset says of both.
create table read.libraries_v1 (
    library_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    name text not null,
    import_paths text[] not null,
    exclusion_patterns text[] not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    refreshed_at timestamptz,
    asked integer not null,
    answered integer not null,
    asked_at timestamptz,
    is_deleted boolean not null
);
comment on table read.libraries_v1 is 'External libraries; a deleted one until its last asset is.';
comment on column read.libraries_v1.asked is 'How many scans were asked for; answered says up to which they were done.';

create table read.library_assets_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    library_id uuid not null,
    path text not null,
    size_bytes bigint not null,
    blake3 text not null,
    modified_at timestamptz not null,
    is_video boolean not null,
    is_hidden boolean not null,
    is_offline boolean not null
);
comment on table read.library_assets_v1 is 'The file that each asset of a library is, as it was found last.';
create index on read.library_assets_v1 (library_id, asset_id);
create index on read.library_assets_v1 (library_id, blake3);
-- Paths are longer than what a row of another kind of index holds.
create index on read.library_assets_v1 using hash (path);

-- Only new types of events fill these columns, so rows made before are right as they are.
alter table read.assets_v1
    add column library_id uuid,
    add column is_offline boolean not null default false;
comment on column read.assets_v1.library_id is 'The external library; then original_key is the absolute path of a file outside.';
create index on read.assets_v1 (library_id) where library_id is not null;

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
