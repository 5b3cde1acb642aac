//! Child processes of a test: begun as another run of the same test, killed, and the chance that picks the moment.

use std::{
    error::Error,
    ffi::OsStr,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use billing::{Billing, PlanBook, SqliteStore, Tenant, clock::SetClock, verify};

pub type Done<T = ()> = Result<T, Box<dyn Error>>;

/// How many kills there are, as `BILLING_KILLS` sets it.
pub fn kills(usual: u32) -> Done<u32> {
    Ok(env("BILLING_KILLS")?.unwrap_or(usual))
}

/// What chance begins with: `BILLING_KILL_SEED`, so that a run can be repeated, or another number each time.
pub fn seed() -> Done<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let random = u64::try_from(since.as_nanos() & u128::from(u64::MAX))?;
    Ok(env("BILLING_KILL_SEED")?.unwrap_or(random))
}

pub fn env<T: FromStr<Err: Error + 'static>>(name: &str) -> Done<Option<T>> {
    Ok(std::env::var(name).ok().map(|text| text.parse()).transpose()?)
}

/// A child at work. It ends with this value, and with the process that holds it, however that ends.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Runs a test of this program again, as the child that works; unseen, but for what it says of a failure.
    pub fn begin<'a>(
        test: &str,
        told: impl IntoIterator<Item = (&'a str, &'a OsStr)>,
    ) -> Done<Self> {
        let child = Command::new(std::env::current_exe()?)
            .args(["--exact", "--nocapture", test])
            .envs(told)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    /// Kills it; gives how it ended if it did so by itself before.
    pub fn kill(mut self) -> Done<Option<ExitStatus>> {
        let by_itself = self.0.try_wait()?;
        if by_itself.is_none() {
            self.0.kill()?;
            self.0.wait()?;
        }
        Ok(by_itself)
    }

    /// Waits until it has done its work.
    pub fn wait(mut self) -> Done {
        // Waiting would close the child's input, which it takes for the end of this process.
        let held = self.0.stdin.take();
        let status = self.0.wait()?;
        drop(held);
        if status.success() { Ok(()) } else { Err(format!("a child ended with {status}").into()) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What a child does first: it ends when nobody holds the other end of its input any more.
pub fn end_with_parent() {
    std::thread::spawn(|| {
        std::io::stdin().read_to_end(&mut Vec::new()).ok();
        std::process::exit(1);
    });
}

/// A folder for one run, which stays where a run fails.
pub fn folder(name: &str) -> Done<PathBuf> {
    let folder = std::env::temp_dir().join(format!("billing-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The tenant in a file, with its schema. Another process may be at the file too: then it is tried again.
pub async fn open(file: &Path, now: &str) -> Done<(SqliteStore, Tenant)> {
    let store = patiently(async || {
        let store = SqliteStore::open(file).await?;
        store.migrate().await?;
        Ok(store)
    });
    let store = store.await?;
    let clock = SetClock::at(now.parse()?);
    let tenant = Billing::new(store.clone(), PlanBook::standard(), clock).tenant("acme")?;
    Ok((store, tenant))
}

/// Does something until the store is not too busy for it.
pub async fn patiently<T, W>(mut work: impl FnMut() -> W) -> Done<T>
where
    W: Future<Output = billing::Result<T>>,
{
    for _ in 0..1_000 {
        match work().await {
            Err(billing::Error::Store(error)) if error.is_transient() => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            outcome => return Ok(outcome?),
        }
    }
    Err("the store was busy a thousand times".into())
}

/// The first thing that does not agree with the rest, if there is one.
pub async fn finding(tenant: &Tenant) -> Done<Option<String>> {
    Ok(verify(tenant).await?.findings.first().map(ToString::to_string))
}

pub fn block_on<T>(work: impl Future<Output = Done<T>>) -> Done<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// A number below `end`, of a small generator (splitmix64).
pub fn below(end: u64, state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % end
}
