-- How far each phone has come with each type of its sync. Small truth: in backups, never made again from the log.

create table work.sync_acks (
    session_id uuid        not null,
    type       text        collate "C" not null,
    ack        text        not null,
    updated_at timestamptz not null default now(),
    primary key (session_id, type)
);
comment on table work.sync_acks is 'The last line of each type that a session said it has.';
comment on column work.sync_acks.ack is 'As it was sent with the line.';
