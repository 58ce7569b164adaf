//! A key that follows another in signing heads, as text that both sign (docs/adr/0038).
//!
//! ```text
//! calotype/<log id>
//! key
//! <leaves: the former key signs no head over more>
//! <the former key>
//! <the key that follows>
//! <when>
//!
//! — calotype/<log id> <base64 of key id and signature, of the former key>
//! — calotype/<log id> <the same, of the key that follows>
//! ```

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::key::{ProofKey, PublicKey};
use super::note::{KEY, Note, is_signed, log_of, name, signed, texts};

/// A key that followed another. Whoever believes one of the two believes the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Of which log.
    pub log_id: Uuid,
    /// The former key signs no head over more leaves than this.
    pub size: u64,
    /// The key that signed before.
    pub former: PublicKey,
    /// The key that signs from then on.
    pub next: PublicKey,
    /// When, to the microsecond.
    pub rotated_at: DateTime<Utc>,
    /// The whole text, with its signatures.
    pub text: String,
}

impl Rotation {
    /// Has both keys sign that one follows the other.
    #[must_use]
    pub fn sign(
        (log_id, size): (Uuid, u64),
        rotated_at: DateTime<Utc>,
        former: &ProofKey,
        next: &ProofKey,
    ) -> Self {
        let body = format!(
            "{}\n{KEY}\n{size}\n{}\n{}\n{}\n",
            name(log_id),
            former.public().text(log_id),
            next.public().text(log_id),
            rotated_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        );
        let text = signed(&body, &name(log_id), &[former, next]);
        let (former, next) = (*former.public(), *next.public());
        Self { log_id, size, former, next, rotated_at, text }
    }

    /// Reads one; none where the text is none, or not signed by both keys.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = format!("{}\n", text.replace("\r\n", "\n").trim_matches('\n'));
        let (body, _) = text.split_once("\n\n")?;
        let mut lines = body.lines();
        let log_id = log_of(lines.next()?)?;
        (lines.next()? == KEY).then_some(())?;
        let size = lines.next()?.parse().ok()?;
        let mut key = || {
            let line = lines.next()?;
            PublicKey::parse(line).filter(|key| key.text(log_id) == line)
        };
        let (former, next) = (key()?, key()?);
        let rotated_at = DateTime::parse_from_rfc3339(lines.next()?).ok()?.to_utc();
        let is_good = [former, next].iter().all(|key| is_signed(&text, &name(log_id), key));
        is_good.then_some(Self { log_id, size, former, next, rotated_at, text })
    }

    /// Reads those of a file that has heads, too.
    #[must_use]
    pub fn parse_all(text: &str) -> Vec<Self> {
        texts(text).iter().filter_map(|text| Self::parse(text)).collect()
    }
}

/// The keys of a log that are believed, and up to where.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys {
    keys: Vec<TrustedKey>,
}

#[derive(Clone, Copy, Debug)]
struct TrustedKey {
    key: PublicKey,
    /// It signs no head over more leaves.
    until: Option<u64>,
}

impl TrustedKeys {
    /// The keys that are believed, and all that these vouch for, or that vouch for these.
    #[must_use]
    pub fn of(believed: &[PublicKey], log_id: Uuid, rotations: &[Rotation]) -> Self {
        let mut trusted = Self::default();
        for key in believed {
            trusted.add(*key);
        }
        let mut left: Vec<&Rotation> = rotations.iter().filter(|it| it.log_id == log_id).collect();
        loop {
            let (known, other): (Vec<&Rotation>, Vec<&Rotation>) =
                left.iter().partition(|it| trusted.has(&it.former) || trusted.has(&it.next));
            if known.is_empty() {
                return trusted;
            }
            for rotation in known {
                trusted.add(rotation.next);
                trusted.add(rotation.former);
                trusted.end(&rotation.former, rotation.size);
            }
            left = other;
        }
    }

    /// Whether a key that is believed signed a head, and no other had followed that key by then.
    #[must_use]
    pub fn have_signed(&self, note: &Note) -> bool {
        let is_in_time = |until: Option<u64>| until.is_none_or(|until| note.head.size <= until);
        self.keys.iter().any(|it| is_in_time(it.until) && note.is_signed_by(&it.key))
    }

    fn has(&self, key: &PublicKey) -> bool {
        self.keys.iter().any(|it| it.key == *key)
    }

    fn add(&mut self, key: PublicKey) {
        if !self.has(&key) {
            self.keys.push(TrustedKey { key, until: None });
        }
    }

    fn end(&mut self, key: &PublicKey, size: u64) {
        for it in self.keys.iter_mut().filter(|it| it.key == *key) {
            it.until = Some(it.until.map_or(size, |until| until.min(size)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::note::Head;
    use super::*;

    fn key(seed: u8) -> ProofKey {
        ProofKey::from_seed([seed; 32])
    }

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp_micros(1_790_000_000_123_456).unwrap()
    }

    fn rotation(size: u64, former: u8, next: u8) -> Rotation {
        Rotation::sign((Uuid::from_u128(5), size), at(), &key(former), &key(next))
    }

    fn head(size: u64, seed: u8) -> Note {
        let root = super::super::hash::leaf_hash(&size.to_be_bytes());
        Head { log_id: Uuid::from_u128(5), size, root, signed_at: at() }.sign(&key(seed))
    }

    #[test]
    fn what_both_keys_signed_is_read_back_and_nothing_else() {
        let written = rotation(10, 1, 2);
        assert_eq!(Rotation::parse(&written.text), Some(written.clone()));
        assert_eq!(Note::parse(&written.text), None);
        assert_eq!(Rotation::parse(&head(10, 1).text), None);
        assert_eq!(Rotation::parse(&written.text.replacen("\n10\n", "\n11\n", 1)), None);
        for line in [7, 8] {
            let one: String = written
                .text
                .lines()
                .enumerate()
                .filter(|(number, _)| *number != line)
                .map(|(_, line)| format!("{line}\n"))
                .collect();
            assert_ne!(one, written.text);
            assert_eq!(Rotation::parse(&one), None, "{one}");
        }
    }

    #[test]
    fn any_key_of_a_chain_leads_to_all_others() {
        let rotations = [rotation(10, 1, 2), rotation(20, 2, 3)];
        for believed in [1, 2, 3] {
            let trusted =
                TrustedKeys::of(&[*key(believed).public()], Uuid::from_u128(5), &rotations);
            for (size, seed) in [(10, 1), (11, 2), (20, 2), (21, 3)] {
                assert!(trusted.have_signed(&head(size, seed)), "{size} by {seed} of {believed}");
            }
            // As somebody would sign who kept a key that another had followed.
            for (size, seed) in [(11, 1), (21, 2), (5, 4)] {
                assert!(!trusted.have_signed(&head(size, seed)), "{size} by {seed}");
            }
        }
        let other_log = TrustedKeys::of(&[*key(1).public()], Uuid::from_u128(6), &rotations);
        assert!(!other_log.has(key(2).public()));
        let stranger = TrustedKeys::of(&[*key(4).public()], Uuid::from_u128(5), &rotations);
        assert!(!stranger.has(key(2).public()));
    }

    #[test]
    fn a_file_may_have_heads_and_keys() {
        let (first, second) = (head(10, 1), head(11, 2));
        let text = format!("\n\n{}\n\n\n{}\n{}", first.text, rotation(10, 1, 2).text, second.text);
        assert_eq!(Note::parse_all(&text), (vec![first, second], 0));
        assert_eq!(Rotation::parse_all(&text), [rotation(10, 1, 2)]);
    }
}
