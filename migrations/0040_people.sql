-- The read model of people and the faces on photos.
create table read.people_v1 (
    person_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    name text not null,
    birth_date date,
    is_hidden boolean not null,
    is_favorite boolean not null,
    color text,
    feature_face_id uuid,
    thumbnail_key text,
    thumbnail_face_id uuid,
    failed_face_id uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table read.people_v1 is 'People who are told apart; merged and deleted ones have no row.';
comment on column read.people_v1.feature_face_id is 'The face that a person chose to stand for them.';
comment on column read.people_v1.thumbnail_face_id is 'The face that the picture shows.';
comment on column read.people_v1.failed_face_id is 'The face that no picture could be made of.';
create index on read.people_v1 (owner_id);

create table read.people_names_v1 (
    person_id uuid not null,
    owner_id uuid not null,
    tail text collate "C" not null,
    is_whole boolean not null,
    primary key (person_id, tail)
);
comment on table read.people_names_v1 is 'What is left of each name from each of its words on, folded for searching.';
create index on read.people_names_v1 (owner_id, tail);

create table read.people_gone_v1 (
    person_id uuid primary key,
    into_id uuid
);
comment on table read.people_gone_v1 is 'Merged people with who they are by now; deleted ones with nobody.';
create index on read.people_gone_v1 (into_id);

create table read.people_sums_v1 (
    person_id uuid primary key,
    faces bigint not null,
    assets bigint not null
);
comment on table read.people_sums_v1 is 'Faces of a person and assets with any, among assets on the timeline; kept as rows change.';

create table read.people_due_v1 (
    person_id uuid primary key
);
comment on table read.people_due_v1 is 'People whose picture is missing or shows the wrong face.';

create table read.faces_assets_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    faces_revision bigint not null,
    owner_id uuid not null,
    visibility text not null,
    is_trashed boolean not null,
    has_preview boolean not null
);
comment on table read.faces_assets_v1 is 'What of an asset decides whether its faces count.';
comment on column read.faces_assets_v1.faces_revision is 'The last revision applied of the stream of faces; -1 for none.';

create table read.faces_v1 (
    face_id uuid primary key,
    asset_id uuid not null,
    owner_id uuid not null,
    said_person_id uuid,
    person_id uuid,
    is_drawn boolean not null,
    is_confirmed boolean not null,
    x1 double precision,
    y1 double precision,
    x2 double precision,
    y2 double precision,
    image_width bigint not null,
    image_height bigint not null,
    is_shown boolean not null,
    has_preview boolean not null,
    created_at timestamptz not null
);
comment on table read.faces_v1 is 'Faces on photos, whoever found them.';
comment on column read.faces_v1.said_person_id is 'Whose it was said to be.';
comment on column read.faces_v1.person_id is 'Who that is by now.';
comment on column read.faces_v1.x1 is 'Left edge as a fraction of the width; all four edges are null for a face without a place.';
comment on column read.faces_v1.is_shown is 'Whether the asset is on the timeline and not in the trash.';
create index on read.faces_v1 (asset_id);
create index on read.faces_v1 (person_id, asset_id) where person_id is not null;
create index on read.faces_v1 (said_person_id) where said_person_id is not null;

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
