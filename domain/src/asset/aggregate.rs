//! The rules of an asset: what follows from a command, and what an event changes.

use super::command::AssetCommand;
use super::derived::DerivedFile;
use super::embedded;
use super::error::AssetError;
use super::event::{
    AssetEvent, AssetFailureDismissed, AssetFavorited, AssetMetadataRecorded,
    AssetOriginalRestored, AssetProcessingRequested, AssetPurged, AssetRestored,
    AssetSidecarReplaced, AssetTrashed, AssetUnfavorited,
};
use super::external::{self};
use super::faces_searched;
use super::live::LiveParts;
use super::sidecar::Sidecar;
use super::state::Asset;
use super::text;
use super::undo::Words;
use super::values::{MediaKind, Stage};
use crate::event::{Aggregate, cqrs_aggregate};

fn file_words(facts: &AssetMetadataRecorded) -> Words {
    let personal = facts.personal.known();
    Words {
        description: personal.and_then(|personal| personal.description.clone()),
        rating: Some(facts.rating),
        date: Some((facts.taken_at, facts.local_date_time, facts.time_zone.clone())),
        position: personal.and_then(|personal| personal.position),
    }
}

impl Aggregate for Asset {
    type Command = AssetCommand;
    type Event = AssetEvent;
    type Error = AssetError;

    fn decide(&self, command: &AssetCommand) -> Result<Vec<AssetEvent>, AssetError> {
        match command {
            AssetCommand::Upload(_) if self.owner_id.is_some() => Err(AssetError::AlreadyExists),
            AssetCommand::Upload(uploaded) => Ok(vec![AssetEvent::Uploaded((**uploaded).clone())]),
            AssetCommand::ChangeDetails { by, details } => {
                self.owned_by(*by)?;
                self.change_details(details)
            }
            AssetCommand::Trash { by } => {
                self.owned_by(*by)?;
                Ok(if self.trashed { vec![] } else { vec![AssetTrashed {}.into()] })
            }
            AssetCommand::Restore { by } => {
                self.owned_by(*by)?;
                // What is missing comes back with its file.
                let is_missing = self.external.as_ref().is_some_and(|file| file.is_offline);
                let restores = self.trashed && !is_missing;
                Ok(if restores { vec![AssetRestored {}.into()] } else { vec![] })
            }
            AssetCommand::Purge(_) if self.purged => Ok(vec![]),
            AssetCommand::Purge(why) => self.purge(*why),
            AssetCommand::Organize { by, wish } => {
                match by {
                    Some(by) => self.owned_by(*by)?,
                    None => {
                        self.existing()?;
                    }
                }
                self.organized.decide(wish)
            }
            AssetCommand::Live { by, wish } => {
                if let Some(by) = by {
                    self.owned_by(*by)?;
                }
                Ok(if self.owner_id().is_some() { self.live.decide(wish) } else { vec![] })
            }
            AssetCommand::File(found) => Ok(match self.owner_id() {
                Some(_) => external::decide(self.external.as_ref(), found, self.trashed),
                None => vec![],
            }),
            AssetCommand::ReplaceSidecar { by, sidecar } => {
                self.owned_by(*by)?;
                Ok(if self.sidecar() == Some(sidecar) {
                    vec![]
                } else {
                    vec![
                        AssetSidecarReplaced { sidecar: sidecar.clone() }.into(),
                        AssetProcessingRequested { stage: Stage::Metadata }.into(),
                    ]
                })
            }
            AssetCommand::DeleteFile { by, file } => {
                self.owned_by(*by)?;
                Ok(self.delete_file(*file))
            }
            AssetCommand::Edit { by, edits } => {
                self.owned_by(*by)?;
                Ok(self.editing.edit(edits)?)
            }
            AssetCommand::RemoveEdits { by } => {
                self.owned_by(*by)?;
                Ok(self.editing.remove())
            }
            AssetCommand::RestoreOriginal { by } => {
                self.owned_by(*by)?;
                // What failed without the file may go well now.
                let failed = self.done.iter().filter(|(_, done)| done.failed);
                let again = failed.flat_map(|(stage, _)| self.request(*stage));
                Ok(std::iter::once(AssetOriginalRestored {}.into()).chain(again).collect())
            }
            AssetCommand::RequestProcessing { stage } => {
                self.existing()?;
                Ok(self.request(*stage))
            }
            AssetCommand::RequestLeft { stage } => {
                self.existing()?;
                Ok(if self.takes(*stage) {
                    vec![AssetProcessingRequested { stage: *stage }.into()]
                } else {
                    vec![]
                })
            }
            AssetCommand::DismissFailure { stage } => {
                self.existing()?;
                Ok(if self.done.get(stage).is_some_and(|done| done.failed) {
                    vec![AssetFailureDismissed { stage: *stage }.into()]
                } else {
                    vec![]
                })
            }
            AssetCommand::RecordMetadata(facts) => {
                Ok(if self.is_news(Stage::Metadata, &facts.processor, &facts.input_blake3) {
                    vec![AssetEvent::MetadataRecorded((**facts).clone())]
                } else {
                    vec![]
                })
            }
            AssetCommand::RecordTags(named) => Ok(match self.owner_id() {
                Some(_) => self.organized.follow_file(named),
                None => vec![],
            }),
            AssetCommand::RecordSidecar(outcome) => Ok(match self.owner_id() {
                Some(_) => self.beside.decide(outcome),
                None => vec![],
            }),
            // The file of a library is nobody's to move.
            AssetCommand::RecordMove(wish) => Ok(match self.owner_id() {
                Some(_) if self.external.is_none() => self.places.decide(wish),
                _ => vec![],
            }),
            AssetCommand::RecordPlace(found) => Ok(if self.is_new_place(found) {
                vec![AssetEvent::PlaceFound((**found).clone())]
            } else {
                vec![]
            }),
            AssetCommand::RecordThumbnails(made) => {
                Ok(if self.is_news(Stage::Thumbnails, &made.processor, &made.input_blake3) {
                    vec![AssetEvent::ThumbnailsRecorded((**made).clone())]
                } else {
                    vec![]
                })
            }
            AssetCommand::RecordFullSize(made) => {
                Ok(if self.owner_id().is_some() && made.image != self.full_size {
                    vec![AssetEvent::FullSizeRecorded((**made).clone())]
                } else {
                    vec![]
                })
            }
            AssetCommand::RecordVideoEncoded(made) => {
                Ok(if self.is_news(Stage::Video, &made.processor, &made.input_blake3) {
                    vec![AssetEvent::VideoEncoded((**made).clone())]
                } else {
                    vec![]
                })
            }
            AssetCommand::RecordEditedPictures(made) => {
                let is_news = self.is_news(Stage::Edits, &made.processor, &made.input_blake3);
                Ok(if is_news && self.editing.are_shown_by(made) {
                    vec![AssetEvent::EditedPicturesRecorded((**made).clone())]
                } else {
                    vec![]
                })
            }
            AssetCommand::RecordVideoSkipped(left) => {
                Ok(if self.is_news(Stage::Video, &left.processor, &left.input_blake3) {
                    vec![AssetEvent::VideoEncodingSkipped((**left).clone())]
                } else {
                    vec![]
                })
            }
            AssetCommand::WantEmbedding(model) => Ok(self.want_embedding(model)),
            AssetCommand::RecordEmbedding(found) => Ok(self.take_embedding(found)),
            AssetCommand::WantText(reader) => Ok(self.want_text(reader)),
            AssetCommand::RecordText(read) => Ok(self.take_text(read)),
            AssetCommand::WantFaces(model) => Ok(self.want_faces(model)),
            AssetCommand::RecordFacesSearched(searched) => Ok(self.take_faces_searched(searched)),
            AssetCommand::RecordFailure(failed) => {
                Ok(if self.is_news(failed.stage, &failed.processor, &failed.input_blake3) {
                    vec![AssetEvent::ProcessingFailed((**failed).clone())]
                } else {
                    vec![]
                })
            }
        }
    }

    fn evolve(&mut self, event: &AssetEvent) {
        self.editing.evolve(event);
        self.beside.evolve(event);
        self.places.evolve(event);
        external::evolve(&mut self.external, event, self.trashed);
        match event {
            AssetEvent::Uploaded(uploaded) => {
                self.owner_id = Some(uploaded.owner_id);
                self.original_blake3.clone_from(&uploaded.original.blake3);
                self.is_film = uploaded.kind == MediaKind::Video;
                self.favorite = uploaded.is_favorite;
                self.visibility = uploaded.visibility;
                self.beside = Sidecar::of(uploaded.sidecar.clone());
                self.live = LiveParts::uploaded_with(uploaded.live_photo_video_id);
                let made = uploaded.file_created_at;
                self.file.date = Some((made, made.naive_utc(), None));
            }
            AssetEvent::MetadataRecorded(facts) => {
                self.file = file_words(facts);
                self.settle(Stage::Metadata, &facts.processor, &facts.input_blake3, false);
                let position = facts.personal.known().and_then(|personal| personal.position);
                if self.person.position.is_none() {
                    self.place.take_if(|found| {
                        found.place.known().map(|place| place.position) != position
                    });
                }
            }
            AssetEvent::ThumbnailsRecorded(made) => {
                self.pictures = [DerivedFile::Thumbnail, DerivedFile::Preview].into();
                self.settle(Stage::Thumbnails, &made.processor, &made.input_blake3, false);
            }
            AssetEvent::FullSizeRecorded(made) => self.full_size.clone_from(&made.image),
            AssetEvent::FileDeleted(deleted) => self.lose_file(deleted.file),
            AssetEvent::EditedPicturesRecorded(made) => {
                self.settle(Stage::Edits, &made.processor, &made.input_blake3, false);
            }
            AssetEvent::Edited(_) => {
                if !self.requested.contains(&Stage::Edits) {
                    self.requested.push(Stage::Edits);
                }
            }
            AssetEvent::EditsRemoved(_) => {
                self.requested.retain(|requested| *requested != Stage::Edits);
                self.done.remove(&Stage::Edits);
            }
            AssetEvent::VideoEncoded(made) => {
                self.settle(Stage::Video, &made.processor, &made.input_blake3, false);
                self.encoded = Some(made.clone());
            }
            AssetEvent::VideoEncodingSkipped(left) => {
                self.settle(Stage::Video, &left.processor, &left.input_blake3, false);
                self.encoded = None;
            }
            AssetEvent::Embedded(found) => {
                self.settle(Stage::Embedding, &embedded::processor(), &found.input_blake3, false);
                self.embedded = Some(found.model.clone());
            }
            AssetEvent::TextRead(read) => {
                self.settle(Stage::Text, &text::processor(), &read.input_blake3, false);
                self.text_reader = Some(read.reader.clone());
            }
            AssetEvent::FacesSearched(searched) => {
                let processor = faces_searched::processor();
                self.settle(Stage::Faces, &processor, &searched.input_blake3, false);
                self.searched_by = Some(searched.model.clone());
            }
            AssetEvent::ProcessingFailed(failed) => {
                self.settle(failed.stage, &failed.processor, &failed.input_blake3, true);
            }
            AssetEvent::ProcessingRequested(requested) => self.requested.push(requested.stage),
            AssetEvent::FailureDismissed(dismissed) => {
                if let Some(done) = self.done.get_mut(&dismissed.stage) {
                    done.failed = false;
                }
            }
            AssetEvent::Favorited(AssetFavorited {}) => self.favorite = true,
            AssetEvent::Unfavorited(AssetUnfavorited {}) => self.favorite = false,
            AssetEvent::VisibilityChanged(changed) => self.visibility = changed.visibility,
            AssetEvent::DescriptionChanged(changed) => {
                self.person.description = changed.description.known().cloned();
            }
            AssetEvent::DescriptionReverted(_) => self.person.description = None,
            AssetEvent::RatingChanged(changed) => self.person.rating = Some(changed.rating),
            AssetEvent::RatingReverted(_) => self.person.rating = None,
            AssetEvent::DateChanged(changed) => {
                let zone = changed.time_zone.clone();
                self.person.date = Some((changed.taken_at, changed.local_date_time, zone));
            }
            AssetEvent::DateReverted(_) => self.person.date = None,
            AssetEvent::LocationChanged(changed) => {
                self.person.position = changed.position.known().copied();
                self.place = None;
            }
            AssetEvent::LocationReverted(_) => {
                self.person.position = None;
                self.place = None;
            }
            AssetEvent::PlaceFound(found) => self.place = Some(found.clone()),
            AssetEvent::Tagged(_)
            | AssetEvent::TaggedByFile(_)
            | AssetEvent::Untagged(_)
            | AssetEvent::UntaggedByFile(_)
            | AssetEvent::Stacked(_)
            | AssetEvent::Unstacked(_)
            | AssetEvent::DuplicatesFound(_)
            | AssetEvent::DuplicatesDismissed(_)
            | AssetEvent::KeyValueSet(_)
            | AssetEvent::KeyValueRemoved(_) => self.organized.evolve(event),
            AssetEvent::LivePartsFound(_)
            | AssetEvent::FilmLinked(_)
            | AssetEvent::FilmUnlinked(_) => self.live.evolve(event),
            AssetEvent::FileChanged(changed) => {
                self.original_blake3.clone_from(&changed.content.blake3);
            }
            // Told to the file before.
            AssetEvent::CameOnline(_)
            | AssetEvent::Imported(_)
            | AssetEvent::OriginalRestored(_)
            | AssetEvent::Relocated(_)
            | AssetEvent::WentOffline(_) => {}
            // Told to the sidecar and the places before.
            AssetEvent::OriginalMoved(_)
            | AssetEvent::SidecarRefused(_)
            | AssetEvent::SidecarReplaced(_)
            | AssetEvent::SidecarWritten(_) => {}
            AssetEvent::Trashed(AssetTrashed {}) => self.trashed = true,
            AssetEvent::Restored(AssetRestored {}) => self.trashed = false,
            AssetEvent::Purged(AssetPurged {}) => self.purged = true,
        }
    }
}

cqrs_aggregate!(Asset, AssetCommand, AssetEvent, AssetError);

#[cfg(test)]
mod tests;
