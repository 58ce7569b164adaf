//! Wishes about tags. A path belongs to one tag of a person: its reservation and the tag's first event
//! are written in one transaction.

use std::collections::HashMap;

use calotype_domain::asset::{AssetCommand, AssetError, Organize};
use calotype_domain::reservation::{Reservation, ReservationCommand, ReservationError};
use calotype_domain::tag::{Tag, TagCommand, TagCreated, TagError, segments};
use calotype_domain::{AssetId, TagId, UserId};
use calotype_eventstore::StreamId;

use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome, Unit};
use crate::error::CommandError;
use crate::users::subject as user_subject;

/// Most parts of one path.
const DEPTH_MAX: usize = 100;

pub(crate) fn stream(tag_id: TagId) -> StreamId {
    StreamId::new("tag", tag_id)
}

/// Tags that were looked up in one transaction.
#[derive(Default)]
pub(crate) struct KnownTags {
    by_path: HashMap<String, TagId>,
    /// Those that the transaction makes.
    pub(crate) made: Vec<TagId>,
}

impl Commands {
    pub(crate) fn tag_path_stream(&self, owner_id: UserId, value: &str) -> StreamId {
        StreamId::new("reservation", self.keyring.hmac("tag-path", &format!("{owner_id}/{value}")))
    }

    /// Makes a tag under another one, or at the top.
    ///
    /// # Errors
    /// [`TagError::AlreadyExists`] for a path that the person has, [`TagError::NotFound`] for a parent
    /// that is not theirs, and see [`CommandError`].
    pub async fn create_tag(
        &self,
        ctx: &CommandContext,
        owner_id: UserId,
        parent_id: Option<TagId>,
        name: &str,
        color: Option<String>,
    ) -> Result<(TagId, Outcome), CommandError<TagError>> {
        let tag_id = TagId::new(self.new_id(ctx, "tag"));
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let value = match parent_id {
                None => name.to_owned(),
                Some(parent_id) => {
                    let (parent, _) = self.load::<Tag>(&stream(parent_id)).await?;
                    let path = parent.value_for(owner_id).map_err(CommandError::Refused)?;
                    format!("{path}/{name}")
                }
            };
            let reserve = ReservationCommand::Reserve { holder_id: tag_id.uuid() };
            unit.apply::<Reservation>(self.tag_path_stream(owner_id, &value), None, &reserve)
                .await
                .map_err(|error| error.map_refusal(|_| TagError::AlreadyExists))?;
            let created =
                TagCreated { owner_id, parent_id, value: value.into(), color: color.clone() };
            create(&mut unit, tag_id, created)?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok((tag_id, outcome));
            }
        }
        Err(CommandError::Contended)
    }

    /// The tag of a path; it and those above it are made where they are not there yet.
    /// `None` for a path without words.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn upsert_tag(
        &self,
        ctx: &CommandContext,
        owner_id: UserId,
        path: &str,
    ) -> Result<Option<(TagId, Outcome)>, CommandError<TagError>> {
        let (tag_ids, outcome) = self.upsert_tags(ctx, owner_id, &[path.to_owned()]).await?;
        Ok(tag_ids.first().map(|tag_id| (*tag_id, outcome)))
    }

    /// The tags of some paths, those without words left out; they and those above them are made where they
    /// are not there yet, all in one transaction.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn upsert_tags(
        &self,
        ctx: &CommandContext,
        owner_id: UserId,
        paths: &[String],
    ) -> Result<(Vec<TagId>, Outcome), CommandError<TagError>> {
        // Photos of one series come at once and carry the same words.
        let _turn = self.turns.take(&[StreamId::new("tags", owner_id)]).await;
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let mut known = KnownTags::default();
            let mut tag_ids = Vec::with_capacity(paths.len());
            for path in paths {
                tag_ids.extend(self.upsert_path(&mut unit, &mut known, owner_id, path).await?);
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok((tag_ids, outcome));
            }
        }
        Err(CommandError::Contended)
    }

    /// The tag of a path; `known` are those that were looked up in this transaction already.
    pub(crate) async fn upsert_path(
        &self,
        unit: &mut Unit<'_>,
        known: &mut KnownTags,
        owner_id: UserId,
        path: &str,
    ) -> Result<Option<TagId>, CommandError<TagError>> {
        let mut last: Option<(TagId, String)> = None;
        for part in segments(path).take(DEPTH_MAX) {
            let parent_id = last.as_ref().map(|(tag_id, _)| *tag_id);
            let value = match &last {
                Some((_, above)) => format!("{above}/{part}"),
                None => part.to_owned(),
            };
            if let Some(tag_id) = known.by_path.get(&value) {
                last = Some((*tag_id, value));
                continue;
            }
            let tag_id = TagId::new(self.ids.v4());
            let reserve = ReservationCommand::Reserve { holder_id: tag_id.uuid() };
            let stream_id = self.tag_path_stream(owner_id, &value);
            let tag_id = match unit.apply::<Reservation>(stream_id, None, &reserve).await {
                Ok(_) => {
                    let value = value.clone().into();
                    create(unit, tag_id, TagCreated { owner_id, parent_id, value, color: None })?;
                    known.made.push(tag_id);
                    tag_id
                }
                Err(CommandError::Refused(ReservationError::Taken { holder_id })) => {
                    TagId::new(holder_id)
                }
                Err(error) => return Err(error.map_refusal(|_| TagError::AlreadyExists)),
            };
            known.by_path.insert(value.clone(), tag_id);
            last = Some((tag_id, value));
        }
        Ok(last.map(|(tag_id, _)| tag_id))
    }

    /// Shows a tag in another colour.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn change_tag_color(
        &self,
        ctx: &CommandContext,
        by: UserId,
        tag_id: TagId,
        color: Option<String>,
    ) -> Result<Outcome, CommandError<TagError>> {
        let command = TagCommand::ChangeColor { by, color };
        self.dispatch::<Tag>(ctx, stream(tag_id), Some(user_subject(by)), &command).await
    }

    /// Deletes tags, all in one transaction, and lets their paths go.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn delete_tags(
        &self,
        ctx: &CommandContext,
        by: UserId,
        tag_ids: &[TagId],
    ) -> Result<Outcome, CommandError<TagError>> {
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            for tag_id in tag_ids {
                let (tag, last) = self.load::<Tag>(&stream(*tag_id)).await?;
                let value = tag.value_for(by).map_err(CommandError::Refused)?;
                let release = ReservationCommand::Release { holder_id: tag_id.uuid() };
                unit.apply::<Reservation>(self.tag_path_stream(by, value), None, &release)
                    .await
                    .map_err(|error| error.map_refusal(|_| TagError::AlreadyExists))?;
                let delete = [TagCommand::Delete { by }];
                let subject = Some(user_subject(by));
                unit.decide(&tag, last, stream(*tag_id), subject, &delete)?;
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Lets a person's assets carry a person's tags: each asset every tag.
    ///
    /// # Errors
    /// [`AssetError::NotFound`] for a tag or an asset that is not theirs, and see [`CommandError`].
    pub async fn tag_assets(
        &self,
        ctx: &CommandContext,
        by: UserId,
        tag_ids: &[TagId],
        asset_ids: &[AssetId],
    ) -> Result<Outcome, CommandError<AssetError>> {
        for tag_id in tag_ids {
            let (tag, _) = self
                .load::<Tag>(&stream(*tag_id))
                .await
                .map_err(|error| error.map_refusal(|_| AssetError::NotFound))?;
            tag.value_for(by).map_err(|_| CommandError::Refused(AssetError::NotFound))?;
        }
        let commands = organize(by, tag_ids, Organize::Tag);
        self.bulk(ctx, asset_ids, &commands).await
    }

    /// Takes tags from a person's assets.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn untag_assets(
        &self,
        ctx: &CommandContext,
        by: UserId,
        tag_ids: &[TagId],
        asset_ids: &[AssetId],
    ) -> Result<Outcome, CommandError<AssetError>> {
        let commands = organize(by, tag_ids, Organize::Untag);
        self.bulk(ctx, asset_ids, &commands).await
    }
}

fn organize(by: UserId, tag_ids: &[TagId], wish: impl Fn(TagId) -> Organize) -> Vec<AssetCommand> {
    let by = Some(by);
    tag_ids.iter().map(|tag_id| AssetCommand::Organize { by, wish: wish(*tag_id) }).collect()
}

fn create(
    unit: &mut Unit<'_>,
    tag_id: TagId,
    created: TagCreated,
) -> Result<(), CommandError<TagError>> {
    let subject = Some(user_subject(created.owner_id));
    unit.decide(&Tag::default(), None, stream(tag_id), subject, &[TagCommand::Create(created)])
}
