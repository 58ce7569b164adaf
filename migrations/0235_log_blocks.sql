-- What happens in each piece of the log, so that a question about all of it passes over pieces that cannot hold an answer.
create table work.log_blocks (
    block      bigint primary key,
    aggregates text[] collate "C" not null,
    types      text[] collate "C" not null,
    actors     text[] collate "C",
    first_at   timestamptz,
    last_at    timestamptz
);
comment on table work.log_blocks is 'A piece of 10,000 positions each; what is missing is looked through. Made again from the log.';
comment on column work.log_blocks.block is 'Positions from block * 10000 + 1 to (block + 1) * 10000.';
comment on column work.log_blocks.actors is 'Ids of those who did it, and of the users in whose name; null where they are many.';
comment on column work.log_blocks.first_at is 'The earliest time that an event of it was recorded; null without one.';
