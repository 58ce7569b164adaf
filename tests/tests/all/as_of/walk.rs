//! After any walk of commands, what is told of a moment is what the read models held at it, but for what was deleted
//! for good since.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use calotype_projections::asset_extras::AssetPage;
use calotype_projections::{GlobalPosition, Queries};
use calotype_tests::database::Rows;
use calotype_tests::walk::World;
use serde_json::{Value, json};
use uuid::Uuid;

/// Moments of one walk, and steps between them.
const MOMENTS: u32 = 40;
const STEPS_BETWEEN: u32 = 7;
/// Assets whose pages are kept of each moment.
const PAGES: usize = 6;

#[tokio::test]
async fn what_is_told_of_a_moment_is_what_was_shown_at_it() -> anyhow::Result<()> {
    let mut told = 0;
    for seed in 1..=4 {
        told += walk(seed).await.with_context(|| format!("seed {seed}"))?;
    }
    ensure!(told > 2_000, "only {told} things were compared");
    Ok(())
}

/// What the read models held at a moment.
struct Kept {
    position: GlobalPosition,
    rows: Tables,
    pages: Vec<AssetPage>,
}

/// Says how many things were compared.
async fn walk(seed: u64) -> anyhow::Result<usize> {
    let mut world = World::new(seed).await?;
    let queries = world.queries();
    let mut kept = Vec::new();
    for moment in 0..MOMENTS {
        world.walk(STEPS_BETWEEN).await?;
        let rows = Tables::read(&world.rows().await?)?;
        let mut pages = Vec::new();
        let assets = rows.of("timeline_v2");
        // Others each time.
        let first = usize::try_from(moment)? * PAGES;
        for at in first..first + PAGES.min(assets.len()) {
            let page = queries.asset_page(id(&assets[at % assets.len()], "asset_id")?).await?;
            pages.extend(page);
        }
        kept.push(Kept { position: world.applied(), rows, pages });
    }
    let now = Tables::read(&world.rows().await?)?;
    let mut told = 0;
    for kept in &kept {
        told += compare(&queries, kept, &now)
            .await
            .with_context(|| format!("position {}", kept.position))?;
    }
    Ok(told)
}

/// Compares, and says how many things were there.
async fn compare(queries: &Queries, kept: &Kept, now: &Tables) -> anyhow::Result<usize> {
    let there: BTreeSet<Uuid> = now.ids("timeline_v2", "asset_id")?;
    let mut told = 0;
    for owner_id in now.ids("users_v1", "user_id")? {
        told += ensure_library(queries, kept, owner_id, &there).await.context("library")?;
        told += ensure_people(queries, kept, owner_id).await.context("people")?;
        told += ensure_links(queries, kept, owner_id).await.context("links")?;
    }
    told += ensure_albums(queries, kept, now).await.context("albums")?;
    for page in &kept.pages {
        let asset_id = page.asset.asset_id;
        if there.contains(&asset_id) {
            let then = queries.asset_then(asset_id, kept.position).await?;
            let then = then.map(|then| without_forgotten(then, now)).transpose()?;
            let page = without_forgotten(page.clone(), now)?;
            ensure!(then.as_ref() == Some(&page), "{then:#?} instead of {page:#?}");
            told += 1;
        }
    }
    Ok(told)
}

/// Accounts that were removed for good take what their people and tags were called along.
fn without_forgotten(mut page: AssetPage, now: &Tables) -> anyhow::Result<AssetPage> {
    let users = now.ids("users_v1", "user_id")?;
    page.extras.people.0.retain(|person| users.contains(&person.owner_id));
    page.extras.tags.0.retain(|tag| users.contains(&tag.owner_id));
    // Of a stack those that were deleted for good since are not counted.
    page.extras.stack = None;
    Ok(page)
}

async fn ensure_library(
    queries: &Queries,
    kept: &Kept,
    owner_id: Uuid,
    there: &BTreeSet<Uuid>,
) -> anyhow::Result<usize> {
    let library = queries.library_then(owner_id, kept.position).await?.context("too large")?;
    let then: BTreeMap<Uuid, Value> = library
        .into_iter()
        .filter_map(|asset| {
            let then = asset.then?;
            let told = json!({
                "visibility": then.visibility.as_str(), "is_trashed": then.is_trashed,
                "is_favorite": then.is_favorite, "is_under": then.is_under,
                "local_date_time": then.local_date_time,
            });
            Some((asset.asset_id, told))
        })
        .collect();
    let mut was = BTreeMap::new();
    for row in kept.rows.of("timeline_v2") {
        let asset_id = id(row, "asset_id")?;
        if id(row, "owner_id")? == owner_id && there.contains(&asset_id) {
            let local: chrono::NaiveDateTime =
                serde_json::from_value(row["local_date_time"].clone())?;
            let told = json!({
                "visibility": row["visibility"], "is_trashed": row["is_trashed"],
                "is_favorite": row["is_favorite"], "is_under": row["is_under"],
                "local_date_time": local,
            });
            was.insert(asset_id, told);
        }
    }
    ensure!(then == was, "{then:#?} instead of {was:#?}");
    Ok(was.len())
}

async fn ensure_people(queries: &Queries, kept: &Kept, owner_id: Uuid) -> anyhow::Result<usize> {
    let people = queries.people_then(owner_id, kept.position).await?;
    let then: BTreeMap<Uuid, Value> = people
        .into_iter()
        .map(|person| {
            let told = json!({
                "name": person.name, "birth_date": person.birth_date,
                "is_hidden": person.is_hidden, "is_favorite": person.is_favorite,
                "color": person.color, "revision": person.revision,
            });
            (person.person_id, told)
        })
        .collect();
    let names = ["name", "birth_date", "is_hidden", "is_favorite", "color", "revision"];
    let was = kept.rows.parts("people_v1", "person_id", owner_id, &names)?;
    ensure!(then == was, "{then:#?} instead of {was:#?}");
    Ok(was.len())
}

async fn ensure_links(queries: &Queries, kept: &Kept, owner_id: Uuid) -> anyhow::Result<usize> {
    let links = queries.links_then(owner_id, kept.position).await?;
    let then: BTreeMap<Uuid, Value> = links
        .iter()
        .map(|link| {
            let row = &link.row;
            let told = json!({
                "album_id": row.album_id, "slug": row.slug, "description": row.description,
                "has_password": row.has_password, "allow_upload": row.allow_upload,
                "allow_download": row.allow_download, "show_metadata": row.show_metadata,
            });
            (row.shared_link_id, told)
        })
        .collect();
    let names = [
        "album_id",
        "slug",
        "description",
        "has_password",
        "allow_upload",
        "allow_download",
        "show_metadata",
    ];
    let was = kept.rows.parts("shared_links_v1", "shared_link_id", owner_id, &names)?;
    ensure!(then == was, "{then:#?} instead of {was:#?}");
    for link in links {
        let link_id = link.row.shared_link_id;
        let shown = kept.rows.inside("shared_link_assets_v1", ("shared_link_id", link_id))?;
        // Of what it showed, what had been deleted for good by then was not there any more.
        let told: BTreeSet<Uuid> = link.asset_ids.into_iter().collect();
        ensure!(shown.is_subset(&told), "{shown:?} instead of {told:?}");
        let there = kept.rows.ids("timeline_v2", "asset_id")?;
        ensure!(told.difference(&shown).all(|gone| !there.contains(gone)), "{told:?} too many");
    }
    Ok(was.len())
}

async fn ensure_albums(queries: &Queries, kept: &Kept, now: &Tables) -> anyhow::Result<usize> {
    // An album that is forgotten is told no more, nor one of an account that is.
    let mut known = now.ids("albums_v1", "album_id")?;
    known.extend(now.ids("deleted_albums_v1", "album_id")?);
    let ids: Vec<Uuid> = known.iter().copied().collect();
    let albums = queries.albums_then(&ids, kept.position).await?;
    let was: BTreeMap<Uuid, &Value> = kept
        .rows
        .of("albums_v1")
        .iter()
        .map(|row| Ok((id(row, "album_id")?, row)))
        .collect::<anyhow::Result<_>>()?;
    let told: BTreeSet<Uuid> = albums.keys().copied().collect();
    let there: BTreeSet<Uuid> = was.keys().copied().filter(|it| known.contains(it)).collect();
    ensure!(told == there, "{told:?} instead of {there:?}");
    let assets = kept.rows.ids("timeline_v2", "asset_id")?;
    for (album_id, album) in &albums {
        let row = was.get(album_id).context("told and not there")?;
        let roles: Vec<Value> = album.members.iter().map(|(_, role)| json!(role)).collect();
        let users: Vec<Value> = album.members.iter().map(|(user_id, _)| json!(user_id)).collect();
        let told = json!([
            album.name,
            album.description,
            album.sort_order,
            album.is_activity_enabled,
            album.chosen_cover_id,
            users,
            roles
        ]);
        let was = json!([
            row["name"],
            row["description"],
            row["sort_order"],
            row["is_activity_enabled"],
            row["chosen_cover_id"],
            row["member_ids"],
            row["member_roles"]
        ]);
        ensure!(told == was, "{told} instead of {was}");
        let mut inside = kept.rows.of("album_assets_v1").to_vec();
        inside.retain(|row| row["album_id"] == json!(album_id));
        inside.sort_by_key(|row| row["place"].as_i64());
        let was: Vec<Uuid> =
            inside.iter().map(|row| id(row, "asset_id")).collect::<anyhow::Result<_>>()?;
        let mut told = album.asset_ids.clone();
        told.retain(|asset_id| assets.contains(asset_id));
        ensure!(told == was, "{told:?} instead of {was:?}");
    }
    Ok(albums.len())
}

/// The rows of the read tables, as JSON.
struct Tables(BTreeMap<String, Vec<Value>>);

impl Tables {
    fn read(rows: &Rows) -> anyhow::Result<Self> {
        let tables = rows.iter().map(|(table, rows)| {
            let rows = rows.iter().map(|row| serde_json::from_str(row)).collect::<Result<_, _>>();
            Ok((table.clone(), rows?))
        });
        Ok(Self(tables.collect::<anyhow::Result<_>>()?))
    }

    fn of(&self, table: &str) -> &[Value] {
        self.0.get(table).map(Vec::as_slice).unwrap_or_default()
    }

    fn ids(&self, table: &str, key: &str) -> anyhow::Result<BTreeSet<Uuid>> {
        self.of(table).iter().map(|row| id(row, key)).collect()
    }

    /// Some columns of an owner's rows, by key.
    fn parts(
        &self,
        table: &str,
        key: &str,
        owner_id: Uuid,
        names: &[&str],
    ) -> anyhow::Result<BTreeMap<Uuid, Value>> {
        let own = self.of(table).iter().filter(|row| row["owner_id"] == json!(owner_id));
        own.map(|row| {
            let parts: serde_json::Map<String, Value> =
                names.iter().map(|name| ((*name).to_owned(), row[*name].clone())).collect();
            Ok((id(row, key)?, Value::Object(parts)))
        })
        .collect()
    }

    /// The assets beside a key.
    fn inside(&self, table: &str, (key, of): (&str, Uuid)) -> anyhow::Result<BTreeSet<Uuid>> {
        let rows = self.of(table).iter().filter(|row| row[key] == json!(of));
        rows.map(|row| id(row, "asset_id")).collect()
    }
}

fn id(row: &Value, name: &str) -> anyhow::Result<Uuid> {
    Ok(row[name].as_str().with_context(|| format!("no {name} in {row}"))?.parse()?)
}
