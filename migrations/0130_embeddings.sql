-- What assets show, as vectors of models.
create table read.embeddings_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    model_id uuid not null,
    event_id uuid not null,
    scale real not null,
    codes bytea not null
);
comment on table read.embeddings_v1 is 'The vector of each asset that a model has looked at: the one that was told last.';
comment on column read.embeddings_v1.model_id is 'Made of the model''s name, revision and digest: only vectors of one model can be compared.';
comment on column read.embeddings_v1.event_id is 'The event whose attachment holds the vector as it was told.';
comment on column read.embeddings_v1.scale is 'What a code stands for: a number of the vector is about the code times this.';
comment on column read.embeddings_v1.codes is 'A signed byte for each number, -127 to 127.';
-- Numbers do not get smaller by compressing.
alter table read.embeddings_v1 alter column codes set storage external;

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.embeddings_v1 owner to calotype_app;
    end if;
end $$;
