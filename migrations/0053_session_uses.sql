-- When each session was last used. Small truth: in backups, never made again from the log.

create table work.session_uses (
    session_id  uuid        primary key,
    used_at     timestamptz not null,
    app_version text
);
comment on table work.session_uses is 'The last use of each session, to the hour, and the version of its app.';
