//! From the door to the routes: HTTP/1.1 on each connection, who it is that asks, what a question costs,
//! and the form of every answer (RULINGS A42, A49).
//!
//! * A header has [`HEADER`]: whoever sends it byte by byte is hung up on.
//! * Behind a proxy that the operator named, whoever asks is the last address of `X-Forwarded-For`; from
//!   anybody else that header says nothing.
//! * Whatever the answer, an error is a problem document.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use futures::StreamExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;

use super::door::{Caller, Door};
use super::limits::{Cost, SMALL};
use super::reader::Reader;
use super::shares::Whence;
use super::{Api, Problem};

/// How long a header may take, and how long a connection may be idle between two questions.
const HEADER: Duration = Duration::from_secs(10);
/// Bytes of a header, and of an answer that lies in a connection.
const BUFFER: usize = 64 * 1024;
/// What is answered on the places that are kept.
const KEPT_PATHS: [&str; 2] = ["/v1/status", "/v1/health"];

/// Serves whoever comes in.
pub async fn serve(mut door: Door, router: Router) -> Infallible {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(BUFFER);
    loop {
        let (guest, caller) = door.accept().await;
        let routes = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(caller);
            routes.call(request)
        });
        let connection = http.serve_connection(TokioIo::new(guest), service);
        // How a connection ends is nobody's fault here.
        tokio::spawn(async move { drop(connection.await) });
    }
}

/// Whom a request is counted under.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted(pub Whence);

impl Counted {
    /// Of a request; of one that came through no door it is this machine.
    pub(super) fn of(extensions: &axum::http::Extensions) -> Whence {
        let here = || Whence::of(IpAddr::from([127, 0, 0, 1]));
        extensions.get::<Counted>().map_or_else(here, |own| own.0)
    }

    /// The same, as a handler gets it.
    pub(super) fn or_here(own: Option<Extension<Counted>>) -> Whence {
        own.map_or_else(|| Whence::of(IpAddr::from([127, 0, 0, 1])), |own| own.0.0)
    }
}

/// The last address that a proxy says a request came from.
fn forwarded(headers: &HeaderMap) -> Option<Whence> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    let last = last.to_str().ok()?.rsplit(',').next()?.trim();
    let address = last.trim_start_matches('[').trim_end_matches(']');
    address.parse().ok().map(Whence::of)
}

/// Before all routes and after them.
pub(super) async fn around(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>().copied();
    if let Some(caller) = caller {
        if caller.is_kept && !KEPT_PATHS.contains(&request.uri().path()) {
            let full = Problem::unavailable("api.full", "all connections of this node are taken")
                .next("ask again in a moment, or ask another node; only /v1/status and /v1/health are answered now");
            let mut answer = full.into_response();
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(header::CONNECTION, close);
            return answer;
        }
        let behind = caller.is_proxy.then(|| forwarded(request.headers()));
        let place = behind.flatten().unwrap_or(caller.place);
        request.extensions_mut().insert(Counted(place));
    }
    let place = Counted::of(request.extensions());
    let answer = in_form(next.run(request).await);
    held(&api, place, answer)
}

/// An error that is no problem document yet, as the framework makes them of paths and queries that it
/// cannot read.
fn in_form(answer: Response) -> Response {
    let status = answer.status();
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let is_problem = kind.is_some_and(|kind| kind == "application/problem+json");
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return answer;
    }
    let (code, detail) = if status.is_client_error() {
        ("api.request", "the request cannot be read")
    } else {
        ("api.store", "the answer could not be made")
    };
    let status = if status.is_client_error() {
        status
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Problem::new(status, code, detail)
        .next("see /v1/openapi.json")
        .into_response()
}

/// A large answer takes room until it is taken.
fn held(api: &Api, place: Whence, answer: Response) -> Response {
    let Some(length) = answer.body().size_hint().exact() else {
        // Streams have places of their own.
        return answer;
    };
    if length <= SMALL as u64 {
        return answer;
    }
    let share = match api.limits().answer(place, length) {
        Ok(share) => share,
        Err(problem) => return problem.into_response(),
    };
    let (mut head, body) = answer.into_parts();
    head.headers.insert(header::CONTENT_LENGTH, length.into());
    let stream = body.into_data_stream().map(move |part| {
        let _ = &share;
        part
    });
    Response::from_parts(head, Body::from_stream(stream))
}

/// Who asks, and what it costs if nobody answers for it. A pass that does not hold hinders nobody who
/// needs none; whoever needs one hears of it from the route itself.
async fn charged(api: Api, cost: Cost, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let reader = Reader::from_request_parts(&mut parts, &api).await;
    let place = Counted::of(&parts.extensions);
    match reader {
        Ok(reader) => {
            if reader == Reader::Anybody {
                api.limits().charge(place, cost)?;
            }
            parts.extensions.insert(reader);
        }
        Err(problem) if problem.0.status == StatusCode::TOO_MANY_REQUESTS.as_u16() => {
            return Err(problem);
        }
        Err(problem) => {
            api.limits().charge(place, cost)?;
            parts.extensions.insert(NotRead(problem));
        }
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// Why the pass of a request does not hold.
#[derive(Debug, Clone)]
pub(super) struct NotRead(pub Problem);

/// What costs little.
pub(super) async fn quick(
    State(api): State<Api>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    charged(api, Cost::Quick, request, next).await
}

/// What costs more.
pub(super) async fn dear(
    State(api): State<Api>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    charged(api, Cost::Dear, request, next).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_says_last_who_asks() {
        let said = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-forwarded-for", HeaderValue::from_str(value).unwrap());
            }
            forwarded(&headers)
        };
        let place = |text: &str| Some(Whence::of(text.parse().unwrap()));
        assert_eq!(said(&["192.0.2.1"]), place("192.0.2.1"));
        // What stands before it the guest wrote himself.
        assert_eq!(said(&["10.0.0.1, 192.0.2.1"]), place("192.0.2.1"));
        assert_eq!(said(&["10.0.0.1", "x, 2001:db8::7"]), place("2001:db8::7"));
        assert_eq!(said(&["[2001:db8::7]"]), place("2001:db8::7"));
        for none in [&[][..], &[""], &["192.0.2.1,"], &["somebody"]] {
            assert_eq!(said(none), None, "{none:?}");
        }
    }
}
