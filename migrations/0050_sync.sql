-- What the mobile app's sync reads: which thing of whose changed at which place of the log, and what is gone.
-- The things themselves stand in their own read models.

create table read.sync_assets_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    visibility text not null,
    is_trashed boolean not null,
    change bigint not null,
    exif_change bigint not null,
    hidden_change bigint
);
comment on table read.sync_assets_v1 is 'The last change of each asset, of its metadata, and of what partners see of it.';
comment on column read.sync_assets_v1.change is 'Global position of the event, times 2^20, plus the place among what the event changed.';
comment on column read.sync_assets_v1.hidden_change is 'When partners last lost sight of it, also where they see it again.';
create index on read.sync_assets_v1 (owner_id, change);
create index on read.sync_assets_v1 (owner_id, exif_change);
create index on read.sync_assets_v1 (owner_id, hidden_change) where hidden_change is not null;

create table read.sync_rows_v1 (
    kind smallint not null,
    id uuid not null,
    part text collate "C" not null,
    scope uuid not null,
    change bigint not null,
    primary key (kind, id, part)
);
comment on table read.sync_rows_v1 is 'The last change of everything that is synced and is no asset.';
comment on column read.sync_rows_v1.part is 'The second half of a key: of a member, a name, an asset inside something.';
comment on column read.sync_rows_v1.scope is 'Whose feed it stands in: a person or an album; nil for everybody''s.';
create index on read.sync_rows_v1 (kind, scope, change);

create table read.sync_gone_v1 (
    kind smallint not null,
    id uuid not null,
    part text collate "C" not null,
    scope uuid not null,
    change bigint not null,
    gone_at timestamptz not null,
    primary key (kind, id, part)
);
comment on table read.sync_gone_v1 is 'What is gone from a feed, kept for 31 days. A thing stands here or among the living, never in both.';
create index on read.sync_gone_v1 (kind, scope, change);
create index on read.sync_gone_v1 (gone_at);

create table read.sync_heads_v1 (
    scope uuid not null,
    feed smallint not null,
    change bigint not null,
    primary key (scope, feed)
);
comment on table read.sync_heads_v1 is 'The newest change of each feed, so that a sync without news asks once.';

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
