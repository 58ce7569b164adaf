//! The log's readers: what waits, and what got stuck.

use calotype_projections::ProjectionError;
use calotype_projections::standing::{ParkedKind, applied, parked_kinds, standing};
use sqlx::PgPool;

use super::findings::{Findings, age, counted};
use crate::ready::is_in_time;

/// Reasons for which something is parked that are told.
const REASONS_MAX: usize = 5;

pub(super) async fn look(pool: &PgPool, is_running: bool, findings: &mut Findings) {
    if let Err(error) = readers(pool, is_running, findings).await {
        findings.problem(&format!("cannot see how far the readers of the log are: {error}"));
    }
    match parked_kinds(pool).await {
        Ok(kinds) => parked(&kinds, findings),
        Err(error) => findings.problem(&format!("cannot see what is parked: {error}")),
    }
}

async fn readers(
    pool: &PgPool,
    is_running: bool,
    findings: &mut Findings,
) -> Result<(), ProjectionError> {
    let applied = applied(pool).await?;
    let standing = standing(pool, applied).await?;
    let behind = (standing.head - applied.get()).max(0);
    for (who, count, seconds) in [
        ("wait for their place in the log", standing.unordered_events, standing.unordered_seconds),
        ("wait for the read models", behind, standing.applied_seconds),
        ("wait for the relay to NATS", standing.relay_events(), standing.relay_seconds),
    ] {
        let events = counted(count, "event", "events");
        let since = seconds.map(age).unwrap_or_default();
        match (count, is_running) {
            (0, _) => {}
            (_, false) => findings.note(&format!("{events} {who}; the next start goes on there")),
            (_, true) if is_in_time(seconds) => findings.note(&format!("{events} {who}")),
            (_, true) => findings
                .problem(&format!("{events} {who}, the first since {since}: see the server's log")),
        }
    }
    if behind == 0 && standing.unordered_events == 0 {
        findings.good(&format!("the read models show all {} events of the log", standing.head));
    }
    Ok(())
}

/// A stream that a read model could not apply shows what was before: that is wrong. A file that a processor
/// could not open is often a broken file.
fn parked(kinds: &[ParkedKind], findings: &mut Findings) {
    let (models, steps): (Vec<&ParkedKind>, Vec<&ParkedKind>) =
        kinds.iter().partition(|kind| kind.kind == "projection");
    if kinds.is_empty() {
        findings.good("nothing is parked");
    }
    if !models.is_empty() {
        findings.problem(&format!(
            "{} cannot be shown as they are now, and show what was before: {}; `calotype parked \
             list` tells all of them",
            counted(streams(&models), "stream", "streams"),
            reasons(&models)
        ));
    }
    if !steps.is_empty() {
        findings.note(&format!(
            "{} given up by processors: {}; `calotype parked list` tells all of them",
            counted(streams(&steps), "asset was", "assets were"),
            reasons(&steps)
        ));
    }
}

fn streams(kinds: &[&ParkedKind]) -> i64 {
    kinds.iter().map(|kind| kind.streams).sum()
}

/// The commonest reasons, without the personal words that a reason may hold.
fn reasons(kinds: &[&ParkedKind]) -> String {
    let told = kinds.iter().take(REASONS_MAX).map(|kind| {
        format!("{} × {} in {} (such as {})", kind.streams, kind.code, kind.name, kind.example)
    });
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(kind: &str, streams: i64) -> ParkedKind {
        ParkedKind {
            kind: kind.to_owned(),
            name: "assets@1".to_owned(),
            code: "decode".to_owned(),
            streams,
            example: "asset-1".to_owned(),
        }
    }

    #[test]
    fn only_what_shows_wrong_is_a_problem() {
        for (kinds, problems) in [
            (vec![], 0),
            (vec![kind("processor", 3)], 0),
            (vec![kind("projection", 1)], 1),
            (vec![kind("processor", 3), kind("projection", 2)], 1),
        ] {
            let mut findings = Findings::default();
            parked(&kinds, &mut findings);
            assert_eq!(findings.problems(), problems, "{kinds:?}");
        }
    }
}
