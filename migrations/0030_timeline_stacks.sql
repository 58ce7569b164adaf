-- The timeline knows stacks: which rows stand behind another one, and how many a stack shows.
create table read.timeline_v2 (
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
    position_by_person boolean not null,
    city text,
    country text,
    stack_id uuid,
    is_under boolean not null
);
comment on table read.timeline_v2 is 'One row an asset, shaped like the columns of a bucket.';
comment on column read.timeline_v2.is_under is 'Whether it is in a stack that another asset stands for.';
create index on read.timeline_v2 (owner_id, month);
create index on read.timeline_v2 (owner_id, created_month);

create table read.timeline_counts_v2 (
    owner_id uuid not null,
    visibility text not null,
    is_favorite boolean not null,
    is_trashed boolean not null,
    is_under boolean not null,
    month date not null,
    count bigint not null,
    primary key (owner_id, visibility, is_favorite, is_trashed, is_under, month)
);
comment on table read.timeline_counts_v2 is 'Assets a month; kept as rows change, never counted at read time.';

create table read.timeline_stacks_v2 (
    stack_id uuid primary key,
    count bigint not null
);
comment on table read.timeline_stacks_v2 is 'Assets of each stack that are not in the trash; kept as rows change.';

-- Never released.
drop table read.timeline_v1, read.timeline_counts_v1;

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
