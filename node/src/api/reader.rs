//! Who reads (RULINGS A15, R18): everybody what is public, members' people what is for members.
//!
//! * A reader logs in with `Authorization: Bearer PASS`, a signed pass in base64
//!   ([`rollbook_core::pass`]). No session is kept: every question is judged by the state at the
//!   tip, so a revoked key or an ended membership reads nothing more.
//! * Of what is for members (ballots, conflicts, dues) others see the leaf as it stands in the log,
//!   a commitment, and nothing else: no id, no principal, no rule. Bytes that hold one in clear (a
//!   block's frame, an export) are for readers who logged in. Tiles, entry bundles, seals,
//!   checkpoints, policies, receipts and the proved state are for everybody.
//! * An operator may keep the public out (`public_reading = false`): then only what the protocol
//!   needs is open.
//!
//! Absent: levels below members (parties, officers of a matter): their content is never in a
//! record.

use std::borrow::Cow;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use rollbook_core::id::PersonId;
use rollbook_core::pass::{Denied, Reach, SignedPass, look};
use rollbook_core::record::Record;
use rollbook_proof::chain::{Leaf, ReadClass};
use rollbook_proof::codec::decode;
use rollbook_proof::number::LedgerTime;
use rollbook_wire::problem::MEMBERS_ONLY;

use super::serve::{Counted, NotRead};
use super::{Api, Problem};
use crate::replica_thread::command::Command;

/// First word of the header, as ordinary clients send tokens (RULINGS A57).
pub const SCHEME: &str = "Bearer";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Has not logged in.
    Anybody,
    /// Reads what is for members, until this moment (milliseconds since 1970, real time).
    Member {
        /// Person number.
        person: PersonId,
        /// End of the pass.
        until_ms: LedgerTime,
    },
    /// An observer that reads as members do, without ballots, dues and proceedings (RULINGS R49). As those
    /// are all that is for members alone, it reads what is public, also where the public does not.
    Observer {
        /// Person number.
        person: PersonId,
        /// End of the pass.
        until_ms: LedgerTime,
    },
}

/// The header's value for a pass.
pub fn header_of(pass: &SignedPass) -> String {
    format!(
        "{SCHEME} {}",
        base64::engine::general_purpose::STANDARD.encode(rollbook_proof::codec::encode(pass))
    )
}

impl Reader {
    /// The most that may be shown.
    pub fn class(self) -> ReadClass {
        match self {
            Reader::Anybody | Reader::Observer { .. } => ReadClass::Public,
            Reader::Member { .. } => ReadClass::Members,
        }
    }

    /// Whether what is of this class may be shown.
    pub fn may_read(self, class: ReadClass) -> bool {
        self.class() == ReadClass::Members || class == ReadClass::Public
    }

    /// A leaf as this reader may see it: in clear, or as it stands in the log.
    pub fn sees(self, leaf: &Leaf) -> Cow<'_, [u8]> {
        if self.may_read(leaf.class) {
            Cow::Borrowed(&leaf.clear)
        } else {
            leaf.logged()
        }
    }

    /// The person, if one has logged in.
    pub fn person(self) -> Option<PersonId> {
        match self {
            Reader::Anybody => None,
            Reader::Member { person, .. } | Reader::Observer { person, .. } => Some(person),
        }
    }

    /// Whether this reader is out: has not logged in, at a node that is read by members only.
    pub(super) fn is_out(self, api: &Api) -> bool {
        self == Reader::Anybody && !api.parts().public_reading
    }

    /// Refuses who is out. What a closed node keeps from the public goes through here.
    pub(super) fn must_be_in(self, api: &Api) -> Result<(), Problem> {
        if self.is_out(api) {
            Err(kept_out())
        } else {
            Ok(())
        }
    }

    /// Refuses who has not logged in; `what` holds records for members.
    pub fn must_be_member(self, what: &str) -> Result<(), Problem> {
        match self {
            Reader::Member { .. } => Ok(()),
            Reader::Anybody | Reader::Observer { .. } => Err(log_in(
                MEMBERS_ONLY,
                format!("{what} is for members: it holds ballots, conflicts or dues"),
            )),
        }
    }

    /// Refuses who has not logged in if one of the records is not public.
    pub fn must_read_all<'a>(
        self,
        mut records: impl Iterator<Item = &'a Record>,
        what: &str,
    ) -> Result<(), Problem> {
        if records.all(|record| self.may_read(record.payload.body.read_class())) {
            Ok(())
        } else {
            self.must_be_member(what)
        }
    }
}

pub(super) fn log_in(code: &str, detail: String) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail).next(
        "log in as an officer of a member or the holder of a post: the rollbook command does, with \
         --reader PERSON",
    )
}

impl FromRequestParts<Api> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Reader, Problem> {
        // Whoever let the request in has judged the pass already.
        if let Some(known) = parts.extensions.get::<Reader>() {
            return Ok(*known);
        }
        if let Some(NotRead(problem)) = parts.extensions.get::<NotRead>() {
            return Err(problem.clone());
        }
        let Some(value) = parts.headers.get(header::AUTHORIZATION) else {
            return Ok(Reader::Anybody);
        };
        let bad = || {
            let detail =
                format!("the Authorization header is not '{SCHEME}' and a signed pass in base64");
            Problem::new(StatusCode::UNAUTHORIZED, "A15.bad-pass", detail)
                .next("see docs/formats.md, read passes; or leave it out")
        };
        let text = value
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix(SCHEME))
            .map(str::trim)
            .ok_or_else(bad)?;
        let place = Counted::of(&parts.extensions);
        api.limits().may_show(place)?;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(text)
            .map_err(|_| bad())?;
        let pass: SignedPass = decode(&bytes).map_err(|_| bad())?;
        // The signature is verified here: a pass that somebody made up never reaches the replica.
        let inner = api.parts();
        let key = inner.keyring.key(pass.pass.person, pass.pass.key);
        let here = (api.chain(), inner.organisation);
        let real_ms = LedgerTime(crate::clock::real_ms());
        if let Err(denied) = look(&pass, here, key.as_ref(), real_ms) {
            api.limits().unproved(place)?;
            return Err(refused(denied));
        }
        let judged = api
            .ask(|reply| Command::Reader {
                pass,
                node: inner.organisation,
                reply,
            })
            .await
            .map_err(|unanswered| unanswered.problem().next("ask again in a moment"))?;
        match judged {
            Ok(Reach::Members) => Ok(Reader::Member {
                person: pass.pass.person,
                until_ms: pass.pass.until_ms,
            }),
            Ok(Reach::Observer) => Ok(Reader::Observer {
                person: pass.pass.person,
                until_ms: pass.pass.until_ms,
            }),
            Err(denied) => Err(refused(denied)),
        }
    }
}

/// A pass that opens nothing.
fn refused(denied: Denied) -> Problem {
    let code = match denied {
        Denied::Elsewhere => "A15.pass-elsewhere",
        Denied::Ended => "A15.pass-ended",
        Denied::UnknownKey => "A15.pass-unknown-key",
        Denied::BadSignature => "A15.pass-bad-signature",
        Denied::NoMember => "A15.no-member",
    };
    let status = if denied == Denied::NoMember {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::UNAUTHORIZED
    };
    Problem::new(status, code, denied.to_string())
        .next("make a new pass, or read what is public without one")
}

/// Who has not logged in, at a node that is read by members only.
fn kept_out() -> Problem {
    log_in("R18.log-in", "this node is read by members only".to_owned())
}

/// Keeps the public out of the reading routes if the operator says so. What a browser asks before it shows a
/// pass cannot show it.
pub(super) async fn gate(
    State(api): State<Api>,
    reader: Reader,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if request.method() != Method::OPTIONS {
        reader.must_be_in(&api)?;
    }
    Ok(next.run(request).await)
}
