//! How long it takes to tell whose all faces of a library are, from nothing, and what one new face costs: with
//! vectors that are made up, of people with fifty faces each and a tenth of faces that are like no other.

use std::collections::HashSet;
use std::time::Instant;

use anyhow::ensure;
use calotype_processors::recognise::{Known, Rules, Target, whole};
use calotype_projections::embeddings::Codes;
use calotype_projections::face_vectors::Gallery;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use uuid::Uuid;

use crate::cpu::{peak_kb_here, process_ms_here};
use crate::figures::{self, count};

/// Faces, without and with `--full`.
const FACES: [usize; 2] = [20_000, 100_000];
/// Numbers of a vector.
const DIMS: usize = 512;
/// Faces of one person.
const OF_ONE: usize = 50;
/// Every so manieth face is like no other.
const ALONE: usize = 10;
/// How far faces of one person differ, against how far people do.
const NOISE: f32 = 0.7;
/// Faces that are looked up one by one.
const LOOKUPS: usize = 50;
/// What 100,000 faces may take on two cores, in seconds, and one new face, in milliseconds.
const WHOLE_S_MAX: f64 = 60.0;
const ONE_MS_MAX: f64 = 10.0;

/// Measures it.
pub(crate) fn measure(full: bool) -> anyhow::Result<()> {
    figures::group("Faces: whose they are, among all of a library");
    let faces = FACES[usize::from(full)];
    let gallery = library(faces)?;
    let known = vec![Some(Known { is_shown: true, ..Known::default() }); faces];
    let rules = Rules::new(0.5, 3);
    let before_kb = peak_kb_here()?;
    let (started, before_ms) = (Instant::now(), process_ms_here()?);
    let targets = whole(&gallery, &known, &HashSet::new(), rules);
    let cpu_s = (process_ms_here()? - before_ms) / 1_000.0;
    let wall_s = started.elapsed().as_secs_f64();
    let groups: HashSet<usize> = targets
        .iter()
        .filter_map(|target| match target {
            Target::Fresh(number) => Some(*number),
            _ => None,
        })
        .collect();
    ensure!(groups.len() == faces / OF_ONE, "{} groups of {}", groups.len(), faces / OF_ONE);
    figures::note("faces", count(faces), "");
    figures::note("all of them, processor time", cpu_s, "s");
    // It grows with the square.
    let whole_s = wall_s * (count(FACES[1]) / count(faces)).powi(2);
    figures::at_most("all of them, as of 100,000", whole_s, WHOLE_S_MAX, "s");
    figures::note("memory for that", (peak_kb_here()? - before_kb) / 1_024.0, "MB");
    let started = Instant::now();
    let mut found = 0;
    for place in 0..LOOKUPS {
        found += gallery.near(place * (faces / LOOKUPS), 0.5).len();
    }
    ensure!(found > 0, "nobody is like anybody");
    let one_ms = started.elapsed().as_secs_f64() * 1_000.0 / count(LOOKUPS);
    figures::at_most("one new face", one_ms, ONE_MS_MAX, "ms");
    Ok(())
}

fn library(faces: usize) -> anyhow::Result<Gallery> {
    let mut random = StdRng::seed_from_u64(1);
    let mut some = || -> Vec<f32> { (0..DIMS).map(|_| random.random_range(-1.0..1.0)).collect() };
    let people: Vec<Vec<f32>> = (0..faces / OF_ONE).map(|_| some()).collect();
    let mut gallery = Gallery::default();
    for number in 0..faces {
        let own = some();
        let round = number / people.len();
        let values: Vec<f32> = if round % ALONE == ALONE - 1 {
            own
        } else {
            let person = &people[number % people.len()];
            person.iter().zip(&own).map(|(person, own)| person + NOISE * own).collect()
        };
        let norm = values.iter().map(|it| it * it).sum::<f32>().sqrt();
        let values: Vec<f32> = values.iter().map(|it| it / norm).collect();
        let id = Uuid::from_u128(u128::try_from(number)?);
        gallery.push(id, id, &Codes::of(&values));
    }
    Ok(gallery)
}
