//! Futures of clients that hang up: each use case is dropped at every await, and others go on with the same connections.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};

use serde_json::json;

use billing_core::item::Incoming;
use billing_store::{Billing, Tenant, clock::SetClock};

use crate::{
    Done,
    backend::{Backend, idle},
    check,
    check::Expected,
    place::{Opened, Place},
    request::{Answer, Request},
    run::Run,
    script::{NOW, Script},
};

/// Items that each account uses in a month.
const LITTLE: u64 = 8;
/// So many requests of each use case are dropped at every await in the short run, and in the long one.
const CUT: (u64, u64) = (1, 6);
/// Every connection must be free again within this time.
const FREE: Duration = Duration::from_secs(30);

/// What was counted.
#[derive(Default)]
struct Counts {
    dropped: u64,
    requests: u64,
    cases: BTreeMap<&'static str, u64>,
    free_after_max: Duration,
}

pub async fn at_every_await(run: &Run, backend: &Backend) -> Done<Vec<String>> {
    let script = Script::of(run.seed, LITTLE)?;
    let expected = Expected::of(&script).await?;
    let place = backend.fresh(run.folder(), "dropped").await?;
    let opened = place.open_patiently().await?;
    let tenant = opened.tenant()?;
    let other = Other::open(&opened).await?;
    let cut = if run.is_long() { CUT.1 } else { CUT.0 };
    let mut counts = Counts::default();
    for request in script.stages.iter().flat_map(|stage| &stage.requests) {
        let times = counts.cases.entry(request.name()).or_default();
        if *times < cut {
            *times += 1;
            every_await(&tenant, request, &other, &mut counts).await?;
            free(backend, &place, &tenant, &mut counts).await?;
        } else {
            answered(&tenant, request).await?;
        }
    }
    let problems = expected.problems(&tenant).await?;
    let others = other.problems(counts.dropped).await?;
    opened.close().await;
    if let Some(problem) = problems.iter().chain(&others).next() {
        return Err(format!("after dropped futures: {problem}").into());
    }
    backend.remove(&place).await?;
    let Counts { dropped, requests, cases, free_after_max } = counts;
    Ok(vec![format!(
        "futures dropped at every await, {} = {dropped} drops in {requests} requests of {} use cases: 0 lost, 0 doubled, {dropped} of \
         {dropped} calls of another client in between kept, no open transaction, every connection free again within {} ms",
        backend.name(),
        cases.len(),
        free_after_max.as_millis(),
    )])
}

/// Drops the request at its first await, at its second and so on, until it is answered.
async fn every_await(
    tenant: &Tenant,
    request: &Request,
    other: &Other,
    counts: &mut Counts,
) -> Done {
    counts.requests += 1;
    for polls in 1.. {
        let answer = cut_short(request.ask(tenant), polls).await;
        if let Some(answer) = answer {
            return done(request, answer);
        }
        counts.dropped += 1;
        // Somebody else goes on with the connection that was dropped, and is answered.
        other.call(counts.dropped).await?;
    }
    Ok(())
}

async fn answered(tenant: &Tenant, request: &Request) -> Done {
    done(request, request.ask(tenant).await)
}

fn done(request: &Request, answer: Answer) -> Done {
    match answer {
        Answer::Ok => Ok(()),
        answer => Err(format!("{} after dropped futures: {answer:?}", request.name()).into()),
    }
}

/// Polls it so often, each time when it asked for it, and then drops it.
async fn cut_short<T>(future: impl Future<Output = T>, polls: u32) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |context| {
        if let Poll::Ready(answer) = future.as_mut().poll(context) {
            return Poll::Ready(Some(answer));
        }
        left -= 1;
        if left == 0 { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

/// Waits until every connection can be held at once, and looks for transactions that nobody ends.
async fn free(backend: &Backend, place: &Place, tenant: &Tenant, counts: &mut Counts) -> Done {
    let begun = Instant::now();
    let (readers, units) = backend.connections();
    let hold = Request::Hold(readers, units);
    let held = tokio::time::timeout(FREE, answered(tenant, &hold)).await;
    held.map_err(|_| format!("not every connection was free again within {FREE:?}"))??;
    idle(place).await?;
    counts.free_after_max = counts.free_after_max.max(begun.elapsed());
    Ok(())
}

/// Another tenant on the same connections, who is always answered.
struct Other(Tenant);

impl Other {
    async fn open(opened: &Opened) -> Done<Self> {
        let clock = SetClock::at(NOW.parse()?);
        let book = billing_core::plan::PlanBook::standard();
        let tenant = Billing::new(opened.store(), book, clock).tenant("other")?;
        let script = Script::of(1, 1)?;
        for request in script.stages.iter().take(1).flat_map(|stage| &stage.requests) {
            answered(&tenant, request).await?;
        }
        Ok(Self(tenant))
    }

    fn request(number: u64) -> Done<Request> {
        let call: Incoming = serde_json::from_value(json!({
            "key": {"source": "pbx", "id": format!("other-{number}")}, "account": "account-0",
            "item": {"kind": "call", "start": "2026-09-05T08:00:00Z", "duration_ms": 1_000,
                     "caller": "", "callee": "+4930123456", "disposition": "answered",
                     "direction": "outbound"},
        }))?;
        Ok(Request::Ingest("other".into(), vec![call], 0))
    }

    async fn call(&self, number: u64) -> Done {
        answered(&self.0, &Self::request(number)?).await
    }

    /// What is wrong, when so many calls were answered.
    async fn problems(&self, calls: u64) -> Done<Vec<String>> {
        let requests: Vec<Request> = (1..=calls).map(Self::request).collect::<Done<_>>()?;
        let lost = check::lost(&self.0, &requests.iter().collect::<Vec<_>>()).await?;
        let findings = billing_store::verify::verify(&self.0).await?.findings;
        let lost = lost.into_iter().map(|what| format!("answered and lost: {what}"));
        Ok(lost.chain(findings.iter().map(ToString::to_string)).collect())
    }
}
