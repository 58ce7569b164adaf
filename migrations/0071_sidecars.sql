-- Assets whose XMP file beside the original does not say yet what people say.
create table read.sidecars_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    behind_since timestamptz not null
);
comment on table read.sidecars_v1 is 'Assets whose sidecar is behind; a row goes when it is written.';
create index on read.sidecars_v1 (behind_since, asset_id);

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.sidecars_v1 owner to calotype_app;
    end if;
end $$;
