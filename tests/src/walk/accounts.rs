//! Accounts with what they log in by, what they are told, and their end.

use calotype_domain::api_key::ApiKeyCreated;
use calotype_domain::notification::{
    NotificationKind, NotificationLevel, NotificationSent, NotificationText,
};
use calotype_domain::permission::Permission;
use calotype_domain::session::{Device, SessionOpened};
use calotype_domain::user::{
    AvatarColor, Profile, ProfileChange, ProfileImage, UserCommand, UserRegistered,
};
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use serde_json::json;

use super::assets::Known;
use super::server::license;
use super::step::accept;
use super::world::World;

impl World {
    pub(crate) async fn register(&mut self) -> anyhow::Result<()> {
        let number = self.random.random_range(0..20);
        let email = format!("user{number}@example.com");
        let registered = UserRegistered {
            profile: Profile { email: email.clone(), name: format!("User {number}") }.into(),
            password_hash: "hash".to_owned().into(),
            is_admin: self.users.is_empty(),
            should_change_password: self.random.random(),
            avatar_color: AvatarColor::Blue,
            storage_label: None.into(),
            quota_size_bytes: self.random.random_bool(0.3).then_some(1_000_000),
        };
        let first = self.users.is_empty();
        let ctx = self.context(None);
        let made = self.commands.register_user(&ctx, &email, registered, first).await;
        if let Some((user_id, _)) = accept(made)? {
            self.users.push(user_id);
        }
        Ok(())
    }

    pub(super) async fn change_user(&mut self) -> anyhow::Result<()> {
        let user_id = self.anybody();
        let ctx = self.context(Some(user_id));
        let number: u32 = self.random.random_range(0..20);
        if self.random.random_bool(0.4) {
            let change = ProfileChange {
                name: self.random.random_bool(0.5).then(|| format!("Renamed {number}")),
                email: self.random.random_bool(0.3).then(|| format!("user{number}@example.com")),
                is_admin: self.random.random_bool(0.2).then(|| self.random.random()),
                storage_label: self
                    .random
                    .random_bool(0.2)
                    .then(|| Some(format!("label{}", number % 3))),
                quota_size_bytes: self.random.random_bool(0.2).then_some(None),
                avatar_color: Some(AvatarColor::Green),
                ..ProfileChange::default()
            };
            return accept(self.commands.change_user(&ctx, user_id, change).await).map(drop);
        }
        let image = ProfileImage { key: "profile/1".into(), size_bytes: 9, blake3: "0".repeat(64) };
        let changes = json!({ "memories": { "enabled": number.is_multiple_of(2) } });
        let wishes = [
            UserCommand::ChangePreferences { changes },
            UserCommand::SetProfileImage(image),
            UserCommand::RemoveProfileImage,
            UserCommand::EnterLicense(license("IMCL", number)),
            UserCommand::RemoveLicense,
            UserCommand::SetOnboarded(number.is_multiple_of(2)),
            UserCommand::Delete { force: number.is_multiple_of(3) },
            UserCommand::Restore,
        ];
        let Some(wish) = wishes.choose(&mut self.random).cloned() else { return Ok(()) };
        accept(self.commands.user(&ctx, user_id, wish).await).map(drop)
    }

    pub(super) async fn session(&mut self) -> anyhow::Result<()> {
        let user_id = self.anybody();
        let ctx = self.context(Some(user_id));
        let known = self.sessions.choose(&mut self.random).copied();
        match (self.random.random_range(0..3), known) {
            (0, Some(id)) => accept(self.commands.close_session(&ctx, id).await).map(drop),
            (1, Some(id)) => {
                let pending = self.random.random();
                accept(self.commands.set_session_sync_reset(&ctx, user_id, id, pending).await)
                    .map(drop)
            }
            _ => {
                let opened = SessionOpened {
                    user_id,
                    token_sha256: format!("{:064x}", self.random.random::<u128>()),
                    device: Device { device_type: "Phone".into(), ..Device::default() }.into(),
                    expires_at: None,
                    parent_id: known,
                };
                if let Some((id, _)) = accept(self.commands.open_session(&ctx, opened).await)? {
                    self.sessions.push(id);
                }
                Ok(())
            }
        }
    }

    pub(super) async fn api_key(&mut self) -> anyhow::Result<()> {
        let user_id = self.anybody();
        let known = self.keys.choose(&mut self.random).copied();
        match (self.random.random_range(0..3), known) {
            (0, Some((by, id))) => {
                let ctx = self.context(Some(by));
                accept(self.commands.revoke_api_key(&ctx, by, id).await).map(drop)
            }
            (1, Some((by, id))) => {
                let ctx = self.context(Some(by));
                let name = Some("Another name".to_owned());
                let permissions = Permission::ALL.first().map(|one| vec![*one]);
                accept(self.commands.change_api_key(&ctx, by, id, name, permissions).await)
                    .map(drop)
            }
            _ => {
                let created = ApiKeyCreated {
                    user_id,
                    secret_sha256: format!("{:064x}", self.random.random::<u128>()),
                    name: "A key".to_owned().into(),
                    permissions: Permission::ALL.to_vec(),
                };
                let ctx = self.context(Some(user_id));
                if let Some((id, _)) = accept(self.commands.create_api_key(&ctx, created).await)? {
                    self.keys.push((user_id, id));
                }
                Ok(())
            }
        }
    }

    pub(super) async fn notify(&mut self) -> anyhow::Result<()> {
        let user_id = self.anybody();
        let ctx = self.context(None);
        if self.random.random_bool(0.3)
            && let Some((by, id)) = self.notifications.choose(&mut self.random).copied()
        {
            return accept(self.commands.delete_notifications(&ctx, by, &[id]).await).map(drop);
        }
        let text = NotificationText { title: "Words".into(), ..NotificationText::default() };
        let sent = NotificationSent {
            user_id,
            level: NotificationLevel::Info,
            kind: NotificationKind::Custom,
            text: text.into(),
        };
        if let Some((id, _)) = accept(self.commands.notify(&ctx, sent).await)? {
            self.notifications.push((user_id, id));
        }
        Ok(())
    }

    /// As the server does it: what belongs to the account goes first.
    pub(super) async fn purge_user(&mut self) -> anyhow::Result<()> {
        if self.users.len() < 2 {
            return Ok(());
        }
        let user_id = self.anybody();
        let theirs: Vec<Known> =
            self.assets.iter().filter(|asset| asset.owner_id == user_id).cloned().collect();
        for asset in theirs {
            self.purge(&asset).await?;
        }
        let ctx = self.context(None);
        accept(self.commands.user(&ctx, user_id, UserCommand::Delete { force: true }).await)?;
        let ctx = self.context(None);
        accept(self.commands.purge_user(&ctx, user_id).await)?;
        self.users.retain(|one| *one != user_id);
        self.people.retain(|(owner_id, _)| *owner_id != user_id);
        Ok(())
    }
}
