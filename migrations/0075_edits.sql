-- Edited photos and pictures at full size. Only new types of events fill these columns, so rows made before
-- are right as they are.
alter table read.assets_v1
    add column edited jsonb,
    add column full_size_key text;
comment on column read.assets_v1.edited is 'The edits of a photo in order, and the pictures that show it so.';
comment on column read.assets_v1.full_size_key is 'Key of the picture at full size, of files that browsers do not show.';

alter table read.timeline_v2
    add column edited_ratio double precision,
    add column edited_thumbhash text;
comment on column read.timeline_v2.edited_ratio is 'Width by height of the edited photo, rounded to three digits.';
