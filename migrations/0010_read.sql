-- The read models of the first release: accounts, sessions, keys, assets, timeline, statistics, jobs.
-- Everything here can be dropped and made again from the log. `read_next` holds a rebuild's tables.
create schema if not exists read;
create schema if not exists read_next;

create table read.users_v1 (
    user_id uuid primary key,
    revision bigint not null,
    email text not null,
    name text not null,
    password_hash text,
    is_admin boolean not null,
    should_change_password boolean not null,
    avatar_color text not null,
    storage_label text,
    quota_size_bytes bigint,
    preferences json not null,
    profile_image_key text,
    profile_changed_at timestamptz not null,
    is_onboarded boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    delete_forced boolean not null
);
comment on table read.users_v1 is 'Accounts, those marked for deletion included.';
create index on read.users_v1 (email);

create table read.sessions_v1 (
    session_id uuid primary key,
    revision bigint not null,
    user_id uuid not null,
    token_sha256 text not null,
    device_type text not null,
    device_os text not null,
    app_version text,
    parent_id uuid,
    is_pending_sync_reset boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    expires_at timestamptz
);
comment on table read.sessions_v1 is 'Open sessions; a closed one has no row.';
create unique index on read.sessions_v1 (token_sha256);
create index on read.sessions_v1 (user_id);

create table read.api_keys_v1 (
    api_key_id uuid primary key,
    revision bigint not null,
    user_id uuid not null,
    secret_sha256 text not null,
    name text not null,
    permissions text[] not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table read.api_keys_v1 is 'API keys; a revoked one has no row.';
create unique index on read.api_keys_v1 (secret_sha256);
create index on read.api_keys_v1 (user_id);

create table read.assets_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    is_video boolean not null,
    original_key text not null,
    size_bytes bigint not null,
    sha1 text not null,
    blake3 text not null,
    sidecar_key text,
    file_name text not null,
    mime_type text,
    file_created_at timestamptz not null,
    file_modified_at timestamptz not null,
    taken_at timestamptz not null,
    local_date_time timestamp not null,
    time_zone text,
    date_by_person boolean not null,
    is_favorite boolean not null,
    visibility text not null,
    trashed_at timestamptz,
    duration_ms bigint,
    live_photo_video_id uuid,
    width integer,
    height integer,
    display_width integer,
    display_height integer,
    orientation integer,
    make text,
    model text,
    lens_model text,
    f_number double precision,
    focal_length_mm double precision,
    iso integer,
    exposure_time text,
    fps double precision,
    projection_type text,
    rating integer,
    rating_by_person boolean not null,
    description text not null,
    description_by_person boolean not null,
    latitude double precision,
    longitude double precision,
    position_by_person boolean not null,
    thumbhash text,
    thumbnail_key text,
    preview_key text,
    has_metadata boolean not null,
    failure text,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table read.assets_v1 is 'Assets with everything their page shows.';
create index on read.assets_v1 (owner_id, sha1);
create index on read.assets_v1 (trashed_at) where trashed_at is not null;

create table read.timeline_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    month date not null,
    created_month date not null,
    local_date_time timestamp not null,
    taken_at timestamptz not null,
    created_at timestamptz not null,
    visibility text not null,
    is_favorite boolean not null,
    is_trashed boolean not null,
    is_video boolean not null,
    date_by_person boolean not null,
    duration_ms bigint,
    live_photo_video_id uuid,
    projection_type text,
    ratio double precision not null,
    thumbhash text,
    latitude double precision,
    longitude double precision,
    position_by_person boolean not null
);
comment on table read.timeline_v1 is 'One row an asset, shaped like the columns of a bucket.';
create index on read.timeline_v1 (owner_id, month);
create index on read.timeline_v1 (owner_id, created_month);

create table read.timeline_counts_v1 (
    owner_id uuid not null,
    visibility text not null,
    is_favorite boolean not null,
    is_trashed boolean not null,
    month date not null,
    count bigint not null,
    primary key (owner_id, visibility, is_favorite, is_trashed, month)
);
comment on table read.timeline_counts_v1 is 'Assets a month; kept as rows change, never counted at read time.';

create table read.statistics_assets_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    is_video boolean not null,
    visibility text not null,
    is_favorite boolean not null,
    is_trashed boolean not null,
    size_bytes bigint not null
);
comment on table read.statistics_assets_v1 is 'What each asset counts for in statistics_v1.';

create table read.statistics_v1 (
    owner_id uuid not null,
    is_video boolean not null,
    visibility text not null,
    is_favorite boolean not null,
    is_trashed boolean not null,
    count bigint not null,
    size_bytes bigint not null,
    primary key (owner_id, is_video, visibility, is_favorite, is_trashed)
);
comment on table read.statistics_v1 is 'Assets and bytes by person, kind and state.';

create table read.jobs_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    metadata text not null,
    thumbnails text not null,
    waiting_since timestamptz not null
);
comment on table read.jobs_v1 is 'Where each asset stands with each step of processing: waiting, done, failed.';
create index on read.jobs_v1 (waiting_since) where metadata <> 'done' or thumbnails <> 'done';

create table read.jobs_counts_v1 (
    stage text not null,
    state text not null,
    count bigint not null,
    primary key (stage, state)
);
comment on table read.jobs_counts_v1 is 'Assets by step and state.';

create table read.queues_v1 (
    name text primary key,
    revision bigint not null,
    is_paused boolean not null
);
comment on table read.queues_v1 is 'Queues that people paused or resumed.';

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
declare
    read_table record;
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter schema read owner to calotype_app;
        alter schema read_next owner to calotype_app;
        for read_table in select tablename from pg_tables where schemaname = 'read' loop
            execute format('alter table read.%I owner to calotype_app', read_table.tablename);
        end loop;
    end if;
end $$;
