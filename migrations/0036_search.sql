-- Search and map: what assets are found by, the lists that filters are chosen from, and the map's months.

-- Finds names and captions by any part of them. It is a trusted extension: the database's owner may make it.
create extension if not exists pg_trgm with schema public;

create table read.search_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    taken_at timestamptz not null,
    local_date_time timestamp not null,
    month date not null,
    created_at timestamptz not null,
    trashed_at timestamptz,
    visibility text not null,
    is_favorite boolean not null,
    is_video boolean not null,
    is_motion boolean not null,
    size_bytes bigint not null,
    original_key text not null,
    file_name text not null,
    description text not null,
    rating integer,
    make text,
    model text,
    lens_model text,
    city text,
    state text,
    country text,
    latitude double precision,
    longitude double precision,
    date_by_person boolean not null,
    description_by_person boolean not null,
    position_by_person boolean not null,
    rating_by_person boolean not null
);
comment on table read.search_v1 is 'What assets are found by.';
comment on column read.search_v1.month is 'First day of the month it was taken in, UTC: its sheet of the map.';
comment on column read.search_v1.file_name is 'As it is compared: without case and accents.';
comment on column read.search_v1.description is 'As it is compared: without case and accents.';

-- Each ends in the order of answers, so that the first hundred are the first hundred of the index.
create index search_v1_recent on read.search_v1 (owner_id, taken_at desc, asset_id desc);
create index search_v1_city on read.search_v1 (owner_id, city, taken_at desc, asset_id desc)
    where city is not null;
create index search_v1_country on read.search_v1 (owner_id, country, state, taken_at desc, asset_id desc)
    where country is not null;
create index search_v1_camera on read.search_v1 (owner_id, make, model, taken_at desc, asset_id desc)
    where make is not null;
create index search_v1_lens on read.search_v1 (owner_id, lens_model, taken_at desc, asset_id desc)
    where lens_model is not null;
create index search_v1_favorite on read.search_v1 (owner_id, taken_at desc, asset_id desc)
    where is_favorite;
create index search_v1_video on read.search_v1 (owner_id, taken_at desc, asset_id desc)
    where is_video;
create index search_v1_rating on read.search_v1 (owner_id, rating, taken_at desc, asset_id desc)
    where rating is not null;
create index search_v1_trash on read.search_v1 (owner_id, trashed_at) where trashed_at is not null;
create index search_v1_created on read.search_v1 (owner_id, created_at desc, asset_id desc);
create index search_v1_size on read.search_v1 (owner_id, size_bytes desc, asset_id desc);
-- Ids are random: a walk from a random one is a random choice.
create index search_v1_random on read.search_v1 (owner_id, asset_id);
create index search_v1_map on read.search_v1 (owner_id, month) where latitude is not null;
create index search_v1_file_name on read.search_v1 using gin (file_name public.gin_trgm_ops);
create index search_v1_description on read.search_v1 using gin (description public.gin_trgm_ops)
    where description <> '';

create table read.search_places_v1 (
    owner_id uuid not null,
    country text not null,
    state text not null,
    city text not null,
    count bigint not null,
    images bigint not null,
    primary key (owner_id, country, state, city)
);
comment on table read.search_places_v1 is 'Places on each timeline, with how many assets and how many pictures; an empty word stands for none.';

create table read.search_cameras_v1 (
    owner_id uuid not null,
    make text not null,
    model text not null,
    lens_model text not null,
    count bigint not null,
    primary key (owner_id, make, model, lens_model)
);
comment on table read.search_cameras_v1 is 'Cameras and lenses on each timeline; an empty word stands for none.';

create table read.map_sheets_v1 (
    owner_id uuid not null,
    month date not null,
    count bigint not null,
    digest bigint not null,
    primary key (owner_id, month)
);
comment on table read.map_sheets_v1 is 'The located assets of each month: how many, and a digest that changes with any of them.';

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
declare
    read_table record;
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        for read_table in
            select tablename from pg_tables
             where schemaname = 'read' and (tablename like 'search_%' or tablename like 'map_%')
        loop
            execute format('alter table read.%I owner to calotype_app', read_table.tablename);
        end loop;
    end if;
end $$;
