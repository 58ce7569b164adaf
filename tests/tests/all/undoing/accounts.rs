//! Settings, preferences and what administrators change go back; what opens something does not.

use anyhow::ensure;
use calotype_tests::{Options, story};
use serde_json::json;

use super::{ensure_whole, said, undo};

#[tokio::test]
async fn settings_and_preferences_go_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let before = admin.get_json("/api/system-config").await?;
        let mut wish = before.clone();
        wish["trash"]["days"] = json!(3);
        wish["server"]["loginPageMessage"] = json!("Hello");
        let changed = admin.put("/api/system-config", &wish).await?.expect(200)?;
        wish["trash"]["days"] = json!(7);
        admin.put("/api/system-config", &wish).await?.expect(200)?;
        let done = undo(&admin, &changed).await?;
        ensure!(said(&done, "undone", "config")?["what"] == json!(["settings"]), "{done}");
        ensure!(said(&done, "leftAlone", "config")?["what"] == json!(["settings"]), "{done}");
        let after = admin.get_json("/api/system-config").await?;
        ensure!(after["trash"]["days"] == 7, "{}", after["trash"]);
        ensure!(after["server"] == before["server"], "{}", after["server"]);

        let path = "/api/users/me/preferences";
        let before = friend.get_json(path).await?;
        let wish = json!({ "memories": { "enabled": false }, "tags": { "sidebarWeb": true } });
        let changed = friend.put(path, &wish).await?.expect(200)?;
        ensure!(friend.get_json(path).await? != before, "nothing changed");
        ensure_whole(&undo(&friend, &changed).await?)?;
        ensure!(friend.get_json(path).await? == before, "not as before");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn accounts_go_back_but_never_what_opens_them() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let path = format!("/api/admin/users/{}", friend.my_id().await?);
        let before = admin.get_json(&path).await?;
        let change = json!({
            "name": "Other", "email": "other@example.com", "storageLabel": "other",
            "quotaSizeInBytes": 1_000_000, "password": "another password",
        });
        let changed = admin.put(&path, &change).await?.expect(200)?;
        let body = json!({ "commandId": changed.header("x-correlation-id") });
        friend.anonymous().post("/api/calotype/undo", &body).await?.expect(401)?;
        let key = admin.create_key(&["user.update"]).await?;
        key.post("/api/calotype/undo", &body).await?.expect(403)?;
        let done = undo(&admin, &changed).await?;
        let never = said(&done, "cannotBeUndone", "user")?;
        ensure!(never["what"] == json!(["password"]), "{done}");
        ensure!(never["why"][0].as_str().is_some_and(|why| why.contains("by hand")), "{done}");
        let after = admin.get_json(&path).await?;
        for name in ["name", "email", "storageLabel", "quotaSizeInBytes"] {
            ensure!(after[name] == before[name], "{name} is {}", after[name]);
        }

        let deleted = admin.delete(&path, &json!({})).await?.expect(200)?;
        ensure_whole(&undo(&admin, &deleted).await?)?;
        ensure!(admin.get_json(&path).await?["deletedAt"].is_null(), "still deleted");

        let wish = json!({ "name": "k", "permissions": ["all"] });
        let made = admin.post("/api/api-keys", &wish).await?.expect(201)?;
        let done = undo(&admin, &made).await?;
        ensure!(said(&done, "cannotBeUndone", "api_key")?["what"] == json!(["key"]), "{done}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_rotated_key_opens_by_its_new_secret_alone() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let stranger = admin.create_user("stranger@example.com").await?;
        let wish = json!({ "name": "k", "permissions": ["all"] });
        let made = admin.post("/api/api-keys", &wish).await?.expect(201)?.json()?;
        let secret = |answer: &serde_json::Value| {
            answer["secret"].as_str().map(str::to_owned).unwrap_or_default()
        };
        let path = format!("/api/api-keys/{}/rotate", made["apiKey"]["id"].as_str().unwrap_or(""));
        let old = admin.anonymous().with_key(&secret(&made));
        old.get("/api/users/me").await?.expect(200)?;
        stranger.post(&path, &json!({})).await?.expect(400)?;
        admin.anonymous().post(&path, &json!({})).await?.expect(401)?;
        admin.create_key(&["apiKey.update"]).await?.post(&path, &json!({})).await?.expect(403)?;
        let rotated = admin.post(&path, &json!({})).await?.expect(201)?.json()?;
        ensure!(rotated["apiKey"]["id"] == made["apiKey"]["id"], "{rotated}");
        old.get("/api/users/me").await?.expect(401)?;
        let new = admin.anonymous().with_key(&secret(&rotated));
        new.get("/api/users/me").await?.expect(200)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn configuration_shows_each_what_is_theirs() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let nobody = admin.anonymous();
        let public = nobody.get_json("/api/public/config").await?;
        ensure!(public == nobody.get_json("/api/public/config/defaults").await?, "{public}");
        ensure!(public["passwordLogin"]["enabled"] == true, "{public}");
        nobody.get("/api/config").await?.expect(401)?;
        let user = friend.get_json("/api/config").await?;
        ensure!(user["trash"]["days"] == 30 && user.get("notifications").is_none(), "{user}");
        friend.get("/api/admin/config").await?.expect(403)?;
        let mut all = admin.get_json("/api/admin/config").await?;
        ensure!(all["oauth"]["accountManagementUrl"] == "", "{}", all["oauth"]);
        all["trash"]["days"] = json!(9);
        friend.put("/api/admin/config", &all).await?.expect(403)?;
        let told = admin.put("/api/admin/config", &all).await?.expect(200)?.json()?;
        ensure!(told == all, "{told}");
        ensure!(friend.get_json("/api/config").await?["trash"]["days"] == 9);
        all["oauth"]["accountManagementUrl"] = json!("https://example.com");
        admin.put("/api/admin/config", &all).await?.expect(400)?;

        let (one, two) = (json!({ "name": "" }), json!({ "name": "Anna" }));
        let mut ids = Vec::new();
        for body in [&one, &two] {
            let person = admin.post("/api/people", body).await?.expect(201)?.json()?;
            ids.push(person["id"].clone());
        }
        let merged = admin.post("/api/people/merge", &json!({ "ids": ids })).await?;
        let merged = merged.expect(200)?.json()?;
        ensure!(merged[1] == json!({ "id": ids[1], "success": true }), "{merged}");
        let page = format!("/api/people/{}", ids[0].as_str().unwrap_or(""));
        ensure!(admin.get_json(&page).await?["name"] == "Anna");
        admin.post("/api/people/merge", &json!({ "ids": [ids[0]] })).await?.expect(400)?;
        Ok(())
    })
    .await
}
