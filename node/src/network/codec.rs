//! The request-response wire format: opaque bytes in, opaque bytes out.
//!
//! Request: length u32 little-endian, bytes. Response: status u8, length u32 little-endian, bytes
//! (none unless status is 0). A length above the protocol's cap ends the stream before anything
//! more is read or kept. Room is made as bytes arrive, never for what a length merely claims.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::request_response;

use super::Protocol;

/// What an answer is on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// Status 0: the answer.
    Ok(Vec<u8>),
    /// Status 1: try later, or another peer.
    Busy,
    /// Status 2: the asking peer is over its rates.
    Limited,
    /// Status 3: not for this peer.
    Refused,
}

/// A request as it was read. The library keeps failures of reading to itself; a peer that sends
/// such things must be counted, so they travel as a kind of request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Incoming {
    /// The request.
    Whole(Vec<u8>),
    /// Its length is above the cap, or it ended early.
    Malformed,
}

/// Carries the caps of one protocol; the negotiated name is always that protocol's.
#[derive(Debug, Clone)]
pub(super) struct Opaque(pub(super) Protocol);

/// The first piece of memory for a message; more is taken only when the bytes are there.
const FIRST_ROOM: usize = 16 * 1024;

async fn read_bytes<T: AsyncRead + Unpin + Send>(io: &mut T, cap: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = u32::from_le_bytes(length) as usize;
    if length > cap {
        return Err(oversized(length, cap));
    }
    let mut bytes = Vec::with_capacity(length.min(FIRST_ROOM));
    io.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

async fn write_bytes<T: AsyncWrite + Unpin + Send>(
    io: &mut T,
    bytes: &[u8],
    cap: usize,
) -> io::Result<()> {
    let length = u32::try_from(bytes.len())
        .ok()
        .filter(|l| *l as usize <= cap)
        .ok_or_else(|| oversized(bytes.len(), cap))?;
    io.write_all(&length.to_le_bytes()).await?;
    io.write_all(bytes).await
}

fn oversized(length: usize, cap: usize) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{length} bytes are more than the {cap} of this protocol"),
    )
}

impl request_response::Codec for Opaque {
    type Protocol = &'static str;
    type Request = Incoming;
    type Response = Reply;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &Self::Protocol,
        io: &mut T,
    ) -> io::Result<Incoming> {
        match read_bytes(io, self.0.max_request()).await {
            Ok(bytes) => Ok(Incoming::Whole(bytes)),
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                ) =>
            {
                Ok(Incoming::Malformed)
            }
            Err(e) => Err(e),
        }
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &Self::Protocol,
        io: &mut T,
    ) -> io::Result<Reply> {
        let mut status = [0; 1];
        io.read_exact(&mut status).await?;
        let cap = if status[0] == 0 {
            self.0.max_response()
        } else {
            0
        };
        let bytes = read_bytes(io, cap).await?;
        match status[0] {
            0 => Ok(Reply::Ok(bytes)),
            1 => Ok(Reply::Busy),
            2 => Ok(Reply::Limited),
            3 => Ok(Reply::Refused),
            other => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("unknown status {other}"),
            )),
        }
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &Self::Protocol,
        io: &mut T,
        request: Incoming,
    ) -> io::Result<()> {
        match request {
            Incoming::Whole(bytes) => write_bytes(io, &bytes, self.0.max_request()).await,
            Incoming::Malformed => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &Self::Protocol,
        io: &mut T,
        reply: Reply,
    ) -> io::Result<()> {
        let (status, bytes): (u8, &[u8]) = match &reply {
            Reply::Ok(bytes) => (0, bytes),
            Reply::Busy => (1, &[]),
            Reply::Limited => (2, &[]),
            Reply::Refused => (3, &[]),
        };
        io.write_all(&[status]).await?;
        write_bytes(io, bytes, self.0.max_response()).await
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;
    use libp2p::request_response::Codec as _;
    use proptest::prelude::*;

    use super::*;

    fn ask() -> Opaque {
        Opaque(Protocol::Ask)
    }

    #[test]
    fn golden_bytes() {
        let mut out = Cursor::new(Vec::new());
        block_on(ask().write_request(&"", &mut out, Incoming::Whole(b"abc".to_vec()))).unwrap();
        assert_eq!(out.into_inner(), [3, 0, 0, 0, b'a', b'b', b'c']);
        for (reply, bytes) in [
            (Reply::Ok(b"z".to_vec()), vec![0, 1, 0, 0, 0, b'z']),
            (Reply::Busy, vec![1, 0, 0, 0, 0]),
            (Reply::Limited, vec![2, 0, 0, 0, 0]),
            (Reply::Refused, vec![3, 0, 0, 0, 0]),
        ] {
            let mut out = Cursor::new(Vec::new());
            block_on(ask().write_response(&"", &mut out, reply.clone())).unwrap();
            assert_eq!(out.get_ref(), &bytes);
            assert_eq!(
                block_on(ask().read_response(&"", &mut Cursor::new(bytes))).unwrap(),
                reply
            );
        }
    }

    #[test]
    fn refuses_what_is_too_long_or_too_short() {
        for bytes in [vec![], vec![1, 0], vec![4, 0, 0, 0, 1]] {
            assert_eq!(
                block_on(ask().read_request(&"", &mut Cursor::new(bytes))).unwrap(),
                Incoming::Malformed
            );
        }
        // Nothing behind a length above the cap is read.
        for length in [u32::MAX, Protocol::Ask.max_request() as u32 + 1] {
            let mut bytes = length.to_le_bytes().to_vec();
            bytes.extend_from_slice(&[7; 100_000]);
            let mut io = Cursor::new(bytes);
            assert_eq!(
                block_on(ask().read_request(&"", &mut io)).unwrap(),
                Incoming::Malformed
            );
            assert_eq!(io.position(), 4);
        }
        for bytes in [
            vec![4, 0, 0, 0, 0],
            vec![1, 1, 0, 0, 0, 9],
            vec![0, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert!(block_on(ask().read_response(&"", &mut Cursor::new(bytes))).is_err());
        }
        let mut sink = Cursor::new(Vec::new());
        let long = Incoming::Whole(vec![0; Protocol::Ask.max_request() + 1]);
        assert!(block_on(ask().write_request(&"", &mut sink, long)).is_err());
        assert!(sink.into_inner().is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_message_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let _ = block_on(ask().read_response(&"", &mut Cursor::new(bytes.clone())));
            match block_on(ask().read_request(&"", &mut Cursor::new(bytes.clone()))).unwrap() {
                Incoming::Whole(read) => prop_assert_eq!(&bytes[4..4 + read.len()], &read[..]),
                Incoming::Malformed => {}
            }
        }
    }
}
