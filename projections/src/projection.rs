//! What a projection is, and the list of them.

use async_trait::async_trait;
use sqlx::PgConnection;

use crate::error::ProjectionError;
use crate::event::Event;

/// A read model: a name, a version, its tables, and how events change them.
///
/// Its SQL names tables without a schema: the runner's search path says whether the live tables (`read`)
/// or those of a rebuild (`read_next`) are meant.
#[async_trait]
pub trait Projection: Send + Sync {
    /// Its name, for people and for its checkpoint.
    fn name(&self) -> &'static str;

    /// Rises when the shape or meaning of its rows changes; its tables carry it.
    fn version(&self) -> u16;

    /// Its tables, without a schema.
    fn tables(&self) -> &'static [&'static str];

    /// The aggregates whose events it takes.
    fn aggregates(&self) -> &'static [&'static str];

    /// Applies events in order, within the caller's transaction.
    ///
    /// # Errors
    /// [`ProjectionError`]; the caller rolls back to where it was before.
    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError>;
}

/// The key of a projection's checkpoint, for instance `timeline_v2`.
#[must_use]
pub fn checkpoint_name(projection: &dyn Projection) -> String {
    format!("{}_v{}", projection.name(), projection.version())
}

/// The projection of this release that took the place of an earlier version with this checkpoint; none where the
/// checkpoint is of this release, of a later one, or of nothing that is here.
pub(crate) fn present_of(former: &str) -> Option<Box<dyn Projection>> {
    let (base, version) = former.rsplit_once("_v")?;
    let version: u16 = version.parse().ok()?;
    all().into_iter().find(|projection| projection.name() == base && projection.version() > version)
}

/// Every projection of this release, in the order they are applied.
#[must_use]
pub fn all() -> Vec<Box<dyn Projection>> {
    vec![
        Box::new(crate::users::UsersProjection),
        Box::new(crate::sessions::SessionsProjection),
        Box::new(crate::live_photos::LivePhotosProjection),
        Box::new(crate::pins::PinsProjection),
        Box::new(crate::sidecars::SidecarsProjection),
        Box::new(crate::api_keys::ApiKeysProjection),
        Box::new(crate::assets::AssetsProjection),
        Box::new(crate::shared_links::SharedLinksProjection),
        Box::new(crate::link_views::LinkViewsProjection),
        Box::new(crate::timeline::TimelineProjection),
        Box::new(crate::people::PeopleProjection),
        Box::new(crate::statistics::StatisticsProjection),
        Box::new(crate::jobs::JobsProjection),
        Box::new(crate::queue_requests::QueueRequestsProjection),
        Box::new(crate::albums::AlbumsProjection),
        Box::new(crate::albums::DeletedAlbumsProjection),
        Box::new(crate::partners::PartnersProjection),
        Box::new(crate::activities::ActivitiesProjection),
        Box::new(crate::search::SearchProjection),
        Box::new(crate::sync::SyncProjection),
        Box::new(crate::licenses::LicensesProjection),
        Box::new(crate::config::ConfigProjection),
        Box::new(crate::notifications::NotificationsProjection),
        Box::new(crate::heatmap::HeatmapProjection),
        Box::new(crate::tags::TagsProjection),
        Box::new(crate::stacks::StacksProjection),
        Box::new(crate::asset_extras::AssetExtrasProjection),
        Box::new(crate::asset_extras::FoldersProjection),
        Box::new(crate::memories::MemoriesProjection),
        Box::new(crate::films::FilmsProjection),
        Box::new(crate::embeddings::EmbeddingsProjection),
        Box::new(crate::texts::TextsProjection),
        Box::new(crate::face_vectors::FaceVectorsProjection),
        Box::new(crate::libraries::LibrariesProjection),
        Box::new(crate::integrity::IntegrityProjection),
        Box::new(crate::batches::BatchesProjection),
        Box::new(crate::models::ModelsProjection),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_earlier_versions_are_former() {
        let newest = all().into_iter().max_by_key(|it| it.version()).unwrap();
        let (name, version) = (newest.name(), newest.version());
        assert!(version > 1, "no projection has a former version");
        let present = present_of(&format!("{name}_v{}", version - 1)).map(|it| it.name());
        assert_eq!(present, Some(name));
        assert!(present_of(&checkpoint_name(&*newest)).is_none());
        assert!(present_of(&format!("{name}_v{}", version + 1)).is_none(), "of a later release");
        assert!(present_of("relay").is_none());
        assert!(present_of("nobody_v1").is_none());
    }
}
