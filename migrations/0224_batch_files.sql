-- Files of batches that were asked for and not committed yet. Lost, the check of untracked files tells of them.
create table work.batch_files (
    batch_id uuid not null,
    key text not null,
    owner_id uuid not null,
    expected_at timestamptz not null,
    primary key (batch_id, key)
);
comment on table work.batch_files is 'Originals that lie in the library before they are anybody''s, or are about to; removed when their batch takes nothing more.';
create index on work.batch_files (expected_at);
create index on work.batch_files (owner_id);
