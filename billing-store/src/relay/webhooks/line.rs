//! One connection to an endpoint, driven by whoever uses it: no task is spawned for it.

use core::{future::poll_fn, pin::Pin, task::Poll};
use std::{net::SocketAddr, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1::{Connection, SendRequest, handshake},
    header::RETRY_AFTER,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

use crate::relay::webhooks::Reach;

type Body = Full<Bytes>;
type Wire = TokioIo<Box<dyn Stream>>;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where a connection goes.
#[derive(Clone)]
pub(super) struct Target {
    /// The host's name or address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// `None` for HTTP without TLS.
    pub(super) tls: Option<(TlsConnector, ServerName<'static>)>,
    pub(super) reach: Reach,
    pub(super) connect: Duration,
}

/// What an endpoint answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The header `retry-after`, if it is text.
    pub(super) retry_after: Option<String>,
}

/// The connector of everybody: roots are Mozilla's, cryptography is ring's whatever else the host has linked.
pub(super) fn connector() -> Option<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    Some(TlsConnector::from(Arc::new(config)))
}

/// A connection that is open.
pub(super) struct Line {
    sender: SendRequest<Body>,
    /// `None` once it has ended.
    connection: Option<Pin<Box<Connection<Wire, Body>>>>,
}

/// Why an endpoint could not be asked, without the text of its URL.
pub(super) type Broken = &'static str;

impl Line {
    pub(super) async fn open(target: &Target) -> Result<Self, Broken> {
        let opened = timeout(target.connect, Self::connect(target)).await;
        opened.unwrap_or(Err("the endpoint did not take the connection in time"))
    }

    async fn connect(target: &Target) -> Result<Self, Broken> {
        let stream = reach(target).await?;
        // A webhook is one small write.
        let _set: bool = stream.set_nodelay(true).is_ok();
        let stream: Box<dyn Stream> = match &target.tls {
            None => Box::new(stream),
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await;
                Box::new(stream.ok().ok_or("the endpoint's certificate or TLS was not accepted")?)
            }
        };
        let line = handshake(TokioIo::new(stream)).await;
        let (sender, connection) = line.ok().ok_or("the endpoint does not speak HTTP")?;
        Ok(Self { sender, connection: Some(Box::pin(connection)) })
    }

    /// Sends a request; what is answered behind the status is read up to a number of bytes, so that the next request can follow.
    pub(super) async fn ask(
        mut self,
        request: Request<Body>,
        within: Duration,
        bytes_max: usize,
    ) -> Result<(Answer, Option<Self>), Broken> {
        let sent = self.sender.send_request(request);
        let sent = timeout(within, drive(&mut self.connection, sent)).await;
        let answered = sent.ok().ok_or("the endpoint did not answer in time")?;
        let answered = answered.ok().ok_or("the connection to the endpoint was cut")?;
        let (head, body) = answered.into_parts();
        let retry_after = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let answer = Answer { status: head.status, retry_after };
        let is_read = timeout(within, self.read(body, bytes_max)).await;
        // The status counts; a line with an answer that does not end is left.
        Ok((answer, is_read.unwrap_or(false).then_some(self)))
    }

    async fn read(&mut self, body: Incoming, bytes_max: usize) -> bool {
        let all = Limited::new(body, bytes_max).collect();
        let is_whole = drive(&mut self.connection, all).await.is_ok();
        let ready = self.sender.ready();
        is_whole && drive(&mut self.connection, ready).await.is_ok()
    }
}

/// Polls the connection beside what waits for it.
async fn drive<F: Future>(
    connection: &mut Option<Pin<Box<Connection<Wire, Body>>>>,
    future: F,
) -> F::Output {
    let mut future = core::pin::pin!(future);
    poll_fn(|context| {
        if let Some(open) = connection
            && open.as_mut().poll(context).is_ready()
        {
            // Dropped, so that whoever waits for it hears of its end.
            *connection = None;
        }
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(output),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Connects to an address that was looked at, and to none that the name might stand for a moment later.
async fn reach(target: &Target) -> Result<TcpStream, Broken> {
    let found = lookup_host((target.host.as_str(), target.port)).await;
    let found: Vec<SocketAddr> = found.ok().ok_or("the endpoint's name is not known")?.collect();
    let mut allowed = found.into_iter().filter(|address| target.reach.allows(address.ip()));
    let Some(first) = allowed.next() else {
        return Err("the endpoint has no address that webhooks may go to");
    };
    for address in core::iter::once(first).chain(allowed) {
        if let Ok(stream) = TcpStream::connect(address).await {
            return Ok(stream);
        }
    }
    Err("the endpoint does not take connections")
}
