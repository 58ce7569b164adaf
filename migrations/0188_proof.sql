-- Tamper evidence: a Merkle tree over the log (RFC 6962) and its signed heads. See docs/adr/0023.

create schema proof;
comment on schema proof is 'A Merkle tree over log.events in the order of log.positions. The tiles can be made again from the log; signed heads cannot.';

create table proof.tree (
    one          boolean     primary key default true check (one),
    log_id       uuid        not null default gen_random_uuid(),
    size         bigint      not null default 0 check (size >= 0),
    rebuilt_at   timestamptz,
    rebuilt_size bigint
);
comment on table proof.tree is 'One row. Whoever extends or signs the tree locks it.';
comment on column proof.tree.log_id is 'Names the log in its heads. A reset of test data begins another log.';
comment on column proof.tree.size is 'Leaves: the positions 1 to this are in the tree.';
comment on column proof.tree.rebuilt_at is 'When the tiles were last made anew: what the former ones told is gone.';
comment on column proof.tree.rebuilt_size is 'Leaves that the former tree had.';
insert into proof.tree default values;

create table proof.tiles (
    level  smallint not null check (level between 0 and 7),
    tile   bigint   not null check (tile >= 0),
    hashes bytea    not null check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0),
    primary key (level, tile)
);
comment on table proof.tiles is 'Hashes by 256, as C2SP tlog-tiles: level 0 of leaves, level n + 1 of complete tiles of level n. Only the last tile of a level grows.';
alter table proof.tiles alter column hashes set storage external;

create table proof.heads (
    log_id     uuid        not null,
    size       bigint      not null check (size > 0),
    root       bytea       not null check (length(root) = 32),
    note       text        not null,
    public_key bytea       not null check (length(public_key) = 32),
    signed_at  timestamptz not null,
    is_told    boolean     not null default false,
    primary key (log_id, size)
);
comment on table proof.heads is 'Signed heads of the tree, by size. Never deleted.';
comment on column proof.heads.note is 'The head as text with its signature: C2SP tlog-checkpoint, Ed25519.';
comment on column proof.heads.public_key is 'Of the key that signed.';
comment on column proof.heads.is_told is 'Whether it stands in the file of heads, too.';

-- A complete tile never changes, and no tile becomes shorter, but for starting anew.
create function proof.refuse_change() returns trigger
language plpgsql as $$
begin
    if tg_op = 'UPDATE' and substring(new.hashes from 1 for length(old.hashes)) = old.hashes
        and (new.level, new.tile) = (old.level, old.tile) then
        return new;
    end if;
    raise exception 'proof.% never changes: % refused', tg_table_name, lower(tg_op)
        using errcode = 'insufficient_privilege';
end
$$;
create trigger tiles_only_grow
    before update or delete on proof.tiles
    for each row execute function proof.refuse_change();

-- Forgets the tiles and says so. The heads stay, and bind what the new ones may be.
create function proof.start_anew() returns void
language plpgsql security definer set search_path = proof, pg_temp as $$
begin
    update proof.tree set rebuilt_at = now(), rebuilt_size = size, size = 0;
    truncate proof.tiles;
end
$$;
comment on function proof.start_anew is 'The tree is made anew from the log; it is written down that this happened.';
revoke all on function proof.start_anew() from public;

do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        grant usage on schema proof to calotype_app;
        grant select, update on proof.tree to calotype_app;
        grant select, insert, update on proof.tiles to calotype_app;
        grant select, insert on proof.heads to calotype_app;
        grant update (is_told) on proof.heads to calotype_app;
        grant execute on function proof.start_anew() to calotype_app;
    end if;
end
$$;
