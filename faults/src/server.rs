//! A PostgreSQL server of our own, in a folder that goes away, which may be killed.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, getuid, kill_process};
use tokio::process::{Child, Command};

use crate::Done;

/// Who runs the server where we are root, which it refuses to be run by.
const USER: &str = "postgres";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs; it ends with this value.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    running: Option<Child>,
}

/// The folder with a server's programs: of the path, or where systems keep them.
pub fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<PathBuf> = Path::new("/usr/lib/postgresql")
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders.push(PathBuf::from("/usr/local/pgsql/bin"));
    let all =
        |folder: &PathBuf| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file());
    folders.into_iter().find(all)
}

impl Server {
    /// Makes a cluster under `parent` and starts it.
    pub async fn begin(programs: PathBuf, parent: &Path) -> Done<Self> {
        let folder = parent.join("server");
        std::fs::create_dir_all(&folder)?;
        if getuid().is_root() {
            // It must be able to get there.
            let done = Command::new("chown").args(["-R", USER]).arg(&folder).status().await?;
            if !done.success() {
                return Err(format!("chown to {USER} ended with {done}").into());
            }
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut server = Self { programs, folder, port, running: None };
        let mut initdb = server.command("initdb");
        initdb.args(["--auth", "trust", "--username", USER, "--encoding", "UTF8", "--locale", "C"]);
        let output = initdb.arg("--pgdata").arg(server.folder.join("data")).output().await?;
        if !output.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        server.start().await?;
        Ok(server)
    }

    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it and waits until it takes connections.
    pub async fn start(&mut self) -> Done {
        let begun = Instant::now();
        loop {
            let mut postgres = self.command("postgres");
            postgres.arg("-D").arg(self.folder.join("data"));
            postgres.arg("-k").arg(&self.folder).args(["-p", &self.port.to_string()]);
            postgres.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60"]);
            let log = std::fs::File::options()
                .create(true)
                .append(true)
                .open(self.folder.with_extension("log"))?;
            postgres.stdout(Stdio::null()).stderr(log).kill_on_drop(true);
            let mut child = postgres.spawn()?;
            while child.try_wait()?.is_none() {
                if self.takes_connections().await {
                    self.running = Some(child);
                    return Ok(());
                }
                if begun.elapsed() > PATIENCE {
                    return Err("the server of our own does not start".into());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // What is left of the one before may hold its memory for a moment.
            if begun.elapsed() > PATIENCE {
                return Err("the server of our own ends at once".into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn takes_connections(&self) -> bool {
        use sqlx::Connection as _;
        match sqlx::PgConnection::connect(&self.url()).await {
            Ok(connection) => connection.close().await.is_ok(),
            Err(_) => false,
        }
    }

    /// Kills it and all its processes (SIGKILL).
    pub async fn kill(&mut self) -> Done {
        let mut child = self.running.take().ok_or("the server of our own does not run")?;
        let server = child.id().ok_or("the server of our own has ended")?;
        for process in children(server)?.into_iter().chain([server]) {
            let process = Pid::from_raw(i32::try_from(process)?).ok_or("a process has a number")?;
            // One may have ended by itself since.
            kill_process(process, Signal::KILL).ok();
        }
        child.wait().await?;
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        if !getuid().is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid", USER, "--regid", USER, "--init-groups"]).arg(program);
        // A folder that it may not enter is not one to begin in.
        command.current_dir("/");
        command
    }
}

/// The processes that a process began.
fn children(of: u32) -> Done<Vec<u32>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name stands in brackets and may hold anything; its state and then its parent follow.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
        if parent.and_then(|parent| parent.parse().ok()) == Some(of) {
            found.push(process);
        }
    }
    Ok(found)
}
