//! `calotype as-of`, `calotype undo` and `calotype revert`: what was there, and bringing it back. All three ask a
//! running server in the name of the API key's owner, because what may be seen and done is theirs.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Remote, Target, say};

/// `calotype as-of …`
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct AsOf {
    /// The moment: an instant (2026-11-23T15:00:00Z), a day, or a position in the log.
    #[arg(long, value_name = "TIME|POSITION", global = true)]
    at: Option<String>,
    /// As JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

/// What is asked about.
#[derive(Clone, Debug, Subcommand)]
enum What {
    /// The months of the timeline, and with a month its photos and films.
    Timeline {
        /// The month, by its first day: 2026-11-01.
        #[arg(long, value_name = "DAY")]
        month: Option<String>,
        /// What was in the trash instead.
        #[arg(long)]
        trash: bool,
    },
    /// Every album.
    Albums,
    /// One album, and what was in it.
    Album {
        /// Its id.
        id: Uuid,
    },
    /// One photo or film.
    Asset {
        /// Its id.
        id: Uuid,
    },
    /// Everybody who was told apart.
    People {
        /// Those who were hidden, too.
        #[arg(long)]
        hidden: bool,
    },
    /// Every shared link.
    Links,
}

/// `calotype undo …`
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct UndoArgs {
    #[command(flatten)]
    by: By,
    /// From when on, with a session or a key (2026-11-23T15:00:00Z).
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until when; until now where it is left out.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    #[command(flatten)]
    how: How,
}

/// What is to be taken back.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
struct By {
    /// What a request did, by its correlation id, or one command, by its id; histories show both.
    #[arg(long, value_name = "ID")]
    request: Option<Uuid>,
    /// What was done with a session of the key's owner.
    #[arg(long, value_name = "ID", requires = "from")]
    by_session: Option<Uuid>,
    /// What was done with an API key of the key's owner.
    #[arg(long, value_name = "ID", requires = "from")]
    by_key: Option<Uuid>,
}

/// `calotype revert …`
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Revert {
    #[command(subcommand)]
    what: Whole,
}

/// What is to be as it was.
#[derive(Clone, Debug, Subcommand)]
enum Whole {
    /// A photo or film, with what people said about the faces on it.
    Asset(To),
    /// An album.
    Album(To),
    /// The account of the key's owner, with all that is theirs.
    User(To),
}

/// What exactly, and to when.
#[derive(Clone, Debug, Args)]
struct To {
    /// Its id.
    id: Uuid,
    /// The moment: an instant (2026-11-23T15:00:00Z), a day, or a position in the log.
    #[arg(long, value_name = "TIME|POSITION")]
    to: String,
    #[command(flatten)]
    how: How,
}

/// How something is taken back.
#[derive(Clone, Copy, Debug, Args)]
struct How {
    /// Only says what would be done.
    #[arg(long)]
    preview: bool,
    /// As JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// Tells what was there.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn as_of(target: &Target, AsOf { at, json, what }: AsOf) -> anyhow::Result<()> {
    let at = at.context("say when, with --at TIME or --at POSITION")?;
    let mut query = vec![("at", at)];
    let path = match &what {
        What::Timeline { month, trash } => {
            query.extend(month.clone().map(|month| ("timeBucket", month)));
            query.push(("isTrashed", trash.to_string()));
            "timeline".to_owned()
        }
        What::Albums => "albums".to_owned(),
        What::Album { id } => format!("albums/{id}"),
        What::Asset { id } => format!("assets/{id}"),
        What::People { hidden } => {
            query.push(("withHidden", hidden.to_string()));
            "people".to_owned()
        }
        What::Links => "links".to_owned(),
    };
    let mut url = reqwest::Url::parse("http://none/").context("an odd address")?;
    url.query_pairs_mut().extend_pairs(query);
    let query = url.query().unwrap_or_default();
    let answer = remote(target)?.get(&format!("/calotype/as-of/{path}?{query}")).await?;
    if json {
        say(&serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    say_moment(&answer["at"]);
    match what {
        What::Timeline { .. } => say_timeline(&answer),
        What::Albums => list(&answer["albums"]).for_each(say_album),
        What::Album { .. } => {
            say_album(&answer["album"]);
            list(&answer["assetIds"]).for_each(|id| say(&format!("  {}", text(id))));
            say_forgotten(&answer["forgotten"]);
        }
        What::Asset { .. } => say_asset(&answer),
        What::People { .. } => list(&answer["people"]).for_each(|person| {
            let name = Some(text(&person["name"])).filter(|name| !name.is_empty());
            say(&format!("{}  {}", text(&person["id"]), name.unwrap_or("nobody knows who")));
        }),
        What::Links => list(&answer["links"]).for_each(|link| {
            let target = match link["albumId"].as_str() {
                Some(album_id) => format!("album {album_id}"),
                None => format!("{} assets", list(&link["assetIds"]).count()),
            };
            say(&format!("{}  {target}  made {}", text(&link["id"]), text(&link["createdAt"])));
            say_forgotten(&link["forgotten"]);
        }),
    }
    Ok(())
}

/// Takes back what a request, a session or a key did.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn undo(target: &Target, wish: UndoArgs) -> anyhow::Result<()> {
    let UndoArgs { by, from, to, how } = wish;
    let mut body = json!({ "dryRun": how.preview });
    let named = [
        ("commandId", by.request.map(|id| id.to_string())),
        ("sessionId", by.by_session.map(|id| id.to_string())),
        ("apiKeyId", by.by_key.map(|id| id.to_string())),
        ("from", from),
        ("to", to),
    ];
    for (name, value) in named {
        if let (Some(value), Some(members)) = (value, body.as_object_mut()) {
            members.insert(name.to_owned(), Value::String(value));
        }
    }
    let done = remote(target)?.call(reqwest::Method::POST, "/calotype/undo", Some(body)).await?;
    say_done(&done, how)
}

/// Brings something back to what it was.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub async fn revert(target: &Target, Revert { what }: Revert) -> anyhow::Result<()> {
    let (kind, To { id, to, how }) = match what {
        Whole::Asset(to) => ("asset", to),
        Whole::Album(to) => ("album", to),
        Whole::User(to) => ("user", to),
    };
    let body = json!({ "kind": kind, "id": id, "at": to, "dryRun": how.preview });
    let done = remote(target)?.call(reqwest::Method::POST, "/calotype/revert", Some(body)).await?;
    if !how.json {
        say_moment(&done["at"]);
    }
    say_done(&done, how)
}

fn remote(target: &Target) -> anyhow::Result<Remote> {
    let server = target.server().context(
        "what may be seen and done is decided by a running server for whoever asks: say --server URL and \
         --api-key KEY",
    )?;
    Remote::new(server, target)
}

fn say_done(done: &Value, how: How) -> anyhow::Result<()> {
    if how.json {
        say(&serde_json::to_string_pretty(done)?);
        return Ok(());
    }
    let goes = if how.preview { "would go back" } else { "went back" };
    for (name, what) in [("undone", goes), ("leftAlone", "stays"), ("cannotBeUndone", "cannot")] {
        for item in list(&done[name]) {
            let parts: Vec<&str> = list(&item["what"]).map(text).collect();
            let why: Vec<&str> = list(&item["why"]).map(text).collect();
            let since = item["changedBy"]["type"].as_str().map(|it| format!(": {it} since"));
            let why = if why.is_empty() {
                since.unwrap_or_default()
            } else {
                format!(": {}", why.join("; "))
            };
            let (kind, id) = (text(&item["kind"]), text(&item["id"]));
            say(&format!("{what:<13} {kind} {id}  {}{why}", parts.join(", ")));
        }
    }
    if ["undone", "leftAlone", "cannotBeUndone"].iter().all(|name| list(&done[*name]).count() == 0)
    {
        say("Nothing to do: it is so already.");
    }
    if let Some(id) = done["correlationId"].as_str() {
        say(&format!("To take this back: calotype undo --request {id}"));
    }
    Ok(())
}

fn say_moment(at: &Value) {
    match (at["position"].as_i64(), at["recordedAt"].as_str()) {
        (Some(position), Some(when)) => say(&format!("At position {position}, {when}:")),
        (Some(position), None) => say(&format!("At position {position}:")),
        (None, when) => say(&format!("At {}:", when.unwrap_or("that moment"))),
    }
}

fn say_timeline(answer: &Value) {
    match answer["assets"].as_array() {
        Some(assets) => assets.iter().for_each(|asset| {
            let mark = if asset["isFavorite"] == json!(true) { "  favorite" } else { "" };
            say(&format!("{}  {}{mark}", text(&asset["localDateTime"]), text(&asset["id"])));
        }),
        None => list(&answer["months"]).for_each(|month| {
            say(&format!("{}  {:>8}", text(&month["timeBucket"]), month["count"]));
        }),
    }
}

fn say_album(album: &Value) {
    let gone = if album["isDeleted"] == json!(true) { "  (deleted since)" } else { "" };
    say(&format!(
        "{}  {}  {} assets, {} people{gone}",
        text(&album["id"]),
        text(&album["albumName"]),
        album["assetCount"],
        list(&album["albumUsers"]).count(),
    ));
}

fn say_asset(answer: &Value) {
    if answer["isForgotten"] == json!(true) {
        say("It was deleted for good since: what it was is forgotten.");
        return;
    }
    let asset = &answer["asset"];
    if asset.is_null() {
        say("It was not there yet.");
        return;
    }
    let exif = &asset["exifInfo"];
    let names = |list_of: &Value, name: &str| {
        list(list_of).map(|it| text(&it[name])).collect::<Vec<_>>().join(", ")
    };
    let lines = [
        ("file", text(&asset["originalFileName"]).to_owned()),
        ("taken", text(&asset["localDateTime"]).to_owned()),
        ("shows in", text(&asset["visibility"]).to_owned()),
        ("favorite", asset["isFavorite"].to_string()),
        ("in the trash", asset["isTrashed"].to_string()),
        ("stars", exif["rating"].to_string()),
        ("caption", text(&exif["description"]).to_owned()),
        ("place", text(&exif["city"]).to_owned()),
        ("tags", names(&asset["tags"], "value")),
        ("people", names(&asset["people"], "name")),
    ];
    for (name, value) in lines {
        if !value.is_empty() && value != "null" {
            say(&format!("{name:<13} {value}"));
        }
    }
}

fn say_forgotten(count: &Value) {
    if count.as_i64().is_some_and(|count| count > 0) {
        say(&format!("  {count} more were deleted for good since"));
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
