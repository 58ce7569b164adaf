-- Tags with the assets that carry them, and stacks with their members.
create table read.tags_v1 (
    tag_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    parent_id uuid,
    value text not null,
    color text,
    is_deleted boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table read.tags_v1 is 'Tags by whole path. A deleted one stays, so that taking the deletion back finds its assets.';
create index on read.tags_v1 (owner_id, value);
create index on read.tags_v1 (parent_id) where parent_id is not null;

create table read.tag_assets_v1 (
    asset_id uuid not null,
    tag_id uuid not null,
    primary key (asset_id, tag_id)
);
comment on table read.tag_assets_v1 is 'Which asset carries which tag; the tag may be deleted.';
create index on read.tag_assets_v1 (tag_id, asset_id);

create table read.stacks_v1 (
    stack_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    primary_asset_id uuid,
    asset_ids uuid[] not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table read.stacks_v1 is 'Stacks with their assets in order; a dissolved one has none.';
create index on read.stacks_v1 (owner_id) where primary_asset_id is not null;
create index on read.stacks_v1 (primary_asset_id) where primary_asset_id is not null;

create table read.stack_assets_v1 (
    stack_id uuid not null,
    asset_id uuid not null,
    primary key (stack_id, asset_id)
);
comment on table read.stack_assets_v1 is 'The members of stacks_v1, to find the stack of an asset.';
create index on read.stack_assets_v1 (asset_id);

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
