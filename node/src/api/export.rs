//! The whole history in one file (RULINGS A14), read from the store block by block as fast as it is
//! taken: no thread and no more than a block waits for a reader.

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use rollbook_core::export::{Header, Tail, encode_tail};
use rollbook_proof::chain::HandoverCheckpoint;
use rollbook_proof::codec::decode;
use rollbook_proof::number::Height;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

use super::blocks::frame_of;
use super::reader::Reader;
use super::serve::Counted;
use super::{Api, Problem};
use crate::store::view::View;

/// Bytes that are read at once, if a block has not more.
const AT_ONCE: usize = 256 * 1024;

/// Which export.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    /// Last height; the newest receipted one if not given.
    height: Option<u64>,
}

/// The whole history in one file (RULINGS A14).
#[utoipa::path(
    get,
    path = "/v1/export",
    params(ExportQuery),
    responses(
        (
            status = 200,
            description = "Canonical export, streamed",
            content_type = "application/octet-stream"
        ),
        (status = 401, description = "It holds records for members: log in", body = rollbook_wire::problem::Problem)
    )
)]
pub async fn export(
    State(api): State<Api>,
    counted: Option<Extension<Counted>>,
    reader: Reader,
    query: Result<Query<ExportQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| Problem::bad("api.query", error.body_text()))?;
    reader.must_be_member("an export")?;
    let view = api.parts().view.clone();
    let newest = view.height();
    let height = query
        .height
        .unwrap_or_else(|| view.receipt().map_or(newest.0, |receipt| receipt.height.0));
    if height > newest.0 {
        return Err(Problem::missing(format!(
            "there is no block {height} here; the newest is {newest}"
        )));
    }
    let checkpoint = view
        .receipt()
        .filter(|receipt| receipt.height == Height(height))
        .map(|receipt| receipt.checkpoint);
    let place = api.limits().export(Counted::or_here(counted))?;
    let writer = Writer {
        view,
        height: Height(height),
        checkpoint,
        next: Part::Header,
        hasher: Sha256::new(),
    };
    let stream = futures::stream::unfold((Some(writer), place), |(writer, place)| async move {
        let step = move || {
            let mut writer = writer?;
            Some(writer.several().map(|bytes| (bytes, writer)))
        };
        let made = tokio::task::spawn_blocking(step).await;
        let broken = |why: String| Err(std::io::Error::other(why));
        match made {
            Ok(None) => None,
            Ok(Some(Ok((Some(bytes), writer)))) => {
                Some((Ok(Bytes::from(bytes)), (Some(writer), place)))
            }
            Ok(Some(Ok((None, writer)))) => {
                let digest = Bytes::from(writer.hasher.finalize().to_vec());
                Some((Ok(digest), (None, place)))
            }
            // The stream breaks off: without its digest the file is refused, which is right.
            Ok(Some(Err(why))) => Some((broken(why), (None, place))),
            Err(error) => Some((broken(error.to_string()), (None, place))),
        }
    });
    let name = format!(
        "attachment; filename=\"rollbook-{}-{height}.export\"",
        api.chain().short()
    );
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// What of an export comes next.
#[derive(Debug, Clone, Copy)]
enum Part {
    Header,
    Block(Height),
    End,
}

/// An export that is being written.
struct Writer {
    view: View,
    height: Height,
    checkpoint: Option<HandoverCheckpoint>,
    next: Part,
    hasher: Sha256,
}

impl Writer {
    /// The next parts, at least [`AT_ONCE`] bytes of them; none if only the digest is left.
    fn several(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut bytes = Vec::new();
        while bytes.len() < AT_ONCE {
            match self.part()? {
                Some(part) => bytes.extend_from_slice(&part),
                None => break,
            }
        }
        Ok((!bytes.is_empty()).then_some(bytes))
    }

    /// The next part; none if only the digest is left.
    fn part(&mut self) -> Result<Option<Vec<u8>>, String> {
        let bytes = match self.next {
            Part::Header => {
                self.next = Part::Block(Height(0));
                let genesis = self.view.genesis.hash();
                let height = self.height;
                Header { genesis, height }.encode()
            }
            Part::Block(at) if at <= self.height => {
                self.next = Part::Block(at.next());
                let block = self
                    .view
                    .store
                    .block(at)
                    .map_err(|error| error.to_string())?;
                let block = block.ok_or_else(|| format!("block {at} is missing"))?;
                frame_of(&self.view, at, &block)?.encode()
            }
            Part::Block(_) => {
                self.next = Part::End;
                let certificate = if self.height > Height(0) {
                    let block = self.view.store.block(self.height);
                    let block = block.map_err(|error| error.to_string())?;
                    let block = block.ok_or_else(|| format!("block {} is missing", self.height))?;
                    Some(decode(&block.certificate).map_err(|error| error.to_string())?)
                } else {
                    None
                };
                encode_tail(&Tail {
                    certificate,
                    checkpoint: self.checkpoint.take(),
                })
            }
            Part::End => return Ok(None),
        };
        self.hasher.update(&bytes);
        Ok(Some(bytes))
    }
}
