-- Comments and likes in albums.
create table read.activities_v1 (
    activity_id uuid primary key,
    revision bigint not null,
    album_id uuid not null,
    asset_id uuid,
    user_id uuid not null,
    is_like boolean not null,
    comment text,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table read.activities_v1 is 'Comments and likes; deleted ones have no row.';
create index on read.activities_v1 (album_id, created_at);

do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.activities_v1 owner to calotype_app;
    end if;
end $$;
