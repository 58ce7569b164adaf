-- Administration: configuration, notifications and their marks, product keys of people, the calendar of activity.

create table read.config_v1 (
    key text primary key,
    revision bigint not null,
    settings json not null,
    is_onboarded boolean not null,
    license_key text,
    activation_key text,
    activated_at timestamptz
);
comment on table read.config_v1 is 'The one configuration: what differs from the defaults, by path.';

create table read.notifications_v1 (
    notification_id uuid primary key,
    revision bigint not null,
    user_id uuid not null,
    level text not null,
    kind text not null,
    title text not null,
    description text,
    data json,
    created_at timestamptz not null
);
comment on table read.notifications_v1 is 'What people were told; what they took away has no row.';
create index on read.notifications_v1 (user_id, created_at desc);

create table work.notification_reads (
    notification_id uuid primary key,
    read_at timestamptz not null
);
comment on table work.notification_reads is 'When notifications were read. Small truth: in backups, never made again from the log.';

create table read.user_licenses_v1 (
    user_id uuid primary key,
    revision bigint not null,
    license_key text not null,
    activation_key text not null,
    activated_at timestamptz not null
);
comment on table read.user_licenses_v1 is 'Product keys that people entered; one that was taken away has no row.';

create table read.heatmap_assets_v1 (
    asset_id uuid primary key,
    revision bigint not null,
    owner_id uuid not null,
    uploaded_on date not null,
    taken_on date not null,
    date_by_person boolean not null,
    is_visible boolean not null,
    is_trashed boolean not null
);
comment on table read.heatmap_assets_v1 is 'What each asset counts for in heatmap_v1.';

create table read.heatmap_v1 (
    owner_id uuid not null,
    kind text not null,
    day date not null,
    count bigint not null,
    primary key (owner_id, kind, day)
);
comment on table read.heatmap_v1 is 'Assets a day by person; kind is Upload or Taken. Kept as rows change, never counted at read time.';

do $$
declare
    read_table record;
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        grant select, insert, update, delete on work.notification_reads to calotype_app;
        for read_table in select tablename from pg_tables where schemaname = 'read' loop
            execute format('alter table read.%I owner to calotype_app', read_table.tablename);
        end loop;
    end if;
end $$;
