//! The door of the API: connections are counted, timed, and where a certificate is given spoken to
//! in TLS (RULINGS A20, A49).
//!
//! * At most [`OPEN_MAX`] connections, fewer where the system gives few files, and [`OPEN_FROM_ONE`] from one
//!   place (`Whence`: of IPv6 a /64): who comes above that is hung up on, so that nobody can take all
//!   places. Proxies that the operator names may have all but an eighth together ([`BESIDE_PROXIES`]): those
//!   behind them are counted by what they say of them ([`super::serve`]).
//! * A wider network, of IPv6 a /48 and of IPv4 a /24, has a quarter of all at most.
//! * [`KEPT`] places more are for whoever finds the house full: there is status and health and nothing
//!   else, so that an operator sees what is the matter. [`KEPT_FOR_HERE`] of them are for this machine.
//! * A connection on which nothing moves for a minute is closed; a handshake has ten seconds.
//!   Handshakes run beside each other. Who takes an answer slower than `LEAST_RATE` is hung up on once
//!   it is `SLOWNESS` late.
//! * Certificate and key are read at the start, where a fault is an error, and again when their
//!   files change, where a fault keeps the old ones and is logged: renewing a certificate needs no
//!   restart.
//!
//! Absent on purpose: client certificates. Who reads what is decided by signed passes, who writes
//! by signed records.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::shares::{Share, Shares, Whence};
use crate::config::TlsFiles;
use crate::failure::Failure;

/// Connections at once.
pub const OPEN_MAX: u64 = 1_008;
/// Of them from one place.
pub const OPEN_FROM_ONE: u64 = 64;
/// What a wider network may have of all: one part of so many.
pub const OF_WIDER: u64 = 4;
/// What named proxies leave to others: one part of so many.
pub const BESIDE_PROXIES: u64 = 8;
/// Connections beyond those, for status and health alone.
pub const KEPT: u64 = 16;
/// Of them for this machine alone.
pub const KEPT_FOR_HERE: u64 = 2;
/// Of them from one place.
const KEPT_FROM_ONE: u64 = 4;
/// Bytes that the system holds of answers that a guest has not taken yet.
const SEND_BUFFER: u32 = 128 * 1024;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;
/// Bytes in a second that a guest takes of an answer at least.
const LEAST_RATE: u64 = 1_024;
/// How late a guest may be by that rate.
const SLOWNESS: Duration = Duration::from_secs(20);
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

/// Binds the API's port. What the system holds of answers is small: a guest who takes nothing costs
/// little.
pub fn bind(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = match at {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(at)?;
    socket.listen(BACKLOG)
}

/// Who stands at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// What the connection is counted under.
    pub place: Whence,
    /// Whether it is a proxy that the operator named.
    pub is_proxy: bool,
    /// Whether it has one of the places that are for status and health alone.
    pub is_kept: bool,
}

/// What a connection holds: its own place, and that of its wider network.
type Seat = (Share, Option<Share>);

/// The places of the house.
struct House {
    open: Arc<Shares>,
    wider: Arc<Shares>,
    kept: Arc<Shares>,
    kept_for_here: Arc<Shares>,
    /// As they connect: a neighbour in a proxy's network is not the proxy.
    proxies: BTreeSet<IpAddr>,
    proxied: Arc<Shares>,
}

impl House {
    /// With places for so many, behind proxies.
    fn new(proxies: &[IpAddr], most: u64) -> House {
        let beside = most - most / BESIDE_PROXIES;
        House {
            open: Shares::new(most, OPEN_FROM_ONE),
            wider: Shares::new(most, most / OF_WIDER),
            kept: Shares::new(KEPT - KEPT_FOR_HERE, KEPT_FROM_ONE),
            kept_for_here: Shares::new(KEPT_FOR_HERE, KEPT_FOR_HERE),
            proxies: proxies.iter().map(IpAddr::to_canonical).collect(),
            proxied: Shares::new(beside, beside),
        }
    }

    fn take(&self, from: IpAddr) -> Option<(Caller, Seat)> {
        let place = Whence::of(from);
        let is_proxy = self.proxies.contains(&from.to_canonical());
        let is_here = from.to_canonical().is_loopback();
        let seat = self.seat(place, is_proxy, is_here);
        let is_kept = seat.is_none();
        let kept = || {
            let here = is_here.then(|| self.kept_for_here.take(place, 1)).flatten();
            here.or_else(|| self.kept.take(place, 1))
                .map(|seat| (seat, None))
        };
        let seat = seat.or_else(kept)?;
        let caller = Caller {
            place,
            is_proxy,
            is_kept,
        };
        Some((caller, seat))
    }

    fn seat(&self, place: Whence, is_proxy: bool, is_here: bool) -> Option<Seat> {
        if is_proxy {
            let proxied = self.proxied.take(place, 1)?;
            return Some((self.open.take_any(place, 1)?, Some(proxied)));
        }
        let wider = if is_here {
            None
        } else {
            Some(self.wider.take(place.wider(), 1)?)
        };
        Some((self.open.take(place, 1)?, wider))
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One connection.
pub struct Guest {
    stream: Box<dyn Stream>,
    idle: Pin<Box<Sleep>>,
    patience: Duration,
    pace: Pace,
    _seat: Seat,
}

/// How far a guest is behind `LEAST_RATE` in taking what is sent. It counts only while something waits
/// to be taken.
#[derive(Debug, Default)]
struct Pace {
    /// How late it was when it last took something.
    late: Duration,
    /// Since when something waits.
    waits: Option<Instant>,
}

impl Pace {
    fn late(&self, now: Instant) -> Duration {
        let waited = self.waits.map(|since| now.saturating_duration_since(since));
        self.late.saturating_add(waited.unwrap_or_default())
    }

    fn waits(&mut self, now: Instant) {
        self.waits.get_or_insert(now);
    }

    fn took(&mut self, bytes: usize, now: Instant) {
        let earned = (bytes as u64).saturating_mul(1_000) / LEAST_RATE;
        self.late = self.late(now).saturating_sub(Duration::from_millis(earned));
        self.waits = None;
    }
}

impl Guest {
    fn new(stream: impl Stream + 'static, seat: Seat, patience: Duration) -> Guest {
        Guest {
            stream: Box::new(stream),
            idle: Box::pin(tokio::time::sleep(patience)),
            patience,
            pace: Pace::default(),
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
        let now = Instant::now();
        match &answer {
            Poll::Pending => {
                self.pace.waits(now);
                let left = SLOWNESS.saturating_sub(self.pace.late(now));
                if left.is_zero() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                let end = now + left;
                if end < self.idle.deadline() {
                    self.idle.as_mut().reset(end);
                }
            }
            Poll::Ready(Ok(taken)) => self.pace.took(*taken, now),
            Poll::Ready(Err(_)) => {}
        }
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
    guests: mpsc::Receiver<(Guest, Caller)>,
}

impl Door {
    /// Opens the door on a bound listener for `most` connections; in TLS if files are given, which are read
    /// here. Those behind `proxies` are counted by what these say of them.
    pub fn open(
        listener: TcpListener,
        tls: Option<TlsFiles>,
        proxies: &[IpAddr],
        most: u64,
    ) -> Result<Door, Failure> {
        let (sender, guests) = mpsc::channel(64);
        let house = House::new(proxies, most);
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
                let Some((caller, seat)) = house.take(from.ip()) else {
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
                tokio::spawn(welcome(stream, caller, seat, acceptor, sender.clone()));
            }
        });
        Ok(Door { guests })
    }

    /// The next guest.
    pub async fn accept(&mut self) -> (Guest, Caller) {
        match self.guests.recv().await {
            Some(guest) => guest,
            // The accepting task ends only with this receiver.
            None => std::future::pending().await,
        }
    }
}

/// The handshake, if there is one, and the way in.
async fn welcome(
    stream: TcpStream,
    caller: Caller,
    seat: Seat,
    acceptor: Option<TlsAcceptor>,
    sender: mpsc::Sender<(Guest, Caller)>,
) {
    let guest = match acceptor {
        None => Guest::new(stream, seat, IDLE),
        Some(acceptor) => match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Guest::new(stream, seat, IDLE),
            // Not TLS, or not in time: none of ours.
            _ => return,
        },
    };
    let _ = sender.send((guest, caller)).await;
}

/// Reads the certificate again when its files change.
async fn renew(
    files: TlsFiles,
    current: Arc<RwLock<Arc<ServerConfig>>>,
    sender: mpsc::Sender<(Guest, Caller)>,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn seat() -> Seat {
        let here = Whence::of("127.0.0.1".parse().unwrap());
        (Shares::new(1, 1).take(here, 1).unwrap(), None)
    }

    /// Takes all places that one address gets; how many are no kept ones.
    fn take_all(house: &House, from: IpAddr, held: &mut Vec<Seat>) -> u64 {
        let mut open = 0;
        while let Some((caller, seat)) = house.take(from) {
            open += u64::from(!caller.is_kept);
            held.push(seat);
        }
        open
    }

    /// One address took all places for as long as it liked, on this machine and, by way of one IPv6
    /// network, from elsewhere; nobody saw any more what was the matter.
    #[test]
    fn nobody_takes_all_places_and_some_are_kept() {
        let proxy: IpAddr = "192.0.2.1".parse().unwrap();
        let house = House::new(&[proxy], OPEN_MAX);
        let far: IpAddr = "203.0.113.7".parse().unwrap();
        let mut held = Vec::new();
        assert_eq!(take_all(&house, far, &mut held), OPEN_FROM_ONE);
        assert_eq!(held.len() as u64, OPEN_FROM_ONE + KEPT_FROM_ONE);
        while let Some((caller, seat)) = house.take(proxy) {
            assert!(caller.is_proxy);
            held.push(seat);
        }
        assert_eq!(
            held.len() as u64,
            OPEN_FROM_ONE + OPEN_MAX - OPEN_MAX / BESIDE_PROXIES + 2 * KEPT_FROM_ONE
        );
        let (late, _seat) = house.take("198.51.100.9".parse().unwrap()).unwrap();
        assert!(!late.is_kept && !late.is_proxy, "proxies leave places");
    }

    /// Strangers took the kept places, too, and the operator at the machine saw nothing.
    #[test]
    fn a_wider_network_has_a_quarter_and_this_machine_its_own() {
        let house = House::new(&[], 400);
        let mut held = Vec::new();
        for network in 0..4_u8 {
            let mut open = 0;
            for host in 1..=9 {
                open += take_all(&house, IpAddr::from([198, 51, network, host]), &mut held);
            }
            assert_eq!(open, 100, "of {network}");
        }
        let more = take_all(&house, "192.0.2.1".parse().unwrap(), &mut held);
        assert_eq!(more, 0, "the house is full");
        for host in 2..9 {
            take_all(&house, IpAddr::from([192, 0, 2, host]), &mut held);
        }
        assert!(
            house.take("203.0.113.9".parse().unwrap()).is_none(),
            "and the kept places are taken"
        );
        let (here, _seat) = house.take("127.0.0.1".parse().unwrap()).unwrap();
        assert!(here.is_kept);
        // A /48 is one network.
        let house = House::new(&[], 400);
        let of_one: u64 = (0..9)
            .map(|at| format!("2001:db8:7:{at}::1").parse().unwrap())
            .map(|address| take_all(&house, address, &mut held))
            .sum();
        assert_eq!(of_one, 100);
    }

    /// Any neighbour in the /64 of an IPv6 proxy was taken for the proxy: it had all places, and said who
    /// it was.
    #[test]
    fn a_neighbour_of_a_proxy_is_not_the_proxy() {
        let proxies = ["2001:db8::1", "::ffff:192.0.2.1"].map(|text| text.parse().unwrap());
        let house = House::new(&proxies, OPEN_MAX);
        let is_proxy = |text: &str| house.take(text.parse().unwrap()).unwrap().0.is_proxy;
        assert!(is_proxy("2001:db8::1") && is_proxy("192.0.2.1") && is_proxy("::ffff:192.0.2.1"));
        assert!(!is_proxy("2001:db8::2") && !is_proxy("192.0.2.2"));
    }

    #[tokio::test]
    async fn a_silent_guest_is_shown_out() {
        use tokio::io::AsyncReadExt as _;
        let (near, mut far) = tokio::io::duplex(64);
        let mut guest = Guest::new(near, seat(), Duration::from_millis(20));
        tokio::io::AsyncWriteExt::write_all(&mut far, b"x")
            .await
            .unwrap();
        assert_eq!(guest.read_u8().await.unwrap(), b'x');
        assert_eq!(
            guest.read_u8().await.unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }

    /// A reader of one byte a minute kept its place, and what it did not take, for ever.
    #[test]
    fn who_takes_too_little_is_late() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut slow = Pace::default();
        slow.waits(at(0));
        slow.took(1, at(10));
        slow.waits(at(10));
        assert!(
            slow.late(at(19)) < SLOWNESS
                && slow.late(at(20)) >= SLOWNESS - Duration::from_millis(1)
        );
        // Whoever takes a kilobyte a second is never late, and nobody saves up for later.
        let mut good = Pace::default();
        for second in 0..600 {
            good.waits(at(second));
            good.took(1_100, at(second + 1));
        }
        assert_eq!(good.late(at(600)), Duration::ZERO);
        assert_eq!(good.late(at(9_000)), Duration::ZERO, "nothing waits");
    }
}
