-- Moves of originals to where the storage template says: what is to be moved, and which keys are spoken for.
create table work.original_wishes (
    asset_id uuid        primary key,
    since    timestamptz not null,
    due      timestamptz not null,
    tries    integer     not null default 0,
    waits    integer     not null default 0,
    failed   text
);
comment on table work.original_wishes is 'Assets whose files are to be where the storage template says; a row goes when they are.';
comment on column work.original_wishes.due is 'When the next step may be taken.';
comment on column work.original_wishes.tries is 'How often a step failed in a row.';
comment on column work.original_wishes.waits is 'How often in a row no step could be taken yet.';
comment on column work.original_wishes.failed is 'Why it was given up; the files lie where they lay.';
create index on work.original_wishes (due) where failed is null;

create table work.original_places (
    asset_id           uuid primary key,
    key                text collate "C" not null unique,
    folded             text collate "C" not null unique,
    sidecar_key        text collate "C",
    former_key         text collate "C",
    former_folded      text collate "C",
    former_sidecar_key text collate "C",
    moved_at           timestamptz,
    has_put            boolean not null default false,
    has_put_sidecar    boolean not null default false
);
comment on table work.original_places is 'Keys that a storage template made, each spoken for by one asset. Read back from the read model where it is lost.';
comment on column work.original_places.folded is 'The key as file systems see it that do not tell case apart: two keys that may be one file are never both spoken for.';
comment on column work.original_places.former_key is 'Where the original lay before; nothing once that is removed.';
comment on column work.original_places.moved_at is 'When the log was seen to say the new key.';
comment on column work.original_places.has_put is 'Whether this move put the file under its key; anything else there is somebody else''s.';
comment on column work.original_places.has_put_sidecar is 'The same of the sidecar.';
create index on work.original_places (former_folded) where former_folded is not null;
