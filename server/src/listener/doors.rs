//! How many connections there may be at once: of everybody, and of one address that is no proxy.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::IpNet;
use rustix::process::{Resource, getrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections at once, at most.
const CONNECTIONS_MAX: usize = 4_096;
/// Of one address that is no proxy: a household behind one address has a few dozen.
const OF_ONE_ADDRESS_MAX: usize = 256;
/// Of the files that the system lets this process open, connections get one of so many.
const SHARE_OF_FILES: u64 = 2;
/// The part of an IPv6 address that names a household's network.
const NETWORK_BITS_MASK: u128 = !0 << 64;

/// Lets clients in.
#[derive(Clone)]
pub(crate) struct Doors {
    places: Arc<Semaphore>,
    of_one: Arc<Mutex<HashMap<IpAddr, usize>>>,
    proxies: Arc<[IpNet]>,
}

/// A client that was let in; gives its place back when dropped.
pub(crate) struct Inside {
    _place: OwnedSemaphorePermit,
    counted: Option<Counted>,
}

struct Counted {
    address: IpAddr,
    of_one: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Doors {
    /// So many places. Proxies, and this machine, may take all of them.
    pub(crate) fn new(places: usize, proxies: Vec<IpNet>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            of_one: Arc::default(),
            proxies: proxies.into(),
        }
    }

    /// As many as this machine lets a process have.
    pub(crate) fn of_machine(proxies: Vec<IpNet>) -> Self {
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) / SHARE_OF_FILES;
        let places = usize::try_from(files).unwrap_or(usize::MAX).clamp(1, CONNECTIONS_MAX);
        Self::new(places, proxies)
    }

    /// Waits for a place; none when there will be none any more.
    pub(crate) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// Lets in who has a place, unless the address has too many already.
    pub(crate) fn enter(&self, place: OwnedSemaphorePermit, address: IpAddr) -> Option<Inside> {
        let address = address.to_canonical();
        if address.is_loopback() || self.proxies.iter().any(|proxy| proxy.contains(&address)) {
            return Some(Inside { _place: place, counted: None });
        }
        let address = household(address);
        let mut of_one = self.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        let count = of_one.entry(address).or_default();
        if *count >= OF_ONE_ADDRESS_MAX {
            return None;
        }
        *count += 1;
        drop(of_one);
        let counted = Some(Counted { address, of_one: Arc::clone(&self.of_one) });
        Some(Inside { _place: place, counted })
    }
}

fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & NETWORK_BITS_MASK).into(),
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let Some(Counted { address, of_one }) = self.counted.take() else { return };
        let mut of_one = of_one.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of_one.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                of_one.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn enter(doors: &Doors, address: &str) -> Option<Inside> {
        let place = doors.place().now_or_never().flatten()?;
        doors.enter(place, address.parse().unwrap())
    }

    #[test]
    fn one_address_cannot_take_every_place() {
        let doors = Doors::new(CONNECTIONS_MAX, vec!["10.0.0.2/32".parse().unwrap()]);
        let mut inside: Vec<Inside> =
            (0..OF_ONE_ADDRESS_MAX).filter_map(|_| enter(&doors, "203.0.113.7")).collect();
        assert_eq!(inside.len(), OF_ONE_ADDRESS_MAX);
        assert!(enter(&doors, "203.0.113.7").is_none());
        assert!(enter(&doors, "203.0.113.8").is_some());
        inside.pop();
        assert!(enter(&doors, "::ffff:203.0.113.7").is_some());
        for trusted in ["127.0.0.1", "::1", "10.0.0.2"] {
            let many: Vec<Inside> =
                (0..=OF_ONE_ADDRESS_MAX).filter_map(|_| enter(&doors, trusted)).collect();
            assert_eq!(many.len(), OF_ONE_ADDRESS_MAX + 1, "{trusted}");
        }
        drop(inside);
        assert!(doors.of_one.lock().unwrap().is_empty());
    }

    #[test]
    fn household_has_one_network() {
        let same = |one: &str, other: &str| {
            household(one.parse().unwrap()) == household(other.parse().unwrap())
        };
        assert!(same("2001:db8::1", "2001:db8::ffff:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(!same("203.0.113.7", "203.0.113.8"));
    }

    #[test]
    fn places_come_back() {
        let doors = Doors::new(1, Vec::new());
        let inside = enter(&doors, "203.0.113.7");
        assert!(inside.is_some());
        assert!(enter(&doors, "203.0.113.8").is_none());
        drop(inside);
        assert!(enter(&doors, "203.0.113.8").is_some());
    }
}
