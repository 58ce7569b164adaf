-- What faces look like, as vectors of models.
create table read.face_vectors_v1 (
    face_id uuid primary key,
    asset_id uuid not null,
    revision bigint not null,
    model_id uuid not null,
    scale real not null,
    codes bytea not null
);
comment on table read.face_vectors_v1 is 'The vector of each face that a model has found: the one that was told last.';
comment on column read.face_vectors_v1.revision is 'The event''s place in the stream of the photo''s faces.';
comment on column read.face_vectors_v1.model_id is 'Made of the model''s name, revision and digest: only vectors of one model can be compared.';
comment on column read.face_vectors_v1.scale is 'What a code stands for: a number of the vector is about the code times this.';
comment on column read.face_vectors_v1.codes is 'A signed byte for each number, -127 to 127.';
create index on read.face_vectors_v1 (asset_id);
-- Numbers do not get smaller by compressing.
alter table read.face_vectors_v1 alter column codes set storage external;

create table read.face_searches_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    model_id uuid not null,
    found_at bigint
);
comment on table read.face_searches_v1 is 'The model that looked last for faces in each asset, whether it found any or not.';
comment on column read.face_searches_v1.found_at is 'Where faces were found: the event''s place in the log. Whose they are is asked once the errands have passed it.';
create index on read.face_searches_v1 (found_at) where found_at is not null;

-- All faces of a library are compared with one another.
create index on read.faces_v1 (owner_id);

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.face_vectors_v1 owner to calotype_app;
        alter table read.face_searches_v1 owner to calotype_app;
    end if;
end $$;
