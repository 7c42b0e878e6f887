//! From the door to the routes: HTTP/1.1 on each connection, who it is that asks, what a question costs,
//! and the form of every answer (RULINGS A42, A49).
//!
//! * A header has `HEADER`: whoever sends it byte by byte is hung up on.
//! * Behind a proxy that the operator named, whoever asks is the last address of `X-Forwarded-For`; from
//!   anybody else that header says nothing. Each of them has so many requests under way, a proxy without
//!   that header as many as one of them.
//! * Whatever the answer, an error is a problem document.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;

use super::door::{Caller, Door};
use super::limits::{Cost, SMALL};
use super::log::ORIGIN;
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

/// The last address that a proxy says a request came from: alone or with a port.
fn forwarded(headers: &HeaderMap) -> Option<Whence> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    let last = last.to_str().ok()?.rsplit(',').next()?.trim();
    let bare = last
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(last);
    let alone = bare.parse().ok();
    let address = alone.or_else(|| last.parse().ok().map(|whole: SocketAddr| whole.ip()))?;
    Some(Whence::of(address))
}

/// A body with what it holds until it has been taken.
struct Holding<T> {
    body: Body,
    _held: T,
}

impl<T: Send + Unpin> HttpBody for Holding<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer that holds something until its body has been taken.
fn holding<T: Send + Unpin + 'static>(answer: Response, held: T) -> Response {
    answer.map(|body| Body::new(Holding { body, _held: held }))
}

/// Before all routes and after them.
pub(super) async fn around(State(api): State<Api>, request: Request, next: Next) -> Response {
    let of_log = request.uri().path().starts_with("/v1/log/");
    let mut answer = placed(api, request, next).await;
    if of_log {
        // A page from elsewhere reads what is the matter, too (RULINGS A57).
        let (origin, all) = ORIGIN;
        answer
            .headers_mut()
            .entry(origin)
            .or_insert(HeaderValue::from_static(all));
    }
    answer
}

/// Who asks is counted, and keeps what it holds until the answer is taken.
async fn placed(api: Api, mut request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>().copied();
    let mut under_way = None;
    let closes = caller.is_some_and(|caller| caller.is_kept);
    if let Some(caller) = caller {
        if caller.is_kept && !KEPT_PATHS.contains(&request.uri().path()) {
            let full = Problem::unavailable("api.full", "all connections of this node are taken")
                .next("ask again in a moment, or ask another node; only /v1/status and /v1/health are answered now");
            return closing(full.into_response());
        }
        let behind = caller.is_proxy.then(|| forwarded(request.headers()));
        let place = behind.flatten().unwrap_or(caller.place);
        // Behind a proxy a connection is nobody's: what counts is what is under way.
        if caller.is_proxy {
            match api.limits().under_way(place) {
                Ok(share) => under_way = Some(share),
                Err(problem) => return problem.into_response(),
            }
        }
        request.extensions_mut().insert(Counted(place));
    }
    let place = Counted::of(request.extensions());
    let answer = held(&api, place, in_form(next.run(request).await));
    let answer = match under_way {
        Some(share) => holding(answer, share),
        None => answer,
    };
    if closes { closing(answer) } else { answer }
}

/// An answer after which the connection ends: the kept places are for one question each.
fn closing(mut answer: Response) -> Response {
    let close = HeaderValue::from_static("close");
    answer.headers_mut().insert(header::CONNECTION, close);
    answer
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
    let reader = answer.extensions().get::<Reader>();
    let is_stranger = reader.is_none_or(|reader| *reader == Reader::Anybody);
    let share = match api.limits().answer(is_stranger, place, length) {
        Ok(share) => share,
        Err(problem) => return problem.into_response(),
    };
    holding(answer, share)
}

/// Who asks, and what it costs if nobody answers for it. A pass that does not hold hinders nobody who
/// needs none; whoever needs one hears of it from the route itself.
async fn charged(api: Api, cost: Cost, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let reader = Reader::from_request_parts(&mut parts, &api).await;
    let place = Counted::of(&parts.extensions);
    let mut known = Reader::Anybody;
    match reader {
        Ok(reader) => {
            known = reader;
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
    let mut answer = next.run(Request::from_parts(parts, body)).await;
    answer.extensions_mut().insert(known);
    Ok(answer)
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
    use super::super::shares::Shares;
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
        // Some add the port: all behind them were one stranger.
        assert_eq!(said(&["192.0.2.1:5678"]), place("192.0.2.1"));
        assert_eq!(said(&["[2001:db8::7]:443"]), place("2001:db8::7"));
        for none in [
            &[][..],
            &[""],
            &["192.0.2.1,"],
            &["somebody"],
            &["somebody:80"],
            &["[192.0.2.1"],
        ] {
            assert_eq!(said(none), None, "{none:?}");
        }
    }
    /// Behind a proxy one stranger could have all places, by bodies that came slowly: what is under way is
    /// counted until the answer has been taken.
    #[tokio::test]
    async fn an_answer_holds_its_place_until_it_is_taken() {
        let shares = Shares::new(9, 1);
        let place = Whence::of("192.0.2.1".parse().unwrap());
        let share = shares.take(place, 1).unwrap();
        let answer = holding(Response::new(Body::from("four")), share);
        assert_eq!(
            answer.body().size_hint().exact(),
            Some(4),
            "its length is told"
        );
        assert!(shares.take(place, 1).is_none());
        let body = axum::body::to_bytes(answer.into_body(), 9).await.unwrap();
        assert_eq!(&body[..], b"four");
        assert!(shares.take(place, 1).is_some());
    }
}
