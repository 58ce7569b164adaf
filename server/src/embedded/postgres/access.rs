//! How to reach the embedded PostgreSQL.

use std::fmt;
use std::path::{Path, PathBuf};

use super::super::error::{EmbeddedError, file};
use super::roles::{OWNER, owner_password};
use super::socket::folder_of;

/// The database that everything is in.
pub(super) const DATABASE: &str = "calotype";
/// PostgreSQL's default port, which here is only a part of the socket's name.
pub(super) const PORT: u16 = 5432;

/// Addresses and programs of a running PostgreSQL. They stay the same when the server is started
/// again. The URLs hold passwords and are therefore left out of `Debug`.
#[derive(Clone)]
pub struct PostgresAccess {
    /// For migrations, backups and the reset: owns the database, may make others.
    pub owner_url: String,
    /// For the running server: may do what migrations grant to `calotype_app`.
    pub app_url: String,
    /// The superuser, for what neither may do; it opens the same database.
    pub admin_url: String,
    /// The folder of the socket.
    pub socket_folder: PathBuf,
    /// The folder of `pg_dump`, `pg_restore` and `psql` of the same version.
    pub bin: PathBuf,
}

impl fmt::Debug for PostgresAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresAccess")
            .field("socket_folder", &self.socket_folder)
            .field("bin", &self.bin)
            .finish_non_exhaustive()
    }
}

/// The address, as its owner, of the PostgreSQL that a server runs in a data folder.
///
/// # Errors
/// When the folder or its keys cannot be read.
pub fn running_postgres(data: &Path) -> Result<String, EmbeddedError> {
    let root = data.canonicalize().map_err(file("resolve", data))?;
    Ok(url(OWNER, &owner_password(&root)?, &folder_of(&root)?))
}

/// A URL that both sqlx and libpq read. `localhost` is a filler: the host is the socket's folder.
pub(super) fn url(role: &str, password: &str, socket_folder: &Path) -> String {
    let host = percent_encoded(&socket_folder.to_string_lossy());
    format!("postgres://{role}:{password}@localhost:{PORT}/{DATABASE}?host={host}")
}

fn percent_encoded(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    });
    encoded.collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use sqlx::postgres::PgConnectOptions;

    use super::*;

    #[test]
    fn the_driver_reads_a_folder_with_odd_signs_back() {
        let folder = Path::new("/srv/my photos & más/run");

        let options: PgConnectOptions = url("calotype", "abc", folder).parse().unwrap();

        assert_eq!(options.get_socket().map(PathBuf::as_path), Some(folder));
        assert_eq!(options.get_username(), "calotype");
        assert_eq!(options.get_database(), Some(DATABASE));
    }
}
