//! One step of a walk: somebody wishes something. A refusal is a step, too.

use std::sync::PoisonError;

use anyhow::bail;
use calotype_commands::context::{Actor, ActorKind};
use calotype_commands::{CommandContext, CommandError};
use calotype_domain::{AssetId, CommandId, UserId};
use calotype_eventstore::AppendError;
use chrono::{DateTime, Duration, Utc};
use rand::Rng as _;
use rand::seq::IndexedRandom as _;

use super::assets::Known;
use super::world::World;

/// Requests that are remembered, so that they can be taken back.
const DID_MAX: usize = 60;
/// The months that photos are from.
const DAYS: i64 = 200;

impl World {
    /// One wish of somebody.
    pub(super) async fn step(&mut self) -> anyhow::Result<()> {
        if self.users.is_empty() {
            return self.register().await;
        }
        if self.random.random_bool(0.15) {
            return self.pin_or_link().await;
        }
        if self.random.random_bool(0.35) {
            return self.people_step().await;
        }
        match self.random.random_range(0..100) {
            0..3 => self.register().await,
            3..27 => self.upload().await,
            27..35 => self.share().await,
            35..50 => self.develop().await,
            50..58 => self.change_assets().await,
            58..64 => self.organize().await,
            64..67 => self.trash_or_restore().await,
            67..70 => self.edit().await,
            70..72 => self.purge_asset().await,
            72..73 => self.edit().await,
            73..77 => self.ask_again().await,
            77..82 => self.change_user().await,
            82..83 => self.configure().await,
            83..84 => self.notify().await,
            84..90 => self.session().await,
            90..96 => self.api_key().await,
            96..99 => self.queue().await,
            _ => self.purge_user().await,
        }
    }

    pub(super) fn context(&self, user_id: Option<UserId>) -> CommandContext {
        let actor = user_id.map_or_else(
            || Actor { kind: ActorKind::System, id: "walk".into(), user_id: None },
            |id| Actor { kind: ActorKind::User, id: id.to_string(), user_id: Some(id.uuid()) },
        );
        let (command_id, correlation_id) = (self.commands.ids().v7(), self.commands.ids().v7());
        if let Some(user_id) = user_id {
            let mut did = self.did.lock().unwrap_or_else(PoisonError::into_inner);
            did.push_back((user_id, correlation_id));
            if did.len() > DID_MAX {
                did.pop_front();
            }
        }
        CommandContext {
            actor,
            client: Some("walk/1".into()),
            command_id: CommandId::new(command_id),
            correlation_id,
            causation_id: None,
            now: self.commands.clock().now(),
        }
    }

    pub(super) fn anybody(&mut self) -> UserId {
        self.users.choose(&mut self.random).copied().unwrap_or_default()
    }

    pub(super) fn some_assets(&mut self) -> Vec<Known> {
        let count = self.random.random_range(1..5);
        let some: Vec<Known> =
            self.assets.choose_multiple(&mut self.random, count).cloned().collect();
        let Some(owner_id) = some.first().map(|asset| asset.owner_id) else { return some };
        some.into_iter().filter(|asset| asset.owner_id == owner_id).collect()
    }

    pub(super) fn some_asset_ids(&mut self) -> Vec<AssetId> {
        self.some_assets().iter().map(|asset| asset.id).collect()
    }

    pub(super) fn instant(&mut self) -> DateTime<Utc> {
        let seconds = self.random.random_range(0..DAYS * 24 * 3600);
        DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default() + Duration::seconds(seconds)
    }
}

/// What was done; nothing when a rule refused it.
pub(super) fn accept<T, E>(outcome: Result<T, CommandError<E>>) -> anyhow::Result<Option<T>>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match outcome {
        Ok(done) => Ok(Some(done)),
        // Somebody who is gone for good can do nothing more.
        Err(
            CommandError::Refused(_) | CommandError::Append(AppendError::SubjectForgotten { .. }),
        ) => Ok(None),
        Err(error) => bail!(anyhow::Error::new(error)),
    }
}
