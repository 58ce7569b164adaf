-- Shared links, the assets that they show one by one, and who looked at them.
create table read.shared_links_v1 (
    shared_link_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    album_id uuid,
    key text,
    key_sha256 text,
    slug text,
    password_hash text,
    has_password boolean not null,
    description text,
    allow_upload boolean not null,
    allow_download boolean not null,
    show_metadata boolean not null,
    expires_at timestamptz,
    created_at timestamptz not null
);
comment on table read.shared_links_v1 is 'Shared links that are not revoked; some may be over.';
comment on column read.shared_links_v1.key is 'base64url; shown to its owner and to whoever holds it.';
comment on column read.shared_links_v1.has_password is 'A password that is forgotten is asked for still.';
create unique index on read.shared_links_v1 (key_sha256);
create index on read.shared_links_v1 (slug) where slug is not null;
create index on read.shared_links_v1 (owner_id);
create index on read.shared_links_v1 (album_id) where album_id is not null;

create table read.shared_link_assets_v1 (
    shared_link_id uuid not null,
    asset_id uuid not null,
    primary key (shared_link_id, asset_id)
);
comment on table read.shared_link_assets_v1 is 'Assets that links show one by one.';
create index on read.shared_link_assets_v1 (asset_id);

create table read.link_views_v1 (
    link_view_id uuid primary key,
    revision bigint not null,
    shared_link_id uuid not null,
    hour timestamptz not null,
    viewed_at timestamptz not null,
    address text,
    device_type text not null,
    device_os text not null
);
comment on table read.link_views_v1 is 'Who looked at a link: one row for each visitor and hour.';
create index on read.link_views_v1 (shared_link_id, viewed_at desc);

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.shared_links_v1 owner to calotype_app;
        alter table read.shared_link_assets_v1 owner to calotype_app;
        alter table read.link_views_v1 owner to calotype_app;
    end if;
end $$;
