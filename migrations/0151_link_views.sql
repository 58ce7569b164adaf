-- Who looked at a link, kept also when the link has ended, as long as the account of who made it.
create table read.viewed_links_v3 (
    shared_link_id uuid primary key,
    owner_id uuid not null
);
comment on table read.viewed_links_v3 is 'Links whose views are kept: until the account of who made them is removed.';
create index on read.viewed_links_v3 (owner_id);

create table read.link_views_v3 (
    link_view_id uuid primary key,
    shared_link_id uuid not null,
    owner_id uuid not null,
    hour timestamptz not null,
    viewed_at timestamptz not null,
    address text,
    device_type text not null,
    device_os text not null
);
comment on table read.link_views_v3 is 'Who looked at a link: one row for each visitor and hour.';
comment on column read.link_views_v3.owner_id is 'Whose link it is: with the account the visitors are forgotten.';
create index on read.link_views_v3 (shared_link_id, viewed_at desc);
create index on read.link_views_v3 (owner_id);

-- Nobody would remove from them the visitors of accounts that are gone.
drop table read.link_views_v2, read.viewed_links_v2;

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.viewed_links_v3 owner to calotype_app;
        alter table read.link_views_v3 owner to calotype_app;
    end if;
end $$;
