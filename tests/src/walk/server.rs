//! What administrators wish of the server: its queues, its settings, its product key.

use calotype_domain::config::{ConfigCommand, SETTINGS, shape};
use calotype_domain::license::License;
use calotype_domain::queue::{ManualJob, NAMES, QueueCommand, RerunScope};
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use serde_json::json;

use super::step::accept;
use super::world::World;

impl World {
    pub(super) async fn queue(&mut self) -> anyhow::Result<()> {
        let wishes = [
            QueueCommand::Pause,
            QueueCommand::Resume,
            QueueCommand::Rerun(RerunScope::All),
            QueueCommand::Rerun(RerunScope::Missing),
            QueueCommand::Empty,
            QueueCommand::ClearFailures,
            QueueCommand::Propose,
            QueueCommand::Job(ManualJob::TagCleanup),
        ];
        let wish = wishes[self.random.random_range(0..wishes.len())];
        // Mostly the queues that have work.
        let name = NAMES[self.random.random_range(0..NAMES.len()) % 5];
        let ctx = self.context(None);
        accept(self.commands.control_queue(&ctx, name, wish).await).map(drop)
    }

    pub(super) async fn configure(&mut self) -> anyhow::Result<()> {
        let number = self.random.random_range(0..20);
        let mut document = SETTINGS.defaults();
        shape::put(&mut document, "trash.days", json!(20 + number));
        if number % 3 == 0 {
            shape::put(&mut document, "server.loginPageMessage", json!(format!("Hello {number}")));
        }
        let wishes = [
            ConfigCommand::Change(document),
            ConfigCommand::SetOnboarded(number % 2 == 0),
            ConfigCommand::EnterLicense(license("IMSV", number)),
            ConfigCommand::RemoveLicense,
        ];
        let Some(wish) = wishes.choose(&mut self.random) else { return Ok(()) };
        let ctx = self.context(None);
        accept(self.commands.configure(&ctx, wish).await).map(drop)
    }
}

/// A product key of a kind.
pub(super) fn license(prefix: &str, number: u32) -> License {
    License {
        license_key: format!("{prefix}{}", format!("-{number:04}").repeat(8)),
        activation_key: "key".into(),
    }
}
