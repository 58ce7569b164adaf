-- Names of places: city, state and country of an asset.
-- The columns are filled by the event AssetPlaceFound alone, which no log holds yet: rows made before are
-- right as they are, so that the tables keep their versions.
alter table read.assets_v1
    add column city text,
    add column state text,
    add column country text;
