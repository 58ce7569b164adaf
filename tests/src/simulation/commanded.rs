//! Who may see what, as the events of the log say it: worked out from their JSON alone, without a read model.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, ensure};
use calotype_domain::UserId;
use calotype_domain::access::{AlbumRole, Grant, Object, Reach, Viewer, check};
use calotype_domain::asset::Visibility;
use calotype_domain::permission::Permission;
use calotype_projections::Queries;
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

/// Events that say who may see what.
const SELECT: &str = "
    select events.stream_id, events.type, events.payload::text
    from log.positions
    join log.events using (event_id)
    where positions.position <= $1
        and split_part(events.stream_id, '-', 1) in ('album', 'asset', 'partner', 'user')
    order by positions.position";

/// An asset, as far as it decides.
#[derive(Clone, Debug)]
struct Asset {
    owner_id: Uuid,
    visibility: String,
    is_trashed: bool,
    film_id: Option<Uuid>,
}

/// What was commanded up to a position.
#[derive(Debug, Default)]
struct Commanded {
    users: HashMap<Uuid, bool>,
    assets: HashMap<Uuid, Asset>,
    /// By album: its owner, its members, what is in it.
    albums: HashMap<Uuid, (Uuid, HashSet<Uuid>, HashSet<Uuid>)>,
    partners: HashMap<Uuid, (Uuid, Uuid)>,
}

/// Refuses read models by which somebody sees an asset that the log up to `position` does not show them; says how
/// many assets somebody sees of others.
///
/// # Errors
/// Somebody sees more, or the database failed.
pub(super) async fn ensure_not_wider(
    pool: &PgPool,
    queries: &Queries,
    position: i64,
) -> anyhow::Result<usize> {
    let commanded = Commanded::read(pool, position).await?;
    let rows: Vec<(Uuid, Uuid, String, bool)> = sqlx::query_as(
        "select asset_id, owner_id, visibility, trashed_at is not null from read.assets_v1",
    )
    .fetch_all(pool)
    .await?;
    let viewers: Vec<Uuid> =
        sqlx::query_scalar("select user_id from read.users_v1").fetch_all(pool).await?;
    let asset_ids: Vec<Uuid> = rows.iter().map(|row| row.0).collect();
    let mut seen = 0;
    for viewer_id in viewers {
        let reaches = queries.album_reaches(viewer_id, &asset_ids).await?;
        let by_album: HashSet<Uuid> = reaches.into_iter().map(|reach| reach.asset_id).collect();
        let partners = queries.partners_of(viewer_id).await?;
        let by_partner: HashSet<Uuid> = partners
            .into_iter()
            .filter(|pair| pair.shared_with_id == viewer_id)
            .map(|pair| pair.shared_by_id)
            .collect();
        for (asset_id, owner_id, visibility, is_trashed) in &rows {
            let reach = Reach {
                album: by_album.contains(asset_id).then_some(AlbumRole::Viewer),
                is_partner: by_partner.contains(owner_id),
                by_link: false,
            };
            if *owner_id == viewer_id || !may(viewer_id, *owner_id, visibility, *is_trashed, reach)
            {
                continue;
            }
            seen += 1;
            ensure!(
                commanded.allows(viewer_id, *asset_id),
                "{viewer_id} sees asset {asset_id} at position {position}, which nobody commanded"
            );
        }
    }
    Ok(seen)
}

impl Commanded {
    async fn read(pool: &PgPool, position: i64) -> anyhow::Result<Self> {
        let events: Vec<(String, String, String)> =
            sqlx::query_as(SELECT).bind(position).fetch_all(pool).await?;
        let mut commanded = Self::default();
        for (stream_id, event_type, payload) in events {
            let (_, key) = stream_id.split_once('-').context("a stream without a key")?;
            let Ok(key) = key.parse() else { continue };
            let payload = serde_json::from_str(&payload)?;
            commanded.take(key, &event_type, &payload).with_context(|| event_type.clone())?;
        }
        Ok(commanded)
    }

    fn take(&mut self, key: Uuid, event_type: &str, payload: &Value) -> anyhow::Result<()> {
        match event_type {
            "UserRegistered" | "UserRestored" => drop(self.users.insert(key, true)),
            "UserDeleted" => drop(self.users.insert(key, false)),
            "UserPurged" => drop(self.users.remove(&key)),
            "AssetUploaded" => {
                let asset = Asset {
                    owner_id: id(payload, "owner_id")?,
                    visibility: word(payload, "visibility")?,
                    is_trashed: false,
                    film_id: id(payload, "live_photo_video_id").ok(),
                };
                self.assets.insert(key, asset);
            }
            "AssetPurged" => drop(self.assets.remove(&key)),
            "AlbumCreated" | "AlbumRestored" => {
                let owner_id = id(payload, "owner_id")?;
                self.albums.insert(key, (owner_id, HashSet::from([owner_id]), HashSet::new()));
            }
            "AlbumDeleted" => drop(self.albums.remove(&key)),
            "PartnerAdded" | "PartnerRestored" => {
                let pair = (id(payload, "shared_by_id")?, id(payload, "shared_with_id")?);
                self.partners.insert(key, pair);
            }
            "PartnerRemoved" => drop(self.partners.remove(&key)),
            _ => {
                if let Some(asset) = self.assets.get_mut(&key) {
                    asset.take(event_type, payload)?;
                }
                if let Some((_, members, inside)) = self.albums.get_mut(&key) {
                    take_of_album(members, inside, event_type, payload)?;
                }
            }
        }
        Ok(())
    }

    fn is_there(&self, user_id: Uuid) -> bool {
        self.users.get(&user_id).copied().unwrap_or_default()
    }

    fn allows(&self, viewer_id: Uuid, asset_id: Uuid) -> bool {
        let Some(asset) = self.assets.get(&asset_id) else { return false };
        let stills = self.assets.iter().filter(|(_, still)| still.film_id == Some(asset_id));
        let shown: HashSet<Uuid> = stills.map(|(id, _)| *id).chain([asset_id]).collect();
        let album = self.albums.values().any(|(owner_id, members, inside)| {
            self.is_there(*owner_id) && members.contains(&viewer_id) && !inside.is_disjoint(&shown)
        });
        let is_partner = self.is_there(asset.owner_id)
            && self.is_there(viewer_id)
            && self.partners.values().any(|pair| *pair == (asset.owner_id, viewer_id));
        let reach = Reach { album: album.then_some(AlbumRole::Viewer), is_partner, by_link: false };
        may(viewer_id, asset.owner_id, &asset.visibility, asset.is_trashed, reach)
    }
}

impl Asset {
    fn take(&mut self, event_type: &str, payload: &Value) -> anyhow::Result<()> {
        match event_type {
            "AssetVisibilityChanged" => self.visibility = word(payload, "visibility")?,
            "AssetTrashed" => self.is_trashed = true,
            "AssetRestored" => self.is_trashed = false,
            "AssetFilmLinked" => self.film_id = Some(id(payload, "film_id")?),
            "AssetFilmUnlinked" => self.film_id = None,
            _ => {}
        }
        Ok(())
    }
}

fn take_of_album(
    members: &mut HashSet<Uuid>,
    inside: &mut HashSet<Uuid>,
    event_type: &str,
    payload: &Value,
) -> anyhow::Result<()> {
    match event_type {
        "AlbumUserAdded" => drop(members.insert(id(payload, "user_id")?)),
        "AlbumUserRemoved" => drop(members.remove(&id(payload, "user_id")?)),
        "AlbumAssetsAdded" => inside.extend(ids(payload)?),
        "AlbumAssetsRemoved" => {
            for asset_id in ids(payload)? {
                inside.remove(&asset_id);
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether facts let somebody look at an asset.
fn may(viewer: Uuid, owner: Uuid, visibility: &str, is_trashed: bool, reach: Reach) -> bool {
    let all = [Visibility::Timeline, Visibility::Archive, Visibility::Hidden, Visibility::Locked];
    let Some(visibility) = all.into_iter().find(|it| it.as_str() == visibility) else {
        return false;
    };
    let viewer = Viewer {
        user_id: UserId::new(viewer),
        is_admin: false,
        grant: Grant::Session { elevated: false },
    };
    let object = Object::Asset { owner_id: UserId::new(owner), visibility, is_trashed, reach };
    check(&viewer, Permission::AssetRead, object).is_ok()
}

fn id(payload: &Value, name: &str) -> anyhow::Result<Uuid> {
    Ok(payload[name].as_str().with_context(|| format!("no {name}"))?.parse()?)
}

fn word(payload: &Value, name: &str) -> anyhow::Result<String> {
    Ok(payload[name].as_str().with_context(|| format!("no {name}"))?.to_owned())
}

fn ids(payload: &Value) -> anyhow::Result<Vec<Uuid>> {
    let ids = payload["asset_ids"].as_array().context("no asset_ids")?;
    ids.iter().map(|id| Ok(id.as_str().context("no id")?.parse()?)).collect()
}
