//! What is synced, and the feeds it is read from.

use uuid::Uuid;

/// What is synced. Numbers stand in rows: they are never given to something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i16)]
pub enum Kind {
    /// An account as everybody sees it; in everybody's feed.
    User = 1,
    /// An account as its owner sees it.
    AuthUser = 2,
    /// A document about an account; its part is the document's name.
    UserMetadata = 3,
    /// An asset, in its owner's feed.
    Asset = 20,
    /// What the file of an asset says.
    AssetExif = 21,
    /// What partners see of an asset.
    PartnerAsset = 22,
}

impl Kind {
    /// Its number in rows.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::User => 1,
            Self::AuthUser => 2,
            Self::UserMetadata => 3,
            Self::Asset => 20,
            Self::AssetExif => 21,
            Self::PartnerAsset => 22,
        }
    }
}

/// The scope of what everybody sees.
pub(crate) const EVERYBODY: Uuid = Uuid::nil();

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
    /// Assets that partners of the owner see no longer.
    PartnerAssetsGone,
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
        }
    }

    /// The number of the kind in rows that hold many kinds.
    pub(crate) const fn kind(self) -> i16 {
        match self {
            Self::Rows(kind) | Self::Gone(kind) => kind.number(),
            Self::Assets | Self::PartnerAssets | Self::PartnerAssetsGone => Kind::Asset.number(),
            Self::AssetExifs | Self::PartnerAssetExifs => Kind::AssetExif.number(),
        }
    }

    /// Selects change, id and part of one scope: `$1` scopes, `$2` after, `$3` until, `$4` how many,
    /// `$5` the kind. Each scope is read by its own index range, so a page costs no more than it holds.
    pub(crate) const fn select(self) -> &'static str {
        match self {
            Self::Rows(_) => {
                "select x.change, s.scope, x.id, x.part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select change, id, part
                          from read.sync_rows_v1
                         where kind = $5 and scope = s.scope and change > $2 and change <= $3
                         order by change limit $4) as x
                  order by x.change limit $4"
            }
            Self::Gone(_) => {
                "select x.change, s.scope, x.id, x.part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select change, id, part
                          from read.sync_gone_v1
                         where kind = $5 and scope = s.scope and change > $2 and change <= $3
                         order by change limit $4) as x
                  order by x.change limit $4"
            }
            Self::Assets => {
                "select x.change, s.scope, x.asset_id as id, '' as part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select change, asset_id
                          from read.sync_assets_v1
                         where owner_id = s.scope and change > $2 and change <= $3
                           and $5::smallint is not null
                         order by change limit $4) as x
                  order by x.change limit $4"
            }
            Self::AssetExifs => {
                "select x.change, s.scope, x.asset_id as id, '' as part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select exif_change as change, asset_id
                          from read.sync_assets_v1
                         where owner_id = s.scope and exif_change > $2 and exif_change <= $3
                           and $5::smallint is not null
                         order by exif_change limit $4) as x
                  order by x.change limit $4"
            }
            Self::PartnerAssets => {
                "select x.change, s.scope, x.asset_id as id, '' as part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select change, asset_id
                          from read.sync_assets_v1
                         where owner_id = s.scope and change > $2 and change <= $3
                           and visibility in ('timeline', 'hidden') and not is_trashed
                           and $5::smallint is not null
                         order by change limit $4) as x
                  order by x.change limit $4"
            }
            Self::PartnerAssetExifs => {
                "select x.change, s.scope, x.asset_id as id, '' as part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        select exif_change as change, asset_id
                          from read.sync_assets_v1
                         where owner_id = s.scope and exif_change > $2 and exif_change <= $3
                           and visibility in ('timeline', 'hidden') and not is_trashed
                           and $5::smallint is not null
                         order by exif_change limit $4) as x
                  order by x.change limit $4"
            }
            Self::PartnerAssetsGone => {
                "select x.change, s.scope, x.id, '' as part
                   from unnest($1::uuid[]) as s (scope)
                  cross join lateral (
                        (select change, id
                           from read.sync_gone_v1
                          where kind = $5 and scope = s.scope and change > $2 and change <= $3
                          order by change limit $4)
                        union all
                        (select hidden_change as change, asset_id as id
                           from read.sync_assets_v1
                          where owner_id = s.scope and hidden_change > $2 and hidden_change <= $3
                            and (visibility not in ('timeline', 'hidden') or is_trashed)
                          order by hidden_change limit $4)) as x
                  order by x.change limit $4"
            }
        }
    }
}
