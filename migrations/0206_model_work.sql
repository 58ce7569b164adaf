-- How far trials of models are, what groups of faces they propose, and how far what follows a switch is.
create table work.model_trials (
    trial_id uuid primary key,
    after_id uuid not null,
    seen bigint not null,
    tried bigint not null,
    failed bigint not null,
    shown_at bigint
);
comment on table work.model_trials is 'How far a trial is: lost, it begins anew and records nothing twice.';
comment on column work.model_trials.shown_at is 'Where the log was when every asset had been shown to the model; of faces the groups are being made.';

create table work.model_failures (
    task text not null,
    model_id uuid not null,
    asset_id uuid not null,
    primary key (task, model_id, asset_id)
);
comment on table work.model_failures is 'Assets that a model that is tried could say nothing of. Lost, it is shown them again.';

create table work.model_proposals (
    trial_id uuid not null,
    asset_id uuid not null,
    face_id uuid not null,
    owner_id uuid not null,
    before_id uuid,
    after_id uuid,
    fresh integer,
    is_found boolean not null,
    is_new boolean not null,
    is_shown boolean not null,
    primary key (trial_id, asset_id, face_id)
);
comment on table work.model_proposals is 'Whose faces would be by a model that is tried. Made again by trying once more.';
comment on column work.model_proposals.before_id is 'Whose it is; none for nobody''s.';
comment on column work.model_proposals.after_id is 'Whose it would be, of those who are there.';
comment on column work.model_proposals.fresh is 'The number of somebody new whose it would be.';
comment on column work.model_proposals.is_found is 'The model finds it; else it would be gone.';
comment on column work.model_proposals.is_new is 'No face is known at its place.';

create table work.model_people (
    trial_id uuid not null,
    owner_id uuid not null,
    fresh integer not null,
    person_id uuid not null,
    primary key (trial_id, owner_id, fresh)
);
comment on table work.model_people is 'Who was made of somebody new of a proposal, when it was switched to.';

create table work.model_follows (
    event_id uuid primary key,
    after_id uuid not null,
    followed bigint not null,
    is_done boolean not null
);
comment on table work.model_follows is 'How far assets have followed a switch of a model. Lost, they follow anew and nothing is recorded twice.';
