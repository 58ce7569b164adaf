//! Measures the index of vectors: looking through all of it, one owner in ten, and one owner's year; what it
//! takes of memory; and how much of the true nearest is found.
//!
//! `nearest_bench [VECTORS] [DIMS]`, in release: 1,000,000 of 512 numbers unless said otherwise. Vectors lie
//! round a few thousand centres, as photos of the same things do.

#![expect(clippy::print_stdout, reason = "it tells its figures")]
#![expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "figures of a bench")]

use std::time::{Duration, Instant};

use calotype_projections::embeddings::{Codes, Facts, Filed, Index, Marks, Sieve};
use rand::rngs::StdRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use uuid::Uuid;

const CENTRES: usize = 3_000;
const OWNERS: u128 = 10;
const DAYS: i64 = 3_650;
const DAY_US: i64 = 86_400_000_000;
/// Wanted of each search.
const WANTED: usize = 100;
/// Taken from the index to be compared again.
const TAKEN: usize = 256;
const SEARCHES: usize = 30;
/// Searches whose true answer is worked out.
const CHECKED: usize = 5;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number =
        |usual: usize| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (count, dims) = (number(1_000_000), number(512));
    let mut random = StdRng::seed_from_u64(7);
    let centres: Vec<Vec<f32>> = (0..CENTRES).map(|_| direction(&mut random, dims)).collect();
    let model_id = Uuid::from_u128(1);

    let (mut index, started) = (Index::default(), Instant::now());
    for number in 0..count {
        let filed = Filed { model_id, owner_id: owner(number) };
        let taken_us = (number as i64 % DAYS) * DAY_US;
        let facts = Facts { taken_us, marks: Marks::new(false, false, "timeline") };
        index.put(id(number), filed, facts, &Codes::of(&vector(number, &centres)));
    }
    println!(
        "{count} vectors of {dims} made and put in within {:.1} s, {:.0} bytes each",
        started.elapsed().as_secs_f64(),
        index.bytes() as f64 / count as f64
    );

    let all: Vec<Uuid> = (0..OWNERS).map(Uuid::from_u128).collect();
    let asked: Vec<Vec<f32>> =
        (0..SEARCHES).map(|_| near(&mut random, &centres[random_index(count, CENTRES)])).collect();
    for (name, sieve) in [
        ("all", Sieve::of_owners(&all)),
        ("one owner in ten", Sieve::of_owners(&all[..1])),
        ("one owner, one year in ten", Sieve::of_owners(&all[..1]).taken(0, 364 * DAY_US)),
        ("everybody, one year in ten", Sieve::of_owners(&all).taken(0, 364 * DAY_US)),
    ] {
        let mut took: Vec<Duration> = Vec::new();
        let mut found = Vec::new();
        for values in &asked {
            let started = Instant::now();
            let ranked = index.nearest(model_id, &Codes::of(values), &sieve, TAKEN);
            took.push(started.elapsed());
            found.push(ranked);
        }
        took.sort_unstable();
        println!(
            "{name}: {} compared, median {:.2} ms, worst {:.2} ms",
            found.first().map_or(0, |ranked| ranked.passed),
            took[took.len() / 2].as_secs_f64() * 1_000.0,
            took[took.len() - 1].as_secs_f64() * 1_000.0
        );
    }

    let sieve = Sieve::of_owners(&all);
    let (mut kept, mut first) = (0, 0);
    for values in asked.iter().take(CHECKED) {
        let mut exact: Vec<(f32, Uuid)> = (0..count)
            .map(|number| (product(values, &vector(number, &centres)), id(number)))
            .collect();
        exact.sort_by(|one, other| other.0.total_cmp(&one.0));
        let exact: Vec<Uuid> = exact.into_iter().take(WANTED).map(|(_, id)| id).collect();
        let taken = index.nearest(model_id, &Codes::of(values), &sieve, TAKEN).asset_ids;
        kept += exact.iter().filter(|id| taken.contains(id)).count();
        first += exact.iter().filter(|id| taken[..WANTED].contains(id)).count();
    }
    let share = |count: usize| count as f64 / (CHECKED * WANTED) as f64;
    println!(
        "of the true {WANTED} nearest {:.4} are among the {TAKEN} that are compared again, and {:.4} among the \
         first {WANTED} before that",
        share(kept),
        share(first)
    );
}

fn id(number: usize) -> Uuid {
    Uuid::new_v5(&Uuid::nil(), &number.to_le_bytes())
}

fn owner(number: usize) -> Uuid {
    Uuid::from_u128(number as u128 % OWNERS)
}

/// The vector of a number, the same each time.
fn vector(number: usize, centres: &[Vec<f32>]) -> Vec<f32> {
    let mut random = StdRng::seed_from_u64(number as u64);
    let centre = &centres[random.next_u32() as usize % centres.len()];
    near(&mut random, centre)
}

fn random_index(count: usize, centres: usize) -> usize {
    (count * 31) % centres
}

/// A vector about 0.6 away from a centre, at unit length.
fn near(random: &mut StdRng, centre: &[f32]) -> Vec<f32> {
    let noise = 0.6 / (centre.len() as f32).sqrt();
    let moved = centre.iter().map(|value| value + noise * bell(random)).collect();
    unit(moved)
}

fn direction(random: &mut StdRng, dims: usize) -> Vec<f32> {
    unit((0..dims).map(|_| bell(random)).collect())
}

/// About normal, of deviation 1.
fn bell(random: &mut StdRng) -> f32 {
    let sum: f32 = (0..3).map(|_| random.random_range(-1.0..1.0_f32)).sum();
    sum
}

fn unit(values: Vec<f32>) -> Vec<f32> {
    let length = product(&values, &values).sqrt();
    values.into_iter().map(|value| value / length).collect()
}

fn product(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}
