//! How much memory the embedded PostgreSQL keeps pages in.
//!
//! The log is read by position but its events lie under random ids: once the index of the ids is larger
//! than the buffers, each event of a replay costs a page. A library of a million has an index of 120 MB.

use std::fs;
use std::path::Path;

/// The least, PostgreSQL's own default.
const LEAST_MB: u64 = 128;
/// The most: beyond it the decoders and the file cache have more use for the memory.
const MOST_MB: u64 = 512;
/// The part of the machine's memory: one in this many.
const ONE_IN: u64 = 32;
/// Where control groups are told, version 2.
const GROUPS: &str = "/sys/fs/cgroup";
/// Which of them this process is in: a line `0::/path`.
const OWN_GROUP: &str = "/proc/self/cgroup";
/// What a control group may use, in bytes, or the word `max`.
const GROUP_LIMIT: &str = "memory.max";

/// The setting for this machine. The pages are taken only as they are used.
pub(super) fn shared_buffers() -> String {
    let machine = rustix::system::sysinfo();
    let bytes = machine.totalram.saturating_mul(u64::from(machine.mem_unit));
    let own = fs::read_to_string(OWN_GROUP).unwrap_or_default();
    let group = group_limit(Path::new(GROUPS), &own);
    format!("shared_buffers={}MB", megabytes(bytes.min(group.unwrap_or(u64::MAX))))
}

/// The least that this process' group and those above it may use, in bytes; nothing where no group has a limit.
/// In a container its own group may be shown as the root.
fn group_limit(groups: &Path, own: &str) -> Option<u64> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // A group outside what is shown here is told as `/../other`.
    let depth = if parts.contains(&"..") { 0 } else { parts.len() };
    (0..=depth)
        .map(|depth| groups.join(parts[..depth].join("/")).join(GROUP_LIMIT))
        .filter_map(|limit| fs::read_to_string(limit).ok()?.trim().parse().ok())
        .min()
}

/// Megabytes of buffers for so many bytes of memory: a power of two, so that small differences between
/// machines make none here.
fn megabytes(bytes: u64) -> u64 {
    let wanted = bytes / (1024 * 1024) / ONE_IN;
    let power = wanted.max(1).ilog2();
    // The machine keeps a little for itself: 24 GiB are 23.5 to us.
    let nearest = if wanted >= (1 << power) * 7 / 4 { 1 << (power + 1) } else { 1 << power };
    u64::clamp(nearest, LEAST_MB, MOST_MB)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1024 * 1024 * 1024;

    #[test]
    fn smallest_limit_of_the_groups_above_counts() {
        let groups = tempfile::tempdir().unwrap();
        let limit = |group: &str, text: &str| {
            fs::create_dir_all(groups.path().join(group)).unwrap();
            fs::write(groups.path().join(group).join(GROUP_LIMIT), text).unwrap();
        };
        let of = |own: &str| group_limit(groups.path(), own);
        assert_eq!(of("0::/system.slice/calotype.service\n"), None);
        limit("system.slice/calotype.service", "max\n");
        assert_eq!(of("0::/system.slice/calotype.service\n"), None);
        limit("system.slice", "4096\n");
        assert_eq!(of("0::/system.slice/calotype.service\n"), Some(4096));
        limit("system.slice/calotype.service", "1024\n");
        assert_eq!(of("1:name=systemd:/x\n0::/system.slice/calotype.service\n"), Some(1024));
        assert_eq!(of("0::/\n"), None);
        limit("", "512\n");
        for own in ["0::/system.slice", "0::/", "0::/../other", ""] {
            assert_eq!(of(own), Some(512), "{own}");
        }
    }

    #[test]
    fn buffers_grow_with_the_machine_within_bounds() {
        assert_eq!(megabytes(GIB), 128);
        assert_eq!(megabytes(4 * GIB), 128);
        assert_eq!(megabytes(8 * GIB - GIB / 4), 256);
        assert_eq!(megabytes(16 * GIB - GIB / 2), 512);
        assert_eq!(megabytes(1024 * GIB), 512);
    }
}
