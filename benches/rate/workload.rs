//! A price list and calls as a carrier has them, made by rule or read from a folder.
#![allow(dead_code, reason = "each benchmark asks for its own part")]

use std::{
    collections::BTreeSet,
    error::Error,
    fs,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use billing_core::{
    number::PhoneNumber,
    tariff::{LineSpec, Tariff, TariffBuilder, TariffSpec, Usage},
    time::Instant,
};

/// One row of a price list.
pub struct Row {
    pub prefix: String,
    /// In millionths.
    pub fee: u64,
    /// A minute, in millionths.
    pub rate: u64,
    /// In seconds.
    pub first: u32,
    /// In seconds.
    pub next: u32,
}

pub struct Workload {
    pub deck: Vec<Row>,
    /// The callee and the milliseconds of each call.
    pub calls: Vec<(String, u64)>,
    pub usages: Vec<Usage>,
}

type Done<T = ()> = Result<T, Box<dyn Error>>;

/// Talk in seconds, at even steps of its distribution: half of all calls are shorter than a minute, few longer than ten.
const TALK_S: [u64; 16] = [3, 8, 13, 19, 26, 34, 43, 54, 67, 84, 106, 136, 179, 251, 410, 1_350];

impl Workload {
    /// So many prefixes and calls, the same ones each time.
    pub fn made(prefixes: usize, calls: usize) -> Done<Self> {
        let deck = deck(prefixes);
        let mut chance = Chance(7);
        let start = "2026-03-01T00:00:00Z".parse::<Instant>()?;
        let (mut numbers, mut usages) = (Vec::new(), Vec::new());
        for place in 0..calls {
            let (callee, ms) = chance.call(&deck);
            let at = start.checked_add_ms(place as u64 * 31 * 86_400_000 / calls as u64)?;
            usages.push(Usage::call(&PhoneNumber::try_new(&callee)?, at, ms));
            numbers.push((callee, ms));
        }
        Ok(Self { deck, calls: numbers, usages })
    }

    /// `deck.csv` (prefix, destination, fee, rate, first, next, ...) and `calls.csv` (id, account, caller, callee, start, ms, ...).
    pub fn read(folder: &Path) -> Done<Self> {
        let mut deck = Vec::new();
        for line in fs::read_to_string(folder.join("deck.csv"))?.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let [prefix, _, fee, rate, first, next, ..] = fields[..] else { continue };
            let (prefix, fee, rate) = (prefix.to_owned(), millionths(fee)?, millionths(rate)?);
            deck.push(Row { prefix, fee, rate, first: first.parse()?, next: next.parse()? });
        }
        let (mut calls, mut usages) = (Vec::new(), Vec::new());
        for line in fs::read_to_string(folder.join("calls.csv"))?.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let [_, _, _, callee, start, ms, ..] = fields[..] else { continue };
            let ms = ms.parse::<u64>()?;
            usages.push(Usage::call(&callee.parse()?, start.parse()?, ms));
            calls.push((callee.to_owned(), ms));
        }
        Ok(Self { deck, calls, usages })
    }

    pub fn tariff(&self) -> Done<Tariff> {
        let head = head("UTC")?;
        let mut builder = TariffBuilder::new(&head)?;
        for row in &self.deck {
            builder.push(&line(row, row.first, row.next)?)?;
        }
        Ok(builder.finish()?)
    }

    /// The same calls, each of so many milliseconds.
    pub fn usages_of(&self, ms: u64) -> Vec<Usage> {
        let calls = self.calls.iter().zip(&self.usages);
        let numbers = calls.filter_map(|((callee, _), usage)| {
            Some(Usage::call(&PhoneNumber::try_new(callee).ok()?, usage.at(), ms))
        });
        numbers.collect()
    }
}

/// Writes both as files, as the example `rate_cdrs` reads them, into a new folder.
pub fn write(folder: &Path, prefixes: usize, calls: usize) -> Done<PathBuf> {
    fs::create_dir_all(folder)?;
    let deck = deck(prefixes);
    let mut file = BufWriter::new(fs::File::create(folder.join("deck.csv"))?);
    writeln!(
        file,
        "prefix,destination,connect_fee,rate_per_minute,first_increment_s,next_increment_s"
    )?;
    for Row { prefix, fee, rate, first, next } in &deck {
        let (fee, price) = (decimal(*fee), decimal(*rate));
        writeln!(file, "{prefix},Zone {},{fee},{price},{first},{next}", rate % 37)?;
    }
    file.flush()?;
    let mut file = BufWriter::with_capacity(1 << 20, fs::File::create(folder.join("calls.csv"))?);
    writeln!(file, "call_id,account,caller,callee,started_at,duration_ms,disposition")?;
    let mut chance = Chance(7);
    for place in 0..calls as u64 {
        let (callee, ms) = chance.call(&deck);
        let bound = chance.below(10_000) + 1;
        let account = 100_000 + chance.below(bound);
        let second = place * 31 * 86_400 / calls as u64;
        let (day, second) = (second / 86_400 + 1, second % 86_400);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let end =
            if ms > 0 { "ANSWERED" } else { ["NO ANSWER", "BUSY", "FAILED"][(place % 3) as usize] };
        writeln!(
            file,
            "{:016x},A{account},4420{account:07},{callee},2026-03-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z,{ms},{end}",
            place.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            place % 1_000,
        )?;
    }
    file.flush()?;
    Ok(folder.to_owned())
}

/// A price list of so many prefixes of 1 to 9 digits, most of 5 to 7, nearly all below a shorter one.
pub fn deck(prefixes: usize) -> Vec<Row> {
    let mut chance = Chance(1);
    let mut keys: BTreeSet<String> = BTreeSet::new();
    while keys.len() < prefixes {
        let length = match chance.below(100) {
            0..2 => 3,
            2..8 => 4,
            8..25 => 5,
            25..55 => 6,
            55..86 => 7,
            86..95 => 8,
            _ => 9,
        };
        // Prefixes crowd below few countries and ranges.
        let bound = chance.below(90) + 1;
        let country = 10 + chance.below(bound);
        let range = chance.below(40) * chance.below(25);
        let digits = format!("{country}{range:03}{:04}", chance.below(10_000));
        keys.extend(
            [2, length].iter().filter_map(|length| digits.get(..*length)).map(str::to_owned),
        );
    }
    let row = |prefix: String| {
        let (first, next) = match chance.below(100) {
            0..52 => (1, 1),
            52..72 => (60, 60),
            72..85 => (30, 6),
            85..94 => (6, 6),
            _ => (60, 1),
        };
        let fee = if chance.below(100) < 7 { (chance.below(999) + 1) * 100 } else { 0 };
        Row { prefix, fee, rate: chance.below(900_000) + 1_000, first, next }
    };
    keys.into_iter().map(row).collect()
}

/// A tariff without lines, priced to the millionth, half up.
pub fn head(zone: &str) -> Done<TariffSpec> {
    let text = format!(
        r#"{{"id":"deck","version":1,"currency":"EUR","zone":"{zone}","decimals":6,"rounding":"half_up","lines":[]}}"#
    );
    Ok(serde_json::from_str(&text)?)
}

/// The line of a row, in other increments.
pub fn line(row: &Row, first: u32, next: u32) -> Done<LineSpec> {
    let text = format!(
        r#"{{"destination":"Zone {}","to":{{"prefixes":["{}"]}},"connect_fee":"{}","first":"{first}",
            "bands":[{{"price":"{}","per":"60","increment":"{next}"}}]}}"#,
        row.rate % 37,
        row.prefix,
        decimal(row.fee),
        decimal(row.rate),
    );
    Ok(serde_json::from_str(&text)?)
}

fn decimal(millionths: u64) -> String {
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

fn millionths(text: &str) -> Done<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    Ok(whole.parse::<u64>()? * 1_000_000 + format!("{fraction:0<6}").parse::<u64>()?)
}

/// The same numbers each time.
struct Chance(u64);

impl Chance {
    /// A callee, and the milliseconds of talk; 0 for one call in seven.
    fn call(&mut self, deck: &[Row]) -> (String, u64) {
        // A few destinations take most of the calls.
        let bound = self.below(deck.len() as u64) + 1;
        let row = &deck[self.below(bound) as usize];
        let mut callee = format!("{}{:09}", row.prefix, self.below(1_000_000_000));
        callee.truncate(12);
        let ms = match self.below(100) {
            0..15 => 0,
            _ => TALK_S[self.below(16) as usize] * 1_000 - self.below(999),
        };
        (callee, ms)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
