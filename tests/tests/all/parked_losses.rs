//! An event that takes access away and cannot be read takes it away all the same: until it is settled, what waits
//! behind it is shown to nobody but its owner.

use anyhow::{Context as _, ensure};
use calotype_tests::log::append_unreadable;
use calotype_tests::phone::Phone;
use calotype_tests::{Client, Options, TestServer, story};
use reqwest::Method;
use serde_json::{Value, json};

use crate::lost_access::{Watcher, bucket, made, photo};

/// Appends what cannot be read, and returns when everything kept of before is dropped: a later command shows.
async fn lose(
    server: &TestServer,
    owner: &Client,
    stream: &str,
    event_type: &str,
) -> anyhow::Result<()> {
    append_unreadable(server, stream, event_type).await?;
    let later = json!({ "name": format!("after {event_type}") });
    owner.post("/api/tags", &later).await?.expect(201)?;
    Ok(())
}

#[tokio::test]
async fn of_links() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let asset = photo(&owner).await?;
        for event_type in [
            "SharedLinkRevoked",
            "SharedLinkPasswordChanged",
            "SharedLinkExpiryChanged",
            "SharedLinkSwitchesChanged",
            "SharedLinkAssetsRemoved",
        ] {
            let link = json!({ "type": "INDIVIDUAL", "assetIds": [asset], "slug": event_type });
            let link = owner.post("/api/shared-links", &link).await?.expect(201)?.json()?;
            let key = link["key"].as_str().context("no key")?;
            let id = link["id"].as_str().context("no id")?;
            let watcher = Watcher::new(owner.anonymous(), &asset, Some(key))
                .await?
                .get("/api/shared-links/me")
                .get(&format!("/api/shared-links/me?slug={event_type}"))
                .list(Method::POST, "/api/search/metadata", json!({}));
            watcher.warm().await?;

            lose(server, &owner, &format!("shared_link-{id}"), event_type).await?;

            watcher.ensure_lost().await.context(event_type)?;
        }
        Ok(())
    })
    .await
}

/// Somebody's photo, and all who see it.
struct Shown {
    owner: Client,
    partner: Client,
    asset: String,
    album: String,
    watchers: Vec<Watcher>,
}

async fn shown(server: &TestServer) -> anyhow::Result<Shown> {
    let owner = server.client().sign_up().await?;
    let partner = owner.create_user("partner@example.com").await?;
    let member = owner.create_user("member@example.com").await?;
    let (owner_id, member_id) = (owner.my_id().await?, member.my_id().await?);
    let asset = photo(&owner).await?;
    let sharing = json!({ "sharedWithId": partner.my_id().await? });
    owner.post("/api/partners", &sharing).await?.expect(201)?;
    let wish = json!({ "inTimeline": true });
    partner.put(&format!("/api/partners/{owner_id}"), &wish).await?.expect(200)?;
    let album = json!({ "albumName": "A", "assetIds": [asset] });
    let album = made(&owner, "/api/albums", album).await?;
    let part = json!({ "albumUsers": [{ "userId": member_id, "role": "viewer" }] });
    owner.put(&format!("/api/albums/{album}/users"), &part).await?.expect(200)?;
    let link = json!({ "type": "INDIVIDUAL", "assetIds": [asset] });
    let link = owner.post("/api/shared-links", &link).await?.expect(201)?.json()?;
    let key = link["key"].as_str().context("no key")?;

    let both = bucket(&partner, "visibility=timeline&withPartners=true").await?;
    let in_album = bucket(&member, &format!("albumId={album}")).await?;
    let download = json!({ "albumId": album });
    let watchers = vec![
        Watcher::new(partner.clone(), &asset, None)
            .await?
            .get(&both)
            .get("/api/map/markers?withPartners=true")
            .list(Method::POST, "/api/search/metadata", json!({})),
        Watcher::new(member.clone(), &asset, None)
            .await?
            .get(&in_album)
            .get("/api/map/markers?withSharedAlbums=true")
            .get(&format!("/api/albums/{album}/map-markers"))
            .list(Method::POST, "/api/download/info", download)
            .list(Method::POST, "/api/search/metadata", json!({ "albumIds": [album] })),
        Watcher::new(owner.anonymous(), &asset, Some(key)).await?.get("/api/shared-links/me"),
    ];
    for watcher in &watchers {
        watcher.warm().await?;
    }
    Ok(Shown { owner, partner, asset, album, watchers })
}

/// Refuses when a phone that begins now gets something.
async fn ensure_no_phone_gets(client: &Client, table: &str, id: &str) -> anyhow::Result<()> {
    let mut phone = Phone::of(client.clone()).await?;
    phone.sync_whole().await?;
    ensure!(!phone.table(table).contains_key(id), "a phone got it: {:?}", phone.table(table));
    Ok(())
}

#[tokio::test]
async fn of_assets() -> anyhow::Result<()> {
    for event_type in ["AssetTrashed", "AssetVisibilityChanged"] {
        story(Options::default(), async |server| {
            let shown = shown(server).await?;

            lose(server, &shown.owner, &format!("asset-{}", shown.asset), event_type).await?;

            for watcher in &shown.watchers {
                watcher.ensure_lost().await.context(event_type)?;
            }
            let months = shown.partner.timeline("visibility=timeline&withPartners=true").await?;
            ensure!(months.is_empty(), "{months:?}");
            ensure_no_phone_gets(&shown.partner, "asset", &shown.asset).await?;
            let path = format!("/api/assets/{}", shown.asset);
            shown.owner.get(&path).await?.expect(200)?;
            let own = shown.owner.timeline("visibility=timeline").await?;
            ensure!(own == [shown.asset], "the owner lost it: {own:?}");
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn of_albums() -> anyhow::Result<()> {
    for event_type in ["AlbumUserRemoved", "AlbumAssetsRemoved", "AlbumDeleted"] {
        story(Options::default(), async |server| {
            let Shown { owner, watchers, album, asset, .. } = shown(server).await?;
            let member = watchers.get(1).context("no member")?;
            let listed = member.client().get_json("/api/albums").await?;
            ensure!(listed.to_string().contains(&album), "not listed before: {listed}");

            lose(server, &owner, &format!("album-{album}"), event_type).await?;

            member.ensure_lost().await.context(event_type)?;
            let listed = member.client().get_json("/api/albums").await?;
            ensure!(listed == json!([]), "still listed: {listed}");
            let counted = member.client().get_json("/api/albums/statistics").await?;
            ensure!(counted["shared"] == json!(0), "still counted: {counted}");
            ensure_no_phone_gets(member.client(), "album", &album).await?;
            ensure_no_phone_gets(member.client(), "asset", &asset).await
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn of_partners() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let Shown { owner, partner, watchers, asset, .. } = shown(server).await?;
        let link = json!({ "type": "INDIVIDUAL", "assetIds": [asset] });
        let link = partner.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        let key = link["key"].as_str().context("no key")?;
        let visitor = Watcher::new(owner.anonymous(), &asset, Some(key))
            .await?
            .get("/api/shared-links/me")
            .list(Method::POST, "/api/search/metadata", json!({}));
        visitor.warm().await?;

        let pool = calotype_tests::database::connect(&server.data()).await?;
        let pair: uuid::Uuid =
            sqlx::query_scalar("select partner_id from read.partners_v1").fetch_one(&pool).await?;
        pool.close().await;
        lose(server, &owner, &format!("partner-{pair}"), "PartnerRemoved").await?;

        watchers.first().context("no partner")?.ensure_lost().await?;
        visitor.ensure_lost().await?;
        let told: Value = partner.get_json("/api/partners?direction=shared-with").await?;
        ensure!(told == json!([]), "{told}");
        ensure_no_phone_gets(&partner, "asset", &asset).await
    })
    .await
}
