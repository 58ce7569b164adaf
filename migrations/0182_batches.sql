-- Batches of files that were taken in together, as their owners list them.
create table read.batches_v1 (
    batch_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    opened_at timestamptz not null,
    updated_at timestamptz not null,
    closed_at timestamptz,
    rolled_back_at timestamptz,
    created bigint not null,
    duplicates bigint not null,
    created_bytes bigint not null,
    albums bigint not null,
    tags bigint not null,
    album_entries bigint not null
);
comment on table read.batches_v1 is 'One row for each batch; what it did stands in its stream.';
comment on column read.batches_v1.rolled_back_at is 'When the last part of it was taken back.';
comment on column read.batches_v1.created is 'Assets that it made.';
comment on column read.batches_v1.duplicates is 'Files whose bytes their owner had before.';
comment on column read.batches_v1.album_entries is 'Times that a file was put into an album.';
create index on read.batches_v1 (owner_id, opened_at desc);

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.batches_v1 owner to calotype_app;
    end if;
end $$;
