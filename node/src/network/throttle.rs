//! A TCP stream that reads no faster than its rate. Holds a sender back by TCP's own means instead of dropping anything: the
//! bound on everything a connection can cost, known protocol or not.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;

use super::limits::{Rate, TokenBucket};

/// See the module.
pub(super) struct Throttled<S> {
    stream: S,
    bucket: TokenBucket,
    pause: Option<Pin<Box<Sleep>>>,
}

impl<S> Throttled<S> {
    pub(super) fn new(stream: S, rate: Rate) -> Throttled<S> {
        Throttled { stream, bucket: TokenBucket::new(rate, Instant::now()), pause: None }
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
}

impl<S: AsyncRead + Unpin> AsyncRead for Throttled<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_turn(cx));
        let count = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.bucket.spend(count, Instant::now());
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Throttled<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::AsyncReadExt;
    use futures::io::Cursor;

    #[tokio::test]
    async fn delivers_everything_and_pauses_in_between() {
        let bytes: Vec<u8> = (0..3_000u32).map(|n| n as u8).collect();
        let mut stream = Throttled::new(Cursor::new(bytes.clone()), Rate::new(20_000, 1_000));
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
}
