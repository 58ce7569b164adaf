//! What the one that is kept takes over from the others of its group.

use calotype_domain::asset::{Details, Position, Visibility};
use calotype_projections::assets::AssetRow;

use crate::assets::visibility;
use crate::problem::Problem;

/// What the kept asset takes over: it is a favorite if any was, has the most stars, all captions, is shown
/// where the strictest was, and lies where it lay, or else where the first of the others lay.
///
/// # Errors
/// 500 for a word of visibility that is not known.
pub(super) fn merged(kept: &AssetRow, others: &[&AssetRow]) -> Result<Details, Problem> {
    let mut details = Details::default();
    if others.iter().any(|row| row.is_favorite) && !kept.is_favorite {
        details.favorite = Some(true);
    }
    let stars = others.iter().filter_map(|row| row.rating).chain(kept.rating).max();
    if stars != kept.rating {
        details.rating = Some(stars.and_then(|stars| i8::try_from(stars).ok()));
    }
    let mut lines: Vec<&str> = Vec::new();
    for row in std::iter::once(kept).chain(others.iter().copied()) {
        for line in row.description.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    let description = lines.join("\n");
    if description != kept.description {
        details.description = Some(description);
    }
    let mut strictest = visibility(&kept.visibility)?;
    for row in others {
        let other = visibility(&row.visibility)?;
        if strictness(other) > strictness(strictest) {
            strictest = other;
        }
    }
    if strictest.as_str() != kept.visibility {
        details.visibility = Some(strictest);
    }
    if kept.latitude.is_none() {
        details.position = others.iter().find_map(|row| {
            let (latitude, longitude) = row.latitude.zip(row.longitude)?;
            Some(Position { latitude, longitude })
        });
    }
    Ok(details)
}

/// The fewer see it, the stricter.
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
    use crate::assets::dto::tests::row;

    #[test]
    fn kept_one_takes_over_what_the_others_had() {
        let kept = AssetRow { is_favorite: false, rating: None, description: "a".into(), ..row() };
        let other = AssetRow {
            is_favorite: true,
            rating: Some(3),
            description: "b\na".into(),
            visibility: "archive".into(),
            latitude: Some(1.0),
            longitude: Some(2.0),
            ..row()
        };
        assert_eq!(
            merged(&kept, &[&other]).unwrap(),
            Details {
                favorite: Some(true),
                visibility: Some(Visibility::Archive),
                description: Some("a\nb".into()),
                rating: Some(Some(3)),
                date: None,
                position: Some(Position { latitude: 1.0, longitude: 2.0 }),
                place: None,
            }
        );
    }

    #[test]
    fn nothing_new_changes_nothing() {
        assert_eq!(merged(&row(), &[&row()]).unwrap(), Details::default());
    }
}
