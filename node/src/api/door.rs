//! The door of the API: connections are counted, timed, and where a certificate is given spoken to
//! in TLS (RULINGS A20).
//!
//! * At most [`OPEN_MAX`] connections, and [`OPEN_FROM_ONE`] from one address that is not loopback:
//!   who comes above that is hung up on, so that nobody can take all places.
//! * A connection on which nothing moves for a minute is closed; a handshake has ten seconds.
//!   Handshakes run beside each other.
//! * Certificate and key are read at the start, where a fault is an error, and again when their
//!   files change, where a fault keeps the old ones and is logged: renewing a certificate needs no
//!   restart.
//!
//! Absent on purpose: client certificates. Who reads what is decided by signed passes, who writes
//! by signed records.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::TlsFiles;
use crate::failure::Failure;

/// Connections at once.
pub const OPEN_MAX: usize = 1_024;
/// Of them from one address, loopback aside: behind it stands a proxy, or the node's own people.
pub const OPEN_FROM_ONE: usize = 64;
/// How long a connection may be silent in both directions.
const IDLE: Duration = Duration::from_secs(60);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often the certificate's files are looked at.
const RENEWAL: Duration = Duration::from_secs(30);

/// Reads a certificate chain and its key, and checks that they fit.
pub fn read_tls(files: &TlsFiles) -> Result<Arc<ServerConfig>, Failure> {
    let next = "give a PEM certificate chain and its PEM key under [tls]";
    let failed =
        |path: &Path, why: String| Failure::file("cannot use the TLS file", path, why, next);
    let chain: Result<Vec<CertificateDer>, _> =
        CertificateDer::pem_file_iter(&files.certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| failed(&files.certificate, error.to_string()))?;
    let mode = std::fs::metadata(&files.key)
        .map_err(|error| failed(&files.key, error.to_string()))?
        .permissions()
        .mode();
    if mode & 0o007 != 0 {
        let next = format!(
            "run chmod 600 {}, and think about who may have read it",
            files.key.display()
        );
        return Err(Failure::file(
            "the TLS key can be read by everybody:",
            &files.key,
            format!("its mode is {:o}", mode & 0o777),
            next,
        ));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| failed(&files.key, error.to_string()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .map_err(|error| error.to_string())
        });
    let mut config = config.map_err(|why| failed(&files.certificate, why))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn changed(files: &TlsFiles) -> [Option<SystemTime>; 2] {
    [&files.certificate, &files.key].map(|path| {
        std::fs::metadata(path)
            .and_then(|data| data.modified())
            .ok()
    })
}

/// Places that are taken.
#[derive(Default)]
struct Seats(Mutex<(usize, BTreeMap<IpAddr, usize>)>);

/// A place; given back when dropped.
struct Seat {
    seats: Arc<Seats>,
    from: IpAddr,
}

impl Seats {
    fn take(self: &Arc<Seats>, from: IpAddr) -> Option<Seat> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, by_address) = &mut *taken;
        let here = by_address.get(&from).copied().unwrap_or(0);
        if *all >= OPEN_MAX || (here >= OPEN_FROM_ONE && !from.is_loopback()) {
            return None;
        }
        *all += 1;
        by_address.insert(from, here + 1);
        Some(Seat {
            seats: self.clone(),
            from,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, by_address) = &mut *taken;
        *all = all.saturating_sub(1);
        match by_address.get_mut(&self.from) {
            Some(here) if *here > 1 => *here -= 1,
            _ => drop(by_address.remove(&self.from)),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One connection.
pub struct Guest {
    stream: Box<dyn Stream>,
    idle: Pin<Box<Sleep>>,
    patience: Duration,
    _seat: Seat,
}

impl Guest {
    fn new(stream: impl Stream + 'static, seat: Seat, patience: Duration) -> Guest {
        Guest {
            stream: Box::new(stream),
            idle: Box::pin(tokio::time::sleep(patience)),
            patience,
            _seat: seat,
        }
    }

    /// Passes an answer on; nothing for too long is an error.
    fn timed<T>(
        &mut self,
        context: &mut Context<'_>,
        answer: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if answer.is_ready() {
            let end = Instant::now() + self.patience;
            self.idle.as_mut().reset(end);
            return answer;
        }
        ready!(self.idle.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let answer = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.timed(context, answer)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let answer = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.timed(context, answer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let answer = Pin::new(&mut self.stream).poll_flush(context);
        self.timed(context, answer)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Where connections come in.
pub struct Door {
    at: SocketAddr,
    guests: mpsc::Receiver<(Guest, SocketAddr)>,
}

impl Door {
    /// Opens the door on a bound listener; in TLS if files are given, which are read here.
    pub fn open(listener: TcpListener, tls: Option<TlsFiles>) -> Result<Door, Failure> {
        let at = listener.local_addr().map_err(|error| {
            Failure::new(
                "the API does not start",
                error,
                "start the node again; if it stays so, see the system's log",
            )
        })?;
        let (sender, guests) = mpsc::channel(64);
        let seats = Arc::new(Seats::default());
        let current = match &tls {
            Some(files) => Some(Arc::new(RwLock::new(read_tls(files)?))),
            None => None,
        };
        if let (Some(files), Some(current)) = (tls, current.clone()) {
            tokio::spawn(renew(files, current, sender.clone()));
        }
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = sender.closed() => return,
                };
                let Ok((stream, from)) = accepted else {
                    // Out of files, or the guest has gone already.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let Some(seat) = seats.take(from.ip()) else {
                    continue;
                };
                let _ = stream.set_nodelay(true);
                let acceptor = current.as_ref().map(|current| {
                    TlsAcceptor::from(
                        current
                            .read()
                            .unwrap_or_else(PoisonError::into_inner)
                            .clone(),
                    )
                });
                tokio::spawn(welcome(stream, from, seat, acceptor, sender.clone()));
            }
        });
        Ok(Door { at, guests })
    }
}

/// The handshake, if there is one, and the way in.
async fn welcome(
    stream: TcpStream,
    from: SocketAddr,
    seat: Seat,
    acceptor: Option<TlsAcceptor>,
    sender: mpsc::Sender<(Guest, SocketAddr)>,
) {
    let guest = match acceptor {
        None => Guest::new(stream, seat, IDLE),
        Some(acceptor) => match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Guest::new(stream, seat, IDLE),
            // Not TLS, or not in time: none of ours.
            _ => return,
        },
    };
    let _ = sender.send((guest, from)).await;
}

/// Reads the certificate again when its files change.
async fn renew(
    files: TlsFiles,
    current: Arc<RwLock<Arc<ServerConfig>>>,
    sender: mpsc::Sender<(Guest, SocketAddr)>,
) {
    let mut seen = changed(&files);
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEWAL) => {}
            () = sender.closed() => return,
        }
        let now = changed(&files);
        if now == seen {
            continue;
        }
        seen = now;
        match read_tls(&files) {
            Ok(config) => {
                *current.write().unwrap_or_else(PoisonError::into_inner) = config;
                tracing::info!(
                    certificate = %files.certificate.display(),
                    "the TLS certificate was read again"
                );
            }
            Err(failure) => tracing::warn!("{failure}; the certificate before stays in use"),
        }
    }
}

impl axum::serve::Listener for Door {
    type Io = Guest;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guest, SocketAddr) {
        match self.guests.recv().await {
            Some(guest) => guest,
            // The accepting task ends only with this receiver.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let seats = Arc::new(Seats::default());
        let far: IpAddr = "192.0.2.7".parse().unwrap();
        let mut taken: Vec<Seat> = (0..OPEN_FROM_ONE)
            .map(|_| seats.take(far).unwrap())
            .collect();
        assert!(seats.take(far).is_none(), "one address has its share");
        let near: IpAddr = "127.0.0.1".parse().unwrap();
        taken.extend((OPEN_FROM_ONE..OPEN_MAX).map(|_| seats.take(near).unwrap()));
        assert!(seats.take(near).is_none(), "the house is full");
        taken.clear();
        assert!(seats.take(far).is_some());
        assert!(
            seats.0.lock().unwrap().1.is_empty(),
            "no address is remembered"
        );
    }

    #[tokio::test]
    async fn a_silent_guest_is_shown_out() {
        use tokio::io::AsyncReadExt as _;
        let (near, mut far) = tokio::io::duplex(64);
        let seat = Arc::new(Seats::default())
            .take("127.0.0.1".parse().unwrap())
            .unwrap();
        let mut guest = Guest::new(near, seat, Duration::from_millis(20));
        tokio::io::AsyncWriteExt::write_all(&mut far, b"x")
            .await
            .unwrap();
        assert_eq!(guest.read_u8().await.unwrap(), b'x');
        assert_eq!(
            guest.read_u8().await.unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }
}
