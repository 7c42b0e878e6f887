//! The log of a node: lines for people, or one JSON object a line for machines.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::clock::real_ms;
use crate::config::LogFormat;

/// Starts the log of this process on standard error.
pub(super) fn start(level: &str, format: LogFormat) {
    let filter = format!(
        "{level},libp2p=warn,libp2p_gossipsub=error,sled=warn,\
         arc_malachitebft_core_consensus=warn,arc_malachitebft_core_driver=warn"
    )
    .parse::<Targets>()
    .unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // A log that cannot be written is no reason to stop a node, nor to panic over.
        .log_internal_errors(false)
        .with_ansi(false);
    // A second node in one process (a test) keeps the first log.
    let _ = match format {
        LogFormat::Text => tracing_subscriber::registry()
            .with(lines)
            .with(filter)
            .try_init(),
        LogFormat::Json => tracing_subscriber::registry()
            .with(lines.event_format(Json))
            .with(filter)
            .try_init(),
    };
}

/// One JSON object a line: `time_ms`, `level`, `target`, `message`, and the fields of the event.
struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let Fields(mut line) = fields;
        line.insert("time_ms".to_owned(), real_ms().into());
        let about = event.metadata();
        line.insert("level".to_owned(), about.level().as_str().into());
        line.insert("target".to_owned(), about.target().into());
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// The fields of an event; a number stays a number.
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = Handed(value).to_string();
        self.0.insert(field.name().to_owned(), text.into());
    }
}

/// What has a text comes from the library by its debug form, which is that text.
struct Handed<'a>(&'a dyn fmt::Debug);

impl fmt::Display for Handed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
