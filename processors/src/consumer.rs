//! The loop of a processor: pull bells from a durable consumer, do the work, acknowledge.
//!
//! Acknowledged is only what is done, or parked with its reason. What fails is asked for again with a
//! growing delay; the last delivery parks. When the stream is lost, or NATS is away, the loop waits and
//! makes its consumer anew: reconciling finds what was missed. So only that is heard here which a read model
//! remembers until it is done; the rest are errands (`errands/`) and requests (`requests.rs`).

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::{self, AckKind, Message};
use calotype_domain::{AssetId, UserId};
use calotype_projections::because;
use futures::StreamExt as _;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use crate::develop;
use crate::error::ProcessorError;
use crate::parked;
use crate::priority::Urgency;
use crate::worker::Worker;

/// Messages given to a consumer and not yet acknowledged; each may hold a place at the decoder.
const ACKS_PENDING_MAX: i64 = 64;
/// Deliveries before the last one parks.
pub const DELIVERIES_MAX: i64 = 5;
/// How long a delivery may take: above the decoder's longest job and the wait for its place.
const ACK_WAIT: Duration = Duration::from_secs(600);
/// How often a long job tells JetStream that it is alive.
const STILL_WORKING_EVERY: Duration = Duration::from_secs(120);
/// Delay before the second delivery; doubles with each further one.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// How long to wait when NATS or the stream is away.
const AWAY_WAIT: Duration = Duration::from_secs(1);
/// How long a pull waits for messages, and how often NATS must be heard in between.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
const PULL_HEARTBEAT: Duration = Duration::from_secs(10);

/// Where the bells come from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The JetStream stream.
    pub stream: String,
    /// First part of every subject.
    pub prefix: String,
}

/// What a bell says.
#[derive(Debug, Deserialize)]
struct Bell {
    stream_id: String,
    event_id: uuid::Uuid,
    #[serde(rename = "type")]
    event_type: String,
}

/// A durable consumer: its name, the events it hears, how urgent they are.
#[derive(Clone, Copy, Debug)]
pub struct Subscription {
    /// Its durable name.
    pub durable: &'static str,
    /// The subjects after the prefix.
    pub subjects: &'static [&'static str],
    /// How urgent its work is.
    pub urgency: Urgency,
}

/// New uploads and edits: somebody waits for them.
pub const UPLOADS: Subscription = Subscription {
    durable: "develop-uploads",
    subjects: &["asset.AssetUploaded.*", "asset.AssetEdited.*"],
    urgency: Urgency::Upload,
};

/// Asked for again, accounts that are due, queues that go on.
pub const RERUNS: Subscription = Subscription {
    durable: "develop-reruns",
    subjects: &["asset.AssetProcessingRequested.*", "queue.QueueResumed.*", "user.UserDeleted.*"],
    urgency: Urgency::Rerun,
};

/// What may belong together, and what people say that belongs beside their originals.
pub const BESIDE: Subscription = Subscription {
    durable: "beside-originals",
    subjects: &[
        "asset.AssetLivePartsFound.*",
        "asset.AssetDateChanged.*",
        "asset.AssetDateReverted.*",
        "asset.AssetDescriptionChanged.*",
        "asset.AssetDescriptionReverted.*",
        "asset.AssetLocationChanged.*",
        "asset.AssetLocationReverted.*",
        "asset.AssetRatingChanged.*",
        "asset.AssetRatingReverted.*",
        "asset.AssetSidecarReplaced.*",
        "asset.AssetTagged.*",
        "asset.AssetUntagged.*",
    ],
    urgency: Urgency::Rerun,
};

/// What may make a picture of a person missing.
pub const PEOPLE: Subscription = Subscription {
    durable: "people-pictures",
    subjects: &[
        "faces.*.*",
        "person.PersonDeleted.*",
        "person.PersonFeatureFaceChosen.*",
        "person.PersonMergedInto.*",
    ],
    urgency: Urgency::Rerun,
};

/// What may make a film wait for its copy.
pub const FILMS: Subscription = Subscription {
    durable: "encode-films",
    subjects: &["asset.AssetProcessingRequested.*", "queue.QueueResumed.videoConversion"],
    urgency: Urgency::Rerun,
};

/// What may make an asset wait for a model.
pub const EMBEDDINGS: Subscription = Subscription {
    durable: "embed-assets",
    subjects: &["asset.AssetProcessingRequested.*", "queue.QueueResumed.smartSearch"],
    urgency: Urgency::Rerun,
};

/// What may make an asset wait to be read.
pub const TEXTS: Subscription = Subscription {
    durable: "read-texts",
    subjects: &["asset.AssetProcessingRequested.*", "queue.QueueResumed.ocr"],
    urgency: Urgency::Rerun,
};

/// What may make an asset wait for a search for faces.
pub const FACES: Subscription = Subscription {
    durable: "find-faces",
    subjects: &["asset.AssetProcessingRequested.*", "queue.QueueResumed.faceDetection"],
    urgency: Urgency::Rerun,
};

/// What may make a library wait for a scan, or for the end of its assets, or a check of the stored files.
pub const LIBRARIES: Subscription = Subscription {
    durable: "scan-libraries",
    subjects: &[
        "integrity.*.*",
        "library.*.*",
        "queue.QueueResumed.integrityCheck",
        "queue.QueueResumed.library",
    ],
    urgency: Urgency::Rerun,
};

impl Worker {
    /// Pulls and works until cancelled.
    pub async fn consume(
        self,
        jetstream: jetstream::Context,
        source: Source,
        subscription: Subscription,
        cancel: CancellationToken,
    ) {
        let tracker = TaskTracker::new();
        let limit = Arc::new(Semaphore::new(usize::try_from(ACKS_PENDING_MAX).unwrap_or(1)));
        while !cancel.is_cancelled() {
            match open(&jetstream, &source, subscription).await {
                Ok(consumer) => {
                    debug!(consumer = subscription.durable, "consuming");
                    self.pull(&consumer, subscription, &tracker, &limit, &cancel).await;
                }
                Err(error) => debug!(consumer = subscription.durable, %error, "no stream yet"),
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(AWAY_WAIT) => {}
            }
        }
        tracker.close();
        tracker.wait().await;
        info!(consumer = subscription.durable, "processor stopped");
    }

    async fn pull(
        &self,
        consumer: &PullConsumer,
        subscription: Subscription,
        tracker: &TaskTracker,
        limit: &Arc<Semaphore>,
        cancel: &CancellationToken,
    ) {
        let batch = usize::try_from(ACKS_PENDING_MAX).unwrap_or(1);
        let messages = consumer
            .stream()
            .max_messages_per_batch(batch)
            .expires(PULL_EXPIRES)
            .heartbeat(PULL_HEARTBEAT)
            .messages()
            .await;
        let Ok(mut messages) = messages else { return };
        loop {
            let message = tokio::select! {
                () = cancel.cancelled() => return,
                message = messages.next() => message,
            };
            match message {
                Some(Ok(message)) => {
                    let Ok(permit) = Arc::clone(limit).acquire_owned().await else { return };
                    let worker = self.clone();
                    tracker.spawn(async move {
                        Box::pin(worker.hear(message, subscription)).await;
                        drop(permit);
                    });
                }
                Some(Err(error)) => {
                    warn!(consumer = subscription.durable, %error, "lost the stream, opening it again");
                    return;
                }
                None => return,
            }
        }
    }

    /// Rings for work that takes too long for a delivery; what waits stands in read models.
    fn rings(&self, subscription: Subscription) -> bool {
        match subscription.durable {
            durable if durable == FILMS.durable => self.encoding.bell.notify_one(),
            durable if durable == EMBEDDINGS.durable => self.embedding.bell.notify_one(),
            durable if durable == TEXTS.durable => self.reading.bell.notify_one(),
            durable if durable == FACES.durable => self.finding.bell.notify_one(),
            durable if durable == LIBRARIES.durable => {
                self.scanning.bell.notify_one();
                self.scanning.checks_bell.notify_one();
            }
            _ => return false,
        }
        true
    }

    /// Does the work of one message and acknowledges it.
    async fn hear(&self, message: Message, subscription: Subscription) {
        let deliveries = message.info().map_or(1, |info| info.delivered);
        if deliveries > 1 {
            metrics::counter!("calotype_redeliveries_total").increment(1);
        }
        let work = self.hear_bell(&message.payload, deliveries, subscription);
        tokio::pin!(work);
        let kind = loop {
            tokio::select! {
                kind = &mut work => break kind,
                () = tokio::time::sleep(STILL_WORKING_EVERY) => {
                    acknowledge(&message, AckKind::Progress).await;
                }
            }
        };
        acknowledge(&message, kind).await;
    }

    /// Does the work that the payload of a message asks for; says how it is to be acknowledged. `deliveries` counts
    /// from 1, this one included.
    pub async fn hear_bell(
        &self,
        payload: &[u8],
        deliveries: i64,
        subscription: Subscription,
    ) -> AckKind {
        let last_try = deliveries >= DELIVERIES_MAX;
        let bell: Bell = match serde_json::from_slice(payload) {
            Ok(bell) => bell,
            Err(error) => {
                warn!(%error, "a message is no bell of ours");
                return AckKind::Term;
            }
        };
        if self.rings(subscription) {
            return AckKind::Ack;
        }
        let Some(_inside) = self.gate.enter() else { return AckKind::Nak(Some(AWAY_WAIT)) };
        match self.answer(&bell, subscription.urgency, last_try).await {
            Ok(()) => AckKind::Ack,
            Err(ProcessorError::NotYet { after }) if !last_try => AckKind::Nak(Some(after)),
            // Reconciling takes over from here.
            Err(ProcessorError::NotYet { .. }) => AckKind::Term,
            Err(error) => {
                let doublings = u32::try_from(deliveries - 1).unwrap_or(0).min(10);
                let after = RETRY_AFTER * 2_u32.saturating_pow(doublings);
                warn!(
                    stream.id = bell.stream_id,
                    event.id = %bell.event_id,
                    error = &error as &dyn std::error::Error,
                    deliveries,
                    "work failed, trying again"
                );
                // What people have to mend is shown at once, and tried again all the same.
                if last_try || error.is_refused() {
                    self.park(&bell, &error).await;
                }
                if last_try { AckKind::Term } else { AckKind::Nak(Some(after)) }
            }
        }
    }

    /// Shows operators what failed with every delivery, whoever's fault it is, and at once what they have to mend. Reconciling goes on trying, and
    /// what goes well in the end is parked no more.
    async fn park(&self, bell: &Bell, error: &ProcessorError) {
        let Some(("asset", key)) = bell.stream_id.split_once('-') else { return };
        let Ok(asset_id) = key.parse::<AssetId>() else { return };
        let (event_id, reason) = (bell.event_id, because(error));
        let parked =
            parked::park(&self.pool, develop::NAME, asset_id, event_id, "failed", &reason).await;
        if let Err(error) = parked {
            warn!(error = &error as &dyn std::error::Error, "what failed could not be parked");
        }
    }

    async fn answer(
        &self,
        bell: &Bell,
        urgency: Urgency,
        last_try: bool,
    ) -> Result<(), ProcessorError> {
        let key = bell.stream_id.split_once('-').map_or("", |(_, key)| key);
        match bell.event_type.as_str() {
            "AssetUploaded" | "AssetEdited" | "AssetProcessingRequested" => {
                let Ok(asset_id) = key.parse::<AssetId>() else { return Ok(()) };
                if bell.event_type != "AssetEdited" {
                    self.gate.unless_closed(self.commands.importing().lets_pass()).await?;
                }
                // Of a paused queue it stays waiting in the read model; reconciling takes it up when it goes on.
                self.develop(asset_id, urgency, last_try).await.map(drop)
            }
            "AssetLivePartsFound" => {
                let Ok(asset_id) = key.parse::<AssetId>() else { return Ok(()) };
                self.complete_live_photo(asset_id).await
            }
            "AssetDateChanged"
            | "AssetDateReverted"
            | "AssetDescriptionChanged"
            | "AssetDescriptionReverted"
            | "AssetLocationChanged"
            | "AssetLocationReverted"
            | "AssetRatingChanged"
            | "AssetRatingReverted"
            | "AssetSidecarReplaced"
            | "AssetTagged"
            | "AssetUntagged" => {
                let Ok(asset_id) = key.parse::<AssetId>() else { return Ok(()) };
                self.write_sidecar(asset_id).await
            }
            "UserDeleted" => {
                let Ok(user_id) = key.parse::<UserId>() else { return Ok(()) };
                self.remove_marked_user(user_id).await
            }
            _ if matches!(stream_kind(&bell.stream_id), "faces" | "person") => {
                self.people_bell.notify_one();
                Ok(())
            }
            "QueueResumed" => {
                self.go_on_moving();
                self.reconcile_now().await.map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// What stands before the first hyphen of a stream's id.
fn stream_kind(stream_id: &str) -> &str {
    stream_id.split_once('-').map_or("", |(kind, _)| kind)
}

/// Creates a durable consumer, or brings one of an older release up to date.
///
/// # Errors
/// NATS is away, or there is no stream.
pub async fn open(
    jetstream: &jetstream::Context,
    source: &Source,
    subscription: Subscription,
) -> Result<PullConsumer, async_nats::Error> {
    let stream = jetstream.get_stream(&source.stream).await?;
    let subjects = subscription
        .subjects
        .iter()
        .map(|subject| format!("{}.{subject}", source.prefix))
        .collect();
    let config = pull::Config {
        durable_name: Some(subscription.durable.to_owned()),
        filter_subjects: subjects,
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        deliver_policy: DeliverPolicy::All,
        max_ack_pending: ACKS_PENDING_MAX,
        max_deliver: DELIVERIES_MAX,
        ..pull::Config::default()
    };
    Ok(stream.create_consumer(config).await?)
}

async fn acknowledge(message: &Message, kind: AckKind) {
    if let Err(error) = message.ack_with(kind).await {
        // It will be delivered again, and found done.
        debug!(%error, "an acknowledgement was lost");
    }
}
