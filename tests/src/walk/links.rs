//! Steps about PINs, shared links and who looks at them.

use calotype_domain::link_view::{LinkViewed, Visitor};
use calotype_domain::session::SessionCommand;
use calotype_domain::shared_link::{LinkChange, LinkSwitches, LinkTarget, SharedLinkCreated};
use calotype_domain::user::{PinWish, UserCommand};
use calotype_domain::{AssetId, SharedLinkId};
use chrono::Duration;
use rand::Rng as _;
use rand::seq::IndexedRandom as _;

use super::step::accept;
use super::world::World;

/// Names that links fight for.
const SLUGS: u32 = 4;

impl World {
    /// A wish about a PIN or a link.
    pub(super) async fn pin_or_link(&mut self) -> anyhow::Result<()> {
        let known = self.links.choose(&mut self.random).copied();
        match (self.random.random_range(0..8), known) {
            (0, _) => self.pin().await,
            (1, _) => self.lock_or_unlock().await,
            (2, Some(id)) => self.change_link(id).await,
            (3 | 4, Some(id)) => self.change_link_assets(id).await,
            (5, Some((by, id))) => {
                let ctx = self.context(Some(by));
                accept(self.commands.revoke_shared_link(&ctx, by, id).await).map(drop)
            }
            (6, Some((by, id))) => {
                let ctx = self.context(None);
                let hour = Duration::hours(self.random.random_range(0..3));
                let visitor = format!("127.0.0.{}", self.random.random_range(1..4));
                let viewed = LinkViewed {
                    shared_link_id: id,
                    hour: chrono::DateTime::UNIX_EPOCH + hour,
                    visitor: Visitor {
                        address: Some(visitor.clone()),
                        device_type: "Phone".into(),
                        device_os: String::new(),
                    }
                    .into(),
                };
                accept(self.commands.record_link_view(&ctx, by, &visitor, viewed).await).map(drop)
            }
            _ => self.create_link().await,
        }
    }

    async fn pin(&mut self) -> anyhow::Result<()> {
        let user_id = self.anybody();
        let pin_hash = "pin".to_owned();
        let wish = match self.random.random_range(0..4) {
            0 => PinWish::Remove,
            1 => PinWish::Change { pin_hash },
            2 => PinWish::Overrule { pin_hash },
            _ => PinWish::SetUp { pin_hash },
        };
        let ctx = self.context(Some(user_id));
        accept(self.commands.user(&ctx, user_id, UserCommand::Pin(wish)).await).map(drop)
    }

    async fn lock_or_unlock(&mut self) -> anyhow::Result<()> {
        let Some(id) = self.sessions.choose(&mut self.random).copied() else { return Ok(()) };
        let ctx = self.context(None);
        let until = ctx.now + Duration::minutes(15);
        let command = match self.random.random_range(0..4) {
            0 => SessionCommand::Lock,
            1 => SessionCommand::ExtendUnlock { now: ctx.now, until: until + Duration::minutes(5) },
            _ => SessionCommand::Unlock { until },
        };
        accept(self.commands.lock_or_unlock_session(&ctx, id, command).await).map(drop)
    }

    fn slug(&mut self) -> Option<String> {
        let number = self.random.random_range(0..SLUGS);
        self.random.random_bool(0.5).then(|| format!("slug {number}"))
    }

    async fn create_link(&mut self) -> anyhow::Result<()> {
        let owner_id = self.anybody();
        let asset_ids: Vec<AssetId> = self.some_asset_ids();
        let created = SharedLinkCreated {
            owner_id,
            target: LinkTarget::Assets(asset_ids),
            switches: LinkSwitches {
                allow_upload: self.random.random(),
                allow_download: self.random.random(),
                show_metadata: self.random.random(),
            },
            expires_at: None,
            key: format!("{:064x}", self.random.random::<u128>()).into(),
            slug: self.slug().into(),
            password_hash: self.random.random_bool(0.3).then(|| "hash".to_owned()).into(),
            description: None.into(),
        };
        let id = SharedLinkId::new(self.commands.ids().v4());
        let ctx = self.context(Some(owner_id));
        if accept(self.commands.create_shared_link(&ctx, id, created).await)?.is_some() {
            self.links.push((owner_id, id));
        }
        Ok(())
    }

    async fn change_link(
        &mut self,
        (by, id): (calotype_domain::UserId, SharedLinkId),
    ) -> anyhow::Result<()> {
        let change = LinkChange {
            show_metadata: self.random.random_bool(0.3).then(|| self.random.random()),
            slug: self.random.random_bool(0.5).then(|| self.slug()),
            password_hash: self.random.random_bool(0.2).then(|| Some("other".to_owned())),
            description: self.random.random_bool(0.2).then(|| Some("Words".to_owned())),
            ..LinkChange::default()
        };
        let ctx = self.context(Some(by));
        accept(self.commands.change_shared_link(&ctx, by, id, change).await).map(drop)
    }

    async fn change_link_assets(
        &mut self,
        (by, id): (calotype_domain::UserId, SharedLinkId),
    ) -> anyhow::Result<()> {
        let asset_ids = self.some_asset_ids();
        let adds = self.random.random();
        let ctx = self.context(Some(by));
        let changed = self.commands.change_link_assets(&ctx, by, id, asset_ids, adds);
        accept(changed.await).map(drop)
    }
}
