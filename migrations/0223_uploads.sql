-- Uploads in pieces: how much of each has come. Lost, they are begun anew.
create table work.uploads (
    upload_id uuid primary key,
    owner_id uuid not null,
    length_bytes bigint not null,
    offset_bytes bigint not null,
    metadata text not null,
    begun_at timestamptz not null,
    expires_at timestamptz not null,
    finished_at timestamptz,
    asset_id uuid,
    is_new boolean
);
comment on table work.uploads is 'Files that come in pieces; the bytes lie in tmp/uploads of the data folder.';
comment on column work.uploads.offset_bytes is 'Bytes that have come and are durable; what the file has behind them does not count.';
comment on column work.uploads.metadata is 'Upload-Metadata as the client sent it.';
comment on column work.uploads.expires_at is 'When it is forgotten unless more comes.';
comment on column work.uploads.finished_at is 'When the whole file was taken in; its bytes are no longer in tmp then.';
comment on column work.uploads.asset_id is 'The asset that it became, or that had these bytes; none for a file of a batch.';
comment on column work.uploads.is_new is 'Whether the asset was made of it.';
create index on work.uploads (owner_id) where finished_at is null;
create index on work.uploads (expires_at);
