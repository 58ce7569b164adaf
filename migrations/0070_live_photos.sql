-- Stills and films that may belong together.
create table read.live_photos_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    is_video boolean not null,
    is_locked boolean not null,
    is_trashed boolean not null,
    content_id text,
    has_film_inside boolean not null,
    film_id uuid,
    unlinked uuid[] not null
);
comment on table read.live_photos_v1 is 'Every asset as a possible half of a live photo.';
comment on column read.live_photos_v1.content_id is 'Apple''s identifier, the same in still and film.';
comment on column read.live_photos_v1.film_id is 'The film that belongs to this still.';
comment on column read.live_photos_v1.unlinked is 'Films that were taken away from it: no file brings them back.';
create index on read.live_photos_v1 (owner_id, content_id) where content_id is not null;
create index on read.live_photos_v1 (asset_id)
    where content_id is not null and film_id is null and not is_video and not is_trashed;
create index on read.live_photos_v1 (film_id) where film_id is not null;
create index on read.live_photos_v1 (asset_id)
    where has_film_inside and film_id is null and unlinked = '{}';

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.live_photos_v1 owner to calotype_app;
    end if;
end $$;
