//! The calls of the sample month, as the PBX saw them.

use super::{
    accounts::Account,
    chance::Chance,
    clock::{DAY_S, HOUR_S, MINUTE_S, NOVEMBER, OCTOBER, OCTOBER_DAYS, pbx_text},
};

/// One call; its times are seconds since 1970 in UTC.
#[derive(Clone)]
pub struct Call {
    pub account_code: String,
    pub src: String,
    pub dst: String,
    pub context: &'static str,
    pub channel: String,
    pub start: i64,
    pub rings_s: i64,
    pub talk_s: i64,
    pub disposition: &'static str,
    /// Empty until the call has its place in the file.
    pub unique_id: String,
}

/// Every call once, in the order in which they ended.
pub fn all(accounts: &[Account], chance: &mut Chance) -> Vec<Call> {
    let mut calls = Vec::new();
    for account in accounts {
        calls.extend((0..account.calls).map(|_| everyday(account, chance)));
    }
    calls.extend(at_the_edges(accounts, chance));
    calls.extend((0..20).map(|number| of_nobody(number, chance)));
    calls.sort_by_key(Call::end);
    for (number, call) in (1..).zip(&mut calls) {
        call.unique_id = format!("{}.{number}", call.start);
    }
    calls
}

impl Call {
    pub fn answer(&self) -> i64 {
        self.start + self.rings_s
    }

    pub fn end(&self) -> i64 {
        self.answer() + self.talk_s
    }

    /// The line Asterisk writes, with the uniqueid and without the userfield.
    pub fn line(&self) -> String {
        let Self {
            account_code, src, dst, context, channel, talk_s, disposition, unique_id, ..
        } = self;
        let answer = match *disposition {
            "ANSWERED" => pbx_text(self.answer()),
            _ => String::new(),
        };
        let texts: [&str; 9] =
            [account_code, src, dst, context, "", channel, "PJSIP/out", "Dial", ""];
        let times = [pbx_text(self.start), answer, pbx_text(self.end())];
        format!(
            "\"{}\",\"{}\",{},{talk_s},\"{disposition}\",\"BILLING\",\"{unique_id}\"",
            texts.join("\",\""),
            times.join("\",\""),
            self.rings_s + talk_s
        )
    }
}

fn everyday(account: &Account, chance: &mut Chance) -> Call {
    // The mean of two draws: busiest at midday.
    let second = (chance.below(10 * HOUR_S) + chance.below(10 * HOUR_S)) / 2;
    let start = OCTOBER + office_day(chance) * DAY_S + account.opens_s() + second;
    let start = if start < NOVEMBER { start } else { start - DAY_S };
    // Who is told by its code is known on calls it receives, too.
    let is_inbound = !account.code().is_empty() && chance.below(100) < 15;
    let call =
        if is_inbound { inbound(account, start, chance) } else { outbound(account, start, chance) };
    let (disposition, talk_s) = match chance.below(100) {
        0..4 => ("NO ANSWER", 0),
        4..6 => ("BUSY", 0),
        6 if call.start % 2 == 0 => ("FAILED", 0),
        6 => ("CONGESTION", 0),
        _ => ("ANSWERED", talk_s(chance)),
    };
    Call { disposition, talk_s, ..call }
}

/// A day of the month from 0: at the weekend there is one call for five on a working day.
fn office_day(chance: &mut Chance) -> i64 {
    loop {
        let day = chance.below(OCTOBER_DAYS);
        // The month begins on a Thursday.
        let is_weekend = matches!((day + 3) % 7, 5 | 6);
        if !is_weekend || chance.below(5) == 0 {
            return day;
        }
    }
}

/// Twelve steps up or down by the same factor: near to lognormal, around a minute and a quarter.
fn talk_s(chance: &mut Chance) -> i64 {
    let ms = (0..12).fold(75_000, |ms, _| match chance.below(2) {
        0 => ms * 17 / 13,
        _ => ms * 13 / 17,
    });
    (ms + chance.below(ms / 3)) / 1_000 + 1
}

fn outbound(account: &Account, start: i64, chance: &mut Chance) -> Call {
    let number = &account.number;
    let src = match account.told_by {
        "caller" if chance.below(3) == 0 => format!("+{number}"),
        // All ten numbers of its block.
        "prefix" => format!("{number}{}", chance.below(10)),
        _ => number.clone(),
    };
    let channel = match account.told_by {
        "trunk" => account.id,
        _ => "desk",
    };
    Call {
        account_code: account.code().to_owned(),
        src,
        dst: somebody(chance),
        context: "office",
        channel: format!("PJSIP/{channel}-{:08x}", chance.below(1 << 28)),
        start,
        rings_s: 2 + chance.below(20),
        talk_s: 60,
        disposition: "ANSWERED",
        unique_id: String::new(),
    }
}

fn inbound(account: &Account, start: i64, chance: &mut Chance) -> Call {
    let call = outbound(account, start, chance);
    let channel = format!("PJSIP/carrier-{:08x}", chance.below(1 << 28));
    Call { src: call.dst, dst: call.src, context: "from-carrier", channel, ..call }
}

/// A number from a range that its country keeps for fiction.
fn somebody(chance: &mut Chance) -> String {
    let areas = ["202", "206", "305", "312", "404", "503", "617", "713"];
    match chance.below(20) {
        0..14 => {
            let area = areas[usize::try_from(chance.below(8)).unwrap_or(0)];
            format!("1{area}55501{:02}", chance.below(100))
        }
        14..17 => format!("442079460{:03}", chance.below(880)),
        17 | 18 => format!("493023125{:03}", chance.below(100)),
        _ => format!("612555000{:02}", chance.below(100)),
    }
}

/// Calls around the midnights that decide in which day and which month they count.
fn at_the_edges(accounts: &[Account], chance: &mut Chance) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut add = |id: &str, start: &dyn Fn(&Account) -> i64, rings_s: i64, talk_s: i64| {
        let account = accounts.iter().find(|account| account.id == id);
        let call = account.map(|account| outbound(account, start(account), chance));
        calls.extend(call.map(|call| Call { rings_s, talk_s, ..call }));
    };
    // The last minutes of September at the PBX: elsewhere it is October already, or not for hours.
    let late = ["amber-books", "nimbus-hosting", "cedar-freight", "birch-dental", "quartz-studios"]
        .into_iter()
        .chain(["lark-bakery", "adler-druck", "mori-paper", "iceberg-tours", "iris-florists"]);
    for (number, id) in (0..).zip(late) {
        add(id, &|_| OCTOBER - 9 * MINUTE_S + number * 50, 5, 95 + number * 7);
    }
    // Rings in September, is answered in October.
    add("amber-books", &|_| OCTOBER - 10, 14, 61);
    // Over the midnight of each zone: one that is answered before it, one after.
    let zones = ["ember-coffee", "redwood-yoga", "buche-moebel", "abbey-tea"].into_iter().chain([
        "sakura-inn",
        "banyan-software",
        "lagoon-lodge",
        "cod-fisheries",
    ]);
    for id in zones {
        for day in [13, 24, OCTOBER_DAYS - 1] {
            add(id, &|account| account.midnight_after(day) - 3 * MINUTE_S, 8, 11 * MINUTE_S + 5);
            add(id, &|account| account.midnight_after(day) - 12, 17, 130);
        }
    }
    // November at the PBX, October still in Los Angeles.
    add("ember-coffee", &|_| NOVEMBER - 7, 9, 45);
    add("tidal-surf", &|_| NOVEMBER - 7, 9, 45);
    add("tidal-surf", &|_| NOVEMBER + 40, 4, 200);
    // Clocks show half past one twice in the night of 1 November: the uniqueid tells which is meant.
    add("ember-coffee", &|_| NOVEMBER + 90 * MINUTE_S, 6, 75);
    add("tidal-surf", &|_| NOVEMBER + 150 * MINUTE_S, 6, 75);
    // Answered and hung up within the same second.
    for (hour, id) in [(9, "dune-optics"), (12, "falke-logistik"), (15, "hoshi-games")] {
        add(id, &|_| OCTOBER + 6 * DAY_S + hour * HOUR_S, 5, 0);
    }
    calls
}

/// A call of nobody: no rule of the setup knows its code, its trunk or its caller.
fn of_nobody(number: i64, chance: &mut Chance) -> Call {
    let codes = ["lobby", "demo-room", "", "Amber-Books"];
    let code = codes[usize::try_from(number % 4).unwrap_or(0)];
    Call {
        account_code: code.to_owned(),
        src: format!("164655501{:02}", 80 + number),
        dst: somebody(chance),
        context: "office",
        channel: format!("PJSIP/lobby-{:08x}", chance.below(1 << 28)),
        start: OCTOBER + (1 + number) * DAY_S + 10 * HOUR_S + chance.below(HOUR_S),
        rings_s: 5,
        talk_s: talk_s(chance),
        disposition: "ANSWERED",
        unique_id: String::new(),
    }
}
