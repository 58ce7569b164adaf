//! Whom the servers run as: never root.
//!
//! Started by an ordinary user, they run as that user. Started by root, they run as `calotype` if
//! there is such a user, else as `nobody`, and own their three folders.

use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};

use super::error::{EmbeddedError, file};
use super::folder::{database_in, lock_in};

/// Users that the servers run as when we are root, in order of preference. The last one's numbers
/// are the fallback where there is no `/etc/passwd`.
const PREFERRED: [&str; 2] = ["calotype", "nobody"];
const NOBODY_ID: u32 = 65534;

/// The user and group of the servers.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// True if we are root and change to this account; false if it is the one we run as.
    pub(super) is_other: bool,
}

impl Account {
    /// The account for this process' children.
    pub(super) fn for_children() -> Self {
        let uid = rustix::process::geteuid();
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        if uid.is_root() {
            return choose(&passwd);
        }
        let gid = rustix::process::getegid().as_raw();
        Self { name: format!("uid {}", uid.as_raw()), uid: uid.as_raw(), gid, is_other: false }
    }

    /// Makes a private folder of the account's, or takes over an existing one with all in it.
    pub(super) fn own_folder(&self, path: &Path) -> Result<(), EmbeddedError> {
        use std::os::unix::fs::DirBuilderExt;
        match std::fs::DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(file("make", path)(source)),
        }
        let owner = path.symlink_metadata().map_err(file("look at", path))?.uid();
        if owner == self.uid {
            return Ok(());
        }
        if !self.is_other {
            return Err(EmbeddedError::ForeignOwner { path: path.into(), owner, uid: self.uid });
        }
        self.own_tree(path)
    }

    /// Gives one file to the account.
    pub(super) fn own_file(&self, path: &Path) -> Result<(), EmbeddedError> {
        if !self.is_other {
            return Ok(());
        }
        lchown(path, Some(self.uid), Some(self.gid)).map_err(file("change the owner of", path))
    }

    /// Refuses a path that the account cannot reach, naming the folder that is closed to it.
    pub(super) fn check_reachable(&self, path: &Path) -> Result<(), EmbeddedError> {
        if !self.is_other {
            return Ok(());
        }
        for folder in path.ancestors().skip(1) {
            let metadata = folder.metadata().map_err(file("look at", folder))?;
            if !self.may_pass(metadata.mode(), metadata.uid(), metadata.gid()) {
                return Err(EmbeddedError::Closed {
                    account: self.name.clone(),
                    folder: folder.into(),
                    wanted: path.into(),
                });
            }
        }
        Ok(())
    }

    fn may_pass(&self, mode: u32, owner: u32, group: u32) -> bool {
        let passing = if owner == self.uid {
            0o100
        } else if group == self.gid {
            0o010
        } else {
            0o001
        };
        mode & passing != 0
    }

    /// Walks without following links and without recursion, the entries before their folder, so
    /// that a walk that was cut short is taken up again.
    fn own_tree(&self, root: &Path) -> Result<(), EmbeddedError> {
        let mut found: Vec<PathBuf> = vec![root.to_owned()];
        let mut seen = 0;
        while seen < found.len() {
            let path = found[seen].clone();
            seen += 1;
            if !path.symlink_metadata().map_err(file("look at", &path))?.is_dir() {
                continue;
            }
            for entry in std::fs::read_dir(&path).map_err(file("list", &path))? {
                found.push(entry.map_err(file("list", &path))?.path());
            }
        }
        found.iter().rev().try_for_each(|path| self.own_file(path))
    }
}

/// The user, as `sudo -u` takes one, whose server a data folder is, where we are root and that is somebody else:
/// to start its servers would take the folder's database away from that user.
///
/// # Errors
/// When the folder's lock or database cannot be looked at.
pub fn owner_elsewhere(data: &Path) -> Result<Option<String>, EmbeddedError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let owner_of = |path: PathBuf| match path.symlink_metadata() {
        Ok(found) => Ok(Some(found.uid())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(file("look at", &path)(source)),
    };
    let (keeper, database) = (owner_of(lock_in(data))?, owner_of(database_in(data))?);
    let other = other_than_root(keeper, database, Account::for_children().uid);
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    Ok(other.map(|uid| name_of(uid, &passwd)))
}

/// Who runs the server, by the owners of its lock and database, as far as these are there, where that is not root
/// with its `account`.
fn other_than_root(keeper: Option<u32>, database: Option<u32>, account: u32) -> Option<u32> {
    keeper.filter(|keeper| *keeper != 0).or(database.filter(|owner| *owner != account))
}

/// The name of a user, or the number as `sudo -u` takes it.
fn name_of(uid: u32, passwd: &str) -> String {
    let named = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("'#{uid}'"))
}

fn choose(passwd: &str) -> Account {
    for wanted in PREFERRED {
        for line in passwd.lines() {
            let mut fields = line.split(':');
            if fields.next() != Some(wanted) {
                continue;
            }
            let mut numbers = fields.skip(1).map_while(|field| field.parse().ok());
            if let (Some(uid), Some(gid)) = (numbers.next(), numbers.next())
                && uid != 0
            {
                return Account { name: wanted.to_owned(), uid, gid, is_other: true };
            }
        }
    }
    Account { name: "nobody".to_owned(), uid: NOBODY_ID, gid: NOBODY_ID, is_other: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_calotype_is_preferred_to_nobody() {
        let passwd = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:\ncalotype:x:990:991::/:";

        let chosen = choose(passwd);

        assert_eq!((chosen.name.as_str(), chosen.uid, chosen.gid), ("calotype", 990, 991));
    }

    #[test]
    fn nobody_runs_the_servers_where_there_is_no_other() {
        let with_entry = choose("nobody:x:99:98::/:\n");
        let without = choose("");

        assert_eq!((with_entry.uid, with_entry.gid), (99, 98));
        assert_eq!((without.uid, without.gid), (NOBODY_ID, NOBODY_ID));
    }

    #[test]
    fn a_user_named_calotype_with_the_rights_of_root_is_passed_over() {
        let chosen = choose("calotype:x:0:0::/:\nnobody:x:99:98::/:\n");

        assert_eq!(chosen.uid, 99);
    }

    #[test]
    fn folder_of_an_ordinary_user_is_not_root_s() {
        // Root's own: the lock is root's, the database is of the user that root's servers run as.
        assert_eq!(other_than_root(Some(0), Some(990), 990), None);
        // Of uid 1000, also where root has made a lock in it before.
        assert_eq!(other_than_root(Some(1000), Some(1000), 990), Some(1000));
        assert_eq!(other_than_root(Some(0), Some(1000), 990), Some(1000));
        // Brought back from a copy, without its lock; and with its database elsewhere.
        assert_eq!(other_than_root(None, Some(1000), 990), Some(1000));
        assert_eq!(other_than_root(Some(1000), None, 990), Some(1000));
        // A service that runs as the very user whom root would choose.
        assert_eq!(other_than_root(Some(990), Some(990), 990), Some(990));
        // Nobody's yet.
        assert_eq!(other_than_root(None, None, 990), None);
    }

    #[test]
    fn users_are_named_as_sudo_takes_them() {
        let passwd = "root:x:0:0::/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh";
        assert_eq!(name_of(1000, passwd), "anna");
        assert_eq!(name_of(1001, passwd), "'#1001'");
    }

    #[test]
    fn the_most_specific_permission_decides() {
        let account = Account { name: "a".to_owned(), uid: 5, gid: 6, is_other: true };

        assert!(account.may_pass(0o711, 0, 0));
        assert!(!account.may_pass(0o700, 0, 0));
        assert!(!account.may_pass(0o701, 0, 6));
        assert!(account.may_pass(0o100, 5, 0));
    }
}
