//! Writes what taking back means for what holds unique values: links, sharings, likes, accounts.

use calotype_domain::activity::ActivityEvent;
use calotype_domain::partner::PartnerEvent;
use calotype_domain::reservation::{Reservation, ReservationCommand, ReservationError};
use calotype_eventstore::StreamId;
use uuid::Uuid;

use super::plan::config_stream;
use super::{Plans, UndoError};
use crate::dispatch::{Commands, Unit};
use crate::error::CommandError;
use crate::users::subject as user_subject;

type Refused = CommandError<UndoError>;

impl Commands {
    /// Everything but assets, stacks and tags. `false` when somebody else has taken a value meanwhile.
    pub(super) async fn put_others(
        &self,
        unit: &mut Unit<'_>,
        plans: &Plans,
    ) -> Result<bool, Refused> {
        let by = Some(user_subject(plans.by));
        for (memory_id, planned) in &plans.memories {
            let stream_id = StreamId::new("memory", memory_id);
            unit.record(planned.last, stream_id, None, &planned.plan.events)?;
        }
        for (album_id, planned) in &plans.albums {
            let subject = Some(crate::albums::subject(*album_id));
            let stream_id = crate::albums::stream(*album_id);
            unit.record(planned.last, stream_id, subject, &planned.plan.events)?;
        }
        for (person_id, planned) in &plans.people {
            let stream_id = crate::people::stream(*person_id);
            unit.record(planned.last, stream_id, by.clone(), &planned.plan.events)?;
        }
        for (asset_id, planned) in &plans.faces {
            let subject = Some(crate::assets::subject(*asset_id));
            let stream_id = crate::faces::stream(*asset_id);
            unit.record(planned.last, stream_id, subject, &planned.plan.events)?;
        }
        if let Some(planned) = &plans.config {
            let subject = Some(crate::config::SUBJECT.to_owned());
            unit.record(planned.last, config_stream(), subject, &planned.plan.events)?;
        }
        Ok(self.put_links(unit, plans).await?
            && self.put_partners(unit, plans).await?
            && self.put_activities(unit, plans).await?
            && self.put_users(unit, plans).await?)
    }

    async fn put_links(&self, unit: &mut Unit<'_>, plans: &Plans) -> Result<bool, Refused> {
        for (link_id, planned) in &plans.links {
            let after = planned.taken_back();
            let slug = |slug: Option<&str>| slug.map(|slug| self.slug_stream(slug));
            let swap = (slug(planned.now.slug()), slug(after.slug()));
            if !swap_value(unit, link_id.uuid(), swap).await? {
                return Ok(false);
            }
            let subject = planned.now.owner_id().map(user_subject);
            let stream_id = crate::shared_links::stream(*link_id);
            unit.record(planned.last, stream_id, subject, &planned.plan.events)?;
        }
        Ok(true)
    }

    async fn put_partners(&self, unit: &mut Unit<'_>, plans: &Plans) -> Result<bool, Refused> {
        for (partner_id, planned) in &plans.partners {
            for event in &planned.plan.events {
                let swap = match event {
                    PartnerEvent::Restored(it) => {
                        (None, Some(self.pair_stream(it.shared_by_id, it.shared_with_id)))
                    }
                    PartnerEvent::Removed(_) => {
                        let pair = planned.now.between();
                        (pair.map(|(by, with)| self.pair_stream(by, with)), None)
                    }
                    PartnerEvent::Added(_) | PartnerEvent::TimelineChanged(_) => continue,
                };
                if !swap_value(unit, partner_id.uuid(), swap).await? {
                    return Ok(false);
                }
            }
            let stream_id = crate::partners::stream(*partner_id);
            unit.record(planned.last, stream_id, None, &planned.plan.events)?;
        }
        Ok(true)
    }

    async fn put_activities(&self, unit: &mut Unit<'_>, plans: &Plans) -> Result<bool, Refused> {
        for (activity_id, planned) in &plans.activities {
            let Some((target, author_id)) = planned.now.was_about() else { continue };
            for event in &planned.plan.events {
                let once = Some(self.like_stream(author_id, target));
                let swap = match event {
                    _ if !planned.now.is_like() => continue,
                    ActivityEvent::Deleted(_) => (once, None),
                    _ => (None, once),
                };
                if !swap_value(unit, activity_id.uuid(), swap).await? {
                    return Ok(false);
                }
            }
            let subject = Some(user_subject(author_id));
            let stream_id = crate::activities::stream(*activity_id);
            unit.record(planned.last, stream_id, subject, &planned.plan.events)?;
        }
        Ok(true)
    }

    async fn put_users(&self, unit: &mut Unit<'_>, plans: &Plans) -> Result<bool, Refused> {
        for (user_id, planned) in &plans.users {
            let (now, after) = (&planned.now, planned.taken_back());
            let email = |email: Option<&str>| email.map(|email| self.email_stream(email));
            let label = |label: Option<&str>| label.map(|label| self.label_stream(label));
            let swaps = [
                (email(now.email()), email(after.email())),
                (label(now.storage_label()), label(after.storage_label())),
            ];
            for swap in swaps {
                if !swap_value(unit, user_id.uuid(), swap).await? {
                    return Ok(false);
                }
            }
            let stream_id = crate::users::stream(*user_id);
            let subject = Some(user_subject(*user_id));
            unit.record(planned.last, stream_id, subject, &planned.plan.events)?;
        }
        Ok(true)
    }
}

/// Holds a value and lets go what was held before. `false` when somebody else holds it.
async fn swap_value(
    unit: &mut Unit<'_>,
    holder_id: Uuid,
    (old, new): (Option<StreamId>, Option<StreamId>),
) -> Result<bool, Refused> {
    if old == new {
        return Ok(true);
    }
    let steps = [
        (new, ReservationCommand::Reserve { holder_id }),
        (old, ReservationCommand::Release { holder_id }),
    ];
    for (stream_id, command) in steps {
        let Some(stream_id) = stream_id else { continue };
        match unit.apply::<Reservation>(stream_id, None, &command).await {
            Ok(_) => {}
            Err(CommandError::Refused(ReservationError::Taken { .. })) => return Ok(false),
            Err(error) => return Err(error.map_refusal(|_| UndoError::NotFound)),
        }
    }
    Ok(true)
}
