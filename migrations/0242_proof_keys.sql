-- Keys that followed others in signing heads. See docs/adr/0038.

create table proof.keys (
    log_id     uuid        not null,
    former_key bytea       not null check (length(former_key) = 32),
    next_key   bytea       not null check (length(next_key) = 32),
    size       bigint      not null check (size >= 0),
    note       text        not null,
    rotated_at timestamptz not null,
    rotated_by text        not null,
    is_told    boolean     not null default false,
    primary key (log_id, former_key),
    unique (log_id, next_key),
    check (former_key <> next_key)
);
comment on table proof.keys is 'Each key that followed another, signed by both. Never deleted: it is what lets the former heads be believed.';
comment on column proof.keys.size is 'The former key signs no head over more leaves than this.';
comment on column proof.keys.note is 'What both keys signed, as text with its signatures (C2SP signed-note, Ed25519).';
comment on column proof.keys.rotated_by is 'Who asked for it: the kind of actor and its id.';
comment on column proof.keys.is_told is 'Whether it stands in the file of heads, too.';

do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        grant select, insert on proof.keys to calotype_app;
        grant update (is_told) on proof.keys to calotype_app;
    end if;
end
$$;
