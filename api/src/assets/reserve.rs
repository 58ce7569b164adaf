//! The room on a disk that uploads leave free.

/// Space that uploads leave free, unless the disk is small or an operator says how much.
const FREE_BYTES_MIN: u64 = 256 * 1024 * 1024;
/// The part of a small disk that uploads leave free: one in this many.
const FREE_SHARE: u64 = 20;

/// What uploads leave free of a disk of so many bytes, in bytes, where no operator says how much.
#[must_use]
pub const fn reserve_bytes(total_bytes: u64) -> u64 {
    let share = total_bytes / FREE_SHARE;
    if share < FREE_BYTES_MIN { share } else { FREE_BYTES_MIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_disks_keep_a_share_free() {
        assert_eq!(reserve_bytes(1 << 30), (1 << 30) / 20);
        assert_eq!(reserve_bytes(1 << 40), 256 << 20);
        assert_eq!(reserve_bytes(0), 0);
    }
}
