//! `/share/{key}` and `/s/{slug}`: what a messenger shows of a link before anybody opens it (Open Graph).

use axum::http::{HeaderMap, header};
use calotype_projections::shared_links::SharedLinkRow;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::links;
use crate::peer::Peer;
use crate::problem::Problem;
use crate::state::Api;

/// Assets counted for a description.
const COUNTED_MAX: i64 = 20_000;

/// Where an address without a host leads to, as Immich has it.
const ELSEWHERE: &str = "https://my.immich.app";
/// What a link is called that shows no album.
const TITLE: &str = "Public Share";

/// What the page at a path is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// No shared link.
    Page,
    /// A shared link that opens nothing, or never was.
    NoLink,
    /// A shared link.
    Link(Preview),
}

/// What a preview of a link says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Preview {
    title: String,
    description: String,
    image: Option<String>,
}

/// Finds out what a path shows. Opening the page of a link is a view of it.
///
/// # Errors
/// What the database said.
pub(super) async fn of(
    api: &Api,
    peer: Peer,
    path: &str,
    headers: &HeaderMap,
) -> Result<Shown, Problem> {
    let word = |prefix: &str| {
        let rest = path.strip_prefix(prefix)?.split('/').next().unwrap_or_default();
        let word = percent_decode_str(rest).decode_utf8_lossy().into_owned();
        (!word.is_empty()).then_some(word)
    };
    let (query, found) = match (word("/share/"), word("/s/")) {
        (Some(key), _) => (("key", key.clone()), links::by_key(api, &key).await?),
        (None, Some(slug)) => (("slug", slug.clone()), links::by_slug(api, &slug).await?),
        (None, None) => return Ok(Shown::Page),
    };
    let Some(link) = found else { return Ok(Shown::NoLink) };
    let owner = api.queries.user(link.owner_id).await?;
    if owner.is_none_or(|owner| owner.deleted_at.is_some()) {
        return Ok(Shown::NoLink);
    }
    // What asks for a password says nothing before it was given.
    if link.has_password {
        return Ok(Shown::Page);
    }
    links::note(api, &link, peer, headers).await;
    let address = address(api, peer, headers).await?;
    preview(api, link, address, query).await.map(Shown::Link)
}

async fn preview(
    api: &Api,
    link: SharedLinkRow,
    address: String,
    (name, word): (&str, String),
) -> Result<Preview, Problem> {
    let (title, count, cover) = match link.album_id {
        Some(album_id) => match api.queries.album(album_id).await? {
            Some(album) => (album.name, album.asset_count, album.cover_id),
            None => (TITLE.to_owned(), 0, None),
        },
        None => {
            let shown = api.queries.assets_of_links(&[link.shared_link_id], COUNTED_MAX).await?;
            let cover = shown.first().map(|first| first.asset.asset_id);
            (TITLE.to_owned(), i64::try_from(shown.len()).unwrap_or(i64::MAX), cover)
        }
    };
    let image = cover.map(|id| {
        let word = utf8_percent_encode(&word, NON_ALPHANUMERIC);
        format!("{address}/api/assets/{id}/thumbnail?size=preview&{name}={word}")
    });
    let description = link.description.unwrap_or_else(|| format!("{count} shared photos & videos"));
    Ok(Preview { title, description, image })
}

/// Where the server is reached from outside: as administrators say, or as the request says, or else where
/// Immich's apps ask people for their server.
async fn address(api: &Api, peer: Peer, headers: &HeaderMap) -> Result<String, Problem> {
    let settings = api.queries.settings().await?;
    let set = settings.text("server.externalDomain").trim_end_matches('/');
    if !set.is_empty() {
        return Ok(set.to_owned());
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(|host| {
        host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    });
    let scheme = if peer.is_https { "https" } else { "http" };
    Ok(host.map_or_else(|| ELSEWHERE.to_owned(), |host| format!("{scheme}://{host}")))
}

impl Preview {
    /// The tags for the page's head.
    pub(super) fn tags(&self) -> String {
        let (title, description) = (escaped(&self.title), escaped(&self.description));
        let mut tags = format!(
            "<meta name=\"description\" content=\"{description}\" />\
             <meta property=\"og:type\" content=\"website\" />\
             <meta property=\"og:title\" content=\"{title}\" />\
             <meta property=\"og:description\" content=\"{description}\" />\
             <meta name=\"twitter:title\" content=\"{title}\" />\
             <meta name=\"twitter:description\" content=\"{description}\" />"
        );
        match &self.image {
            Some(image) => {
                let image = escaped(image);
                tags.push_str(&format!(
                    "<meta property=\"og:image\" content=\"{image}\" />\
                     <meta name=\"twitter:card\" content=\"summary_large_image\" />\
                     <meta name=\"twitter:image\" content=\"{image}\" />"
                ));
            }
            None => tags.push_str("<meta name=\"twitter:card\" content=\"summary\" />"),
        }
        tags
    }
}

/// Words of people inside an attribute.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_people_stay_inside_their_attribute() {
        let preview = Preview {
            title: "Public Share".into(),
            description: "\"><script>alert('x')</script>&".into(),
            image: Some("https://a/b?c=d&e=f".into()),
        };
        let tags = preview.tags();
        assert!(!tags.contains("<script>"), "{tags}");
        assert!(tags.contains("content=\"https://a/b?c=d&amp;e=f\""), "{tags}");
    }
}
