-- Copies of films that every player shows.
create table read.films_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    encoded_key text,
    encoded_bytes bigint
);
comment on table read.films_v1 is 'Every film, with the copy that every player shows where there is one.';
comment on column read.films_v1.encoded_key is 'Key of the copy in the blob store; none where the original is played.';
create index on read.films_v1 (asset_id) where encoded_key is null;

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
declare
    read_table record;
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        for read_table in select tablename from pg_tables where schemaname = 'read' loop
            execute format('alter table read.%I owner to calotype_app', read_table.tablename);
        end loop;
    end if;
end $$;
