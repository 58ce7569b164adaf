-- Albums: what is in them, who has which part in them, and what is kept so that nobody counts.
create table read.albums_v1 (
    album_id uuid primary key,
    revision bigint not null,
    name text not null,
    description text not null,
    sort_order text not null,
    chosen_cover_id uuid,
    is_activity_enabled boolean not null,
    member_ids uuid[] not null,
    member_roles text[] not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table read.albums_v1 is 'Albums; a deleted one has no row.';
comment on column read.albums_v1.member_ids is 'Who has a part in it, its owner first, then as they came.';
comment on column read.albums_v1.member_roles is 'Their parts, in the same order: owner, editor, viewer.';

create table read.albums_kept_v1 (
    album_id uuid primary key,
    asset_count bigint not null,
    start_at timestamp,
    end_at timestamp,
    assets_changed_at timestamptz,
    cover_id uuid
);
comment on table read.albums_kept_v1 is 'Count, dates and cover of the assets that show; kept as rows change, never counted at read time.';

create table read.album_users_v1 (
    album_id uuid not null,
    user_id uuid not null,
    role text not null,
    is_first_owner boolean not null,
    primary key (album_id, user_id)
);
comment on table read.album_users_v1 is 'Who has which part in which album, for deciding about access.';
create index on read.album_users_v1 (user_id);

create table read.album_facts_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    local_date_time timestamp not null,
    date_by_person boolean not null,
    visibility text not null,
    is_trashed boolean not null,
    live_photo_video_id uuid,
    changed_at timestamptz not null
);
comment on table read.album_facts_v1 is 'What albums need to know of every asset, before it is in one.';

create table read.album_assets_v1 (
    album_id uuid not null,
    asset_id uuid not null,
    place bigint not null,
    owner_id uuid not null,
    month date not null,
    local_date_time timestamp not null,
    shows boolean not null,
    live_photo_video_id uuid,
    changed_at timestamptz not null,
    primary key (album_id, asset_id)
);
comment on table read.album_assets_v1 is 'What is in each album.';
comment on column read.album_assets_v1.place is 'Rises in the order in which assets were put in.';
comment on column read.album_assets_v1.shows is 'Neither in the trash nor hidden nor locked: it counts.';
create index on read.album_assets_v1 (asset_id);
create index on read.album_assets_v1 (live_photo_video_id) where live_photo_video_id is not null;
create index on read.album_assets_v1 (album_id, month);
create index on read.album_assets_v1 (album_id, place) where shows;

create table read.album_contributors_v1 (
    album_id uuid not null,
    user_id uuid not null,
    asset_count bigint not null,
    primary key (album_id, user_id)
);
comment on table read.album_contributors_v1 is 'Whose assets are in an album, and how many of them show.';

do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.albums_v1 owner to calotype_app;
        alter table read.albums_kept_v1 owner to calotype_app;
        alter table read.album_users_v1 owner to calotype_app;
        alter table read.album_facts_v1 owner to calotype_app;
        alter table read.album_assets_v1 owner to calotype_app;
        alter table read.album_contributors_v1 owner to calotype_app;
    end if;
end $$;
