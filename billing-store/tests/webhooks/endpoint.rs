//! An endpoint on this machine that answers as it is told, and keeps what it was sent.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How an endpoint behaves at one request.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// Answers with a status, and with more headers.
    Status(u16, &'static str),
    /// Says nothing, and keeps the line.
    Silent,
    /// Cuts the line once it has read the request.
    Cut,
    /// Cuts the line in the middle of its answer's head.
    CutAnswer,
    /// Takes it, and its answer never ends.
    Endless,
    /// Takes it, and announces more than it says.
    Short,
    /// Answers something else than HTTP.
    Garbage,
}

#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) received: Mutex<Vec<Received>>,
    pub(crate) lines: Mutex<u32>,
}

pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl Endpoint {
    /// An endpoint that goes these ways, request by request, and then takes everything.
    pub(crate) async fn new(ways: impl IntoIterator<Item = Way>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut ways: Vec<_> = ways.into_iter().collect();
        ways.reverse();
        let (ways, seen) = (Arc::new(Mutex::new(ways)), Arc::new(Seen::default()));
        let kept = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *kept.lines.lock().unwrap() += 1;
                drop(tokio::spawn(serve(stream, Arc::clone(&ways), Arc::clone(&kept))));
            }
        });
        Self { address, seen, task }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.seen.received.lock().unwrap().clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, ways: Arc<Mutex<Vec<Way>>>, seen: Arc<Seen>) {
    let mut stream = BufReader::new(stream);
    while let Some(received) = read(&mut stream).await {
        seen.received.lock().unwrap().push(received);
        let way = ways.lock().unwrap().pop().unwrap_or(Way::Status(204, ""));
        let text = match way {
            Way::Status(status, headers) => {
                let length = if status == 204 { "" } else { "content-length: 2\r\n" };
                let body = if status == 204 { "" } else { "ok" };
                format!("HTTP/1.1 {status} Some\r\n{length}{headers}\r\n{body}")
            }
            Way::Silent => return std::future::pending().await,
            Way::Cut => return,
            Way::CutAnswer => {
                drop(stream.write_all(b"HTTP/1.1 200 O").await);
                return;
            }
            Way::Endless => {
                let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                drop(stream.write_all(head.as_bytes()).await);
                while stream.write_all(b"4\r\nmore\r\n").await.is_ok() {
                    tokio::time::sleep(Duration::from_micros(10)).await;
                }
                return;
            }
            Way::Short => {
                drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok").await);
                return;
            }
            Way::Garbage => "what?\r\n\r\n".to_owned(),
        };
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        if stream.read_line(&mut header).await.ok()? == 0 {
            return None;
        }
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length: usize = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let (line, body) = (line.trim_end().to_owned(), String::from_utf8(body).unwrap());
    Some(Received { line, headers, body })
}
