//! Problem documents (RFC 9457): what happened, a language-free code, the next step.

use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rollbook_proof::answer::SignedAnswer;
use rollbook_wire::by_name::ByName;

/// A refusal or failure as it is answered: the document, and how it becomes a response.
#[derive(Debug, Clone)]
pub struct Problem(pub rollbook_wire::problem::Problem);

impl Problem {
    /// A problem of this status.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Problem {
        Problem(rollbook_wire::problem::Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.into(),
            next: None,
            receipt: None,
        })
    }

    /// Input that cannot be used.
    pub fn bad(code: &str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// Nothing is there.
    pub fn missing(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "api.not-found", detail)
    }

    /// Not now.
    pub fn unavailable(code: &str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
    }

    /// A fault on this side: of the store or the program, never of the request.
    pub fn internal(detail: impl std::fmt::Display) -> Problem {
        tracing::error!(%detail, "a request failed on this side");
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "api.store",
            detail.to_string(),
        )
        .next("ask another node; tell this node's operator")
    }

    /// Adds the next step.
    pub fn next(mut self, next: impl Into<String>) -> Problem {
        self.0.next = Some(next.into());
        self
    }

    /// Adds a signed refusal.
    pub fn with_receipt(mut self, receipt: SignedAnswer) -> Problem {
        self.0.receipt = Some(ByName(receipt));
        self
    }
}

impl From<crate::store::StoreError> for Problem {
    fn from(error: crate::store::StoreError) -> Problem {
        Problem::internal(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut answer = (status, kind, body).into_response();
        let headers = answer.headers_mut();
        match status {
            // RFC 6750: what is wanted is a token, and whether the one that came was the trouble.
            StatusCode::UNAUTHORIZED => {
                let wanted = if self.0.code.contains("pass") {
                    "Bearer realm=\"rollbook\", error=\"invalid_token\""
                } else {
                    "Bearer realm=\"rollbook\""
                };
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(wanted));
            }
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        answer
    }
}

/// A path that does not exist.
pub async fn no_such_path(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::missing(format!("there is no {path} here")).next("see /v1/openapi.json")
}

/// A method that a path does not have.
pub async fn no_such_method(method: Method) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "api.method",
        format!("{method} is not for this path"),
    )
    .next("see /v1/openapi.json")
}
