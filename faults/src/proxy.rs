//! A line between a process and its database that can be cut, held up, slowed down and swallowed.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

use crate::Done;

/// How the line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    #[default]
    Clear,
    /// What is sent arrives so many milliseconds later.
    Slow(u64),
    /// So many bytes a second get through.
    Narrow(u64),
    /// Nothing gets through, and nobody is told.
    Hole,
}

/// Where the next connection that sends is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// After so many more bytes of all that clients send.
    AfterBytes(u64),
    /// After so many bytes of the next message with a commit in it: within it, or behind it and before its answer.
    InCommit(usize),
}

#[derive(Debug, Default)]
struct State {
    faults: AtomicU64,
    cut: Mutex<Option<Cut>>,
    /// How many connections were cut where it was asked for.
    cuts: AtomicU64,
    commits_cut: AtomicU64,
}

/// A proxy at work; its tasks end with the runtime.
#[derive(Debug)]
pub struct Proxy {
    pub address: SocketAddr,
    weather: watch::Sender<Weather>,
    /// Counted up to end all connections.
    broken: watch::Sender<u64>,
    state: Arc<State>,
}

impl Proxy {
    pub async fn begin(target: String) -> Done<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (weather, broken) = (watch::Sender::new(Weather::Clear), watch::Sender::new(0));
        let state = Arc::new(State::default());
        let line = Line {
            weather: weather.subscribe(),
            broken: broken.subscribe(),
            state: Arc::clone(&state),
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (target, line) = (target.clone(), line.clone());
                tokio::spawn(async move {
                    // A target that does not answer is a line that is closed.
                    if let Ok(server) = TcpStream::connect(target).await {
                        line.carry(client, server).await;
                    }
                });
            }
        });
        Ok(Self { address, weather, broken, state })
    }

    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Ends all connections.
    pub fn break_all(&self) {
        self.broken.send_modify(|count| *count += 1);
    }

    pub fn cut(&self, cut: Option<Cut>) {
        *self.state.cut.lock().unwrap_or_else(PoisonError::into_inner) = cut;
    }

    /// Whether a cut that was asked for is still to come.
    pub fn will_cut(&self) -> bool {
        self.state.cut.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Counts a fault that is made.
    pub fn one_more(&self) {
        self.state.faults.fetch_add(1, Ordering::Relaxed);
    }

    pub fn faults(&self) -> u64 {
        self.state.faults.load(Ordering::Relaxed)
    }

    /// How many connections were cut at a byte, and of them in or after a commit.
    pub fn cuts(&self) -> (u64, u64) {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (of(&self.state.cuts), of(&self.state.commits_cut))
    }
}

/// What a connection is told.
#[derive(Clone, Debug)]
struct Line {
    weather: watch::Receiver<Weather>,
    broken: watch::Receiver<u64>,
    state: Arc<State>,
}

impl Line {
    /// Carries bytes both ways until one end closes or the line breaks.
    async fn carry(mut self, client: TcpStream, server: TcpStream) {
        let now = *self.broken.borrow_and_update();
        let mut broken = self.broken.clone();
        // Small messages are not to wait for one another.
        if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
            return;
        }
        let ((from_client, to_client), (from_server, to_server)) =
            (client.into_split(), server.into_split());
        let asking = self.clone().pump(from_client, to_server, Side::Client);
        let answering = self.pump(from_server, to_client, Side::Server);
        tokio::select! {
            () = asking => {}
            () = answering => {}
            _ = broken.wait_for(|count| *count != now) => {}
        }
    }

    async fn pump(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, side: Side) {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let Ok(length) = from.read(&mut buffer).await else { return };
            let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else {
                return;
            };
            self.weathered(length).await;
            let through = if side == Side::Client { self.through(bytes) } else { None };
            let sent = bytes.get(..through.unwrap_or(length)).unwrap_or(bytes);
            if to.write_all(sent).await.is_err() {
                return;
            }
            if through.is_some() {
                // What was sent may still be on its way to the server, and be done.
                return;
            }
        }
    }

    /// Waits as the weather has it.
    async fn weathered(&mut self, length: usize) {
        loop {
            let weather = *self.weather.borrow_and_update();
            match weather {
                Weather::Clear => return,
                Weather::Slow(ms) => return tokio::time::sleep(Duration::from_millis(ms)).await,
                Weather::Narrow(per_second) => {
                    let ms = (length as u64).saturating_mul(1_000) / per_second.max(1);
                    return tokio::time::sleep(Duration::from_millis(ms)).await;
                }
                Weather::Hole => {
                    if self.weather.changed().await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// How many of the bytes get through before the connection is cut, if it is.
    fn through(&self, bytes: &[u8]) -> Option<usize> {
        let cut = &mut *self.state.cut.lock().unwrap_or_else(PoisonError::into_inner);
        let through = match cut {
            None => return None,
            Some(Cut::AfterBytes(left)) => match usize::try_from(*left) {
                Ok(left) if left < bytes.len() => left,
                _ => {
                    *left -= bytes.len() as u64;
                    return None;
                }
            },
            Some(Cut::InCommit(length)) => {
                if !bytes.windows(6).any(|word| word.eq_ignore_ascii_case(b"commit")) {
                    return None;
                }
                self.state.commits_cut.fetch_add(1, Ordering::Relaxed);
                (*length).min(bytes.len())
            }
        };
        *cut = None;
        self.state.cuts.fetch_add(1, Ordering::Relaxed);
        Some(through)
    }
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}
