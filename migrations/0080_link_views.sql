-- Who looked at a link, kept only as long as the link: its rows follow the link, its album and its owner.
create table read.viewed_links_v2 (
    shared_link_id uuid primary key,
    owner_id uuid not null,
    album_id uuid
);
comment on table read.viewed_links_v2 is 'Links whose views are kept: until they are revoked, or go with their album or owner.';
create index on read.viewed_links_v2 (owner_id);
create index on read.viewed_links_v2 (album_id) where album_id is not null;

create table read.link_views_v2 (
    link_view_id uuid primary key,
    shared_link_id uuid not null,
    owner_id uuid not null,
    hour timestamptz not null,
    viewed_at timestamptz not null,
    address text,
    device_type text not null,
    device_os text not null
);
comment on table read.link_views_v2 is 'Who looked at a link: one row for each visitor and hour.';
comment on column read.link_views_v2.owner_id is 'Whose link it is: with the account the visitors are forgotten.';
create index on read.link_views_v2 (shared_link_id, viewed_at desc);
create index on read.link_views_v2 (owner_id);

-- It kept the visitors of accounts that are gone.
drop table read.link_views_v1;

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.viewed_links_v2 owner to calotype_app;
        alter table read.link_views_v2 owner to calotype_app;
    end if;
end $$;
