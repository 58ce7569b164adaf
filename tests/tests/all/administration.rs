//! What administrators do: settings with their effects, notifications, product keys, quotas, labels, days.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::binary::{command, finish, run, with_data};
use calotype_tests::client::{ADMIN_EMAIL, PASSWORD};
use calotype_tests::import::{new_file, pictures};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, Upload, story};
use futures::future::join_all;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// How long a command may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);
const CONFIG: &str = "/api/system-config";
const PICTURE: &str = "photos/nature/prairie_falcon.jpg";
const SERVER_KEY: &str = "IMSV-6ECZ-91TE-WZRM-Q7AQ-MBN4-UW48-2CPT-71X9";

/// Changes one setting, by JSON pointer.
async fn set(admin: &Client, pointer: &str, value: Value) -> anyhow::Result<Value> {
    let mut config = admin.get_json(CONFIG).await?;
    *config.pointer_mut(pointer).with_context(|| format!("no setting {pointer}"))? = value;
    admin.put(CONFIG, &config).await?.expect(200)?.json()
}

#[tokio::test]
async fn settings_are_kept_shown_and_take_effect() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let nobody = server.client();
        let admin = nobody.sign_up().await?;
        let defaults = admin.get_json("/api/system-config/defaults").await?;
        ensure!(admin.get_json(CONFIG).await? == defaults, "the defaults are not the start");

        set(&admin, "/server/loginPageMessage", json!("Hello")).await?;
        set(&admin, "/trash/days", json!(3)).await?;
        let changed = set(&admin, "/oauth/clientSecret", json!("hush")).await?;
        ensure!(changed["oauth"]["clientSecret"] == "hush" && changed["trash"]["days"] == 3);
        let told = nobody.get_json("/api/server/config").await?;
        ensure!(told["loginPageMessage"] == "Hello" && told["trashDays"] == 3, "{told}");
        set(&admin, "/theme/customCss", json!("body { color: red }")).await?;
        let css = nobody.get("/custom.css").await?.expect(200)?;
        ensure!(css.body.starts_with(b"body { color: red }"), "{css:?}");
        let features = async || nobody.get_json("/api/server/features").await;
        ensure!(features().await?["trash"] == true, "no trash");
        set(&admin, "/trash/enabled", json!(false)).await?;
        ensure!(features().await?["trash"] == false, "still a trash");

        server.kill(calotype_tests::server::Victim::Server).await?;
        server.go_on().await?;
        let admin = server.client().login(ADMIN_EMAIL).await?;
        let kept = admin.get_json(CONFIG).await?;
        ensure!(kept["trash"] == json!({ "enabled": false, "days": 3 }), "{}", kept["trash"]);
        ensure!(kept["oauth"]["clientSecret"] == "hush", "the secret is lost");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn settings_of_a_file_take_effect_and_cannot_be_changed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("settings.json");
    std::fs::write(&file, r#"{ "trash": { "days": 3 }, "passwordLogin": { "enabled": true } }"#)?;
    let arguments = vec!["--settings".to_owned(), file.display().to_string()];
    story(Options { arguments, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let config = admin.get_json(CONFIG).await?;
        ensure!(config["trash"] == json!({ "enabled": true, "days": 3 }), "{config}");
        let told = server.client().get_json("/api/server/config").await?;
        ensure!(told["trashDays"] == 3, "{told}");
        let features = server.client().get_json("/api/server/features").await?;
        ensure!(features["configFile"] == true, "{features}");
        let refused = admin.put(CONFIG, &config).await?.expect(400)?;
        let words = "Cannot update configuration while IMMICH_CONFIG_FILE is in use";
        ensure!(refused.message()? == words, "{}", refused.shown());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn settings_are_checked_and_for_administrators() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let mut config = admin.get_json(CONFIG).await?;
        config["trash"]["days"] = json!(-1);
        config["image"]["preview"]["quality"] = json!("high");
        let refused = admin.put(CONFIG, &config).await?.expect(400)?.json()?;
        ensure!(refused["message"] == "Validation failed", "{refused}");
        let messages: Vec<&Value> =
            refused["errors"].as_array().into_iter().flatten().map(|it| &it["message"]).collect();
        ensure!(
            messages
                == [
                    "Invalid input: expected number, received string",
                    "Too small: expected number to be >=0"
                ],
            "{refused}"
        );
        let missing = admin.put(CONFIG, &json!({})).await?.expect(400)?.json()?;
        ensure!(missing["errors"].as_array().map(Vec::len) == Some(22), "{missing}");
        let mut config = admin.get_json(CONFIG).await?;
        config["oauth"]["enabled"] = json!(true);
        let refused = admin.put(CONFIG, &config).await?.expect(400)?;
        ensure!(refused.message()? == "OAuth is not available on this server", "{refused:?}");

        let reader = admin.create_key(&["systemConfig.read"]).await?;
        reader.get(CONFIG).await?.expect(200)?;
        let refused = reader.put(CONFIG, &json!({})).await?.expect(403)?;
        ensure!(refused.message()? == "Missing required permission: systemConfig.update");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn pictures_and_trash_follow_the_settings() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let first = admin.upload_file(&media(PICTURE)?).await?;
        let before = admin.wait_for_thumbnail(&first).await?.body.len();
        set(&admin, "/image/thumbnail/size", json!(64)).await?;
        let body = json!({ "assetIds": [first], "name": "regenerate-thumbnail" });
        admin.post("/api/assets/jobs", &body).await?.expect(204)?;
        let path = format!("/api/assets/{first}/thumbnail");
        until("a smaller thumbnail", Duration::from_secs(30), async || {
            Ok((admin.get(&path).await?.body.len() < before / 2).then_some(()))
        })
        .await?;

        set(&admin, "/trash/enabled", json!(false)).await?;
        admin.delete("/api/assets", &json!({ "ids": [first] })).await?.expect(204)?;
        admin.get(&format!("/api/assets/{first}")).await?.expect(400)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn passwords_can_be_switched_off_and_on_again() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let config = set(&admin, "/passwordLogin/enabled", json!(false)).await?;
        ensure!(config["passwordLogin"]["enabled"] == false, "still on");
        let login = json!({ "email": ADMIN_EMAIL, "password": PASSWORD });
        let refused = server.client().post("/api/auth/login", &login).await?.expect(401)?;
        ensure!(refused.message()? == "Password login has been disabled", "{refused:?}");
        server.terminate().await?;
        let words = ["admin", "enable-password-login"];
        // A file of settings stands above what was set: nothing would come of it.
        let file = server.data().join("settings.json");
        std::fs::write(&file, r#"{"passwordLogin":{"enabled":false}}"#)?;
        let mut fixed = command()?;
        fixed.env("IMMICH_CONFIG_FILE", &file).args(with_data(&words, &server.data()));
        let refused = finish(fixed, "", COMMAND_LIMIT).await?;
        ensure!(!refused.stdout.contains("can log in"), "{refused:?}");
        let refused = refused.failure()?;
        ensure!(refused.contains(&file.display().to_string()), "no file is named: {refused}");
        run(&with_data(&words, &server.data()), "").await?.success()?;
        server.go_on().await?;
        server.client().post("/api/auth/login", &login).await?.expect(201)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn people_are_told_something_and_mark_it_as_read() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let reader = admin.create_user("reader@example.com").await?;
        let user_id = reader.my_id().await?;
        let tell = async |title: &str| {
            let body = json!({ "title": title, "userId": user_id, "level": "warning" });
            let told = admin.post("/api/admin/notifications", &body).await?.expect(201)?.json()?;
            told["id"].as_str().map(str::to_owned).context("no id")
        };
        let (first, second) = (tell("One").await?, tell("Two").await?);
        let listed = async |query: &str| {
            let listed = reader.get_json(&format!("/api/notifications{query}")).await?;
            anyhow::Ok(listed.as_array().map(Vec::len).unwrap_or_default())
        };
        ensure!(listed("").await? == 2 && listed("?level=info").await? == 0, "not two warnings");
        let one = reader.get_json(&format!("/api/notifications/{first}")).await?;
        ensure!(one["title"] == "One" && one["type"] == "Custom", "{one}");
        ensure!(one.get("readAt").is_none() && one.get("description").is_none(), "{one}");

        let read = json!({ "readAt": "2026-01-01T00:00:00.000Z" });
        let path = format!("/api/notifications/{first}");
        let marked = reader.put(&path, &read).await?.expect(200)?.json()?;
        ensure!(marked["readAt"] == "2026-01-01T00:00:00.000Z", "{marked}");
        ensure!(listed("?unread=true").await? == 1, "it is not read");
        let both = json!({ "ids": [first, second], "readAt": null });
        reader.put("/api/notifications", &both).await?.expect(204)?;
        ensure!(listed("?unread=true").await? == 2, "they are still read");

        let refused = admin.get(&path).await?.expect(400)?;
        ensure!(refused.message()? == "Not found or no notification.read access", "{refused:?}");
        let none = reader.delete("/api/notifications", &json!({ "ids": [] })).await?.expect(400)?;
        ensure!(none.json()?["errors"][0]["code"] == "too_small", "{none:?}");
        let key = reader.create_key(&["notification.read"]).await?;
        let refused = key.delete(&path, &json!({})).await?.expect(403)?;
        ensure!(refused.message()? == "Missing required permission: notification.delete");
        reader.delete(&path, &json!({})).await?.expect(204)?;
        reader.delete("/api/notifications", &json!({ "ids": [second] })).await?.expect(204)?;
        ensure!(listed("").await? == 0, "they are still there");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn product_keys_and_first_steps_are_kept() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        admin.get("/api/server/license").await?.expect(404)?;
        let key = json!({ "licenseKey": SERVER_KEY, "activationKey": "abc" });
        let entered = admin.put("/api/server/license", &key).await?.expect(200)?.json()?;
        ensure!(entered["licenseKey"] == SERVER_KEY, "{entered}");
        ensure!(admin.get_json("/api/server/about").await?["licensed"] == true, "not licensed");
        let bad = json!({ "licenseKey": "IMSV-1", "activationKey": "abc" });
        let refused = admin.put("/api/server/license", &bad).await?.expect(400)?.json()?;
        ensure!(refused["errors"][0]["format"] == "regex", "{refused}");
        admin.delete("/api/server/license", &json!({})).await?.expect(204)?;
        admin.get("/api/server/license").await?.expect(404)?;

        let own = json!({ "licenseKey": SERVER_KEY.replace("SV", "CL"), "activationKey": "abc" });
        admin.put("/api/users/me/license", &own).await?.expect(200)?;
        let me = admin.get_json("/api/users/me").await?;
        ensure!(me["license"]["licenseKey"] == own["licenseKey"], "{me}");
        admin.delete("/api/users/me/license", &json!({})).await?.expect(204)?;
        admin.get("/api/users/me/license").await?.expect(404)?;

        let path = "/api/system-metadata/admin-onboarding";
        ensure!(admin.get_json(path).await? == json!({ "isOnboarded": false }));
        admin.post(path, &json!({ "isOnboarded": true })).await?.expect(204)?;
        ensure!(admin.get_json(path).await? == json!({ "isOnboarded": true }));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn uploads_that_end_at_once_do_not_pass_a_quota_together() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let user = admin.create_user("small@example.com").await?;
        let pictures = pictures()?;
        let mut random = StdRng::seed_from_u64(1);
        let files: Vec<Upload> = (0..8)
            .map(|number| new_file(&pictures[..1], &mut random, &format!("{number}")))
            .collect::<Result<_, _>>()?;
        let size_bytes = files.iter().map(|file| file.bytes.len()).max().context("no files")?;
        let quota = json!({ "quotaSizeInBytes": size_bytes * 3 });
        let path = format!("/api/admin/users/{}", user.my_id().await?);
        admin.put(&path, &quota).await?.expect(200)?;

        let answers = join_all(files.iter().map(|file| user.send_upload(file))).await;
        let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
        let created = answers.iter().filter(|answer| answer.status == 201).count();
        let refused = answers.iter().filter(|answer| answer.status == 400).count();
        ensure!(created == 3 && refused == 5, "{created} were created and {refused} refused");
        let me = user.get_json("/api/users/me").await?;
        ensure!(me["quotaUsageInBytes"].as_u64() <= u64::try_from(size_bytes * 3).ok(), "{me}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_deleted_account_is_not_changed_or_deleted_again() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let path = format!("/api/admin/users/{}", friend.my_id().await?);
        admin.delete(&path, &json!({})).await?.expect(200)?;
        let again = admin.delete(&path, &json!({ "force": true })).await?.expect(400)?;
        ensure!(again.message()? == "User not found", "{}", again.shown());
        let changed = admin.put(&path, &json!({ "name": "Other" })).await?.expect(400)?;
        ensure!(changed.message()? == "User not found", "{}", changed.shown());
        ensure!(admin.get_json(&path).await?["status"] == "deleted");

        admin.post(&format!("{path}/restore"), &json!({})).await?.expect(200)?;
        admin.put(&path, &json!({ "name": "Other" })).await?.expect(200)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn uploads_leave_free_what_the_operator_wants() -> anyhow::Result<()> {
    let arguments = vec!["--min-free".to_owned(), "1000000T".to_owned()];
    story(Options { arguments, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let upload = Upload::of(&media(PICTURE)?)?;
        let answer = admin.send_upload(&upload).await?.expect(507)?;
        ensure!(answer.shown().contains("Not enough free space"), "{}", answer.shown());
        let counts = admin.get_json("/api/assets/statistics").await?;
        ensure!(counts["total"] == 0, "{counts}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_storage_label_belongs_to_one_account() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let make = async |number: u32, label: &str| {
            let body = json!({
                "email": format!("user{number}@example.com"), "name": "User",
                "password": PASSWORD, "storageLabel": label,
            });
            admin.post("/api/admin/users", &body).await
        };
        let answers = join_all((0..4).map(|number| make(number, "attic"))).await;
        let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        ensure!(made.len() == 1, "{} accounts have the label", made.len());
        let path = format!("/api/admin/users/{}", made[0].json()?["id"].as_str().context("id")?);
        admin.put(&path, &json!({ "storageLabel": null })).await?.expect(200)?;
        make(9, "attic").await?.expect(201)?;
        let refused = admin.put(&path, &json!({ "storageLabel": "attic" })).await?.expect(400)?;
        ensure!(refused.message()? == "Storage label already in use by another account");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn days_with_uploads_show_in_the_calendar() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media(PICTURE)?).await?;
        admin.wait_for_thumbnail(&id).await?;
        let path = "/api/users/me/calendar-heatmap";
        let uploaded = admin.get_json(path).await?;
        ensure!(uploaded["totalCount"] == 1, "{uploaded}");
        let taken = format!("{path}?type=Taken&from=2020-01-01&to=2024-01-01");
        ensure!(admin.get_json(&taken).await?["totalCount"] == 1, "not among those taken");
        let own = format!("/api/admin/users/{}/calendar-heatmap", admin.my_id().await?);
        ensure!(admin.get_json(&own).await? == uploaded, "administrators see something else");
        admin.delete("/api/assets", &json!({ "ids": [id] })).await?.expect(204)?;
        ensure!(admin.get_json(path).await?["totalCount"] == 0, "it counts in the trash");
        admin.get(&format!("{path}?from=yesterday")).await?.expect(400)?;
        Ok(())
    })
    .await
}
