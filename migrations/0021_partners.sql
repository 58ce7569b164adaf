-- Partners: who shares their timeline with whom.
create table read.partners_v1 (
    partner_id uuid primary key,
    revision bigint not null,
    shared_by_id uuid not null,
    shared_with_id uuid not null,
    in_timeline boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table read.partners_v1 is 'Who shares their timeline with whom; an ended sharing has no row.';
create index on read.partners_v1 (shared_by_id);
create index on read.partners_v1 (shared_with_id);

do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.partners_v1 owner to calotype_app;
    end if;
end $$;
