//! The locked folder: what is in it opens for a session that gave the PIN, for a while, and never for a key.

use anyhow::ensure;
use calotype_tests::media::media;
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

const PIN: &str = "123456";

async fn refused(
    answer: impl Future<Output = anyhow::Result<calotype_tests::Answer>>,
    status: u16,
    message: &str,
) -> anyhow::Result<()> {
    let answer = answer.await?;
    ensure!(answer.status == status, "{} instead of {status}: {}", answer.status, answer.shown());
    ensure!(answer.message()? == message, "{}", answer.shown());
    Ok(())
}

async fn set_up(client: &Client) -> anyhow::Result<()> {
    client.post("/api/auth/pin-code", &json!({ "pinCode": PIN })).await?.expect(204)?;
    Ok(())
}

async fn unlock(client: &Client, pin: &str) -> anyhow::Result<calotype_tests::Answer> {
    client.post("/api/auth/session/unlock", &json!({ "pinCode": pin })).await
}

async fn is_elevated(client: &Client) -> anyhow::Result<Value> {
    Ok(client.get_json("/api/auth/status").await?["isElevated"].clone())
}

#[tokio::test]
async fn locked_asset_opens_to_the_session_that_gave_the_pin() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let second = server.client().login("admin@example.com").await?;
        let key = admin.create_key(&["all"]).await?;
        let id = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        admin.wait_for_thumbnail(&id).await?;
        set_up(&admin).await?;
        let locking = json!({ "visibility": "locked" });
        admin.put(&format!("/api/assets/{id}"), &locking).await?.expect(200)?;

        let of = |path: &str| format!("/api/assets/{id}{path}");
        let closed = async |client: &Client| -> anyhow::Result<()> {
            let no_access = "Not found or no asset.read access";
            refused(client.get(&of("")), 400, no_access).await?;
            refused(client.get(&of("/original")), 404, "Not Found").await?;
            client.get(&of("/thumbnail")).await?.expect(400)?;
            let archive = json!({ "assetIds": [id] });
            client.post("/api/download/archive", &archive).await?.expect(400)?;
            let locked = "/api/timeline/buckets?visibility=locked";
            refused(client.get(locked), 401, "Elevated permission is required").await
        };
        closed(&admin).await?;
        closed(&key).await?;

        unlock(&admin, PIN).await?.expect(204)?;
        admin.get(&of("")).await?.expect(200)?;
        admin.get(&of("/original")).await?.expect(200)?;
        ensure!(admin.timeline("visibility=locked").await? == [id.clone()], "not on the timeline");
        ensure!(admin.timeline("").await?.is_empty(), "shows beside the locked folder");
        let share = json!({ "type": "INDIVIDUAL", "assetIds": [id] });
        admin.post("/api/shared-links", &share).await?.expect(400)?;
        closed(&second).await?;
        closed(&key).await?;

        admin.post("/api/auth/session/lock", &json!({})).await?.expect(204)?;
        closed(&admin).await
    })
    .await
}

#[tokio::test]
async fn pin_is_set_changed_and_removed_by_who_knows_it() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let pin = "/api/auth/pin-code";
        let bad = admin.post(pin, &json!({ "pinCode": "12345" })).await?.expect(400)?.json()?;
        ensure!(bad["errors"][0]["pattern"] == "/^\\d{6}$/", "{bad}");
        refused(unlock(&admin, PIN), 400, "User does not have a PIN code").await?;
        set_up(&admin).await?;
        let again = json!({ "pinCode": PIN });
        refused(admin.post(pin, &again), 400, "User already has a PIN code").await?;
        ensure!(admin.get_json("/api/auth/status").await?["pinCode"] == true, "no PIN is told");

        refused(unlock(&admin, "000000"), 400, "Wrong PIN code").await?;
        let nothing = json!({ "newPinCode": "222222" });
        refused(admin.put(pin, &nothing), 400, "Either password or pinCode is required").await?;
        let wrong = json!({ "newPinCode": "222222", "password": "nope" });
        refused(admin.put(pin, &wrong), 400, "Wrong password").await?;
        unlock(&admin, PIN).await?.expect(204)?;
        let change = json!({ "newPinCode": "222222", "password": "password" });
        admin.put(pin, &change).await?.expect(204)?;
        ensure!(is_elevated(&admin).await? == true, "changing the PIN locked the session");
        refused(unlock(&admin, PIN), 400, "Wrong PIN code").await?;

        admin.delete(pin, &json!({ "pinCode": "222222" })).await?.expect(204)?;
        ensure!(is_elevated(&admin).await? == false, "removing the PIN left a session unlocked");
        refused(unlock(&admin, "222222"), 400, "User does not have a PIN code").await
    })
    .await
}

#[tokio::test]
async fn administrator_replaces_a_pin_and_every_session_locks() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let person = admin.create_user("person@example.com").await?;
        set_up(&person).await?;
        unlock(&person, PIN).await?.expect(204)?;
        let status = person.get_json("/api/auth/status").await?;
        ensure!(status["pinExpiresAt"].is_string(), "{status}");
        let user = format!("/api/admin/users/{}", person.my_id().await?);

        admin.put(&user, &json!({ "pinCode": "999999" })).await?.expect(200)?;
        ensure!(is_elevated(&person).await? == false, "a session is still unlocked");
        unlock(&person, "999999").await?.expect(204)?;

        admin.put(&user, &json!({ "pinCode": null })).await?.expect(200)?;
        ensure!(is_elevated(&person).await? == false, "a session is still unlocked");
        ensure!(person.get_json("/api/auth/status").await?["pinCode"] == false, "a PIN is left");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn guessing_a_pin_is_slowed_down() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        set_up(&admin).await?;
        for guess in 0..10 {
            unlock(&admin, &format!("{guess:06}")).await?.expect(400)?;
        }
        unlock(&admin, PIN).await?.expect(429)?;
        let key = admin.create_key(&["all"]).await?;
        let only = "This endpoint can only be used with a session token";
        refused(unlock(&key, PIN), 400, only).await?;
        let narrow = admin.create_key(&["asset.read"]).await?;
        let missing = "Missing required permission: pinCode.create";
        refused(narrow.post("/api/auth/pin-code", &json!({})), 403, missing).await
    })
    .await
}
