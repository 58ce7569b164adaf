//! How a figure is told: what, how much, against which target, and their ratio.

/// Tells a figure that should be at most its target.
pub(crate) fn at_most(what: &str, measured: f64, target: f64, unit: &str) {
    tell(what, measured, target, unit, "at most", measured <= target);
}

/// Tells a figure that should be at least its target.
pub(crate) fn at_least(what: &str, measured: f64, target: f64, unit: &str) {
    tell(what, measured, target, unit, "at least", measured >= target);
}

/// Tells a figure without a target.
pub(crate) fn note(what: &str, measured: f64, unit: &str) {
    println!("  {what:<52} {:>12} {unit}", number(measured));
}

/// Begins a group.
pub(crate) fn group(title: &str) {
    println!("\n{title}");
}

fn tell(what: &str, measured: f64, target: f64, unit: &str, word: &str, holds: bool) {
    println!(
        "  {what:<52} {:>12} {unit:<12} {word} {} (ratio {:.2}){}",
        number(measured),
        number(target),
        measured / target,
        if holds { "" } else { "  MISSED" },
    );
}

/// Three digits that matter.
fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}

/// What the figures were measured on.
pub(crate) fn machine() -> String {
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{cores} cores, {}, load before the start {}",
        model.unwrap_or_else(|| "unknown processor".to_owned()),
        load.split(' ').next().unwrap_or("unknown"),
    )
}

/// A count as a number to calculate with.
pub(crate) fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}
