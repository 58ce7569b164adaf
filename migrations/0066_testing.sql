-- Whether a database may be emptied on request.
create table work.testing (
    marked_at timestamptz not null default now()
);
comment on table work.testing is 'One row where the first start on this database was one with --testing: only such a database can be reset.';
