//! Finding by album, person and tag, among partners' photos and by a shared link; and what others' photos
//! do not tell.

use anyhow::{Context as _, ensure};
use calotype_tests::{Answer, Client, Options, story};
use serde_json::{Value, json};

use crate::organizing::{pictures, text};

fn ids(answer: Answer) -> anyhow::Result<Vec<String>> {
    let found = answer.expect(200)?.json()?;
    let items = found["assets"]["items"].as_array().or_else(|| found.as_array());
    let mut ids = Vec::new();
    for item in items.context("no list")? {
        ids.push(text(item, "id")?);
    }
    ids.sort();
    Ok(ids)
}

/// What every kind of search finds; they must agree.
async fn found(client: &Client, body: Value) -> anyhow::Result<Vec<String>> {
    let by_metadata = ids(client.post("/api/search/metadata", &body).await?)?;
    let by_chance = ids(client.post("/api/search/random", &body).await?)?;
    ensure!(by_metadata == by_chance, "{body}: {by_metadata:?}, by chance {by_chance:?}");
    let count = client.post("/api/search/statistics", &body).await?.expect(200)?.json()?;
    ensure!(count["total"] == by_metadata.len(), "{body}: {count} of {by_metadata:?}");
    Ok(by_metadata)
}

async fn ensure_finds(client: &Client, body: Value, wanted: &[&String]) -> anyhow::Result<()> {
    let mut wanted: Vec<&String> = wanted.to_vec();
    wanted.sort();
    let found = found(client, body.clone()).await?;
    ensure!(found.iter().collect::<Vec<_>>() == wanted, "{body} finds {found:?}, not {wanted:?}");
    Ok(())
}

async fn album(client: &Client, asset_ids: &[&String]) -> anyhow::Result<String> {
    let body = json!({ "albumName": "Summer", "assetIds": asset_ids });
    text(&client.post("/api/albums", &body).await?.expect(201)?.json()?, "id")
}

async fn share(owner: &Client, album: &str, with: &Client) -> anyhow::Result<()> {
    let body = json!({ "albumUsers": [{ "userId": with.my_id().await?, "role": "viewer" }] });
    owner.put(&format!("/api/albums/{album}/users"), &body).await?.expect(200).map(drop)
}

/// Somebody on a photo.
async fn person_on(client: &Client, asset_id: &str) -> anyhow::Result<String> {
    let made = client.post("/api/people", &json!({ "name": "Anna" })).await?.expect(201)?.json()?;
    let person = text(&made, "id")?;
    put_on(client, asset_id, &person).await?;
    Ok(person)
}

async fn put_on(client: &Client, asset_id: &str, person_id: &str) -> anyhow::Result<()> {
    let body = json!({ "assetId": asset_id, "personId": person_id });
    client.anonymous().post("/api/calotype/testing/faces", &body).await?.expect(201).map(drop)
}

/// Makes a tag by path and puts it on assets.
async fn tag(client: &Client, path: &str, asset_ids: &[&String]) -> anyhow::Result<Value> {
    let made = client.put("/api/tags", &json!({ "tags": [path] })).await?.expect(200)?.json()?;
    let assets = format!("/api/tags/{}/assets", text(&made[0], "id")?);
    client.put(&assets, &json!({ "ids": asset_ids })).await?.expect(200)?;
    Ok(made[0].clone())
}

/// Lets one person's photos show among another's.
async fn partner(gives: &Client, sees: &Client, in_timeline: bool) -> anyhow::Result<()> {
    let (giver, seer) = (gives.my_id().await?, sees.my_id().await?);
    gives.post(&format!("/api/partners/{seer}"), &json!({})).await?.expect(201)?;
    let body = json!({ "inTimeline": in_timeline });
    sees.put(&format!("/api/partners/{giver}"), &body).await?.expect(200).map(drop)
}

#[tokio::test]
async fn albums_people_and_tags_must_all_be_met() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let stranger = owner.create_user("stranger@example.com").await?;
        let all = pictures(&owner, 4).await?;
        let [a, b, c, d] = all.as_slice() else { anyhow::bail!("not four") };
        let (first, second) = (album(&owner, &[a, b]).await?, album(&owner, &[b, c]).await?);
        let anna = person_on(&owner, a).await?;
        put_on(&owner, b, &anna).await?;
        let carl = person_on(&owner, b).await?;
        let below = tag(&owner, "animals/birds", &[c]).await?;
        let above = text(&below, "parentId")?;
        let below = text(&below, "id")?;
        let city = text(&tag(&owner, "city", &[b, c]).await?, "id")?;

        for (body, wanted) in [
            (json!({ "albumIds": [first] }), vec![a, b]),
            (json!({ "albumIds": [first, second] }), vec![b]),
            (json!({ "albumIds": [] }), vec![a, b, c, d]),
            (json!({ "isNotInAlbum": true }), vec![d]),
            (json!({ "isNotInAlbum": false }), vec![a, b, c, d]),
            (json!({ "personIds": [anna] }), vec![a, b]),
            (json!({ "personIds": [anna, carl] }), vec![b]),
            (json!({ "tagIds": [above] }), vec![c]),
            (json!({ "tagIds": [above, city] }), vec![c]),
            (json!({ "tagIds": [below, above] }), vec![c]),
            (json!({ "tagIds": null }), vec![a, d]),
            (json!({ "albumIds": [second], "tagIds": [city], "personIds": [carl] }), vec![b]),
            (json!({ "filter": { "albumIds": { "any": [first, second] } } }), vec![a, b, c]),
            (json!({ "filter": { "albumIds": { "none": [first] } } }), vec![c, d]),
            (json!({ "filter": { "albumIds": { "all": [first, second] } } }), vec![b]),
            (json!({ "filter": { "personIds": { "none": [anna] } } }), vec![c, d]),
            (json!({ "filter": { "tagIds": { "any": [above, city] } } }), vec![b, c]),
            (json!({ "filter": { "tagIds": { "none": [above] } } }), vec![a, b, d]),
            (json!({ "filter": { "hasAlbums": { "eq": false } } }), vec![d]),
            (json!({ "filter": { "hasPeople": { "eq": true } } }), vec![a, b]),
            (json!({ "filter": { "hasTags": { "eq": false } } }), vec![a, d]),
            (
                json!({ "filter": { "or": [
                { "personIds": { "all": [carl] } }, { "hasAlbums": { "eq": false } },
            ] } }),
                vec![b, d],
            ),
        ] {
            ensure_finds(&owner, body, &wanted).await?;
        }
        let large = format!("/api/search/large-assets?albumIds={first}&tagIds={city}");
        ensure!(ids(owner.post(&large, &json!({})).await?)? == std::slice::from_ref(b));

        // Whose they are not finds nothing by them, and is refused another's album.
        for body in [json!({ "personIds": [anna] }), json!({ "tagIds": [city] })] {
            ensure_finds(&stranger, body, &[]).await?;
        }
        for body in [
            json!({ "albumIds": [first] }),
            json!({ "filter": { "or": [{ "albumIds": { "none": [first] } }] } }),
        ] {
            let refused = stranger.post("/api/search/metadata", &body).await?.expect(400)?;
            ensure!(refused.message()? == "Not found or no album.read access");
        }
        let bad = json!({ "tagIds": ["x"] });
        owner.post("/api/search/metadata", &bad).await?.expect(400)?;

        // What is deleted counts no more.
        owner.delete(&format!("/api/albums/{first}"), &json!({})).await?.expect(204)?;
        ensure_finds(&owner, json!({ "isNotInAlbum": true }), &[a, d]).await?;
        owner.delete(&format!("/api/tags/{city}"), &json!({})).await?.expect(204)?;
        ensure_finds(&owner, json!({ "tagIds": null }), &[a, b, d]).await?;
        ensure_finds(&owner, json!({ "tagIds": [city] }), &[]).await
    })
    .await
}

#[tokio::test]
async fn partners_and_albums_widen_a_search_as_far_as_they_show() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let me = server.client().sign_up().await?;
        let friend = me.create_user("friend@example.com").await?;
        let quiet = me.create_user("quiet@example.com").await?;
        let mine = pictures(&me, 1).await?;
        let theirs = pictures(&friend, 4).await?;
        let unseen = pictures(&quiet, 1).await?;
        let [shown, archived, trashed, favorite] = theirs.as_slice() else {
            anyhow::bail!("not four")
        };
        let change = async |id: &str, body: Value| {
            friend.put(&format!("/api/assets/{id}"), &body).await?.expect(200).map(drop)
        };
        change(archived, json!({ "visibility": "archive" })).await?;
        change(favorite, json!({ "isFavorite": true })).await?;
        friend.delete("/api/assets", &json!({ "ids": [trashed] })).await?.expect(204)?;
        let anna = person_on(&friend, shown).await?;
        let city = text(&tag(&friend, "city", &[shown]).await?, "id")?;
        partner(&friend, &me, true).await?;
        partner(&quiet, &me, false).await?;

        for (body, wanted) in [
            (json!({}), vec![&mine[0], shown, favorite]),
            (json!({ "withDeleted": true }), vec![&mine[0], shown, favorite]),
            (json!({ "visibility": "archive" }), vec![]),
            (json!({ "isFavorite": true }), vec![]),
            (json!({ "isFavorite": false }), vec![&mine[0], shown, favorite]),
            (json!({ "personIds": [anna] }), vec![]),
            (json!({ "tagIds": [city] }), vec![]),
            (json!({ "tagIds": null }), vec![&mine[0], shown, favorite]),
        ] {
            ensure_finds(&me, body, &wanted).await?;
        }
        let answer = me.post("/api/search/metadata", &json!({})).await?.expect(200)?.json()?;
        let items = answer["assets"]["items"].as_array().context("no list")?;
        ensure!(items.iter().all(|item| item["isFavorite"] == false), "a partner's mark shows");

        // An album shows what is in it, whosever, and only that.
        let together = album(&quiet, &[&unseen[0]]).await?;
        let inside = json!({ "albumIds": [together] });
        me.post("/api/search/metadata", &inside).await?.expect(400)?;
        share(&quiet, &together, &me).await?;
        ensure_finds(&me, inside.clone(), &[&unseen[0]]).await?;
        ensure_finds(&me, json!({}), &[&mine[0], shown, favorite]).await?;
        let path = format!("/api/albums/{together}/user/{}", me.my_id().await?);
        quiet.delete(&path, &json!({})).await?.expect(204)?;
        me.post("/api/search/metadata", &inside).await?.expect(400)?;
        friend.delete(&format!("/api/partners/{}", me.my_id().await?), &json!({})).await?;
        ensure_finds(&me, json!({}), &[&mine[0]]).await
    })
    .await
}

#[tokio::test]
async fn visitors_of_a_link_search_what_it_shows() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let all = pictures(&owner, 3).await?;
        let inside = album(&owner, &[&all[0], &all[1]]).await?;
        let other = album(&owner, &[&all[2]]).await?;
        let favorite = json!({ "isFavorite": true });
        owner.put(&format!("/api/assets/{}", all[0]), &favorite).await?.expect(200)?;
        let link = async |body: Value| -> anyhow::Result<String> {
            text(&owner.post("/api/shared-links", &body).await?.expect(201)?.json()?, "key")
        };
        let visitor = owner.anonymous();
        let search = async |key: &str, body: Value| {
            visitor.post(&format!("/api/search/metadata?key={key}"), &body).await
        };

        let key = link(json!({ "type": "ALBUM", "albumId": inside })).await?;
        let found = search(&key, json!({})).await?.expect(200)?;
        let items = found.json()?["assets"]["items"].clone();
        ensure!(items.as_array().is_some_and(|items| items.len() == 2), "{}", found.shown());
        ensure!(items[0]["isFavorite"] == false && items[1]["isFavorite"] == false, "{items}");
        ensure!(ids(search(&key, json!({ "albumIds": [inside] })).await?)?.len() == 2);
        ensure!(ids(search(&key, favorite.clone()).await?)?.is_empty(), "a mark shows");
        search(&key, json!({ "albumIds": [other] })).await?.expect(400)?;
        search(&key, json!({ "visibility": "locked" })).await?.expect(401)?;
        visitor.post(&format!("/api/search/random?key={key}"), &json!({})).await?.expect(403)?;

        let one = json!({ "type": "INDIVIDUAL", "assetIds": [all[2]], "showMetadata": false });
        let key = link(one).await?;
        let found = search(&key, json!({})).await?.expect(200)?.json()?;
        let item = &found["assets"]["items"][0];
        ensure!(item["id"] == all[2].as_str() && item.get("originalFileName").is_none(), "{item}");
        search(&key, json!({ "make": "Canon" })).await?.expect(400)?;
        search(&key, json!({ "orderBy": { "field": "rating" } })).await?.expect(400)?;
        owner.delete("/api/assets", &json!({ "ids": [all[2]] })).await?.expect(204)?;
        let gone = search(&key, json!({ "withDeleted": true })).await?;
        ensure!(ids(gone)?.is_empty(), "the trash shows");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn map_shows_partners_and_shared_albums_where_that_is_asked_for() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let me = server.client().sign_up().await?;
        let friend = me.create_user("friend@example.com").await?;
        let other = me.create_user("other@example.com").await?;
        let place = async |client: &Client, id: &str| {
            let body = json!({ "latitude": 48.85, "longitude": 2.35 });
            client.put(&format!("/api/assets/{id}"), &body).await?.expect(200).map(drop)
        };
        let mine = pictures(&me, 1).await?;
        let theirs = pictures(&friend, 2).await?;
        let others = pictures(&other, 2).await?;
        for (client, id) in [
            (&me, &mine[0]),
            (&friend, &theirs[0]),
            (&friend, &theirs[1]),
            (&other, &others[0]),
            (&other, &others[1]),
        ] {
            place(client, id).await?;
        }
        let archive = json!({ "visibility": "archive" });
        friend.put(&format!("/api/assets/{}", theirs[1]), &archive).await?.expect(200)?;
        let markers = async |query: &str| ids(me.get(&format!("/api/map/markers?{query}")).await?);
        let sorted = |wanted: &[&String]| {
            let mut wanted: Vec<String> = wanted.iter().map(|id| (*id).clone()).collect();
            wanted.sort();
            wanted
        };
        let both = "withPartners=true&withSharedAlbums=true";
        ensure!(markers(both).await? == mine, "others' show uninvited");

        partner(&friend, &me, true).await?;
        ensure!(markers("").await? == mine, "a partner shows unasked");
        ensure!(markers("withPartners=true").await? == sorted(&[&mine[0], &theirs[0]]));
        let wide = markers("withPartners=true&isArchived=true").await?;
        ensure!(wide == sorted(&[&mine[0], &theirs[0]]), "a partner's archive shows: {wide:?}");
        ensure!(markers("withPartners=true&isFavorite=true").await?.is_empty());

        // One of the other's, one of the partner's that shows already, and one of the caller's own.
        let together = album(&other, &[&others[0]]).await?;
        share(&other, &together, &me).await?;
        let shared = album(&friend, &[&theirs[0], &theirs[1]]).await?;
        share(&friend, &shared, &me).await?;
        ensure!(markers(both).await? == sorted(&[&mine[0], &theirs[0], &others[0]]));
        let early = format!("{both}&fileCreatedBefore=2000-01-01T00:00:00.000Z");
        ensure!(markers(&early).await?.is_empty(), "what is later shows");
        let wide = markers(&format!("{both}&isArchived=true")).await?;
        ensure!(wide == sorted(&[&mine[0], &theirs[0], &theirs[1], &others[0]]), "{wide:?}");
        // A change of somebody else's shows at once, and so does losing access.
        other.delete("/api/assets", &json!({ "ids": [others[0]] })).await?.expect(204)?;
        ensure!(markers("withSharedAlbums=true").await? == sorted(&[&mine[0], &theirs[0]]));
        let path = format!("/api/albums/{shared}/user/{}", me.my_id().await?);
        friend.delete(&path, &json!({})).await?.expect(204)?;
        ensure!(markers("withSharedAlbums=true").await? == mine);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn timeline_shows_a_person_and_follows_their_faces() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let stranger = owner.create_user("stranger@example.com").await?;
        let all = pictures(&owner, 3).await?;
        let anna = person_on(&owner, &all[0]).await?;
        let shows = async |person: &str| owner.timeline(&format!("personId={person}")).await;
        ensure!(shows(&anna).await? == all[..1]);
        put_on(&owner, &all[1], &anna).await?;
        ensure!(shows(&anna).await?.len() == 2, "a new face does not show");
        let carl = person_on(&owner, &all[2]).await?;
        let merge = json!({ "ids": [carl] });
        owner.post(&format!("/api/people/{anna}/merge"), &merge).await?.expect(200)?;
        ensure!(shows(&anna).await?.len() == 3, "what came with somebody else does not show");
        owner.get(&format!("/api/timeline/buckets?personId={carl}")).await?.expect(400)?;
        let favorite = json!({ "isFavorite": true });
        let path = format!("/api/assets/{}", all[0]);
        let changed = owner.put(&path, &favorite).await?.expect(200)?.json()?;
        ensure!(changed["people"][0]["id"] == anna.as_str(), "{changed}");
        let marked = owner.timeline(&format!("personId={anna}&isFavorite=true")).await?;
        ensure!(marked == all[..1], "{marked:?}");
        let refused = stranger.get(&format!("/api/timeline/buckets?personId={anna}")).await?;
        ensure!(refused.expect(400)?.message()? == "Not found or no person.read access");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn others_learn_neither_of_stacks_nor_of_values() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let member = owner.create_user("member@example.com").await?;
        let all = pictures(&owner, 2).await?;
        owner.post("/api/stacks", &json!({ "assetIds": all })).await?.expect(201)?;
        let values = format!("/api/assets/{}/metadata", all[0]);
        let items = json!({ "items": [{ "key": "app", "value": { "secret": 1 } }] });
        owner.put(&values, &items).await?.expect(200)?;
        partner(&owner, &friend, true).await?;
        let shared = album(&owner, &[&all[0]]).await?;
        share(&owner, &shared, &member).await?;

        let month = "timeBucket=2024-01-01&withStacked=true";
        let own = owner.get_json(&format!("/api/timeline/bucket?{month}")).await?;
        ensure!(own["stack"][0][1] == "2", "{own}");
        for (client, of) in [
            (&friend, "visibility=timeline&withPartners=true".to_owned()),
            (&member, format!("albumId={shared}")),
        ] {
            let seen = client.get_json(&format!("/api/timeline/bucket?{month}&{of}")).await?;
            ensure!(seen["id"] == json!([all[0]]) && seen["stack"] == json!([null]), "{seen}");
            client.get(&format!("/api/assets/{}", all[0])).await?.expect(200)?;
            for path in [values.clone(), format!("{values}/app")] {
                let refused = client.get(&path).await?.expect(400)?;
                ensure!(refused.message()? == "Not found or no asset.read access");
            }
        }
        Ok(())
    })
    .await
}
