//! What people change about their own account with a file or a secret: the password, and the picture.

use anyhow::ensure;
use calotype_tests::answer::Answer;
use calotype_tests::client::PASSWORD;
use calotype_tests::media::media;
use calotype_tests::{Client, Options, TestServer, story};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

const FRIEND: &str = "friend@example.com";
const NEW_PASSWORD: &str = "another password";
const THIRD_PASSWORD: &str = "and a third one";
const PNG: &str = "photos/edge/alpha_gradient.png";
const JPEG: &str = "photos/edge/rating_1.jpg";

/// Whether a password logs in; a session made for it stays open.
async fn opens(client: &Client, password: &str) -> anyhow::Result<bool> {
    let body = json!({ "email": FRIEND, "password": password });
    let answer = client.anonymous().post("/api/auth/login", &body).await?;
    ensure!(matches!(answer.status, 201 | 401), "a login answered {}", answer.shown());
    Ok(answer.status == 201)
}

async fn change(
    client: &Client,
    password: &str,
    new: &str,
    ends_others: bool,
) -> anyhow::Result<Answer> {
    let body =
        json!({ "password": password, "newPassword": new, "invalidateSessions": ends_others });
    client.post("/api/auth/change-password", &body).await
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user(FRIEND).await?;
        let elsewhere = friend.login(FRIEND).await?;
        let key = friend.create_key(&["all"]).await?;
        let me = friend.get_json("/api/users/me").await?;
        ensure!(me["shouldChangePassword"] == true, "{me}");

        // Nothing is changed, and nobody logged out, by who does not know the old one or wishes a short one.
        let wrong = change(&friend, "not it", NEW_PASSWORD, true).await?.expect(400)?;
        ensure!(wrong.message()? == "Wrong password", "{}", wrong.shown());
        let short = change(&friend, PASSWORD, "seven__", true).await?.expect(400)?.json()?;
        ensure!(short["errors"][0]["path"] == json!(["newPassword"]), "{short}");
        change(&friend.anonymous(), PASSWORD, NEW_PASSWORD, true).await?.expect(401)?;
        elsewhere.get("/api/users/me").await?.expect(200)?;
        ensure!(opens(&friend, PASSWORD).await?, "the password was changed after all");

        // Other sessions stay open unless that is asked for.
        let told = change(&friend, PASSWORD, NEW_PASSWORD, false).await?.expect(200)?.json()?;
        ensure!(told["email"] == FRIEND && told["shouldChangePassword"] == false, "{told}");
        ensure!(!opens(&friend, PASSWORD).await?, "the former password still opens");
        ensure!(opens(&friend, NEW_PASSWORD).await?, "the new password opens nothing");
        elsewhere.get("/api/users/me").await?.expect(200)?;

        change(&friend, NEW_PASSWORD, THIRD_PASSWORD, true).await?.expect(200)?;
        elsewhere.get("/api/users/me").await?.expect(401)?;
        friend.get("/api/users/me").await?.expect(200)?;
        key.get("/api/users/me").await?.expect(200)?;
        admin.get("/api/users/me").await?.expect(200)?;
        let sessions = friend.get_json("/api/sessions").await?;
        ensure!(sessions.as_array().map(Vec::len) == Some(1), "{sessions}");
        ensure!(!opens(&friend, NEW_PASSWORD).await?, "the second password still opens");
        ensure!(opens(&friend, THIRD_PASSWORD).await?, "the third password opens nothing");
        Ok(())
    })
    .await
}

async fn set(client: &Client, field: &str, bytes: &[u8]) -> anyhow::Result<Answer> {
    let part = Part::bytes(bytes.to_vec()).file_name("me");
    let form = Form::new().part(field.to_owned(), part);
    client.send(client.request(Method::POST, "/api/users/profile-image").multipart(form)).await
}

async fn remove(client: &Client) -> anyhow::Result<Answer> {
    client.send(client.request(Method::DELETE, "/api/users/profile-image")).await
}

/// How many pictures of a person lie in the data folder.
fn kept(server: &TestServer, user_id: &str) -> anyhow::Result<usize> {
    let folder = server.data().join("library/profile").join(user_id);
    if !folder.exists() {
        return Ok(0);
    }
    Ok(std::fs::read_dir(folder)?.count())
}

#[tokio::test]
async fn a_picture_is_set_shown_replaced_and_removed() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user(FRIEND).await?;
        let id = friend.my_id().await?;
        let (about, path) = (format!("/api/users/{id}"), format!("/api/users/{id}/profile-image"));
        let (png, jpeg) = (std::fs::read(media(PNG)?)?, std::fs::read(media(JPEG)?)?);

        // There is none, and what is no picture, or could run as a page, makes none.
        let none = admin.get(&path).await?.expect(404)?;
        ensure!(none.message()? == "User does not have a profile image", "{}", none.shown());
        let none = remove(&friend).await?.expect(400)?;
        ensure!(none.message()? == "Can't delete a missing profile Image", "{}", none.shown());
        for (field, bytes, message) in [
            ("file", &b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"[..], "Unsupported file type"),
            ("file", &b"no picture"[..], "Unsupported file type"),
            ("file", &b""[..], "File is empty"),
            ("picture", &png[..], "Field(s) file should not be empty"),
        ] {
            let refused = set(&friend, field, bytes).await?.expect(400)?;
            ensure!(refused.message()? == message, "{}", refused.shown());
        }
        set(&friend.anonymous(), "file", &png).await?.expect(401)?;
        ensure!(kept(server, &id)? == 0, "something was kept of what was refused");

        let told = set(&friend, "file", &png).await?.expect(201)?.json()?;
        ensure!(told["userId"] == id.as_str(), "{told}");
        let first = admin.get_json(&about).await?;
        ensure!(first["profileImagePath"] == told["profileImagePath"], "{first} after {told}");
        ensure!(first["profileChangedAt"] == told["profileChangedAt"], "{first} after {told}");
        let shown = admin.get(&path).await?.expect(200)?;
        ensure!(shown.body == png && shown.header("content-type") == "image/png", "not the PNG");
        friend.anonymous().get(&path).await?.expect(401)?;
        // Who has it is not sent it again, until there is another one.
        let tag = shown.header("etag").to_owned();
        ensure!(!tag.is_empty(), "a picture without a tag");
        let held = || admin.request(Method::GET, &path).header("if-none-match", &tag);
        admin.send(held()).await?.expect(304)?;
        ensure!(kept(server, &id)? == 1, "the picture does not lie where pictures lie");

        set(&friend, "file", &jpeg).await?.expect(201)?;
        let shown = admin.send(held()).await?.expect(200)?;
        ensure!(shown.body == jpeg && shown.header("content-type") == "image/jpeg", "not the JPEG");
        let second = admin.get_json(&about).await?;
        ensure!(second["profileImagePath"] != first["profileImagePath"], "{second}");
        ensure!(kept(server, &id)? == 1, "the former picture was kept");

        // Everybody removes their own.
        remove(&admin).await?.expect(400)?;
        remove(&friend).await?.expect(204)?;
        admin.get(&path).await?.expect(404)?;
        let third = admin.get_json(&about).await?;
        ensure!(third["profileImagePath"] == "", "{third}");
        ensure!(kept(server, &id)? == 0, "the removed picture was kept");
        Ok(())
    })
    .await
}
