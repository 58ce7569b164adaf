-- Which processes answer requests, and how much of the log each has taken in.
create table work.api_nodes (
    node_id    uuid        primary key,
    position   bigint      not null,
    renewed_at timestamptz not null
);
comment on table work.api_nodes is 'Leases of the processes that answer requests: whoever has not renewed for five seconds answers nothing.';
comment on column work.api_nodes.position is 'Up to where the process has dropped what it kept in memory of the read models.';
comment on column work.api_nodes.renewed_at is 'By the clock of the database.';
alter table work.api_nodes set (fillfactor = 50);
