//! A session that is made from another while that one is closed opens nothing, and is closed too.

use anyhow::{Context as _, ensure};
use calotype_domain::session::{Device, SessionOpened};
use calotype_domain::{SessionId, UserId};
use calotype_tests::client::WORK_LIMIT;
use calotype_tests::waiting::until;
use calotype_tests::walk::World;
use calotype_tests::{Options, database, story};
use serde_json::json;
use sqlx::PgPool;

async fn recorded(pool: &PgPool, event_type: &str) -> anyhow::Result<i64> {
    let counted = "select count(*) from log.events where type = $1";
    Ok(sqlx::query_scalar(counted).bind(event_type).fetch_one(pool).await?)
}

async fn until_recorded(pool: &PgPool, event_type: &str, count: i64) -> anyhow::Result<()> {
    until(event_type, WORK_LIMIT, async || {
        Ok((recorded(pool, event_type).await? >= count).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_session_made_during_the_logout() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let parent = server.client().sign_up().await?;
        let other = server.client().login("admin@example.com").await?;
        let pool = database::connect(&server.data()).await?;
        let opened = recorded(&pool, "SessionOpened").await?;
        let mut held = pool.begin().await?;
        sqlx::query("select from work.checkpoints for update").execute(&mut *held).await?;

        // The logout looks for children before it can see the one that is being made.
        let device = json!({ "deviceType": "Phone" });
        let made = parent.post("/api/sessions", &device);
        let closed = async {
            until_recorded(&pool, "SessionOpened", opened + 1).await?;
            let nothing = json!({});
            let logout = parent.post("/api/auth/logout", &nothing);
            let release = async {
                until_recorded(&pool, "SessionClosed", 1).await?;
                held.rollback().await?;
                anyhow::Ok(())
            };
            let (answer, released) = tokio::join!(logout, release);
            released?;
            answer
        };
        let (made, closed) = tokio::join!(made, closed);

        let status = closed?.status;
        ensure!(matches!(status, 200 | 503), "the logout answered {status}");
        let made = made?.expect(201)?.json()?;
        let child = other.with_token(made["token"].as_str().context("no token")?);
        parent.get("/api/users/me").await?.expect(401)?;
        child.get("/api/users/me").await?.expect(401)?;
        other.get("/api/users/me").await?.expect(200)?;
        pool.close().await;
        Ok(())
    })
    .await
}

async fn opened(
    world: &World,
    user_id: UserId,
    token: &str,
    parent_id: Option<SessionId>,
) -> anyhow::Result<SessionId> {
    let opened = SessionOpened {
        user_id,
        token_sha256: token.to_owned(),
        device: Device { device_type: "Phone".into(), ..Device::default() }.into(),
        expires_at: None,
        parent_id,
    };
    Ok(world.commands().open_session(&world.by(Some(user_id)), opened).await?.0)
}

#[tokio::test]
async fn whose_parent_is_closed_opens_nothing_and_is_closed() -> anyhow::Result<()> {
    let mut world = World::new(31).await?;
    let user_id = world.somebody().await?;
    let parent = opened(&world, user_id, "parent", None).await?;
    let child = opened(&world, user_id, "child", Some(parent)).await?;
    let grandchild = opened(&world, user_id, "grandchild", Some(child)).await?;
    let alone = opened(&world, user_id, "alone", None).await?;
    world.follow().await?;
    let queries = world.queries();
    let now = world.now();
    let open = async |token: &str| -> anyhow::Result<bool> {
        Ok(queries.session_by_token(token, now).await?.is_some())
    };
    for token in ["parent", "child", "grandchild", "alone"] {
        ensure!(open(token).await?, "{token} opens nothing");
    }

    world.commands().close_session(&world.by(Some(user_id)), parent).await?;
    world.follow().await?;

    for token in ["parent", "child", "grandchild"] {
        ensure!(!open(token).await?, "{token} still opens");
    }
    ensure!(open("alone").await?, "one that stands alone was closed");
    ensure!(queries.sessions_over(now).await? == [child.uuid()], "the child is left");
    let worker = world.worker().await?;
    worker.keep_house_once(now).await?;
    world.follow().await?;
    ensure!(queries.sessions_over(now).await? == [grandchild.uuid()], "the grandchild is left");
    worker.keep_house_once(now).await?;
    world.follow().await?;
    ensure!(queries.sessions_over(now).await?.is_empty(), "some are left");
    let left = queries.sessions_of(user_id.uuid(), now).await?;
    ensure!(left.iter().any(|row| row.session_id == alone.uuid()), "{left:?}");
    Ok(())
}
