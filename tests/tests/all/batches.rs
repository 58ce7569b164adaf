//! A wish about thousands of assets: one request, its events a thousand in a transaction.

use anyhow::{Context as _, ensure};
use calotype_commands::context::{Actor, ActorKind};
use calotype_commands::undo::Wish;
use calotype_commands::{CommandContext, Commands};
use calotype_domain::access::{Grant, Viewer};
use calotype_domain::asset::{
    Asset, AssetUploaded, Blob, Details, MediaKind, UploadedFile, Visibility,
};
use calotype_domain::{AssetId, CommandId, UserId};
use calotype_eventstore::testing::database;
use calotype_eventstore::{Keyring, PostgresOptions, PostgresStore, StreamId};
use calotype_tests::ids::{SeededIds, TickingClock};
use futures::future::try_join_all;
use sqlx::PgPool;
use std::sync::Arc;

/// Two transactions of a thousand, and one of the rest.
const ASSETS: usize = 2_300;
const TRANSACTIONS: i64 = 3;
/// Uploads that are written at once.
const AT_ONCE: usize = 100;

struct Library {
    commands: Commands,
    owner_id: UserId,
    asset_ids: Vec<AssetId>,
}

impl Library {
    async fn new(pool: PgPool) -> anyhow::Result<Self> {
        let key = || Keyring::from_bytes([7; 32]);
        let store = PostgresStore::connect(pool, key(), PostgresOptions::default()).await?;
        let (ids, clock) = (Arc::new(SeededIds::new(1)), Arc::<TickingClock>::default());
        let commands = Commands::new(Arc::new(store), Arc::new(key()), ids, clock);
        let owner_id = UserId::new(commands.ids().v4());
        let asset_ids = (0..ASSETS).map(|_| AssetId::new(commands.ids().v4())).collect();
        let library = Self { commands, owner_id, asset_ids };
        for some in library.asset_ids.chunks(AT_ONCE) {
            try_join_all(some.iter().map(|asset_id| library.upload(*asset_id))).await?;
        }
        Ok(library)
    }

    fn context(&self) -> CommandContext {
        let user_id = self.owner_id;
        CommandContext {
            actor: Actor {
                kind: ActorKind::User,
                id: user_id.to_string(),
                user_id: Some(user_id.uuid()),
            },
            client: None,
            command_id: CommandId::new(self.commands.ids().v7()),
            correlation_id: self.commands.ids().v7(),
            causation_id: None,
            now: self.commands.clock().now(),
        }
    }

    async fn upload(&self, asset_id: AssetId) -> anyhow::Result<()> {
        let context = self.context();
        let original = Blob {
            key: format!("original/{asset_id}"),
            size_bytes: 1,
            sha1: asset_id.to_string(),
            blake3: asset_id.to_string(),
        };
        let uploaded = AssetUploaded {
            owner_id: self.owner_id,
            kind: MediaKind::Image,
            original,
            sidecar: None,
            file: UploadedFile { original_file_name: "a.jpg".to_owned() }.into(),
            file_created_at: context.now,
            file_modified_at: context.now,
            is_favorite: false,
            visibility: Visibility::Timeline,
            duration_ms: None,
            live_photo_video_id: None,
        };
        self.commands.upload_asset(&context, asset_id, uploaded, Vec::new()).await?;
        Ok(())
    }
}

/// Events of a request, and the transactions that wrote them.
async fn written(pool: &PgPool, context: &CommandContext) -> anyhow::Result<(i64, i64)> {
    Ok(sqlx::query_as(
        "select count(*), count(distinct xmin::text) from log.events where correlation_id = $1",
    )
    .bind(context.correlation_id)
    .fetch_one(pool)
    .await?)
}

#[tokio::test]
async fn thousands_of_assets_are_one_request_and_a_transaction_for_each_thousand()
-> anyhow::Result<()> {
    let database = database().await;
    let library = Library::new(database.pool.clone()).await?;
    let Library { commands, owner_id, asset_ids } = &library;
    let expected = (i64::try_from(ASSETS)?, TRANSACTIONS);

    let favor = Details { favorite: Some(true), ..Details::default() };
    let context = library.context();
    commands.change_assets(&context, *owner_id, asset_ids, &favor).await?;
    ensure!(written(&database.pool, &context).await? == expected, "favorites");
    let again = library.context();
    commands.change_assets(&again, *owner_id, asset_ids, &favor).await?;
    ensure!(written(&database.pool, &again).await? == (0, 0), "what holds is not written again");

    let archive = Details { visibility: Some(Visibility::Archive), ..Details::default() };
    let changes: Vec<_> = asset_ids.iter().map(|id| (*id, archive.clone())).collect();
    let context = library.context();
    commands.change_each_asset(&context, *owner_id, &changes, &[]).await?;
    ensure!(written(&database.pool, &context).await? == expected, "archive");

    let context = library.context();
    commands.trash_assets(&context, *owner_id, asset_ids).await?;
    ensure!(written(&database.pool, &context).await? == expected, "trash");

    let undoing = library.context();
    let grant = Grant::Session { elevated: false };
    let viewer = Viewer { user_id: *owner_id, is_admin: false, grant };
    let (items, _) =
        commands.undo(&undoing, &viewer, &Wish::Command(context.correlation_id)).await?;
    ensure!(items.len() == ASSETS, "{} assets were taken back", items.len());
    ensure!(written(&database.pool, &undoing).await? == expected, "undo");

    let last = asset_ids.last().context("no assets")?;
    let (asset, _) = commands.load::<Asset>(&StreamId::new("asset", last)).await?;
    ensure!(!asset.is_trashed() && asset.is_favorite());
    ensure!(asset.visibility() == Visibility::Archive);
    Ok(())
}

#[tokio::test]
async fn one_asset_of_somebody_else_holds_its_thousand_back() -> anyhow::Result<()> {
    let database = database().await;
    let library = Library::new(database.pool.clone()).await?;
    let stranger = UserId::new(library.commands.ids().v4());
    let context = library.context();

    let refused = library.commands.trash_assets(&context, stranger, &library.asset_ids).await;

    ensure!(refused.is_err(), "a stranger put assets into the trash");
    ensure!(written(&database.pool, &context).await? == (0, 0));
    Ok(())
}
