//! Bodies of requests, read as a whole: bounded in bytes, in time and in what lies here at once (RULINGS
//! A49).
//!
//! * At most [`BODY_MAX`] bytes. After [`GRACE`] a body comes with at least [`LEAST_RATE`] bytes a second.
//! * Small ones, as every single record is, always have room; what is larger takes its share.

use std::time::Duration;

use axum::body::{BodyDataStream, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use futures::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use super::limits::SMALL;
use super::serve::Counted;
use super::{Api, BODY_MAX, Problem};

/// How long a body may take before its rate counts.
const GRACE: Duration = Duration::from_secs(5);
/// Bytes in a second at least.
const LEAST_RATE: u64 = 1_024;
/// By how much the share of a large body grows.
const STEP: u64 = 64 * 1024;

/// How long, and how many bytes of, a body that is too long is read and forgotten.
const LINGER: Duration = Duration::from_secs(2);
const FORGOTTEN_MAX: usize = 4 * BODY_MAX;

/// A body as a whole.
#[derive(Debug)]
pub struct Whole(pub Bytes);

/// When so many bytes must have been followed by more.
fn due(begun: Instant, bytes: usize) -> Instant {
    let earned = (bytes as u64).saturating_mul(1_000) / LEAST_RATE;
    begun + GRACE + Duration::from_millis(earned)
}

/// A sender that still writes when its connection is closed never reads why: what is too long is read
/// on for a moment and forgotten.
async fn too_large(mut parts: BodyDataStream) -> Problem {
    let until = Instant::now() + LINGER;
    let mut read = 0_usize;
    while read < FORGOTTEN_MAX
        && let Ok(Some(Ok(part))) = timeout_at(until, parts.next()).await
    {
        read = read.saturating_add(part.len());
    }
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "api.too-large",
        format!("the body is too long: at most {BODY_MAX} bytes"),
    )
    .next("send fewer records at once; a single record has at most 32 KiB")
}

impl FromRequest<Api> for Whole {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Whole, Problem> {
        let place = Counted::of(request.extensions());
        let told = request.headers().get(header::CONTENT_LENGTH);
        let told = told.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let is_too_long = told.is_some_and(|length| length > BODY_MAX);
        let begun = Instant::now();
        let mut parts = request.into_body().into_data_stream();
        if is_too_long {
            return Err(too_large(parts).await);
        }
        let (mut bytes, mut share) = (Vec::new(), None);
        let mut room = SMALL as u64;
        loop {
            let part = match timeout_at(due(begun, bytes.len()), parts.next()).await {
                Ok(None) => return Ok(Whole(bytes.into())),
                Ok(Some(Ok(part))) => part,
                Ok(Some(Err(_))) => {
                    return Err(Problem::bad("api.broken-body", "the body broke off")
                        .next("send it again as a whole"));
                }
                Err(_) => {
                    return Err(Problem::new(
                        StatusCode::REQUEST_TIMEOUT,
                        "api.too-slow",
                        "the body comes too slowly",
                    )
                    .next("send it with at least 1 KiB a second"));
                }
            };
            let length = bytes.len().saturating_add(part.len());
            if length > BODY_MAX {
                return Err(too_large(parts).await);
            }
            while room < length as u64 {
                match &mut share {
                    None => share = Some(api.limits().body(place, STEP)?),
                    Some(share) => {
                        if !share.grow(STEP) {
                            return Err(super::limits::no_room());
                        }
                    }
                }
                room = room.saturating_add(STEP);
            }
            bytes.extend_from_slice(&part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_five_seconds_and_then_a_rate() {
        let begun = Instant::now();
        assert_eq!(due(begun, 0), begun + GRACE);
        assert_eq!(due(begun, 10 * 1_024), begun + Duration::from_secs(15));
        assert_eq!(due(begun, BODY_MAX), begun + Duration::from_secs(1_029));
    }
}
