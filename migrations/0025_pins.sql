-- PINs of the locked folder, and sessions that a PIN has unlocked for a while.
create table read.pins_v1 (
    user_id uuid primary key,
    revision bigint not null,
    pin_hash text
);
comment on table read.pins_v1 is 'The PIN of each account that ever had one.';
comment on column read.pins_v1.pin_hash is 'argon2id in PHC form; nothing while there is no PIN.';

create table read.sessions_v2 (
    session_id uuid primary key,
    revision bigint not null,
    user_id uuid not null,
    token_sha256 text not null,
    device_type text not null,
    device_os text not null,
    app_version text,
    parent_id uuid,
    is_pending_sync_reset boolean not null,
    elevated_until timestamptz,
    elevated_position bigint,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    expires_at timestamptz
);
comment on table read.sessions_v2 is 'Open sessions; a closed one has no row.';
comment on column read.sessions_v2.elevated_until is 'Until when what is behind the PIN is open to it.';
comment on column read.sessions_v2.elevated_position is 'Where in the log it was unlocked; a PIN removed later locks it.';
create unique index on read.sessions_v2 (token_sha256);
create index on read.sessions_v2 (user_id);

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.pins_v1 owner to calotype_app;
        alter table read.sessions_v2 owner to calotype_app;
    end if;
end $$;
