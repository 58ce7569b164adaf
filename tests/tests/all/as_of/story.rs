//! What was there is told to who may see it now and might have seen it then.

use anyhow::{Context as _, ensure};
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

use super::{position, then};
use crate::organizing::{pictures, text};

/// The months of a timeline, as it is told now.
async fn months(client: &Client, filter: &str) -> anyhow::Result<Value> {
    client.get_json(&format!("/api/timeline/buckets?{filter}")).await
}

/// Whether a request about a moment is refused.
async fn ensure_refused(client: &Client, what: &str, position: i64) -> anyhow::Result<()> {
    let path = format!("/api/calotype/as-of/{what}?at={position}");
    client.get(&path).await?.expect(400).with_context(|| what.to_owned())?;
    Ok(())
}

async fn share(owner: &Client, album: &str, with: &Client) -> anyhow::Result<()> {
    let users = json!({ "albumUsers": [{ "userId": with.my_id().await?, "role": "viewer" }] });
    owner.put(&format!("/api/albums/{album}/users"), &users).await?.expect(200).map(drop)
}

#[tokio::test]
async fn a_timeline_is_told_as_it_was() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let ids = pictures(&owner, 3).await?;
        owner.wait_until_idle().await?;
        let first = position(&owner).await?;
        let three = months(&owner, "").await?;
        owner.put("/api/assets", &json!({ "ids": [ids[0]], "isFavorite": true })).await?;
        let date = json!({ "dateTimeOriginal": "2001-02-03T04:05:06.000Z" });
        owner.put(&format!("/api/assets/{}", ids[1]), &date).await?.expect(200)?;
        owner.delete("/api/assets", &json!({ "ids": [ids[2]] })).await?.expect(204)?;
        owner.wait_until_idle().await?;
        let second = position(&owner).await?;
        let two = months(&owner, "").await?;
        ensure!(two != three && two.as_array().is_some_and(|all| all.len() == 2), "{two}");

        ensure!(then(&owner, "timeline", first).await?["months"] == three, "the first moment");
        ensure!(then(&owner, "timeline", second).await?["months"] == two, "the second moment");
        ensure!(then(&owner, "timeline", 0).await?["months"] == json!([]), "before everything");
        let favorites = then(&owner, "timeline?isFavorite=true", first).await?;
        ensure!(favorites["months"] == json!([]), "{favorites}");
        let trash = then(&owner, "timeline?isTrashed=true", second).await?;
        ensure!(trash["months"][0]["count"] == 1, "{trash}");
        let month = "timeline?timeBucket=2001-02-01&order=asc";
        let shown = then(&owner, month, second).await?;
        ensure!(shown["assets"][0]["id"] == ids[1].as_str(), "{shown}");
        ensure!(shown["assets"].as_array().is_some_and(|all| all.len() == 1), "{shown}");
        ensure!(then(&owner, month, first).await?["assets"] == json!([]), "taken too early");

        // An instant is the last position by then, to the end of its millisecond.
        let recorded = text(&then(&owner, "timeline", second).await?["at"], "recordedAt")?;
        let path = format!("/api/calotype/as-of/timeline?at={recorded}");
        let by_time = owner.get_json(&path).await?;
        ensure!(by_time["months"] == two, "{by_time}");
        ensure!(by_time["at"]["position"].as_i64() >= Some(second), "{by_time}");
        for at in ["", "at=", "at=soon", "at=-1", "at=99999999"] {
            let path = format!("/api/calotype/as-of/timeline?{at}");
            owner.get(&path).await?.expect(400).with_context(|| at.to_owned())?;
        }
        owner.anonymous().get(&path).await?.expect(401)?;
        let key = owner.create_key(&["album.read"]).await?;
        key.get(&path).await?.expect(403)?;

        // Whoever looks at what is behind the PIN now gave it now.
        let locked = json!({ "ids": [ids[0]], "visibility": "locked" });
        owner.put("/api/assets", &locked).await?.expect(204)?;
        let left = then(&owner, "timeline", first).await?;
        ensure!(left["months"][0]["count"] == 2, "what is locked now shows: {left}");
        ensure_refused(&owner, &format!("assets/{}", ids[0]), first).await
    })
    .await
}

#[tokio::test]
async fn an_album_is_told_to_who_had_a_part_in_it_then_and_has_now() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let stranger = owner.create_user("stranger@example.com").await?;
        let ids = pictures(&owner, 3).await?;
        let new = json!({ "albumName": "Summer", "assetIds": [ids[0], ids[1]] });
        let id = text(&owner.post("/api/albums", &new).await?.expect(201)?.json()?, "id")?;
        let (path, album) = (format!("/api/albums/{id}"), format!("albums/{id}"));
        let link = json!({ "type": "ALBUM", "albumId": id });
        let link = owner.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        owner.wait_until_idle().await?;
        let alone = position(&owner).await?;
        share(&owner, &id, &friend).await?;
        let shared = position(&owner).await?;
        owner.put(&format!("{path}/assets"), &json!({ "ids": [ids[2]] })).await?.expect(200)?;
        let filled = position(&owner).await?;
        let before = owner.get_json(&path).await?;
        let words = json!({ "albumName": "Winter", "order": "asc" });
        owner.call("PATCH".parse()?, &path, &words).await?.expect(200)?;

        let told = then(&owner, &album, filled).await?;
        ensure!(told["assetIds"] == json!(ids), "{told}");
        let names = [
            "albumName",
            "description",
            "order",
            "assetCount",
            "albumThumbnailAssetId",
            "startDate",
        ];
        for name in names {
            ensure!(told["album"][name] == before[name], "{name}: {told} instead of {before}");
        }
        ensure!(told["album"]["albumUsers"][1]["role"] == "viewer", "{told}");
        let listed = then(&owner, "albums", alone).await?;
        ensure!(listed["albums"][0]["assetCount"] == 2, "{listed}");
        ensure!(listed["albums"][0]["albumUsers"].as_array().is_some_and(|it| it.len() == 1));
        ensure!(then(&owner, "albums", 1).await?["albums"] == json!([]), "before it was made");
        let links = then(&owner, "links", alone).await?;
        ensure!(links["links"][0]["albumId"] == id.as_str(), "{links}");
        let key = text(&link, "key")?;
        ensure!(!links.to_string().contains(&key), "a link's key is told");

        // The friend was nobody's guest before, and is not shown what the owner has put away since.
        ensure_refused(&friend, &album, alone).await?;
        ensure_refused(&friend, &format!("assets/{}", ids[0]), alone).await?;
        ensure_refused(&friend, &format!("assets/{}", ids[2]), shared).await?;
        ensure!(then(&friend, "albums", alone).await?["albums"] == json!([]), "listed too early");
        ensure!(then(&friend, &album, shared).await?["assetIds"] == json!(ids[..2]));
        // How far the log is, and when others did something, is no friend's to know.
        let instant = "2199-01-01T00:00:00.000Z";
        let told = friend.get_json(&format!("/api/calotype/as-of/albums?at={instant}")).await?;
        ensure!(told["at"] == json!({ "position": null, "recordedAt": instant }), "{told}");
        let told = then(&friend, "albums", 99_999_999).await?;
        ensure!(told["at"] == json!({ "position": 99_999_999, "recordedAt": null }), "{told}");
        ensure!(told["albums"][0]["id"] == id.as_str(), "{told}");
        let asset = then(&friend, &format!("assets/{}", ids[2]), filled).await?;
        ensure!(asset["asset"]["id"] == ids[2].as_str(), "{asset}");
        ensure!(asset["asset"]["tags"] == json!([]), "{asset}");
        owner.delete("/api/assets", &json!({ "ids": [ids[1]] })).await?.expect(204)?;
        ensure!(then(&friend, &album, shared).await?["assetIds"] == json!([ids[0]]));
        ensure!(then(&owner, &album, shared).await?["assetIds"] == json!(ids[..2]));
        for other in [&stranger, &server.client().with_key("nobody")] {
            let answer = other.get(&format!("/api/calotype/as-of/{album}?at={filled}")).await?;
            ensure!([400, 401].contains(&answer.status), "a stranger is answered");
        }
        let visitor = format!("/api/calotype/as-of/{album}?at={filled}&key={key}");
        let visited = owner.anonymous().get(&visitor).await?;
        ensure!([401, 403].contains(&visited.status), "a visitor is answered {}", visited.status);

        // Deleted for good, it is forgotten; a deleted album is told until it is.
        let purge = json!({ "ids": [ids[1]], "force": true });
        owner.delete("/api/assets", &purge).await?.expect(204)?;
        let told = then(&owner, &album, filled).await?;
        ensure!(told["forgotten"] == 1 && told["album"]["assetCount"] == 2, "{told}");
        let gone = then(&owner, &format!("assets/{}", ids[1]), filled).await?;
        ensure!(gone["isForgotten"] == true && gone["asset"].is_null(), "{gone}");
        ensure_refused(&friend, &format!("assets/{}", ids[1]), filled).await?;
        let out = format!("{path}/user/{}", friend.my_id().await?);
        owner.delete(&out, &json!({})).await?.expect(204)?;
        ensure_refused(&friend, &album, filled).await?;
        ensure_refused(&friend, &format!("assets/{}", ids[0]), filled).await?;
        owner.delete(&path, &json!({})).await?.expect(204)?;
        let told = then(&owner, &album, filled).await?;
        ensure!(told["album"]["isDeleted"] == true, "{told}");
        ensure!(told["album"]["albumName"] == "Summer", "{told}");
        ensure!(then(&owner, "links", filled).await?["links"][0]["albumId"] == id.as_str());
        let now = position(&owner).await?;
        ensure!(then(&owner, "links", now).await?["links"] == json!([]), "a link that has ended");
        ensure_refused(&owner, &album, now).await?;
        ensure_refused(&friend, &album, filled).await
    })
    .await
}

#[tokio::test]
async fn a_partners_timeline_is_told_from_when_it_was_shared_until_it_is_not() -> anyhow::Result<()>
{
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let partner = owner.create_user("partner@example.com").await?;
        let ids = pictures(&owner, 2).await?;
        owner.wait_until_idle().await?;
        let before = position(&owner).await?;
        let theirs = format!("timeline?userId={}", owner.my_id().await?);
        let sharing = json!({ "sharedWithId": partner.my_id().await? });
        let refused = partner.get(&format!("/api/calotype/as-of/{theirs}&at={before}")).await?;
        refused.expect(400)?;
        owner.post("/api/partners", &sharing).await?.expect(201)?;
        let since = position(&owner).await?;

        ensure!(then(&partner, &theirs, before).await?["months"] == json!([]), "told too early");
        let told = then(&partner, &theirs, since).await?;
        ensure!(told["months"][0]["count"] == 2, "{told}");
        // What its owner hides is no partner's, also as it was.
        let hidden = json!({ "visibility": "hidden" });
        owner.put(&format!("/api/assets/{}", ids[0]), &hidden).await?.expect(200)?;
        let now = position(&owner).await?;
        for at in [since, now] {
            let told = then(&partner, &theirs, at).await?;
            ensure!(told["months"][0]["count"] == 1, "{told}");
            let told = then(&partner, &format!("{theirs}&visibility=hidden"), at).await?;
            ensure!(told["months"] == json!([]), "{told}");
        }
        let ended = format!("/api/partners/{}", partner.my_id().await?);
        owner.delete(&ended, &json!({})).await?.expect(204)?;
        partner.get(&format!("/api/calotype/as-of/{theirs}&at={since}")).await?.expect(400)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn people_and_tags_are_told_as_they_were() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let ids = pictures(&owner, 1).await?;
        let person = async |name: &str| {
            let made = owner.post("/api/people", &json!({ "name": name })).await?.expect(201)?;
            text(&made.json()?, "id")
        };
        let (anna, bert) = (person("Anna").await?, person("Bert").await?);
        let face = json!({
            "assetId": ids[0], "personId": bert, "imageWidth": 100, "imageHeight": 100,
            "x": 10, "y": 10, "width": 20, "height": 20,
        });
        owner.post("/api/faces", &face).await?.expect(201)?;
        let tags = owner.put("/api/tags", &json!({ "tags": ["sea"] })).await?.json()?;
        let tag = text(&tags[0], "id")?;
        let tagging = format!("/api/tags/{tag}/assets");
        owner.put(&tagging, &json!({ "ids": ids })).await?.expect(200)?;
        owner.wait_until_idle().await?;
        let first = position(&owner).await?;
        let page = owner.get_json(&format!("/api/assets/{}", ids[0])).await?;
        let merge = json!({ "ids": [bert] });
        owner.post(&format!("/api/people/{anna}/merge"), &merge).await?.expect(200)?;
        owner.delete(&format!("/api/tags/{tag}"), &json!({})).await?.expect(204)?;
        owner.wait_until_idle().await?;
        let second = position(&owner).await?;

        let people = then(&owner, "people", first).await?;
        let names: Vec<&Value> = people["people"]
            .as_array()
            .context("no people")?
            .iter()
            .map(|person| &person["name"])
            .collect();
        ensure!(names == ["Anna", "Bert"], "{people}");
        let told = then(&owner, &format!("assets/{}", ids[0]), first).await?;
        ensure!(told["asset"]["people"][0]["name"] == "Bert", "{told}");
        ensure!(told["asset"]["tags"] == page["tags"], "{told}");
        let told = then(&owner, "people", second).await?;
        ensure!(told["people"].as_array().is_some_and(|people| people.len() == 1), "{told}");
        let told = then(&owner, &format!("assets/{}", ids[0]), second).await?;
        ensure!(told["asset"]["people"][0]["id"] == anna.as_str(), "{told}");
        ensure!(told["asset"]["tags"] == json!([]), "{told}");
        Ok(())
    })
    .await
}
