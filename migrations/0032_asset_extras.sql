-- What stands beside an asset: groups of duplicates, values that programs keep, folders of originals.
create table read.duplicates_v1 (
    asset_id uuid primary key,
    duplicate_id uuid not null
);
comment on table read.duplicates_v1 is 'Which group of duplicates an asset is in.';
create index on read.duplicates_v1 (duplicate_id);

create table read.asset_key_values_v1 (
    asset_id uuid not null,
    key text not null,
    value json not null,
    updated_at timestamptz not null,
    primary key (asset_id, key)
);
comment on table read.asset_key_values_v1 is 'Values that programs keep with an asset, by key.';

create table read.folder_assets_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    folder text not null,
    is_shown boolean not null,
    visibility text not null,
    is_trashed boolean not null
);
comment on table read.folder_assets_v1 is 'The folder each original lies in.';
comment on column read.folder_assets_v1.is_shown is 'On the timeline and not in the trash.';
create index on read.folder_assets_v1 (owner_id, folder) where is_shown;

create table read.folders_v1 (
    owner_id uuid not null,
    folder text not null,
    count bigint not null,
    primary key (owner_id, folder)
);
comment on table read.folders_v1 is 'Folders of originals with how many shown assets each holds; kept as rows change.';

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
