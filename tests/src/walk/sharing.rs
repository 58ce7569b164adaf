//! Steps about what people share: albums, comments and likes, partners.

use calotype_commands::activities::Liked;
use calotype_commands::albums::Invitation;
use calotype_domain::access::AlbumRole;
use calotype_domain::activity::{ActivityCommented, ActivityLiked, ActivityTarget};
use calotype_domain::album::{AlbumChange, AlbumCreated, AlbumOrder, AlbumText, NewAlbum};
use calotype_domain::{AlbumId, AssetId, UserId};
use rand::Rng as _;
use rand::seq::IndexedRandom as _;

use super::step::accept;
use super::world::World;

const ROLES: [AlbumRole; 3] = [AlbumRole::Viewer, AlbumRole::Editor, AlbumRole::Owner];

/// What people are told who get a part in an album.
const INVITATION: Invitation<'_> = Invitation { by: "Änne", album: "Summer" };

impl World {
    /// One wish about something shared.
    pub(super) async fn share(&mut self) -> anyhow::Result<()> {
        let Some((owner_id, album_id)) = self.albums.choose(&mut self.random).copied() else {
            return self.create_album().await;
        };
        match self.random.random_range(0..20) {
            0..3 => self.create_album().await,
            3..10 => self.move_assets(owner_id, album_id).await,
            10..13 => self.change_users(owner_id, album_id).await,
            13..15 => self.change_album(owner_id, album_id).await,
            15..18 => self.act(album_id).await,
            18 => self.partner().await,
            _ => {
                let by = self.random.random_bool(0.5).then_some(owner_id);
                let ctx = self.context(by);
                accept(self.commands.delete_album(&ctx, by, album_id).await).map(drop)
            }
        }
    }

    async fn create_album(&mut self) -> anyhow::Result<()> {
        let owner_id = self.anybody();
        let other = self.anybody();
        let text = AlbumText { name: "Summer".into(), description: "By the sea".into() };
        let new = NewAlbum {
            created: AlbumCreated { owner_id, text: text.into(), order: AlbumOrder::Desc },
            users: if other == owner_id { vec![] } else { vec![(other, AlbumRole::Viewer)] },
            asset_ids: self.ids_of_some(),
        };
        let ctx = self.context(Some(owner_id));
        if let Some((album_id, _)) =
            accept(self.commands.create_album(&ctx, new, Some(&INVITATION)).await)?
        {
            self.albums.push((owner_id, album_id));
        }
        Ok(())
    }

    fn ids_of_some(&mut self) -> Vec<AssetId> {
        self.some_assets().iter().map(|asset| asset.id).collect()
    }

    async fn move_assets(&mut self, owner_id: UserId, album_id: AlbumId) -> anyhow::Result<()> {
        let by = if self.random.random_bool(0.2) { self.anybody() } else { owner_id };
        let asset_ids = self.ids_of_some();
        let ctx = self.context(Some(by));
        let moved = if self.random.random_bool(0.6) {
            self.commands.add_to_albums(&ctx, Some(by), &[album_id], &asset_ids).await
        } else {
            self.commands.remove_from_albums(&ctx, Some(by), &[album_id], &asset_ids).await
        };
        accept(moved).map(drop)
    }

    async fn change_users(&mut self, by: UserId, album_id: AlbumId) -> anyhow::Result<()> {
        let user_id = self.anybody();
        let role = ROLES.choose(&mut self.random).copied().unwrap_or(AlbumRole::Viewer);
        let ctx = self.context(Some(by));
        let changed = match self.random.random_range(0..4) {
            0 => self.commands.remove_album_user(&ctx, Some(by), album_id, user_id).await,
            1 => self.commands.change_album_role(&ctx, by, album_id, user_id, role).await,
            _ => {
                let users = vec![(user_id, role)];
                self.commands.add_album_users(&ctx, by, album_id, users, Some(&INVITATION)).await
            }
        };
        accept(changed).map(drop)
    }

    async fn change_album(&mut self, by: UserId, album_id: AlbumId) -> anyhow::Result<()> {
        let change = AlbumChange {
            name: self.random.random_bool(0.3).then(|| "Winter".to_owned()),
            description: self.random.random_bool(0.3).then(String::new),
            cover_id: self
                .random
                .random_bool(0.5)
                .then(|| self.ids_of_some())
                .and_then(|ids| ids.first().copied()),
            order: self.random.random_bool(0.3).then_some(AlbumOrder::Asc),
            is_activity_enabled: self.random.random_bool(0.3).then(|| self.random.random()),
        };
        let ctx = self.context(Some(by));
        accept(self.commands.change_album(&ctx, by, album_id, change).await).map(drop)
    }

    async fn act(&mut self, album_id: AlbumId) -> anyhow::Result<()> {
        let user_id = self.anybody();
        let ctx = self.context(Some(user_id));
        let asset_id = self.random.random_bool(0.5).then(|| self.ids_of_some());
        let asset_id = asset_id.and_then(|ids| ids.first().copied());
        let target = ActivityTarget { album_id, asset_id };
        match self.random.random_range(0..3) {
            0 => {
                let Some((by, id)) = self.activities.choose(&mut self.random).copied() else {
                    return Ok(());
                };
                accept(self.commands.delete_activity(&ctx, by, false, id).await).map(drop)
            }
            1 => {
                let liked = ActivityLiked { target, user_id };
                if let Some(Liked::Created(id, _)) = accept(self.commands.like(&ctx, liked).await)?
                {
                    self.activities.push((user_id, id));
                }
                Ok(())
            }
            _ => {
                let comment = "Lovely".to_owned().into();
                let said = ActivityCommented { target, user_id, comment };
                if let Some((id, _)) = accept(self.commands.comment(&ctx, said).await)? {
                    self.activities.push((user_id, id));
                }
                Ok(())
            }
        }
    }

    async fn partner(&mut self) -> anyhow::Result<()> {
        let (by, with) = (self.anybody(), self.anybody());
        let ctx = self.context(Some(by));
        let outcome = match self.random.random_range(0..4) {
            0 => self.commands.remove_partner(&ctx, Some(by), by, with).await,
            1 => {
                let shows = self.random.random();
                self.commands.show_partner_in_timeline(&ctx, by, with, shows).await
            }
            _ => self.commands.add_partner(&ctx, by, with).await,
        };
        accept(outcome).map(drop)
    }
}
