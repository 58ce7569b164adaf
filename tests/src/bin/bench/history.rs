//! Writes the history of a large library: events, not rows, as uploads and processors would have left them.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use calotype_domain::asset::{
    AssetEvent, AssetMetadataRecorded, AssetThumbnailsRecorded, AssetUploaded, Blob, DerivedImage,
    MediaKind, PersonalMetadata, ProcessorRef, UploadedFile, Visibility,
};
use calotype_domain::{DomainEvent as _, Sealed, UserId};
use calotype_eventstore::{
    Actor, ActorKind, Append, Envelope, EventStore as _, ExpectedRevision, Keyring, NewEvent,
    PostgresOptions, PostgresStore, StreamId,
};
use calotype_tests::{TestServer, database};
use chrono::{DateTime, Days, Months, NaiveDate, TimeDelta, Utc};
use futures::{StreamExt as _, TryStreamExt as _};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::{Builder, Uuid};

use crate::places::{Places, anywhere};

/// Events in one append.
const BATCH_EVENTS: u32 = 1_000;
/// Most events of an asset: uploaded, metadata, place, thumbnails.
const ASSET_EVENTS_MAX: u32 = 4;
/// Appends under way at once.
const BATCHES_UNDER_WAY: usize = 4;
/// Months that the library spans.
const MONTHS: u32 = 181;
/// The part of the photos that know where they were taken.
const LOCATED: f64 = 0.7;
/// Multiples of this spread evenly between whole numbers.
const GOLDEN: f64 = 0.618_033_988_749_895;
/// Connections to the database beside the server's own.
const CONNECTIONS: u32 = 6;
/// How long the sequencer may stay behind.
pub(crate) const SEQUENCED_LIMIT: Duration = Duration::from_secs(120);
/// Pictures on disk that all assets share.
pub(crate) const SHARED_PICTURES: u32 = 8;
/// Sizes of those pictures, as Immich's of 12 MP photos.
const THUMBNAIL_BYTES: usize = 22_000;
const PREVIEW_BYTES: usize = 181_000;

/// Cameras to choose from.
const CAMERAS: [(&str, &str, &str); 4] = [
    ("Canon", "Canon EOS 5D Mark IV", "EF24-70mm f/2.8L II USM"),
    ("Apple", "iPhone 14 Pro", "iPhone 14 Pro back triple camera 6.86mm f/1.78"),
    ("FUJIFILM", "X-T4", "XF16-55mmF2.8 R LM WR"),
    ("SONY", "ILCE-7M3", "FE 35mm F1.8"),
];

/// Opens the log of a running server beside it.
pub(crate) async fn open_store(server: &TestServer) -> anyhow::Result<(PgPool, PostgresStore)> {
    // Two are too few: one listens, one writes rows, one reads the log.
    let two = database::connect(&server.data()).await?;
    let options = two.connect_options().as_ref().clone();
    two.close().await;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await?;
    let keyring = Keyring::open(server.data().join("keys"))?;
    let store = PostgresStore::connect(pool.clone(), keyring, PostgresOptions::default()).await?;
    Ok((pool, store))
}

/// What was written.
pub(crate) struct Written {
    /// How many events, all of them with a position.
    pub(crate) events: f64,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Writes `assets` assets of one person, until the last event has its place.
pub(crate) async fn write(
    server: &TestServer,
    store: &PostgresStore,
    owner_id: UserId,
    assets: u32,
    places: Option<&Places>,
) -> anyhow::Result<Written> {
    make_pictures(server, owner_id)?;
    let before = store.head().await?.get();
    let begun = Instant::now();
    let assets_each = BATCH_EVENTS / ASSET_EVENTS_MAX;
    let last: Vec<Uuid> = futures::stream::iter((0..assets).step_by(usize::try_from(assets_each)?))
        .map(|first| async move {
            let numbers = first..assets.min(first + assets_each);
            let appends =
                numbers.map(|number| append(owner_id, number, places)).collect::<Result<_, _>>()?;
            let appended = store.append(appends, envelope(owner_id)).await?;
            let last = appended.last().context("an append without a stream")?;
            anyhow::Ok(last.last_event_id)
        })
        .buffered(BATCHES_UNDER_WAY)
        .try_collect()
        .await?;
    if let Some(event_id) = last.last() {
        store
            .wait_sequenced(*event_id, SEQUENCED_LIMIT)
            .await?
            .context("the sequencer did not come to the last event")?;
    }
    let took = begun.elapsed();
    let events = f64::from(u32::try_from(store.head().await?.get() - before)?);
    Ok(Written { events, took })
}

/// Who wrote it, and when.
pub(crate) fn envelope(owner_id: UserId) -> Envelope {
    Envelope {
        actor: Actor {
            kind: ActorKind::User,
            id: owner_id.to_string(),
            user_id: Some(owner_id.uuid()),
        },
        client: Some("calotype-bench/1".to_owned()),
        correlation_id: Uuid::from_u128(1),
        causation_id: None,
        recorded_at: DateTime::UNIX_EPOCH + TimeDelta::days(20_000),
    }
}

/// The history of one asset, the same at every call.
fn append(owner_id: UserId, number: u32, places: Option<&Places>) -> anyhow::Result<Append> {
    let mut random = StdRng::seed_from_u64(u64::from(number));
    let asset_id = Builder::from_random_bytes(random.random()).into_uuid();
    let events = events(owner_id, asset_id, number, places, &mut random);
    let events = (0_u32..).zip(events).map(|(index, event)| {
        let raw = event.to_raw()?;
        anyhow::Ok(NewEvent {
            event_id: Uuid::new_v5(&asset_id, &index.to_be_bytes()),
            event_type: raw.event_type,
            version: raw.version,
            payload: raw.payload,
            attachments: Vec::new(),
        })
    });
    Ok(Append {
        stream_id: StreamId::new("asset", asset_id),
        expected: ExpectedRevision::NoStream,
        subject: Some(format!("asset-{asset_id}")),
        events: events.collect::<Result<_, _>>()?,
    })
}

fn events(
    owner_id: UserId,
    asset_id: Uuid,
    number: u32,
    places: Option<&Places>,
    random: &mut StdRng,
) -> Vec<AssetEvent> {
    let taken_at = taken_at(random);
    let digest: [u8; 32] = random.random();
    let blake3 = hex(&digest);
    let (make, model, lens) = CAMERAS[random.random_range(0..CAMERAS.len())];
    let (width, height) = if random.random_bool(0.25) { (3_024, 4_032) } else { (4_032, 3_024) };
    let uploaded = AssetUploaded {
        owner_id,
        kind: MediaKind::Image,
        original: Blob {
            key: key("upload", owner_id, asset_id, ".jpg"),
            size_bytes: random.random_range(2_000_000..6_000_000),
            sha1: hex(&digest[..20]),
            blake3: blake3.clone(),
        },
        sidecar: None,
        file: UploadedFile { original_file_name: format!("IMG_{number:07}.jpg") }.into(),
        file_created_at: taken_at,
        file_modified_at: taken_at,
        is_favorite: random.random_bool(0.05),
        visibility: Visibility::Timeline,
        duration_ms: None,
        live_photo_video_id: None,
    };
    let (position, place) = match places {
        Some(places) => places.draw(random),
        None => (anywhere(random), None),
    };
    let is_located = random.random_bool(LOCATED);
    let metadata = AssetMetadataRecorded {
        processor: ProcessorRef { name: "metadata".into(), version: 1 },
        input_blake3: blake3.clone(),
        mime_type: "image/jpeg".into(),
        width: Some(4_032),
        height: Some(3_024),
        orientation: Some(if width < height { 6 } else { 1 }),
        taken_at,
        local_date_time: taken_at.naive_utc() + TimeDelta::hours(2),
        time_zone: Some("UTC+2".into()),
        date_from_file: true,
        make: Some(make.into()),
        model: Some(model.into()),
        lens_model: Some(lens.into()),
        f_number: Some(2.8),
        focal_length_mm: Some(35.0),
        iso: Some(100 << random.random_range(0..6_u32)),
        exposure_time: Some(format!("1/{}", 30 << random.random_range(0..6_u32))),
        fps: None,
        duration_ms: None,
        projection_type: None,
        rating: None,
        personal: Sealed::Known(PersonalMetadata {
            description: None,
            position: is_located.then_some(position),
        }),
    };
    let shared = Uuid::from_u128(u128::from(number % SHARED_PICTURES));
    let picture = |ending, size_bytes: usize, width, height| DerivedImage {
        key: key("thumbs", owner_id, shared, ending),
        size_bytes: u64::try_from(size_bytes).unwrap_or_default(),
        width,
        height,
    };
    let thumbnails = AssetThumbnailsRecorded {
        processor: ProcessorRef { name: "thumbnails".into(), version: 1 },
        input_blake3: blake3,
        thumbhash: thumbhash(random),
        thumbnail: picture("-thumbnail.webp", THUMBNAIL_BYTES, 333, 250),
        preview: picture("-preview.jpg", PREVIEW_BYTES, 1_440, 1_080),
        display_width: width,
        display_height: height,
    };
    let mut events = vec![AssetEvent::Uploaded(uploaded), AssetEvent::MetadataRecorded(metadata)];
    events.extend(place.filter(|_| is_located).map(AssetEvent::PlaceFound));
    events.push(AssetEvent::ThumbnailsRecorded(thumbnails));
    events
}

/// Fifteen years and a month. Months differ up to tenfold and evenly: the largest holds twice the median.
fn taken_at(random: &mut StdRng) -> DateTime<Utc> {
    let month = loop {
        let month = random.random_range(0..MONTHS);
        let weight = 0.2 + 1.8 * (f64::from(month) * GOLDEN).fract();
        if random.random_range(0.0..2.0) < weight {
            break month;
        }
    };
    let first = NaiveDate::from_ymd_opt(2010, 11, 1).unwrap_or_default() + Months::new(month);
    let day = first + Days::new(random.random_range(0..28));
    let seconds = TimeDelta::milliseconds(random.random_range(0..20 * 3_600_000));
    day.and_time(chrono::NaiveTime::MIN).and_utc() + seconds
}

fn thumbhash(random: &mut StdRng) -> String {
    use base64::Engine as _;
    let bytes: [u8; 25] = random.random();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A key as `media::blob` makes it.
fn key(area: &str, owner_id: UserId, id: Uuid, ending: &str) -> String {
    let name = id.to_string();
    format!("{area}/{owner_id}/{}/{}/{name}{ending}", &name[..2], &name[2..4])
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// Makes them begin and end as a whole WebP or JPEG does: what is not whole is not served.
fn frame(bytes: &mut [u8], is_webp: bool) {
    let last = bytes.len() - 2;
    if is_webp {
        let length = u32::try_from(bytes.len() - 8).unwrap_or(u32::MAX);
        bytes[..4].copy_from_slice(b"RIFF");
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        bytes[8..12].copy_from_slice(b"WEBP");
    } else {
        bytes[..2].copy_from_slice(&[0xff, 0xd8]);
        bytes[last..].copy_from_slice(&[0xff, 0xd9]);
    }
}

/// What thumbnails and previews are served from: of the right size, their pixels do not matter.
fn make_pictures(server: &TestServer, owner_id: UserId) -> anyhow::Result<()> {
    let mut random = StdRng::seed_from_u64(0);
    for number in 0..SHARED_PICTURES {
        let id = Uuid::from_u128(u128::from(number));
        for (ending, size, is_webp) in
            [("-thumbnail.webp", THUMBNAIL_BYTES, true), ("-preview.jpg", PREVIEW_BYTES, false)]
        {
            let path = server.data().join("derived").join(key("thumbs", owner_id, id, ending));
            std::fs::create_dir_all(path.parent().context("a key without a folder")?)?;
            let mut bytes: Vec<u8> = (0..size).map(|_| random.random()).collect();
            frame(&mut bytes, is_webp);
            std::fs::write(&path, bytes)?;
        }
    }
    Ok(())
}
