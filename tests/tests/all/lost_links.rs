//! A link goes on showing only what its owner may still show: what partners take back, hide or archive is gone
//! from it, by id, in its list and in searches through it.

use anyhow::Context as _;
use calotype_tests::{Client, Options, TestServer, story};
use reqwest::Method;
use serde_json::json;

use crate::lost_access::{Watcher, photo};

/// Somebody's photo, in a link that a partner of theirs made.
struct PassedOn {
    owner: Client,
    partner: Client,
    asset: String,
    /// Whoever holds the link.
    visitor: Watcher,
}

async fn passed_on(server: &TestServer) -> anyhow::Result<PassedOn> {
    let owner = server.client().sign_up().await?;
    let partner = owner.create_user("partner@example.com").await?;
    let asset = photo(&owner).await?;
    let sharing = json!({ "sharedWithId": partner.my_id().await? });
    owner.post("/api/partners", &sharing).await?.expect(201)?;
    let link = json!({ "type": "INDIVIDUAL", "assetIds": [asset] });
    let link = partner.post("/api/shared-links", &link).await?.expect(201)?.json()?;
    let key = link["key"].as_str().context("no key")?;
    let visitor = Watcher::new(owner.anonymous(), &asset, Some(key))
        .await?
        .get("/api/shared-links/me")
        .list(Method::POST, "/api/search/metadata", json!({}));
    visitor.warm().await?;
    Ok(PassedOn { owner, partner, asset, visitor })
}

#[tokio::test]
async fn a_partner_s_photo_leaves_the_link_with_the_partner() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let shown = passed_on(server).await?;
        let path = format!("/api/partners/{}", shown.partner.my_id().await?);
        shown.owner.delete(&path, &json!({})).await?.expect(204)?;
        shown.visitor.ensure_lost().await
    })
    .await
}

#[tokio::test]
async fn what_a_partner_archives_leaves_the_link_and_comes_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let shown = passed_on(server).await?;
        let path = format!("/api/assets/{}", shown.asset);
        let archive = json!({ "visibility": "archive" });
        shown.owner.put(&path, &archive).await?.expect(200)?;
        shown.visitor.ensure_lost().await?;
        let back = json!({ "visibility": "timeline" });
        shown.owner.put(&path, &back).await?.expect(200)?;
        shown.visitor.warm().await
    })
    .await
}

#[tokio::test]
async fn own_archived_photos_stay_in_the_link() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let asset = photo(&owner).await?;
        let link = json!({ "type": "INDIVIDUAL", "assetIds": [asset] });
        let link = owner.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        let key = link["key"].as_str().context("no key")?;
        let archive = json!({ "visibility": "archive" });
        owner.put(&format!("/api/assets/{asset}"), &archive).await?.expect(200)?;
        Watcher::new(owner.anonymous(), &asset, Some(key))
            .await?
            .get("/api/shared-links/me")
            .warm()
            .await
    })
    .await
}
