//! What an asset takes over from others that show the same, when it is the one that is kept.

use super::command::Details;
use super::state::Asset;
use super::values::{Position, Visibility};

impl Asset {
    /// It is a favorite if any was, has the most stars, all captions, is shown where the strictest was, and
    /// lies where it lay, or else where the first of the others lay.
    #[must_use]
    pub fn taking_over(&self, others: &[&Self]) -> Details {
        let mut details = Details::default();
        if others.iter().any(|other| other.favorite) && !self.favorite {
            details.favorite = Some(true);
        }
        let stars = others.iter().filter_map(|other| other.stars()).chain(self.stars()).max();
        if stars != self.stars() {
            details.rating = Some(stars);
        }
        let mut lines: Vec<&str> = Vec::new();
        for caption in std::iter::once(self).chain(others.iter().copied()).map(Self::caption) {
            for line in caption.lines().map(str::trim).filter(|line| !line.is_empty()) {
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
        let description = lines.join("\n");
        if description != self.caption() {
            details.description = Some(description);
        }
        let strictest = others.iter().map(|other| other.visibility).fold(self.visibility, stricter);
        if strictest != self.visibility {
            details.visibility = Some(strictest);
        }
        if self.position().is_none()
            && let Some(other) = others.iter().find(|other| other.position().is_some())
        {
            details.position = other.position();
            details.place.clone_from(&other.place);
        }
        details
    }

    fn caption(&self) -> &str {
        let said = self.person.description.as_ref().or(self.file.description.as_ref());
        said.map(String::as_str).unwrap_or_default()
    }

    fn stars(&self) -> Option<i8> {
        self.person.rating.or(self.file.rating).flatten()
    }

    fn position(&self) -> Option<Position> {
        self.person.position.or(self.file.position)
    }
}

/// The fewer see it, the stricter.
const fn stricter(one: Visibility, other: Visibility) -> Visibility {
    if strictness(other) > strictness(one) { other } else { one }
}

const fn strictness(visibility: Visibility) -> u8 {
    match visibility {
        Visibility::Timeline => 0,
        Visibility::Archive => 1,
        Visibility::Hidden => 2,
        Visibility::Locked => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(caption: &str) -> Asset {
        let mut asset = Asset::default();
        asset.file.description = Some(caption.to_owned());
        asset
    }

    #[test]
    fn kept_one_takes_over_what_the_others_had() {
        let kept = asset("a");
        let mut other = asset("ignored");
        other.person.description = Some("b\na".into());
        other.person.rating = Some(Some(3));
        other.favorite = true;
        other.visibility = Visibility::Archive;
        let place = Position { latitude: 1.0, longitude: 2.0 };
        other.file.position = Some(place);
        assert_eq!(
            kept.taking_over(&[&other]),
            Details {
                favorite: Some(true),
                visibility: Some(Visibility::Archive),
                description: Some("a\nb".into()),
                rating: Some(Some(3)),
                date: None,
                position: Some(place),
                place: None,
            }
        );
    }

    #[test]
    fn nothing_new_changes_nothing() {
        assert_eq!(asset("a").taking_over(&[&asset("a")]), Details::default());
    }
}
