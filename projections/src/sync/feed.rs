//! The feeds that things are read from, each with its statement.

use super::kind::Kind;

/// A list of changes that is read in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feed {
    /// Living things.
    Rows(Kind),
    /// Things that are gone.
    Gone(Kind),
    /// Assets, by owner.
    Assets,
    /// What the files of assets say, by owner.
    AssetExifs,
    /// Assets that partners of the owner see.
    PartnerAssets,
    /// What the files of these say.
    PartnerAssetExifs,
    /// Assets that partners of the owner see no longer, unless an album shows them to the one who asks.
    PartnerAssetsGone,
    /// Assets of albums, by when they were added.
    AlbumAssetsAdded,
    /// Assets of albums that changed after they were added.
    AlbumAssetsChanged,
    /// Assets of albums whose metadata changed after they were added.
    AlbumExifsChanged,
}

/// What a page's statement needs beside scopes, bounds and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    Nothing,
    /// The number of the kind, in rows of many kinds.
    Kind(i16),
    /// Up to which change assets must have been added.
    AddedUntil,
    /// Who asks.
    Viewer,
}

impl Feed {
    /// The number of its head.
    pub(crate) const fn head(self) -> i16 {
        match self {
            Self::Rows(kind) => kind.number() * 2,
            Self::Gone(kind) => kind.number() * 2 + 1,
            Self::Assets | Self::PartnerAssets => Kind::Asset.number() * 2,
            Self::AssetExifs | Self::PartnerAssetExifs => Kind::AssetExif.number() * 2,
            Self::PartnerAssetsGone => Kind::PartnerAsset.number() * 2 + 1,
            Self::AlbumAssetsAdded => Kind::AlbumAsset.number() * 2,
            Self::AlbumAssetsChanged => Kind::AlbumExif.number() * 2 + 1,
            Self::AlbumExifsChanged => Kind::AlbumExif.number() * 2,
        }
    }

    /// What the statement needs as `$5`.
    pub(crate) const fn more(self) -> More {
        match self {
            Self::Rows(kind) | Self::Gone(kind) => More::Kind(kind.number()),
            Self::PartnerAssetsGone => More::Viewer,
            Self::AlbumAssetsChanged | Self::AlbumExifsChanged => More::AddedUntil,
            Self::Assets
            | Self::AssetExifs
            | Self::PartnerAssets
            | Self::PartnerAssetExifs
            | Self::AlbumAssetsAdded => More::Nothing,
        }
    }

    /// Selects change, scope, id and part: `$1` scopes, `$2` after, `$3` until, `$4` how many, `$5` as
    /// [`Feed::more`] says. Each scope is read by its own index range, so a page costs no more than it holds.
    pub(crate) const fn select(self) -> &'static str {
        match self {
            Self::Rows(_) => {
                "select x.change, s.scope, x.id, x.part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select change, id, part
                          from read.sync_rows_v2
                         where kind = $5 and scope = s.scope and change > $2 and change <= $3
                         order by change limit $4) as x
                  order by x.change limit $4"
            }
            Self::Gone(_) => {
                "select x.change, s.scope, x.id, x.part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select change, id, part
                          from read.sync_gone_v2
                         where kind = $5 and scope = s.scope and change > $2 and change <= $3
                         order by change limit $4) as x
                  order by x.change limit $4"
            }
            Self::Assets => {
                "select x.change, s.scope, x.asset_id as id, '' as part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select change, asset_id
                          from read.sync_assets_v2
                         where owner_id = s.scope and change > $2 and change <= $3
                         order by change limit $4) as x
                  order by x.change limit $4"
            }
            Self::AssetExifs => {
                "select x.change, s.scope, x.asset_id as id, '' as part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select exif_change as change, asset_id
                          from read.sync_assets_v2
                         where owner_id = s.scope and exif_change > $2 and exif_change <= $3
                         order by exif_change limit $4) as x
                  order by x.change limit $4"
            }
            Self::PartnerAssets => {
                "select x.change, s.scope, x.asset_id as id, '' as part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select change, asset_id
                          from read.sync_assets_v2
                         where owner_id = s.scope and change > $2 and change <= $3
                           and visibility in ('timeline', 'hidden') and not is_trashed
                         order by change limit $4) as x
                  order by x.change limit $4"
            }
            Self::PartnerAssetExifs => {
                "select x.change, s.scope, x.asset_id as id, '' as part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select exif_change as change, asset_id
                          from read.sync_assets_v2
                         where owner_id = s.scope and exif_change > $2 and exif_change <= $3
                           and visibility in ('timeline', 'hidden') and not is_trashed
                         order by exif_change limit $4) as x
                  order by x.change limit $4"
            }
            Self::PartnerAssetsGone => {
                "select x.change, s.scope, x.id, '' as part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        (select change, id
                           from read.sync_gone_v2
                          where kind = 20 and scope = s.scope and change > $2 and change <= $3
                          order by change limit $4)
                        union all
                        (select hidden_change as change, asset_id as id
                           from read.sync_assets_v2 as hidden
                          where owner_id = s.scope and hidden_change > $2 and hidden_change <= $3
                            and (visibility not in ('timeline', 'hidden') or is_trashed)
                            and not exists (
                                select from read.sync_album_assets_v2 as inside
                                  join read.sync_shares_v2 as shares
                                    on shares.source = inside.album_id and shares.user_id = $5
                                 where inside.asset_id = hidden.asset_id and inside.is_shown)
                          order by hidden_change limit $4)) as x
                  order by x.change limit $4"
            }
            Self::AlbumAssetsAdded => {
                "select x.change, s.scope, x.id, '' as part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select added as change, asset_id as id
                          from read.sync_album_assets_v2
                         where album_id = s.scope and added > $2 and added <= $3 and is_shown
                         order by added limit $4) as x
                  order by x.change limit $4"
            }
            Self::AlbumAssetsChanged => {
                "select x.change, s.scope, x.id, '' as part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select change, asset_id as id
                          from read.sync_album_assets_v2
                         where album_id = s.scope and change > $2 and change <= $3 and is_shown
                           and change > added and added <= $5
                         order by change limit $4) as x
                  order by x.change limit $4"
            }
            Self::AlbumExifsChanged => {
                "select x.change, s.scope, x.id, '' as part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select exif_change as change, asset_id as id
                          from read.sync_album_assets_v2
                         where album_id = s.scope and exif_change > $2 and exif_change <= $3
                           and is_shown and exif_change > added and added <= $5
                         order by exif_change limit $4) as x
                  order by x.change limit $4"
            }
        }
    }
}
