//! Makes memories: what a person took on this day in earlier years, some days ahead, each once. And lets
//! go those that nobody kept.

use std::collections::BTreeMap;

use calotype_domain::memory::{MemoryCommand, MemoryCreated, OnThisDay};
use calotype_domain::{AssetId, MemoryId, UserId};
use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use tracing::info;

use crate::error::ProcessorError;
use crate::leave::Leave;
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "memories";
/// Days before and after today that memories are made for: clients of all zones find theirs, and find
/// them in time.
const DAYS_AROUND: i64 = 3;
/// Assets of one memory.
const ASSETS_EACH_MAX: i64 = 20;
/// Days a memory stays that nobody kept.
const UNSAVED_DAYS: i64 = 30;
/// Memories let go in one look.
const LOOK_MAX: i64 = 500;

impl Worker {
    /// Makes the memories around a day for everybody; says how many are new. Twice is once.
    ///
    /// # Errors
    /// [`ProcessorError`]; what was made stays.
    pub async fn make_memories(&self, today: NaiveDate) -> Result<usize, ProcessorError> {
        self.make_memories_while(today, Leave::of_server(self, None)).await
    }

    pub(crate) async fn make_memories_while(
        &self,
        today: NaiveDate,
        leave: Leave<'_>,
    ) -> Result<usize, ProcessorError> {
        let mut made = 0;
        'people: for user in self.queries.users(false).await? {
            for offset in -DAYS_AROUND..=DAYS_AROUND {
                if leave.is_over().await? {
                    break 'people;
                }
                let Some(day) = today.checked_add_signed(TimeDelta::days(offset)) else { continue };
                made += self.remember_day(UserId::new(user.user_id), day).await?;
            }
        }
        if made > 0 {
            info!(made, "made memories");
        }
        Ok(made)
    }

    async fn remember_day(
        &self,
        owner_id: UserId,
        day: NaiveDate,
    ) -> Result<usize, ProcessorError> {
        let taken = self.queries.on_this_day(owner_id.uuid(), day, ASSETS_EACH_MAX).await?;
        let mut years: BTreeMap<i32, Vec<AssetId>> = BTreeMap::new();
        for asset in taken {
            years.entry(asset.year).or_default().push(AssetId::new(asset.asset_id));
        }
        if years.is_empty() {
            return Ok(0);
        }
        let Some(show_at) = midnight(day) else { return Ok(0) };
        for known in self.queries.memory_years(owner_id.uuid(), show_at).await? {
            years.remove(&known);
        }
        let mut made = 0;
        for (year, asset_ids) in years {
            let Some(created) = on_this_day(owner_id, day, year, asset_ids) else { continue };
            let ctx = self.context(NAME, self.commands.ids().v7(), None);
            if self.commands.remember_day(&ctx, day, created).await?.is_some() {
                made += 1;
            }
        }
        Ok(made)
    }

    /// Lets go the memories that nobody kept in time; says how many.
    ///
    /// # Errors
    /// [`ProcessorError`]; what was let go stays so.
    pub async fn clean_memories(&self, now: DateTime<Utc>) -> Result<usize, ProcessorError> {
        self.clean_memories_while(now, Leave::of_server(self, None)).await
    }

    pub(crate) async fn clean_memories_while(
        &self,
        now: DateTime<Utc>,
        leave: Leave<'_>,
    ) -> Result<usize, ProcessorError> {
        let before = now - TimeDelta::days(UNSAVED_DAYS);
        let mut count = 0;
        for memory_id in self.queries.memories_over(before, LOOK_MAX).await? {
            if leave.is_over().await? {
                break;
            }
            let ctx = self.context(NAME, self.commands.ids().v7(), None);
            let command = MemoryCommand::Delete { by: None };
            self.commands.memory(&ctx, MemoryId::new(memory_id), &command).await?;
            count += 1;
        }
        Ok(count)
    }
}

/// The memory of a day and a year; shows all that day. `None` for a day that the year did not have.
fn on_this_day(
    owner_id: UserId,
    day: NaiveDate,
    year: i32,
    asset_ids: Vec<AssetId>,
) -> Option<MemoryCreated> {
    let show_at = midnight(day)?;
    Some(MemoryCreated {
        owner_id,
        on_this_day: OnThisDay { year: u16::try_from(year).ok()? },
        memory_at: midnight(day.with_year(year)?)?,
        show_at: Some(show_at),
        hide_at: Some(show_at + TimeDelta::days(1) - TimeDelta::milliseconds(1)),
        seen_at: None,
        is_saved: false,
        asset_ids,
    })
}

fn midnight(day: NaiveDate) -> Option<DateTime<Utc>> {
    day.and_hms_opt(0, 0, 0).map(|midnight| midnight.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_shows_all_day_and_tells_of_the_year() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let made = on_this_day(UserId::default(), day, 2019, vec![]).unwrap();
        assert_eq!(made.memory_at.to_rfc3339(), "2019-11-22T00:00:00+00:00");
        assert_eq!(made.show_at.unwrap().to_rfc3339(), "2026-11-22T00:00:00+00:00");
        assert_eq!(made.hide_at.unwrap().to_rfc3339(), "2026-11-22T23:59:59.999+00:00");
    }

    #[test]
    fn leap_day_is_no_day_of_other_years() {
        let day = NaiveDate::from_ymd_opt(2028, 2, 29).unwrap();
        assert_eq!(on_this_day(UserId::default(), day, 2023, vec![]), None);
    }
}
