-- The sync's change log knows what people share, organize and name: albums, partners, stacks, memories, people.
create table read.sync_assets_v2 (
    asset_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    visibility text not null,
    is_trashed boolean not null,
    change bigint not null,
    exif_change bigint not null,
    hidden_change bigint
);
comment on table read.sync_assets_v2 is 'The last change of each asset, of its metadata, and of what partners see of it.';
comment on column read.sync_assets_v2.change is 'Global position of the event, times 2^20, plus the place among what the event changed.';
comment on column read.sync_assets_v2.hidden_change is 'When partners, or members of an album, last lost sight of it, also where they see it again.';
create index on read.sync_assets_v2 (owner_id, change);
create index on read.sync_assets_v2 (owner_id, exif_change);
create index on read.sync_assets_v2 (owner_id, hidden_change) where hidden_change is not null;

create table read.sync_shares_v2 (
    source uuid not null,
    user_id uuid not null,
    kind smallint not null,
    scope uuid not null,
    since bigint not null,
    primary key (source, user_id)
);
comment on table read.sync_shares_v2 is 'What is shared with whom since which change: albums with their members, people with their partners.';
comment on column read.sync_shares_v2.source is 'The album, or the sharing between two people.';
comment on column read.sync_shares_v2.kind is '1 an album with a member, 2 a person with a partner.';
comment on column read.sync_shares_v2.scope is 'Whose feeds the person reads: of the album, or of whoever shares.';
create index on read.sync_shares_v2 (user_id);

create table read.sync_album_assets_v2 (
    album_id uuid not null,
    asset_id uuid not null,
    is_shown boolean not null,
    added bigint not null,
    change bigint not null,
    exif_change bigint not null,
    primary key (album_id, asset_id)
);
comment on table read.sync_album_assets_v2 is 'Assets in albums, with their changes once more, so that an album''s feed is read in order.';
comment on column read.sync_album_assets_v2.is_shown is 'Whether the members see it: neither locked nor in the trash.';
comment on column read.sync_album_assets_v2.added is 'When the members last began to see it.';
create index on read.sync_album_assets_v2 (asset_id);
create index on read.sync_album_assets_v2 (album_id, added);
create index on read.sync_album_assets_v2 (album_id, change);
create index on read.sync_album_assets_v2 (album_id, exif_change);

create table read.sync_rows_v2 (
    kind smallint not null,
    id uuid not null,
    part text collate "C" not null,
    scope uuid not null,
    change bigint not null,
    primary key (kind, id, part)
);
comment on table read.sync_rows_v2 is 'The last change of everything that is synced and is no asset.';
comment on column read.sync_rows_v2.part is 'The second half of a key: of a member, a name, an asset inside something.';
comment on column read.sync_rows_v2.scope is 'Whose feed it stands in: a person or an album; nil for everybody''s.';
create index on read.sync_rows_v2 (kind, scope, change);
-- What hangs on an asset: assets of memories and faces; and who was merged into somebody.
create index on read.sync_rows_v2 (part) where kind in (11, 13, 16);

create table read.sync_gone_v2 (
    kind smallint not null,
    id uuid not null,
    part text collate "C" not null,
    scope uuid not null,
    change bigint not null,
    gone_at timestamptz not null,
    primary key (kind, id, part)
);
comment on table read.sync_gone_v2 is 'What is gone from a feed, kept for 31 days; stacks and memories, which may be taken back, for ever. A thing stands here or among the living, never in both.';
create index on read.sync_gone_v2 (kind, scope, change);
create index on read.sync_gone_v2 (gone_at);
create index on read.sync_gone_v2 (part) where kind in (11, 13);

create table read.sync_heads_v2 (
    scope uuid not null,
    feed smallint not null,
    change bigint not null,
    primary key (scope, feed)
);
comment on table read.sync_heads_v2 is 'The newest change of each feed, so that a sync without news asks once.';

-- Never released.
drop table read.sync_assets_v1, read.sync_rows_v1, read.sync_gone_v1, read.sync_heads_v1;

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
