//! What people share: albums with their parts, comments and likes, partners; and that whoever loses
//! access has lost it when the answer comes.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, story};
use futures::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// How long news may take.
const NEWS_LIMIT: Duration = Duration::from_secs(30);
/// Clients that race for the same thing.
const RACING: usize = 50;

async fn photo(client: &Client, path: &str) -> anyhow::Result<String> {
    let id = client.upload_file(&media(path)?).await?;
    client.wait_for_thumbnail(&id).await?;
    Ok(id)
}

async fn album(client: &Client, asset_ids: &[&str]) -> anyhow::Result<String> {
    let body = json!({ "albumName": "Summer", "assetIds": asset_ids });
    let album = client.post("/api/albums", &body).await?.expect(201)?.json()?;
    album["id"].as_str().map(str::to_owned).context("no id")
}

async fn share(client: &Client, album: &str, with: &Client, role: &str) -> anyhow::Result<Value> {
    let body = json!({ "albumUsers": [{ "userId": with.my_id().await?, "role": role }] });
    client.put(&format!("/api/albums/{album}/users"), &body).await?.expect(200)?.json()
}

async fn ensure_sees(client: &Client, asset: &str, sees: bool) -> anyhow::Result<()> {
    for (path, refused) in [
        (format!("/api/assets/{asset}"), 400),
        (format!("/api/assets/{asset}/thumbnail"), 400),
        (format!("/api/assets/{asset}/original"), 404),
    ] {
        let status = client.get(&path).await?.status;
        let expected = if sees { 200 } else { refused };
        ensure!(status == expected, "{path} answers {status} instead of {expected}");
    }
    Ok(())
}

async fn results(
    client: &Client,
    method: Method,
    album: &str,
    ids: &[&str],
) -> anyhow::Result<Vec<String>> {
    let path = format!("/api/albums/{album}/assets");
    let answer = client.call(method, &path, &json!({ "ids": ids })).await?.expect(200)?.json()?;
    let items = answer.as_array().context("no list")?;
    Ok(items
        .iter()
        .map(|item| match item["success"].as_bool() {
            Some(true) => "done".to_owned(),
            _ => item["error"].as_str().unwrap_or_default().to_owned(),
        })
        .collect())
}

#[tokio::test]
async fn parts_in_an_album_decide_who_does_what() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let editor = owner.create_user("editor@example.com").await?;
        let viewer = owner.create_user("viewer@example.com").await?;
        let stranger = owner.create_user("stranger@example.com").await?;
        let mine = photo(&owner, "photos/edge/rating_1.jpg").await?;
        let other = photo(&owner, "photos/nature/prairie_falcon.jpg").await?;
        let theirs = photo(&editor, "photos/edge/gps_south_west.jpg").await?;
        let id = album(&owner, &[&mine]).await?;
        let path = format!("/api/albums/{id}");

        share(&owner, &id, &editor, "editor").await?;
        let shared = share(&owner, &id, &viewer, "viewer").await?;
        ensure!(shared["shared"] == true, "{shared}");
        ensure!(shared["albumUsers"][0]["role"] == "owner", "{shared}");
        for client in [&editor, &viewer] {
            ensure_sees(client, &mine, true).await?;
            ensure_sees(client, &other, false).await?;
        }
        ensure_sees(&stranger, &mine, false).await?;
        stranger.get(&path).await?.expect(400)?;

        let put = Method::PUT;
        let took = results(&editor, put.clone(), &id, &[&theirs, &mine, &other]).await?;
        ensure!(took == ["done", "duplicate", "no_permission"], "{took:?}");
        let refused = viewer.put(&format!("{path}/assets"), &json!({ "ids": [theirs] })).await?;
        ensure!(refused.message()? == "Not found or no albumAsset.create access");
        let took = results(&editor, Method::DELETE, &id, &[&mine, &theirs, &other]).await?;
        ensure!(took == ["no_permission", "done", "not_found"], "{took:?}");
        let took = results(&editor, put, &id, &[&theirs]).await?;
        ensure!(took == ["done"], "{took:?}");

        let page = viewer.get_json(&path).await?;
        ensure!(page["assetCount"] == 2, "{page}");
        ensure!(page["albumThumbnailAssetId"] == mine.as_str(), "{page}");
        let me = viewer.my_id().await?;
        ensure!(page["albumUsers"][1]["user"]["id"] == me.as_str(), "{page}");
        let counts = page["contributorCounts"].as_array().context("no contributors")?;
        ensure!(counts.len() == 2, "{page}");
        let shown = viewer.timeline(&format!("albumId={id}")).await?;
        ensure!(shown.len() == 2, "{shown:?}");
        let markers = viewer.get_json(&format!("{path}/map-markers")).await?;
        ensure!(markers[0]["id"] == theirs.as_str(), "{markers}");

        let name = json!({ "albumName": "x" });
        editor.call(Method::PATCH, &path, &name).await?.expect(200)?;
        let answer = viewer.call(Method::PATCH, &path, &name).await?;
        ensure!(answer.message()? == "Not found or no album.update access");
        for client in [&editor, &viewer] {
            client.delete(&path, &json!({})).await?.expect(400)?;
        }
        let history = owner.get_json(&format!("/api/calotype{}/history", &path[4..])).await?;
        ensure!(history.to_string().contains("Shared with"), "{history}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn whoever_loses_access_has_lost_it_when_the_answer_comes() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let friend_id = friend.my_id().await?;
        let photo = photo(&owner, "photos/edge/rating_1.jpg").await?;

        let id = album(&owner, &[&photo]).await?;
        let user = format!("/api/albums/{id}/user/{friend_id}");
        for _ in 0..3 {
            share(&owner, &id, &friend, "viewer").await?;
            ensure_sees(&friend, &photo, true).await?;
            owner.delete(&user, &json!({})).await?.expect(204)?;
            ensure_sees(&friend, &photo, false).await?;
        }
        share(&owner, &id, &friend, "viewer").await?;
        friend.delete(&format!("/api/albums/{id}/user/me"), &json!({})).await?.expect(204)?;
        ensure_sees(&friend, &photo, false).await?;
        let last = owner.delete(&format!("/api/albums/{id}/user/me"), &json!({})).await?;
        ensure!(last.status == 400, "the last owner left");

        share(&owner, &id, &friend, "viewer").await?;
        results(&owner, Method::DELETE, &id, &[&photo]).await?;
        ensure_sees(&friend, &photo, false).await?;
        results(&owner, Method::PUT, &id, &[&photo]).await?;
        ensure_sees(&friend, &photo, true).await?;
        owner.delete("/api/assets", &json!({ "ids": [photo] })).await?.expect(204)?;
        ensure_sees(&friend, &photo, false).await?;
        let trash = json!({ "ids": [photo] });
        owner.post("/api/trash/restore/assets", &trash).await?.expect(200)?;
        ensure_sees(&friend, &photo, true).await?;
        owner.delete(&format!("/api/albums/{id}"), &json!({})).await?.expect(204)?;
        ensure_sees(&friend, &photo, false).await?;
        friend.get(&format!("/api/albums/{id}")).await?.expect(400)?;

        let body = json!({ "sharedWithId": friend_id });
        for _ in 0..2 {
            owner.post("/api/partners", &body).await?.expect(201)?;
            ensure_sees(&friend, &photo, true).await?;
            owner.delete(&format!("/api/partners/{friend_id}"), &json!({})).await?.expect(204)?;
            ensure_sees(&friend, &photo, false).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn partners_see_the_timeline_and_show_it_on_theirs() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let gives = server.client().sign_up().await?;
        let sees = gives.create_user("friend@example.com").await?;
        let (giver, seer) = (gives.my_id().await?, sees.my_id().await?);
        let shown = photo(&gives, "photos/edge/rating_1.jpg").await?;
        let archived = photo(&gives, "photos/nature/prairie_falcon.jpg").await?;
        let hide = json!({ "visibility": "archive" });
        gives.put(&format!("/api/assets/{archived}"), &hide).await?.expect(200)?;

        let made = gives.post(&format!("/api/partners/{seer}"), &json!({})).await?.expect(201)?;
        ensure!(made.json()?["id"] == seer.as_str(), "{}", made.shown());
        let again = gives.post("/api/partners", &json!({ "sharedWithId": seer })).await?;
        ensure!(again.message()? == "Partner already exists", "{}", again.shown());
        let list = sees.get_json("/api/partners?direction=shared-with").await?;
        ensure!(list[0]["inTimeline"] == false && list[0]["id"] == giver.as_str(), "{list}");
        ensure!(gives.get_json("/api/partners?direction=shared-with").await? == json!([]));

        ensure_sees(&sees, &archived, false).await?;
        ensure!(sees.timeline(&format!("userId={giver}")).await? == std::slice::from_ref(&shown));
        sees.get(&format!("/api/timeline/buckets?userId={giver}&visibility=archive"))
            .await?
            .expect(400)?;
        let with = "visibility=timeline&withPartners=true";
        ensure!(sees.timeline(with).await?.is_empty(), "it shows before it is wanted");
        let body = json!({ "inTimeline": true });
        sees.put(&format!("/api/partners/{giver}"), &body).await?.expect(200)?;
        ensure!(sees.timeline(with).await? == std::slice::from_ref(&shown));
        gives.put(&format!("/api/partners/{seer}"), &body).await?.expect(400)?;
        let more = photo(&gives, "photos/edge/gps_south_west.jpg").await?;
        ensure!(sees.timeline(with).await?.contains(&more), "a new photo does not show");

        let theirs = album(&sees, &[&shown]).await?;
        ensure!(sees.get_json(&format!("/api/albums/{theirs}")).await?["assetCount"] == 1);
        gives.delete(&format!("/api/partners/{seer}"), &json!({})).await?.expect(204)?;
        ensure!(sees.timeline(with).await?.is_empty(), "it still shows");
        sees.get(&format!("/api/timeline/buckets?userId={giver}")).await?.expect(400).map(drop)
    })
    .await
}

#[tokio::test]
async fn comments_and_likes_are_made_and_deleted() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let stranger = owner.create_user("stranger@example.com").await?;
        let photo = photo(&owner, "photos/edge/rating_1.jpg").await?;
        let id = album(&owner, &[&photo]).await?;
        share(&owner, &id, &friend, "viewer").await?;

        let like = json!({ "albumId": id, "assetId": photo, "type": "like" });
        let first = friend.post("/api/activities", &like).await?.expect(201)?.json()?;
        let again = friend.post("/api/activities", &like).await?.expect(200)?.json()?;
        ensure!(first == again, "{first} {again}");
        let comment = json!({ "albumId": id, "type": "comment", "comment": "Nice" });
        let said = owner.post("/api/activities", &comment).await?.expect(201)?.json()?;
        ensure!(said["comment"] == "Nice" && said["assetId"].is_null(), "{said}");
        let silent = json!({ "albumId": id, "type": "comment" });
        owner.post("/api/activities", &silent).await?.expect(400)?;
        let refused = stranger.post("/api/activities", &like).await?.expect(400)?;
        ensure!(refused.message()? == "Not found or no activity.create access");

        let statistics = format!("/api/activities/statistics?albumId={id}");
        ensure!(owner.get_json(&statistics).await? == json!({ "comments": 1, "likes": 1 }));
        let about = owner.get_json(&format!("/api/activities?albumId={id}&level=album")).await?;
        ensure!(about.as_array().is_some_and(|list| list.len() == 1), "{about}");

        let one = |value: &Value| format!("/api/activities/{}", value["id"].as_str().unwrap_or(""));
        friend.delete(&one(&said), &json!({})).await?.expect(400)?;
        owner.delete(&one(&first), &json!({})).await?.expect(204)?;
        friend.post("/api/activities", &like).await?.expect(201)?;
        let off = json!({ "isActivityEnabled": false });
        owner.call(Method::PATCH, &format!("/api/albums/{id}"), &off).await?.expect(200)?;
        friend.post("/api/activities", &comment).await?.expect(400).map(drop)
    })
    .await
}

#[tokio::test]
async fn fifty_who_want_the_same_at_once_get_it_once() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let friend_id = friend.my_id().await?;
        let photo = photo(&owner, "photos/edge/rating_1.jpg").await?;
        let id = album(&owner, &[]).await?;

        let wanted = [photo.as_str()];
        let added = (0..RACING).map(|_| results(&owner, Method::PUT, &id, &wanted));
        let added: Vec<String> = try_join_all(added).await?.into_iter().flatten().collect();
        ensure!(added.iter().filter(|result| *result == "done").count() == 1, "{added:?}");
        ensure!(added.iter().all(|result| result == "done" || result == "duplicate"), "{added:?}");
        ensure!(owner.get_json(&format!("/api/albums/{id}")).await?["assetCount"] == 1);

        let body = json!({ "sharedWithId": friend_id });
        let made = try_join_all((0..RACING).map(|_| owner.post("/api/partners", &body))).await?;
        let count = |status| made.iter().filter(|answer| answer.status == status).count();
        ensure!(count(201) == 1 && count(400) == RACING - 1, "{} made", count(201));

        let like = json!({ "albumId": id, "type": "like" });
        let made = try_join_all((0..RACING).map(|_| owner.post("/api/activities", &like))).await?;
        let count = |status| made.iter().filter(|answer| answer.status == status).count();
        ensure!(count(201) == 1 && count(200) == RACING - 1, "{} likes", count(201));
        let path = format!("/api/activities/statistics?albumId={id}");
        ensure!(owner.get_json(&path).await? == json!({ "comments": 0, "likes": 1 }));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn members_hear_of_what_is_new_in_an_album_once() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let editor = owner.create_user("editor@example.com").await?;
        let quiet = owner.create_user("quiet@example.com").await?;
        let off = json!({ "emailNotifications": { "albumUpdate": false } });
        quiet.put("/api/users/me/preferences", &off).await?.expect(200)?;
        let mine = photo(&owner, "photos/edge/rating_1.jpg").await?;
        let theirs = photo(&editor, "photos/nature/prairie_falcon.jpg").await?;
        let more = photo(&editor, "photos/edge/gps_south_west.jpg").await?;
        let id = album(&owner, &[&mine]).await?;
        for member in [&editor, &quiet] {
            share(&owner, &id, member, "editor").await?;
            // Told in the transaction that shares it.
            ensure!(told(member).await? == ["AlbumInvite"]);
        }

        for asset in [&theirs, &more] {
            results(&editor, Method::PUT, &id, &[asset.as_str()]).await?;
        }

        // When the news of another album is there, that of the first was heard.
        let other = album(&owner, &[]).await?;
        share(&owner, &other, &editor, "editor").await?;
        results(&editor, Method::PUT, &other, &[theirs.as_str()]).await?;
        let news = until("news of the albums", NEWS_LIMIT, async || {
            let news = owner.get_json("/api/notifications").await?;
            let albums: Vec<String> = news
                .as_array()
                .into_iter()
                .flatten()
                .filter(|it| it["type"] == "AlbumUpdate")
                .filter_map(|it| it["data"]["albumId"].as_str().map(str::to_owned))
                .collect();
            Ok((albums.contains(&id) && albums.contains(&other)).then_some(albums))
        })
        .await?;
        ensure!(news.len() == 2, "{news:?}");
        ensure!(told(&editor).await? == ["AlbumInvite", "AlbumInvite"]);
        ensure!(told(&quiet).await? == ["AlbumInvite"]);
        Ok(())
    })
    .await
}

/// The kinds of what somebody was told, oldest first.
async fn told(client: &Client) -> anyhow::Result<Vec<String>> {
    let all = client.get_json("/api/notifications").await?;
    let all = all.as_array().context("no list")?;
    Ok(all.iter().rev().filter_map(|it| it["type"].as_str()).map(str::to_owned).collect())
}
