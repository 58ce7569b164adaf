//! Whom the servers run as: never root.
//!
//! Started by an ordinary user, they run as that user. Started by root, they run as `calotype` if
//! there is such a user, else as `nobody`, and own their three folders.

use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};

use super::error::{EmbeddedError, file};

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
    fn the_most_specific_permission_decides() {
        let account = Account { name: "a".to_owned(), uid: 5, gid: 6, is_other: true };

        assert!(account.may_pass(0o711, 0, 0));
        assert!(!account.may_pass(0o700, 0, 0));
        assert!(!account.may_pass(0o701, 0, 6));
        assert!(account.may_pass(0o100, 5, 0));
    }
}
