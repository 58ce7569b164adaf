-- Nothing is kept in work.idempotency yet, and its comments told of a header that no request has.

comment on table work.idempotency is
    'Not used yet, kept for imports: outcomes of commands by who gave them and by a key of their own choice.';
comment on column work.idempotency.digest is 'Of the command: the same key with another command is to be refused.';
comment on column work.idempotency.outcome is 'What was answered; null while the command runs.';
