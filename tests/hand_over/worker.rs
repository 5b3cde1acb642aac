//! The process that is killed: eight writers record pulses while two settlers hand days over, all at once.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use billing::{
    Days, Error, Tenant,
    core::{
        digest::Digest,
        id::TenantId,
        settlement::{Answer, Handover},
    },
    settlement::{Processor, ProcessorError},
};

use crate::{
    children::{Done, open, patiently},
    pulses::{self, NOW, WRITERS},
};

/// How much longer a writer goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until the process is killed.
    Killed,
    /// Until what may have been reported without an answer is reported again.
    Answered,
}

/// What the processor wrote down of one revision, each time that it was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Received {
    pub digest: Digest,
    pub handover: Handover,
}

pub fn database(folder: &Path) -> PathBuf {
    folder.join("billing.db")
}

/// Where the processor keeps what it received: outside of the database.
pub fn received(folder: &Path) -> PathBuf {
    folder.join("received")
}

/// How many batches a writer was told are recorded.
pub fn acknowledged(folder: &Path, writer: u64) -> Done<u64> {
    let lines = match std::fs::read_to_string(acknowledgements(folder, writer)) {
        Ok(lines) => lines,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    Ok(u64::try_from(lines.matches('\n').count())?)
}

fn acknowledgements(folder: &Path, writer: u64) -> PathBuf {
    folder.join(format!("acknowledged-{writer}"))
}

pub async fn work(folder: &Path, seed: u64, until: Until) -> Done {
    let processor = Arc::new(ToFile::open(&received(folder))?);
    let written = Arc::new(AtomicBool::new(false));
    // Two stores on one file, so that turns are taken within a store and between the two.
    let mut stores = Vec::new();
    for _ in 0..2 {
        stores.push(open(&database(folder), NOW).await?);
    }
    let tenant = |number: u64| stores[usize::from(number % 2 == 1)].1.clone();
    let settlers = (0..2).map(|number| {
        let (tenant, processor) = (tenant(number), Arc::clone(&processor));
        let written = Arc::clone(&written);
        tokio::spawn(async move { said(settle(&tenant, &processor, &written).await) })
    });
    let settlers: Vec<_> = settlers.collect();
    let writers = (0..WRITERS).map(|number| {
        let (tenant, folder) = (tenant(number), folder.to_owned());
        tokio::spawn(async move { said(write(&tenant, &folder, seed, number, until).await) })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await??;
    }
    written.store(true, Ordering::SeqCst);
    for settler in settlers {
        settler.await??;
    }
    for (store, _) in stores {
        store.close().await;
    }
    Ok(())
}

fn said(done: Done) -> Result<(), String> {
    done.map_err(|error| error.to_string())
}

/// Reports one batch after the other, and writes down each that was answered.
async fn write(tenant: &Tenant, folder: &Path, seed: u64, writer: u64, until: Until) -> Done {
    let first = acknowledged(folder, writer)?;
    let mut file =
        OpenOptions::new().create(true).append(true).open(acknowledgements(folder, writer))?;
    // The last one that was answered comes once more: a host may not remember either.
    if let Some(again) = first.checked_sub(1) {
        report(tenant, seed, writer, again).await?;
    }
    for number in first.. {
        report(tenant, seed, writer, number).await?;
        file.write_all(b".\n")?;
        if until == Until::Answered {
            break;
        }
    }
    Ok(())
}

async fn report(tenant: &Tenant, seed: u64, writer: u64, number: u64) -> Done {
    let pulses = pulses::batch(seed, writer, number)?;
    let taken = patiently(|| tenant.pulses_reported(&pulses)).await?.intake;
    if taken.recorded + taken.replayed == pulses::BATCH {
        return Ok(());
    }
    Err(format!("of batch {number} of writer {writer} became {taken:?}").into())
}

/// Hands over whatever is there, again and again, until all is written and nothing is left.
async fn settle(tenant: &Tenant, processor: &ToFile, written: &AtomicBool) -> Done {
    loop {
        let last = written.load(Ordering::SeqCst);
        // An answer may be lost with the process that waits for it: what has none is sent again at once.
        match tenant.settle_days(processor, Days::All, 0).await {
            Ok(_sent) if last => return Ok(()),
            Ok(_sent) => {}
            Err(Error::Processor { .. }) => {}
            Err(Error::Store(error)) if error.is_transient() => {}
            Err(error) => return Err(error.into()),
        }
        tokio::task::yield_now().await;
    }
}

/// A processor that writes down what it receives, on the disk, and loses every seventh answer afterwards.
#[derive(Debug)]
struct ToFile {
    file: Mutex<File>,
    calls: AtomicU64,
}

impl ToFile {
    /// Opens the file; a last line without its end was cut off by a kill, and never answered.
    fn open(path: &Path) -> Done<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let bytes = std::fs::read(path)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(u64::try_from(whole)?)?;
        Ok(Self { file: Mutex::new(file), calls: AtomicU64::new(1) })
    }

    fn append(&self, handovers: &[Handover]) -> Result<(), ProcessorError> {
        let mut lines = Vec::new();
        for handover in handovers {
            let received = Received { digest: handover.digest(), handover: handover.clone() };
            serde_json::to_writer(&mut lines, &received)?;
            lines.push(b'\n');
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&lines)?;
        Ok(file.sync_data()?)
    }
}

#[async_trait]
impl Processor for ToFile {
    async fn process(
        &self,
        _tenant: &TenantId,
        handovers: &[Handover],
    ) -> Result<Vec<Answer>, ProcessorError> {
        self.append(handovers)?;
        if self.calls.fetch_add(1, Ordering::SeqCst).is_multiple_of(7) {
            return Err("the answer is lost".into());
        }
        let accept = |one: &Handover| Answer::Accepted { reference: one.digest().to_string() };
        Ok(handovers.iter().map(accept).collect())
    }
}
