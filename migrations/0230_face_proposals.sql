-- Proposals of whose faces would be if whole libraries were compared anew by the model in use.
create table work.face_proposals (
    proposal_id uuid primary key,
    model_name text not null,
    model_revision text not null,
    model_sha256 text not null,
    begun_at timestamptz not null default now(),
    compared_at timestamptz,
    applied_at timestamptz
);
comment on table work.face_proposals is 'The last proposal of whose faces would be: its faces are rows of work.model_proposals. Lost, another one is asked for.';
comment on column work.face_proposals.proposal_id is 'The event of the queue that asked for it.';
comment on column work.face_proposals.compared_at is 'When all libraries had been compared; none while that is being done.';
comment on column work.face_proposals.applied_at is 'When everything was done that somebody agreed to.';
