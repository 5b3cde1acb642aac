//! The run: every fault on every store that is there, and the figures of each.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use tokio::task::JoinSet;

use crate::{
    Done,
    backend::{self, Backend},
    block_on, bytes, dropped, killed, network, servers,
    worker::Defect,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The faults to make; all of them when none is named
    faults: Vec<String>,
    /// Show the faults, and make none
    #[arg(long)]
    list: bool,
    /// How often a process is killed at random, for each store
    #[arg(long, default_value_t = SHORT)]
    kills: u64,
    /// What chance begins with; another number each time if it is not given
    #[arg(long)]
    seed: Option<u64>,
    /// Give the processes that are killed a defect: then the run must fail
    #[arg(long)]
    defect: Option<Defect>,
}

/// The kills of a short run.
const SHORT: u64 = 10;

/// One kind of fault, made on one store.
struct Fault {
    name: &'static str,
    what: &'static str,
}

static FAULTS: [Fault; 8] = [
    Fault { name: "kills", what: "the process is killed at random moments" },
    Fault { name: "points", what: "the process ends after each statement of each use case" },
    Fault { name: "migrations", what: "the process ends between the steps of a migration" },
    Fault { name: "drops", what: "clients drop their futures at every await" },
    Fault { name: "bytes", what: "bytes change behind the library's back" },
    Fault { name: "network", what: "the line to the database fails" },
    Fault { name: "server", what: "the database server is killed" },
    Fault { name: "canaries", what: "processes with a defect are found out" },
];

pub fn run(options: &Options) -> Done {
    if options.list {
        FAULTS.iter().for_each(|fault| println!("{:11} {}", fault.name, fault.what));
        return Ok(());
    }
    let known = |name: &String| FAULTS.iter().any(|fault| fault.name == name);
    if let Some(name) = options.faults.iter().find(|name| !known(name)) {
        return Err(format!("there is no fault `{name}`; --list shows what there is").into());
    }
    let seed = options.seed.map_or_else(random_seed, Ok)?;
    let folder = std::env::temp_dir().join(format!("billing-faults-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let run = Run { folder: folder.clone(), seed, kills: options.kills, defect: options.defect };
    let chosen = |fault: &&Fault| {
        options.faults.is_empty() || options.faults.iter().any(|name| name == fault.name)
    };
    let faults: Vec<&'static Fault> = FAULTS.iter().filter(chosen).collect();
    match block_on(run.all(faults)) {
        Ok(()) => Ok(std::fs::remove_dir_all(folder)?),
        Err(error) => {
            let folder = folder.display();
            Err(format!("{error}\nseed {seed}; what is left of it is in {folder}").into())
        }
    }
}

/// What every fault is told.
pub struct Run {
    /// Where files may be put.
    pub folder: PathBuf,
    pub seed: u64,
    pub kills: u64,
    pub defect: Option<Defect>,
}

impl Run {
    /// All stores side by side: what one waits for, another may use.
    async fn all(self, faults: Vec<&'static Fault>) -> Done {
        let run = Arc::new(self);
        let mut stores = JoinSet::new();
        for backend in backend::backends()? {
            stores.spawn(Self::on(Arc::clone(&run), backend, faults.clone()));
        }
        while let Some(done) = stores.join_next().await {
            done??;
        }
        Ok(())
    }

    async fn on(self: Arc<Self>, backend: Backend, faults: Vec<&'static Fault>) -> Done {
        for Fault { name, what } in faults {
            let begun = Instant::now();
            eprintln!("{}: {what} …", backend.name());
            let figures = self.one(name, &backend).await;
            for figure in figures.map_err(|error| format!("{name}: {error}"))? {
                println!("evidence: {figure}");
            }
            eprintln!("{}: {name} in {:.1?}", backend.name(), begun.elapsed());
        }
        Ok(())
    }

    async fn one(&self, name: &str, backend: &Backend) -> Done<Vec<String>> {
        match name {
            "kills" => killed::at_random(self, backend).await,
            "points" => killed::at_points(self, backend).await,
            "migrations" => killed::migrating(self, backend).await,
            "drops" => dropped::at_every_await(self, backend).await,
            "bytes" => bytes::changed(self, backend).await,
            // A file has neither a line to it nor a server.
            "network" | "server" if matches!(backend, Backend::Sqlite) => Ok(Vec::new()),
            "network" => network::failing(self, backend).await,
            "server" => servers::killed(self).await,
            // The processes are the same; once is enough to see that they are found out.
            "canaries" if !self.is_long() && !matches!(backend, Backend::Sqlite) => Ok(Vec::new()),
            "canaries" => killed::with_defects(self, backend).await,
            other => Err(format!("there is no fault `{other}`").into()),
        }
    }

    /// Whether figures are taken.
    pub const fn is_long(&self) -> bool {
        self.kills > SHORT
    }

    /// A folder for what is written about one history.
    pub fn notes(&self, backend: &Backend, name: &str) -> Done<PathBuf> {
        let folder = self.folder.join(format!("{}-{name}", backend.name()));
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn random_seed() -> Done<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(u64::try_from(since.as_nanos() & u128::from(u32::MAX))?)
}
