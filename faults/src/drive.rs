//! Asks a worker for everything in a script, writes down what was asked and answered, and begins another when one ends.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    Done,
    chance::Chance,
    check,
    client::{Heard, Manner, Worker},
    place::{Opened, Place},
    protocol::Said,
    request::{Answer, Request},
    script::{Script, Stage},
    worker::Defect,
};

/// How long a request may go without being done.
const PATIENCE: Duration = Duration::from_secs(60);

/// What befalls the workers.
#[derive(Debug, Default)]
pub struct Plan {
    /// After how many answers one is killed, in order.
    pub kills: VecDeque<u64>,
    /// How long after such an answer at most, in microseconds.
    pub delay_us: u64,
    /// Ends a worker at each point once.
    pub at_points: bool,
    pub defect: Option<Defect>,
    /// Where answers are counted for others to see.
    pub answers: Arc<AtomicU64>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Tally {
    pub answered: u64,
    pub kills: u64,
    /// Requests that were under way when a worker was killed.
    pub unknown: u64,
    /// Batches among them that turned out to be recorded.
    pub happened: u64,
    /// Answers that it was not done, or that nobody knows.
    pub again: u64,
    pub points: BTreeSet<String>,
    pub lost: BTreeSet<String>,
    /// Answers that nothing in a script may have.
    pub refused: Vec<String>,
    /// The longest time from the start of a worker until it served.
    pub ready_after_max: Duration,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.kills += other.kills;
        self.unknown += other.unknown;
        self.happened += other.happened;
        self.again += other.again;
        self.ready_after_max = self.ready_after_max.max(other.ready_after_max);
    }
}

/// One run of a script.
pub struct Drive<'a> {
    place: &'a Place,
    /// Where the store is for the one who checks, who takes no part in the faults.
    aside: &'a Place,
    plan: Plan,
    chance: Chance,
    /// The answered requests of the script, in order.
    answered: Vec<&'a Request>,
    waiting: VecDeque<(usize, &'a Request)>,
    going: BTreeMap<usize, (&'a Request, Instant)>,
    since: BTreeMap<usize, Instant>,
    history: File,
    known: PathBuf,
    tally: Tally,
    /// The store as the one who checks has it open.
    opened: Option<Opened>,
}

impl<'a> Drive<'a> {
    /// `folder` takes the history.
    pub fn new(places: (&'a Place, &'a Place), folder: &Path, plan: Plan, seed: u64) -> Done<Self> {
        let known = folder.join("points");
        File::create(&known)?;
        Ok(Self {
            place: places.0,
            aside: places.1,
            plan,
            chance: Chance::of(seed),
            answered: Vec::new(),
            waiting: VecDeque::new(),
            going: BTreeMap::new(),
            since: BTreeMap::new(),
            history: File::create(folder.join("history"))?,
            known,
            tally: Tally::default(),
            opened: None,
        })
    }

    /// Runs the script.
    pub async fn run(mut self, script: &'a Script) -> Done<Tally> {
        let worker = self.stages(script).await?;
        self.end(worker).await
    }

    /// Runs all stages; the worker has more to live.
    pub async fn stages(&mut self, script: &'a Script) -> Done<Worker> {
        let mut worker = self.begin().await?;
        let mut number = 0;
        for Stage { requests, lanes } in &script.stages {
            let numbered = requests.iter().map(|request| {
                number += 1;
                (number, request)
            });
            self.waiting.extend(numbered);
            let lanes = if self.plan.at_points { 1 } else { *lanes };
            worker = self.stage(worker, lanes).await?;
        }
        Ok(worker)
    }

    /// Asks one thing more, which no fault befalls.
    pub async fn alone(&mut self, worker: &mut Worker, request: &Request) -> Done {
        loop {
            worker.ask(usize::MAX, request).await?;
            match worker.hear().await? {
                Heard::Said(Said::Answer(_, Answer::Ok)) => return Ok(()),
                // A connection that was lost before is found to be so when it is used.
                Heard::Said(Said::Answer(_, Answer::Again(_) | Answer::Unknown(_))) => {}
                heard => return Err(format!("{}: {heard:?}", request.name()).into()),
            }
        }
    }

    /// Ends the worker, and tells what was counted.
    pub async fn end(self, worker: Worker) -> Done<Tally> {
        worker.end().await?;
        if let Some(opened) = &self.opened {
            opened.close().await;
        }
        Ok(self.tally)
    }

    async fn stage(&mut self, mut worker: Worker, lanes: usize) -> Done<Worker> {
        loop {
            if !self.ask(&mut worker, lanes).await? {
                worker = self.replace(worker).await?;
                continue;
            }
            if self.going.is_empty() {
                return Ok(worker);
            }
            if self.plan.kills.front().is_some_and(|moment| *moment <= self.tally.answered) {
                self.plan.kills.pop_front();
                let delay = self.chance.below(self.plan.delay_us.max(1));
                tokio::time::sleep(Duration::from_micros(delay)).await;
                worker.kill()?;
                self.tally.kills += 1;
            }
            match tokio::time::timeout(PATIENCE, worker.hear()).await?? {
                Heard::Said(said) => self.heard(said).await?,
                Heard::Ended => worker = self.replace(worker).await?,
            }
        }
    }

    /// Asks as much as may be asked side by side; `false` if the worker has ended.
    async fn ask(&mut self, worker: &mut Worker, lanes: usize) -> Done<bool> {
        while self.going.len() < lanes {
            let Some((number, request)) = self.waiting.pop_front() else { break };
            let begun = *self.since.entry(number).or_insert_with(Instant::now);
            if begun.elapsed() > PATIENCE {
                return Err(format!("{} was not done within {PATIENCE:?}", request.name()).into());
            }
            // Written down before it is sent: from here on it may happen.
            self.write(&format!("ask {number} {}", request.name()))?;
            self.going.insert(number, (request, begun));
            if !worker.ask(number, request).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn heard(&mut self, said: Said) -> Done {
        match said {
            Said::Answer(number, answer) => {
                let (request, _) = self.going.remove(&number).ok_or("an answer to nothing")?;
                self.write(&format!("heard {number} {answer:?}"))?;
                match answer {
                    Answer::Ok => {
                        self.tally.answered += 1;
                        self.plan.answers.fetch_add(1, Ordering::Relaxed);
                        self.answered.push(request);
                        Ok(())
                    }
                    Answer::Again(_) | Answer::Unknown(_) => {
                        self.tally.again += 1;
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        self.waiting.push_front((number, request));
                        Ok(())
                    }
                    Answer::Failed(why) => {
                        self.tally.answered += 1;
                        self.tally.refused.push(format!("{}: {why}", request.name()));
                        Ok(())
                    }
                }
            }
            Said::Reached(point) => self.reached(point),
            Said::Ready => Err("a worker was ready twice".into()),
        }
    }

    fn reached(&mut self, point: String) -> Done {
        self.write(&format!("reached {point}"))?;
        self.tally.kills += 1;
        if !self.tally.points.insert(point) {
            return Err("a worker ended at a point that is known".into());
        }
        let points: Vec<&str> = self.tally.points.iter().map(String::as_str).collect();
        Ok(std::fs::write(&self.known, points.join("\n"))?)
    }

    /// What nobody has an answer to is asked again, of a worker that begins where the other one ended.
    async fn replace(&mut self, mut worker: Worker) -> Done<Worker> {
        // What was said before the end is an answer.
        while let Heard::Said(said) = worker.hear().await? {
            self.heard(said).await?;
        }
        worker.end().await?;
        self.write("ended")?;
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => self.aside.open_patiently().await?,
        };
        let tenant = opened.tenant()?;
        self.tally.lost.extend(check::lost(&tenant, &self.answered).await?);
        for (number, (request, _)) in std::mem::take(&mut self.going) {
            self.tally.unknown += 1;
            self.tally.happened +=
                u64::from(check::happened(&tenant, request).await? == Some(true));
            self.waiting.push_front((number, request));
        }
        match opened {
            // What a dead process left in a file is looked at by one who opens it.
            Opened::Sqlite(_) => opened.close().await,
            Opened::Postgres(_) => self.opened = Some(opened),
        }
        self.begin().await
    }

    async fn begin(&mut self) -> Done<Worker> {
        loop {
            let beyond = self.plan.at_points.then_some(self.known.as_path());
            match Worker::begin(self.place, Manner { defect: self.plan.defect, beyond }).await? {
                Ok(worker) => {
                    self.tally.ready_after_max = self.tally.ready_after_max.max(worker.ready_after);
                    return Ok(worker);
                }
                Err(point) => self.reached(point)?,
            }
        }
    }

    fn write(&mut self, line: &str) -> Done {
        Ok(writeln!(self.history, "{line}")?)
    }
}
