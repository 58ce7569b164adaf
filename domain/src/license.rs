//! Immich's product keys: what one looks like. Whether it was bought cannot be known here, because the
//! seller's keys are not ours to check with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A product key with what activates it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct License {
    /// `IMSV-…` for a server, `IMCL-…` for a person: eight groups of four letters or digits.
    pub license_key: String,
    /// What came with it.
    pub activation_key: String,
}

/// Whom a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Licensee {
    /// The whole server.
    Server,
    /// One person.
    Person,
}

/// Groups behind the prefix.
const GROUPS: usize = 8;
/// Characters of a group.
const GROUP_CHARS: usize = 4;

impl License {
    /// Whom the key is for; nobody when it is no key.
    #[must_use]
    pub fn licensee(&self) -> Option<Licensee> {
        let mut parts = self.license_key.split('-');
        let licensee = match parts.next()? {
            "IMSV" => Licensee::Server,
            "IMCL" => Licensee::Person,
            _ => return None,
        };
        let groups: Vec<&str> = parts.collect();
        let is_group = |group: &&str| {
            group.len() == GROUP_CHARS && group.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        (groups.len() == GROUPS && groups.iter().all(is_group)).then_some(licensee)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(license_key: &str) -> License {
        License { license_key: license_key.into(), activation_key: "x".into() }
    }

    #[test]
    fn keys_are_told_from_nonsense() {
        let server = "IMSV-6ECZ-91TE-WZRM-Q7AQ-MBN4-UW48-2CPT-71X9";
        assert_eq!(key(server).licensee(), Some(Licensee::Server));
        assert_eq!(key(&server.replace("SV", "CL")).licensee(), Some(Licensee::Person));
        assert_eq!(key("IMSV-1234").licensee(), None);
        assert_eq!(key(&server.replace("6ECZ", "6EC!")).licensee(), None);
    }
}
