//! Who may depend on whom: the drawing of ARCHITECTURE.md as a table, which `dag` reads.
//! A new arrow is a decision about the house: it is drawn here and there in one change.

/// One crate of the workspace and what it may know.
pub(crate) struct Room {
    /// Folder name, which is the package name without `calotype-`.
    pub(crate) name: &'static str,
    /// Rooms it may depend on, for building or for its tests.
    pub(crate) knows: &'static [&'static str],
    /// Crates from outside that it must not name in its `Cargo.toml`.
    pub(crate) never: &'static [&'static str],
}

/// Package names are the room's name behind this.
pub(crate) const PACKAGE_PREFIX: &str = "calotype-";

/// From the ground up: a room knows only rooms above it in this list, so there is no circle.
pub(crate) const ROOMS: &[Room] = &[
    Room { name: "domain", knows: &[], never: &["async-nats", "axum", "sqlx", "tokio"] },
    Room { name: "media", knows: &[], never: &["async-nats", "axum", "sqlx"] },
    Room { name: "migrations", knows: &[], never: &[] },
    Room { name: "ml", knows: &[], never: &["async-nats", "axum", "sqlx"] },
    Room { name: "eventstore", knows: &["migrations"], never: &["axum"] },
    Room { name: "commands", knows: &["domain", "eventstore"], never: &["axum"] },
    Room { name: "projections", knows: &["domain", "eventstore"], never: &["axum"] },
    Room {
        name: "processors",
        knows: &["commands", "domain", "eventstore", "media", "ml", "projections"],
        never: &["axum"],
    },
    Room {
        name: "api",
        knows: &["commands", "domain", "media", "ml", "projections"],
        never: &["async-nats", "sqlx"],
    },
    Room { name: "cli", knows: &["media"], never: &["async-nats", "sqlx"] },
    Room {
        name: "server",
        knows: &[
            "api",
            "cli",
            "commands",
            "domain",
            "eventstore",
            "media",
            "migrations",
            "ml",
            "processors",
            "projections",
        ],
        never: &[],
    },
    Room {
        name: "tests",
        knows: &[
            "api",
            "cli",
            "commands",
            "domain",
            "eventstore",
            "media",
            "migrations",
            "ml",
            "processors",
            "projections",
            "server",
        ],
        never: &[],
    },
    Room { name: "xtask", knows: &[], never: &[] },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_knows_only_rooms_above_it() {
        let mut above: Vec<&str> = Vec::new();
        for room in ROOMS {
            for known in room.knows {
                assert!(above.contains(known), "{} knows {known}", room.name);
            }
            assert!(!above.contains(&room.name), "{} stands twice", room.name);
            above.push(room.name);
        }
    }

    #[test]
    fn arrows_are_sorted_so_that_one_is_found_at_a_glance() {
        for room in ROOMS {
            assert!(room.knows.is_sorted(), "{}", room.name);
            assert!(room.never.is_sorted(), "{}", room.name);
        }
    }
}
