-- The log: what happened, in which order, and the keys of what can be forgotten. Never deleted.

create schema log;
comment on schema log is 'The event log. The only truth; nothing here is ever updated or deleted but keys and attachments of forgotten subjects.';

create table log.events (
    event_id       uuid        primary key,
    stream_id      text        collate "C" not null,
    revision       bigint      not null check (revision >= 0),
    type           text        collate "C" not null,
    version        smallint    not null check (version > 0),
    payload        json        not null,
    subject        text        collate "C",
    actor_kind     text        collate "C" not null,
    actor_id       text        not null,
    actor_user_id  uuid,
    client         text,
    correlation_id uuid        not null,
    causation_id   uuid,
    recorded_at    timestamptz not null,
    constraint events_stream_id_revision_key unique (stream_id, revision)
);
comment on table log.events is 'One row per event, in no particular order; log.positions has the order.';
comment on column log.events.event_id is 'UUIDv5 of the command''s id and the event''s index, so that a repeated append is recognised.';
comment on column log.events.stream_id is '<aggregate>-<key>. Never holds personal text.';
comment on column log.events.revision is 'Place in the stream, from 0, without gaps.';
comment on column log.events.version is 'Version of the payload''s shape; schemas/events/<type>.v<version>.json.';
comment on column log.events.payload is 'Text as it was written, byte for byte (json, not jsonb): proofs hash it. Sealed values are ciphertext.';
comment on column log.events.subject is 'Whose key in log.subject_keys seals this event''s values.';
comment on column log.events.actor_kind is 'user, api_key, shared_link, processor or system.';
comment on column log.events.actor_id is 'Id of the user, session, key or link, or the processor''s name.';
comment on column log.events.actor_user_id is 'The user in whose name it was done.';
comment on column log.events.client is 'The program it was done with, as it named itself.';
comment on column log.events.correlation_id is 'The request or job that everything belongs to.';
comment on column log.events.causation_id is 'The event or command that led to this one.';
comment on column log.events.recorded_at is 'When it was recorded, not when the photo was taken.';

create table log.outbox (
    seq       bigint generated always as identity primary key,
    event_ids uuid[] not null
);
comment on table log.outbox is 'Committed events that have no position yet: one row per append transaction, moved by the sequencer.';
comment on column log.outbox.seq is 'Order in which the rows were written, not committed. Of two appends to one stream the later has the higher number.';
comment on column log.outbox.event_ids is 'The transaction''s events in the order they were given.';
-- Rows live for milliseconds: keep the table as small as what waits.
alter table log.outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create table log.positions (
    position bigint primary key,
    event_id uuid   not null unique
);
comment on table log.positions is 'The order of the whole log. Data like any other: it survives dump and restore.';
comment on column log.positions.position is 'From 1, in the order the sequencer saw the events as committed.';

create table log.head (
    one      boolean primary key default true check (one),
    position bigint  not null check (position >= 0)
);
comment on table log.head is 'One row: the last position that was ever given. Positions are never given twice, also after a reset of test data.';
insert into log.head (position) values (0);
alter table log.head set (fillfactor = 10);

create table log.subject_keys (
    subject      text        collate "C" primary key,
    wrapped      bytea,
    created_at   timestamptz not null default now(),
    destroyed_at timestamptz,
    check ((wrapped is null) = (destroyed_at is not null))
);
comment on table log.subject_keys is 'One random key per subject (a user, an asset), encrypted by the master key, which is not in the database.';
comment on column log.subject_keys.wrapped is 'Nonce (24 bytes) and XChaCha20-Poly1305 ciphertext of the key; null once destroyed.';
comment on column log.subject_keys.destroyed_at is 'When the subject was forgotten. The row stays, so that no new key is made.';

create table log.attachments (
    event_id uuid  not null,
    name     text  not null,
    subject  text  collate "C" not null,
    bytes    bytea not null,
    primary key (event_id, name)
);
comment on table log.attachments is 'Large derived bytes of an event (vectors, text boxes), written with it and deleted when its subject is forgotten.';
comment on column log.attachments.subject is 'The event''s subject, to find them by.';
create index attachments_subject_idx on log.attachments (subject);
alter table log.attachments alter column bytes set storage external;

create table log.skipped (
    event_id   uuid        primary key,
    reason     text        not null,
    skipped_by text        not null,
    skipped_at timestamptz not null default now()
);
comment on table log.skipped is 'Events that cannot be lived with: an operator lists them here, every reader ignores them.';

-- Second belt: the role that serves has no right to change events, and this also stops the owner's slip.
-- A reset of test data is the owner's: it runs with `set session_replication_role = replica`.
create function log.refuse_change() returns trigger
language plpgsql as $$
begin
    raise exception 'log.% never changes: % refused', tg_table_name, lower(tg_op)
        using errcode = 'insufficient_privilege';
end
$$;

create trigger events_never_change
    before update or delete or truncate on log.events
    for each statement execute function log.refuse_change();

-- One batch of append calls in one statement. Each call is written whole or not at all; calls do not
-- touch the same stream. Arrays starting with a_ have one element per stream, with e_ one per event,
-- with t_ one per attachment; *_append is the place in a_, from 1; a_call is the same number for the
-- streams of one call.
--
-- a_expected: null demands nothing, -1 that the stream has no event, else its last revision. Skipped
--   events do not count against it, because readers do not see them.
-- a_wrapped: the wrapped key that sealed, null where none is needed.
-- check_ids: look for every event id first. Otherwise only where a demand does not hold or there is none;
--   an id that is there all the same is then a unique violation, and nothing was written.
--
-- outcomes, one per stream:
--   0 written; revisions has the last revision before
--   1 was written by an earlier attempt; revisions has the last revision of these events
--   2 refused, the demand does not hold; revisions has the last revision, -1 for no event
--   3 refused, an event id names another event
--   4 refused, the subject was forgotten
--   5 refused, the subject has another key: read it and seal again
--   6 refused because of another stream of the same call
create function log.append(
    check_ids        boolean,
    a_call           integer[],
    a_stream_id      text[],
    a_expected       bigint[],
    a_subject        text[],
    a_wrapped        bytea[],
    e_append         integer[],
    e_offset         integer[],
    e_event_id       uuid[],
    e_stream_id      text[],
    e_type           text[],
    e_version        smallint[],
    e_payload        text[],
    e_subject        text[],
    e_actor_kind     text[],
    e_actor_id       text[],
    e_actor_user_id  uuid[],
    e_client         text[],
    e_correlation_id uuid[],
    e_causation_id   uuid[],
    e_recorded_at    timestamptz[],
    t_append         integer[],
    t_event_id       uuid[],
    t_name           text[],
    t_subject        text[],
    t_bytes          bytea[],
    out outcomes     smallint[],
    out revisions    bigint[]
)
language plpgsql as $$
declare
    met      boolean[];
    refused  integer[] := '{}';
    suspect  integer[] := '{}';
    repeated integer[] := '{}';
    taken    integer[] := '{}';
    keyless  integer[] := '{}';
    key_of   smallint[];
begin
    select array_agg(a.met order by a.no), array_agg(a.last order by a.no)
    into met, revisions
    from (
        select
            a.no,
            coalesce(e.revision, -1) as last,
            a.expected is null
            or a.expected = coalesce(e.revision, -1)
            or a.expected < coalesce(e.revision, -1) and not exists (
                select from log.events later
                where later.stream_id = a.stream_id
                    and later.revision > a.expected
                    and later.event_id not in (select s.event_id from log.skipped s)
            ) as met
        from unnest(a_stream_id, a_expected) with ordinality a (stream_id, expected, no)
        left join lateral (
            select last.revision
            from log.events last
            where last.stream_id = a.stream_id
            order by last.revision desc
            limit 1
        ) e on true
    ) a;

    if false = any (met) then
        refused := array(
            select distinct a.call from unnest(a_call, met) a (call, met) where not a.met
        );
    end if;
    if check_ids then
        suspect := a_call;
    elsif refused <> '{}' or array_position(a_expected, null) is not null then
        suspect := array(
            select distinct a.call
            from unnest(a_call, a_expected) a (call, expected)
            where a.expected is null or a.call = any (refused)
        );
    end if;

    if suspect <> '{}' then
        select
            coalesce(array_agg(c.call) filter (where c.found = c.given and c.here), '{}'),
            coalesce(array_agg(c.call) filter (where c.found > 0 and not (c.found = c.given and c.here)), '{}')
        into repeated, taken
        from (
            select
                a_call[e.append] as call,
                count(*) as given,
                count(there.event_id) as found,
                coalesce(bool_and(there.stream_id = e.stream_id), false) as here
            from unnest(e_append, e_event_id, e_stream_id) e (append, event_id, stream_id)
            left join log.events there on there.event_id = e.event_id
            where a_call[e.append] = any (suspect)
            group by a_call[e.append]
        ) c;
        if repeated <> '{}' then
            revisions := array(
                select coalesce(written.last, a.last)
                from unnest(revisions) with ordinality a (last, no)
                left join (
                    select e.append, max(there.revision) as last
                    from unnest(e_append, e_event_id) e (append, event_id)
                    join log.events there on there.event_id = e.event_id
                    where a_call[e.append] = any (repeated)
                    group by e.append
                ) written on written.append = a.no
                order by a.no
            );
        end if;
    end if;

    if a_wrapped is not null then
        insert into log.subject_keys (subject, wrapped)
        select distinct on (a.subject) a.subject, a.wrapped
        from unnest(a_call, a_subject, a_wrapped) a (call, subject, wrapped)
        where a.wrapped is not null and a.call <> all (refused || repeated || taken)
        order by a.subject
        on conflict do nothing;

        -- Whoever forgets a subject waits for its attachments to be there, and then deletes them.
        if t_event_id is not null then
            perform from log.subject_keys k where k.subject = any (t_subject) order by k.subject for share;
        end if;

        select array_agg(
            case
                when a.wrapped is null or k.wrapped = a.wrapped then 0
                when k.destroyed_at is not null then 4
                when k.subject is not null then 5
                else 0 -- refused above, so no key was made
            end order by a.no)
        into key_of
        from unnest(a_subject, a_wrapped) with ordinality a (subject, wrapped, no)
        left join log.subject_keys k on k.subject = a.subject;
        keyless := array(
            select distinct a.call from unnest(a_call, key_of) a (call, key) where a.key <> 0
        );
    end if;

    if refused || taken || repeated || keyless = '{}' then
        outcomes := array_fill(0::smallint, array[cardinality(a_call)]);
    else
        outcomes := array(
            select case
                when a.call = any (repeated) then 1
                when a.call = any (taken) then 3
                when not a.met then 2
                when a.call = any (refused) then 6
                when a.key <> 0 then a.key
                when a.call = any (keyless) then 6
                else 0
            end::smallint
            from unnest(a_call, met, key_of) with ordinality a (call, met, key, no)
            order by a.no
        );
        if 0 <> all (outcomes) then
            return;
        end if;
    end if;

    -- Sorted, so that two batches of two processes wait for each other in one direction only.
    insert into log.events (
        event_id, stream_id, revision, type, version, payload, subject,
        actor_kind, actor_id, actor_user_id, client, correlation_id, causation_id, recorded_at
    )
    select
        e.event_id, e.stream_id, revisions[e.append] + 1 + e.place, e.type, e.version, e.payload::json, e.subject,
        e.actor_kind, e.actor_id, e.actor_user_id, e.client, e.correlation_id, e.causation_id, e.recorded_at
    from unnest(
        e_append, e_offset, e_event_id, e_stream_id, e_type, e_version, e_payload, e_subject,
        e_actor_kind, e_actor_id, e_actor_user_id, e_client, e_correlation_id, e_causation_id, e_recorded_at
    ) e (
        append, place, event_id, stream_id, type, version, payload, subject,
        actor_kind, actor_id, actor_user_id, client, correlation_id, causation_id, recorded_at
    )
    where outcomes[e.append] = 0
    order by e.stream_id collate "C", e.place;

    if t_event_id is not null then
        insert into log.attachments (event_id, name, subject, bytes)
        select t.event_id, t.name, t.subject, t.bytes
        from unnest(t_append, t_event_id, t_name, t_subject, t_bytes) t (append, event_id, name, subject, bytes)
        where outcomes[t.append] = 0;
    end if;

    insert into log.outbox (event_ids)
    select array_agg(e.event_id order by e.no)
    from unnest(e_append, e_event_id) with ordinality e (append, event_id, no)
    where outcomes[e.append] = 0;
end
$$;
comment on function log.append is 'Appends a batch of calls; see the migration for its arguments.';

-- Gives positions to at most `appends_max` rows of the outbox. One session at a time, under an advisory lock.
create function log.sequence(appends_max integer, out first_position bigint, out event_ids uuid[])
language plpgsql as $$
declare
    last_before bigint;
begin
    with moved as (
        delete from log.outbox
        where ctid = any (array(select o.ctid from log.outbox o order by o.seq limit appends_max))
        returning seq, outbox.event_ids
    )
    select array_agg(e.event_id order by m.seq, e.no)
    into event_ids
    from moved m, unnest(m.event_ids) with ordinality e (event_id, no);
    if event_ids is null then
        return;
    end if;

    update log.head h
    set position = h.position + cardinality(event_ids)
    returning h.position - cardinality(event_ids) into last_before;
    first_position := last_before + 1;

    insert into log.positions (position, event_id)
    select last_before + e.no, e.event_id
    from unnest(event_ids) with ordinality e (event_id, no);

    perform pg_notify('calotype_positions', (last_before + cardinality(event_ids))::text);
end
$$;
comment on function log.sequence is 'The sequencer''s step: moves rows from log.outbox to log.positions and tells the channel calotype_positions.';

-- The role that serves is made by whoever sets up the database; without it the owner serves.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        grant usage on schema log to calotype_app;
        grant select, insert on log.events, log.positions to calotype_app;
        grant select, insert, delete on log.outbox, log.attachments to calotype_app;
        grant select, update on log.head to calotype_app;
        grant select, insert, update on log.subject_keys to calotype_app;
        grant select, insert on log.skipped to calotype_app;
    end if;
end
$$;
