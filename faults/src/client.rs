//! The client's end of a worker: begun, asked, listened to and killed.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    Done,
    place::Place,
    protocol::{Asked, Said},
    request::Request,
    worker::Defect,
};

/// How a worker is begun.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner<'a> {
    pub defect: Option<Defect>,
    /// The file with the points that are known.
    pub beyond: Option<&'a Path>,
}

/// A worker at work; it ends with this value.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// How long it took until it was ready.
    pub ready_after: Duration,
}

/// What is heard of a worker.
#[derive(Debug)]
pub enum Heard {
    Said(Said),
    /// It has ended, and what it said last is said.
    Ended,
}

impl Worker {
    /// Begins one; `Err` holds the point that it ended at before it was ready.
    pub async fn begin(place: &Place, manner: Manner<'_>) -> Done<Result<Self, String>> {
        let begun = Instant::now();
        let mut command = command(place, manner)?;
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let input = child.stdin.take().ok_or("a worker has an input")?;
        let output = BufReader::new(child.stdout.take().ok_or("a worker has an output")?).lines();
        let mut worker = Self { child, input, output, ready_after: Duration::ZERO };
        match worker.hear().await? {
            Heard::Said(Said::Ready) => {}
            Heard::Said(Said::Reached(point)) => {
                worker.end().await?;
                return Ok(Err(point));
            }
            heard => return Err(format!("a worker began with {heard:?}").into()),
        }
        worker.ready_after = begun.elapsed();
        Ok(Ok(worker))
    }

    /// `false` if it has ended.
    pub async fn ask(&mut self, number: usize, request: &Request) -> Done<bool> {
        let mut line = serde_json::to_string(&Asked { number, request: request.clone() })?;
        line.push('\n');
        Ok(self.input.write_all(line.as_bytes()).await.is_ok())
    }

    pub async fn hear(&mut self) -> Done<Heard> {
        // A line that was cut off by a kill was not said.
        let Some(line) = self.output.next_line().await? else { return Ok(Heard::Ended) };
        Ok(serde_json::from_str(&line).map_or(Heard::Ended, Heard::Said))
    }

    /// Kills it (SIGKILL). What it has said before can still be heard.
    pub fn kill(&mut self) -> Done {
        Ok(self.child.start_kill()?)
    }

    pub async fn end(mut self) -> Done<ExitStatus> {
        drop(self.input);
        Ok(self.child.wait().await?)
    }
}

/// Runs a worker that only migrates; the point that it ended at.
pub async fn migrate(place: &Place, beyond: &Path) -> Done<Option<String>> {
    let mut command = command(place, Manner { beyond: Some(beyond), defect: None })?;
    let output = command.arg("--migrate").output().await?;
    let said = String::from_utf8(output.stdout)?;
    match serde_json::from_str(said.trim()) {
        Ok(Said::Reached(point)) => Ok(Some(point)),
        _ if output.status.success() => Ok(None),
        _ => Err(format!("a migration ended with {}: {said}", output.status).into()),
    }
}

/// Runs a worker that only migrates, and kills it after a while; how long it lived.
pub async fn migrate_and_kill(place: &Place, after: Option<Duration>) -> Done<Duration> {
    let begun = Instant::now();
    let mut child =
        command(place, Manner::default())?.arg("--migrate").kill_on_drop(true).spawn()?;
    match after {
        None => drop(child.wait().await?),
        Some(after) => {
            tokio::time::sleep(after).await;
            child.kill().await?;
        }
    }
    Ok(begun.elapsed())
}

fn command(place: &Place, manner: Manner<'_>) -> Done<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("worker").arg(place.to_string());
    if let Some(known) = manner.beyond {
        command.arg("--beyond").arg(known);
    }
    match manner.defect {
        None => {}
        Some(Defect::AnswersFirst) => drop(command.args(["--defect", "answers-first"])),
        Some(Defect::OwnIds) => drop(command.args(["--defect", "own-ids"])),
    }
    Ok(command)
}
