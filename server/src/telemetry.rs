//! Logs to standard error, metrics for Prometheus.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged; it can change while the server runs. Clones change the same.
#[derive(Clone, Debug)]
pub struct LogFilter {
    /// As the operator configured it.
    configured: String,
    live: reload::Handle<EnvFilter, Registry>,
}

impl LogFilter {
    /// Logs what administrators want: nothing, or from a level of Immich's on. Without a wish of theirs it is
    /// what the operator configured.
    ///
    /// # Errors
    /// Logging has ended.
    pub fn follow(&self, is_off: bool, level: Option<&str>) -> anyhow::Result<()> {
        let filter = match (is_off, level) {
            (true, _) => "off",
            (false, None) => &self.configured,
            (false, Some("verbose")) => "trace",
            (false, Some("debug")) => "debug",
            (false, Some("warn")) => "warn",
            (false, Some("error" | "fatal")) => "error",
            (false, Some(_)) => "info",
        };
        Ok(self.live.reload(EnvFilter::try_new(filter)?)?)
    }
}

/// Starts logging. `filter` is a list like `info,calotype_processors=debug`.
///
/// # Errors
/// When the filter cannot be read, or logging was started before.
pub fn start(filter: &str, format: LogFormat) -> anyhow::Result<LogFilter> {
    let (layer, live) = reload::Layer::new(EnvFilter::try_new(filter)?);
    let registry = tracing_subscriber::registry().with(layer);
    match format {
        LogFormat::Text => {
            registry
                .with(
                    fmt::layer()
                        .with_writer(std::io::stderr)
                        .with_ansi(std::io::stderr().is_terminal())
                        .with_target(false),
                )
                .try_init()?;
        }
        LogFormat::Json => {
            registry.with(fmt::layer().json().with_writer(std::io::stderr)).try_init()?;
        }
    }
    Ok(LogFilter { configured: filter.to_owned(), live })
}

/// Starts collecting metrics.
///
/// # Errors
/// When metrics are collected already.
pub fn metrics() -> anyhow::Result<PrometheusHandle> {
    Ok(PrometheusBuilder::new()
        .set_buckets(&[0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0])?
        .install_recorder()?)
}
