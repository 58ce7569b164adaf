-- What is written in assets, as models read it.
create table read.texts_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    reader_id uuid not null,
    words text not null,
    lines jsonb not null
);
comment on table read.texts_v1 is 'The text of each asset that a model has read: what was read last.';
comment on column read.texts_v1.reader_id is 'Made of the model''s name, revision and digest, and of how it was told to look.';
comment on column read.texts_v1.words is 'All lines in one, as they are compared: without case and accents.';
comment on column read.texts_v1.lines is 'Each line with the corners of its box as parts of width and height, and how sure the model is.';
create index texts_v1_words on read.texts_v1 using gin (words public.gin_trgm_ops) where words <> '';

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.texts_v1 owner to calotype_app;
    end if;
end $$;
