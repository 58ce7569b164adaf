//! Numbers from files: rationals that may divide by zero, and how an exposure is written.

/// Longest exposure that is written as a fraction, in seconds, as ExifTool does.
const FRACTION_SECONDS_MAX: f64 = 0.25001;

/// A finite quotient.
pub(super) fn quotient(numerator: f64, denominator: f64) -> Option<f64> {
    let value = numerator / denominator;
    value.is_finite().then_some(value)
}

/// `1/400` below a quarter of a second, else seconds with one decimal where needed.
pub(crate) fn exposure(seconds: f64) -> Option<String> {
    if !seconds.is_finite() || seconds <= 0.0 {
        return None;
    }
    if seconds < FRACTION_SECONDS_MAX {
        return Some(format!("1/{:.0}", 1.0 / seconds));
    }
    let text = format!("{seconds:.1}");
    Some(text.strip_suffix(".0").map(str::to_owned).unwrap_or(text))
}

/// Parses `28/10`, `2.8` or `28`.
pub(super) fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.split_once('/') {
        Some((numerator, denominator)) => {
            quotient(numerator.trim().parse().ok()?, denominator.trim().parse().ok()?)
        }
        None => text.parse().ok().filter(|it: &f64| it.is_finite()),
    }
}

/// Cuts the noise that 32-bit rationals leave: `1.7999999523` is 1.8.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exposures_are_written_as_people_do() {
        assert_eq!(exposure(0.0025).as_deref(), Some("1/400"));
        assert_eq!(exposure(10.0 / 1250.0).as_deref(), Some("1/125"));
        assert_eq!(exposure(0.5).as_deref(), Some("0.5"));
        assert_eq!(exposure(30.0).as_deref(), Some("30"));
        assert_eq!(exposure(0.0), None);
        assert_eq!(exposure(f64::INFINITY), None);
    }

    #[test]
    fn rationals_that_divide_by_zero_are_nothing() {
        assert_eq!(parse("0/0"), None);
        assert_eq!(parse("1/0"), None);
        assert_eq!(parse("28/10"), Some(2.8));
    }
}
