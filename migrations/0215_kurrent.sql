-- A log in KurrentDB (docs/adr/0029): how far it was copied, and calls that were decided and not yet written.

create table log.kurrent (
    one              boolean     primary key default true check (one),
    commit_position  bigint      not null,
    prepare_position bigint      not null,
    event_id         uuid,
    begun_at         timestamptz not null default now()
);
comment on table log.kurrent is 'One row where the log is in KurrentDB, and none where it is here. With it, log.events is a copy in the order of $all.';
comment on column log.kurrent.commit_position is 'Of the last event of $all that was looked at; -1 before the first.';
comment on column log.kurrent.prepare_position is 'The second half of the same position.';
comment on column log.kurrent.event_id is 'The event there, to know the database again by it; null where it is one of KurrentDB''s own, which may go.';

create table log.kurrent_calls (
    call_id    uuid        primary key,
    stream_ids text[]      collate "C" not null,
    writes     json        not null,
    decided_at timestamptz not null default now()
);
comment on table log.kurrent_calls is 'Appends that need more than one write to KurrentDB, from their decision until all are written. Whoever finds one finishes it.';
comment on column log.kurrent_calls.call_id is 'Id of the call''s first event.';
comment on column log.kurrent_calls.stream_ids is 'The streams it writes to.';
comment on column log.kurrent_calls.writes is 'The writes in order: stream, revision before, and the events as they are stored (sealed values are ciphertext).';

do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        grant select, insert, update on log.kurrent to calotype_app;
        grant select, insert, update, delete on log.kurrent_calls to calotype_app;
    end if;
end
$$;
