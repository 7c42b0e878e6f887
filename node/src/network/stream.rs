//! A TCP stream with two guards.
//!
//! * It reads no faster than its rate. This holds a sender back by TCP's own means instead of
//!   dropping anything: the bound on everything a connection can cost, known protocol or not.
//! * A write that makes no progress for [`STALL`] fails. Without it a peer that lost power keeps
//!   its connection, and with it its only place, until TCP gives up after a quarter of an hour:
//!   closing waits for what is still to be written.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;

use super::limits::{Rate, TokenBucket};

/// How long a write may make no progress.
const STALL: Duration = Duration::from_secs(20);

/// See the module.
pub(super) struct GuardedStream<S> {
    stream: S,
    bucket: TokenBucket,
    pause: Option<Pin<Box<Sleep>>>,
    stall: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> GuardedStream<S> {
    pub(super) fn new(stream: S, rate: Rate) -> GuardedStream<S> {
        GuardedStream {
            stream,
            bucket: TokenBucket::new(rate, Instant::now()),
            pause: None,
            stall: STALL,
            stalled: None,
        }
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let wait = self.bucket.wait(Instant::now());
            if wait.is_zero() {
                return Poll::Ready(());
            }
            self.pause = Some(Box::pin(tokio::time::sleep(wait)));
        }
    }

    /// Passes on what a write brought; turns one that waits too long into an error.
    fn watch<T>(
        &mut self,
        result: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let stall = self.stall;
        let timer = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(stall)));
        timer.as_mut().poll(cx).map(|()| {
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the peer takes no more data",
            ))
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for GuardedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_turn(cx));
        let count = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.bucket.spend(count, Instant::now());
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GuardedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(result, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.watch(result, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(result, cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_close(cx);
        self.watch(result, cx)
    }
}

#[cfg(test)]
mod tests {
    use futures::AsyncReadExt;
    use futures::io::Cursor;

    use super::*;

    #[tokio::test]
    async fn delivers_everything_and_pauses_in_between() {
        let bytes: Vec<u8> = (0..3_000u32).map(|n| n as u8).collect();
        let mut stream = GuardedStream::new(Cursor::new(bytes.clone()), Rate::new(20_000, 1_000));
        let started = Instant::now();
        let mut got = vec![0; 1_000];
        let mut all = Vec::new();
        while let Ok(count @ 1..) = stream.read(&mut got).await {
            all.extend_from_slice(&got[..count]);
        }
        assert_eq!(all, bytes);
        // 1,000 at once, the rest at 20,000 a second; a slower machine only waits longer.
        assert!(started.elapsed().as_millis() >= 50);
    }

    /// A peer that never takes a byte.
    struct Stuck;

    impl AsyncWrite for Stuck {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_write_without_progress_fails() {
        use futures::AsyncWriteExt;
        let mut stream = GuardedStream::new(Stuck, Rate::new(1, 1));
        stream.stall = Duration::from_millis(20);
        assert_eq!(
            stream.write(b"x").await.unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
        let mut stream = GuardedStream::new(Stuck, Rate::new(1, 1));
        stream.stall = Duration::from_millis(20);
        assert_eq!(
            stream.close().await.unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }
}
