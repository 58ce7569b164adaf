-- Which models said something, which are tried, and which was switched to.
create table read.models_v1 (
    result_id uuid not null,
    task text not null,
    model_id uuid not null,
    name text not null,
    revision text not null,
    sha256 text not null,
    primary key (task, result_id)
);
comment on table read.models_v1 is 'Every model that said something of an asset.';
comment on column read.models_v1.result_id is 'What rows of results name: the model, or of texts the model with how it was told to look.';
comment on column read.models_v1.model_id is 'Made of the model''s name, revision and digest.';

create table read.model_trials_v1 (
    trial_id uuid primary key,
    revision bigint not null,
    task text not null,
    name text not null,
    model_id uuid not null,
    model_revision text not null,
    model_sha256 text not null,
    model_name text not null,
    user_ids uuid[] not null,
    sample bigint,
    state text not null,
    begun_at timestamptz not null,
    ended_at timestamptz,
    tried bigint not null,
    failed bigint not null
);
comment on table read.model_trials_v1 is 'Trials of models: open, finished or cancelled.';
comment on column read.model_trials_v1.name is 'The name that the model is asked by.';
comment on column read.model_trials_v1.user_ids is 'Whose assets it is shown; everybody''s where there is none.';

create table read.trial_results_v1 (
    asset_id uuid not null,
    task text not null,
    model_id uuid not null,
    revision bigint not null,
    owner_id uuid not null,
    event_id uuid not null,
    words text,
    primary key (task, model_id, asset_id)
);
comment on table read.trial_results_v1 is 'What models that are tried said of assets, beside what is in use: the event that tells it.';
comment on column read.trial_results_v1.words is 'Of texts: all lines in one, without case and accents.';
create index on read.trial_results_v1 (asset_id);

create table read.model_switches_v1 (
    task text primary key,
    event_id uuid not null,
    revision bigint not null,
    name text not null,
    model_id uuid not null,
    former_id uuid not null,
    is_rollback boolean not null,
    can_roll_back boolean not null,
    switched_at timestamptz not null
);
comment on table read.model_switches_v1 is 'The last switch of the model of each task.';
comment on column read.model_switches_v1.former_id is 'The model before it.';
comment on column read.model_switches_v1.can_roll_back is 'It is no rollback, and nobody named another model by hand since.';

-- Vectors of models that are not in use.
create table read.embeddings_beside_v1 (
    asset_id uuid not null,
    model_id uuid not null,
    revision bigint not null,
    owner_id uuid not null,
    event_id uuid not null,
    scale real not null,
    codes bytea not null,
    primary key (model_id, asset_id)
);
comment on table read.embeddings_beside_v1 is 'Vectors of models that are tried, and of the model before a switch: a switch exchanges them with those in use.';
comment on column read.embeddings_beside_v1.revision is 'Of the stream of trials, or of the asset''s where it was in use before.';
alter table read.embeddings_beside_v1 alter column codes set storage external;
create index on read.embeddings_beside_v1 (asset_id);

-- The role that the server runs as owns the read tables: a rebuild drops and renames them.
do $$
begin
    if exists (select from pg_roles where rolname = 'calotype_app') then
        alter table read.models_v1 owner to calotype_app;
        alter table read.model_trials_v1 owner to calotype_app;
        alter table read.trial_results_v1 owner to calotype_app;
        alter table read.model_switches_v1 owner to calotype_app;
        alter table read.embeddings_beside_v1 owner to calotype_app;
    end if;
end $$;
