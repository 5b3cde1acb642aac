//! What holds for all calls, plans, zones and orders of arrival.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::arithmetic_side_effects, reason = "the oracles compute far below their bounds")]

#[expect(dead_code, reason = "each file of tests uses a part")]
#[path = "../common/mod.rs"]
mod common;

use std::collections::{BTreeMap, BTreeSet};

use billing_core::{
    account::AccountSettings,
    decide::{self, Batch, Limits},
    event::{Head, Posting},
    invoice::{Draft, Invoice},
    item::{Call, CallEnded, Direction, Disposition, Incoming, Item, ItemKey},
    money::{Amount, Rounding},
    time::{Day, Instant},
    usage::{TotalKey, Totals},
};
use chrono::{Months, NaiveDate};
use common::{batch, document, plan, read, world::World};
use proptest::{
    collection::vec,
    prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest},
    sample::{Index, select},
};

const ZONES: [&str; 9] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Asia/Kolkata",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
];

const ROUNDINGS: [Rounding; 7] = [
    Rounding::HalfUp,
    Rounding::HalfEven,
    Rounding::HalfDown,
    Rounding::Up,
    Rounding::Down,
    Rounding::Ceiling,
    Rounding::Floor,
];

const TAXES: [&str; 4] = [
    "",
    r#","tax":{"name":"VAT","percent":"8","mode":"added"}"#,
    r#","tax":{"name":"VAT","percent":"8.1","mode":"included"}"#,
    r#","tax":{"name":"GST","percent":"12.345678","mode":"added"}"#,
];

/// 2026-01-05T00:00:00Z, when every zone has 2026-01-04 at least.
const START_MICROS: i64 = 1_767_571_200_000_000;
const DAY_MICROS: i64 = 86_400_000_000;

/// An instant after every period of every case.
const END: &str = "2027-12-31T12:00:00Z";

/// How an account is billed in one case.
#[derive(Clone, Debug)]
struct Terms {
    settings: AccountSettings,
    /// The kind and shape of the strategies, and their prices under version 1 and version 2.
    strategies: Vec<String>,
    changed: Vec<String>,
    /// When version 2 begins.
    change: Day,
}

fn settings() -> impl Strategy<Value = AccountSettings> {
    let months = 1_u16..=3;
    let decimals = select(vec![0_u8, 2, 2, 2, 3, 10]);
    (select(&ZONES[..]), 0_i32..400, months, decimals, select(&ROUNDINGS[..]), select(&TAXES[..]))
        .prop_map(|(zone, from, months, decimals, rounding, tax)| {
            let from = Day::from_ordinal(20_454 - from).unwrap();
            let rounding = serde_json::to_string(&rounding).unwrap();
            document(&format!(
                r#"{{"id":"alice","currency":"EUR","zone":"{zone}",
                     "anchor":{{"from":"{from}","months":{months}}},
                     "invoice":{{"decimals":{decimals},"rounding":{rounding}}}{tax}}}"#
            ))
        })
}

/// A price in units of 10^-4.
fn price(units: u32) -> String {
    Amount::from_units(i128::from(units), 4).unwrap().to_string()
}

fn flat_rate(id: &str, minutes: &str, price_units: u32) -> String {
    let price = price(price_units);
    let terms = format!(r#"{{"per_minute":"{price}","minutes":"{minutes}"}}"#);
    common::named(id, "flat_rate", &terms)
}

fn blocks(id: &str, scope: &str, block_ms: u32, price_units: u32) -> String {
    let price = price(price_units);
    let terms = format!(r#"{{"block_ms":{block_ms},"per_block":"{price}","scope":"{scope}"}}"#);
    common::named(id, "blocks", &terms)
}

/// Any of the built-in strategies, under two prices.
fn strategies() -> impl Strategy<Value = Vec<[String; 2]>> {
    let shapes = ["pro_rata", "per_started_minute", "call", "period", "lifetime"];
    let one = (select(shapes.to_vec()), 1_u32..100_000, 0_u32..5_000, 0_u32..5_000);
    vec(one, 1..4).prop_map(|chosen| {
        let numbered = chosen.into_iter().enumerate();
        let built = numbered.map(|(i, (shape, block_ms, old, new))| {
            let id = format!("s{i}");
            [old, new].map(|price| match shape {
                "pro_rata" | "per_started_minute" => flat_rate(&id, shape, price),
                _ => blocks(&id, shape, block_ms, price),
            })
        });
        built.collect()
    })
}

fn terms() -> impl Strategy<Value = Terms> {
    (settings(), strategies(), 20_460_i32..20_600).prop_map(|(settings, both, change)| {
        let [strategies, changed] =
            [0, 1].map(|version: usize| both.iter().map(|s| s[version].clone()).collect());
        Terms { settings, strategies, changed, change: Day::from_ordinal(change).unwrap() }
    })
}

fn of_call(i: usize, at: i64, duration_ms: u64, disposition: Disposition) -> CallEnded {
    let mut ended = common::call(&format!("call-{i}"), "2026-01-01T00:00:00Z", duration_ms);
    ended.call.start = Instant::from_micros(START_MICROS + at).unwrap();
    ended.call.disposition = disposition;
    ended
}

/// Calls over five months.
fn calls(size: core::ops::Range<usize>) -> impl Strategy<Value = Vec<CallEnded>> {
    let dispositions = [Disposition::Answered, Disposition::Answered, Disposition::NoAnswer];
    let one = (0..150 * DAY_MICROS, 0_u64..7_200_000, select(dispositions.to_vec()));
    vec(one, size).prop_map(|calls| {
        let numbered = calls.into_iter().enumerate();
        numbered.map(|(i, (at, ms, disposition))| of_call(i, at, ms, disposition)).collect()
    })
}

fn world(terms: &Terms) -> World {
    let mut world = World::empty();
    world.open(&terms.settings);
    world.save(plan(1, &terms.strategies));
    world.save(plan(2, &terms.changed));
    world.assign(&terms.settings.id, 1, "2026-01-01").unwrap();
    world.assign(&terms.settings.id, 2, &terms.change.to_string()).unwrap();
    world
}

/// Everything that must not depend on the order of arrival.
fn state(world: &World) -> (BTreeMap<ItemKey, Item>, BTreeMap<TotalKey, Totals>, Vec<Draft>) {
    let items = world.items.iter().map(|(key, stored)| (key.clone(), stored.item.clone()));
    let totals = world.totals.iter().map(|(key, total)| (key.clone(), total.totals));
    (items.collect(), totals.collect(), world.bill(END))
}

fn sum(amounts: impl IntoIterator<Item = Amount>) -> Amount {
    amounts.into_iter().fold(Amount::ZERO, |sum, amount| sum.checked_add(amount).unwrap())
}

/// The sums of a draft, each from what it is made of.
fn adds_up(draft: &Draft) {
    for line in &draft.lines {
        assert_eq!(sum(line.parts.iter().map(|part| part.share)), line.amount, "parts of a line");
        assert!(line.amount.units(draft.decimals).is_some(), "a line has the decimals it may");
    }
    let lines = sum(draft.lines.iter().map(|line| line.amount));
    let taxes = sum(draft.taxed.taxes.iter().map(|tax| tax.amount));
    assert_eq!(sum([draft.taxed.net, taxes]), draft.taxed.total, "net and taxes");
    assert!(lines == draft.taxed.net || lines == draft.taxed.total, "the lines are net or total");
}

/// The sum of postings is what the day totals say, each posting stands on its item's local day.
fn postings_are_the_totals(world: &World) {
    let mut sums: BTreeMap<TotalKey, Totals> = BTreeMap::new();
    for posting in world.postings() {
        let zone = &world.accounts[&posting.account].settings.zone;
        let at = world.items[&posting.item].item.at();
        assert_eq!(posting.day, zone.day_of(at));
        assert!(zone.day_start(posting.day) <= at, "the day has begun");
        // The last instant of all is also the end of its day.
        let end = zone.day_start(posting.day.next().unwrap());
        assert!(at < end || at == Instant::MAX, "the next one has not");
        let before = sums.get(&posting.total_key());
        let sum = before.map_or(posting.totals, |sum| sum.checked_add(posting.totals).unwrap());
        let _before: Option<Totals> = sums.insert(posting.total_key(), sum);
    }
    let totals = world.totals.iter().map(|(key, total)| (key.clone(), total.totals));
    assert_eq!(sums, totals.collect());
}

/// The journals follow from their entries alone.
fn journals_are_chained(world: &World) {
    for (account, journal) in &world.journal {
        let head = journal.iter().fold(Head::EMPTY, |head, entry| {
            assert_eq!(Some(entry.seq()), head.next());
            head.append(entry)
        });
        assert_eq!(head, world.accounts[account].head);
    }
}

/// What all invoices together say of each stretch and strategy.
fn billed(invoices: &[Invoice]) -> BTreeMap<(Day, u32, String), Amount> {
    let mut billed = BTreeMap::new();
    for line in invoices.iter().flat_map(|invoice| &invoice.draft.lines) {
        let stretch = (line.stretch.period.start(), line.stretch.assignment);
        let sum =
            billed.entry((stretch.0, stretch.1, line.strategy.to_string())).or_insert(Amount::ZERO);
        *sum = sum.checked_add(line.amount).unwrap();
    }
    billed
}

/// `numerator / denominator` to a whole number; the denominator is positive.
fn round(numerator: i128, denominator: i128, rounding: Rounding) -> i128 {
    let (floor, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    let half = (2 * rest).cmp(&denominator);
    let nearest = |tie: bool| if half.is_eq() { tie } else { half.is_gt() };
    let up = rest > 0
        && match rounding {
            Rounding::HalfUp => nearest(numerator > 0),
            Rounding::HalfEven => nearest(floor.rem_euclid(2) != 0),
            Rounding::HalfDown => nearest(numerator < 0),
            Rounding::Up => numerator > 0,
            Rounding::Down => numerator < 0,
            Rounding::Ceiling => true,
            Rounding::Floor => false,
        };
    floor + i128::from(up)
}

/// The first day of the period that a day is in, by walking there month by month.
fn period_start(settings: &AccountSettings, day: Day) -> Day {
    let (from, months) = (NaiveDate::from(settings.anchor.from()), settings.anchor.months());
    let boundary = |n: u32| from.checked_add_months(Months::new(n * u32::from(months))).unwrap();
    let date = NaiveDate::from(day);
    let last = (0..1_000).take_while(|n| boundary(*n) <= date).last().unwrap();
    Day::try_from(boundary(last)).unwrap()
}

/// What a price a minute charges in each stretch, in whole numbers alone; prices are in units of 10^-4.
fn flat_rate_by_hand(
    terms: &Terms,
    calls: &[CallEnded],
    minutes: &str,
    prices: [u32; 2],
) -> BTreeMap<(Day, u32, String), Amount> {
    let mut units: BTreeMap<(Day, u32), i128> = BTreeMap::new();
    for ended in calls {
        let Call { start, duration_ms, disposition, .. } = ended.call;
        let talked = if disposition == Disposition::Answered { duration_ms } else { 0 };
        let counted = if minutes == "pro_rata" {
            i128::from(talked)
        } else {
            i128::from(talked.div_ceil(60_000)) * 60_000
        };
        let day = terms.settings.zone.day_of(start);
        let assignment = if day < terms.change { 1 } else { 2 };
        *units.entry((period_start(&terms.settings, day), assignment)).or_insert(0) += counted;
    }
    let decimals = terms.settings.decimals();
    let amount = |(period, assignment): (Day, u32), ms: i128| {
        let price = i128::from(prices[usize::from(assignment == 2)]);
        let numerator = ms * price * 10_i128.pow(decimals);
        let rounded = round(numerator, 60_000 * 10_000, terms.settings.invoice.rounding);
        let amount = Amount::from_units(rounded, decimals).unwrap();
        ((period, assignment, "rate".to_owned()), amount)
    };
    units.into_iter().map(|(stretch, ms)| amount(stretch, ms)).collect()
}

/// Takes calls in pieces, and issues after some of them.
fn take_and_issue(world: &mut World, calls: &[CallEnded], runs: &[(Index, i64)]) {
    let mut from = 0;
    let mut cuts: Vec<(usize, i64)> =
        runs.iter().map(|(index, at)| (index.index(calls.len() + 1), *at)).collect();
    cuts.sort_unstable();
    for (until, at) in cuts {
        drop(world.take(&calls[from..until]));
        from = until;
        let as_of = Instant::from_micros(START_MICROS + at).unwrap();
        let facts = world.bill_facts(&read("alice"), as_of);
        let ended = |draft: &Draft| draft.end <= as_of && !draft.lines.is_empty();
        let preview: Vec<Draft> =
            decide::bill(&facts, as_of).unwrap().into_iter().filter(ended).collect();
        let issued = world.issue_at(&read("alice"), as_of).unwrap();
        let issued: Vec<Draft> = issued.into_iter().map(|invoice| invoice.draft).collect();
        assert_eq!(issued, preview, "as previewed");
    }
    drop(world.take(&calls[from..]));
    drop(world.issue(END));
}

/// Runs of issuing: after how many calls, and up to when.
fn runs() -> impl Strategy<Value = Vec<(Index, i64)>> {
    vec((any::<Index>(), 0..200 * DAY_MICROS), 0..6)
}

fn shuffled(size: core::ops::Range<usize>) -> impl Strategy<Value = Vec<CallEnded>> {
    calls(size).prop_flat_map(|calls| Just(calls).prop_shuffle())
}

/// How many random cases each law is held against; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(96)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn neither_order_nor_repetition_nor_batches_matter(
        terms in terms(),
        (calls, other) in calls(1..40).prop_flat_map(|calls| {
            let doubled = [calls.clone(), calls.clone()].concat();
            (Just(calls), Just(doubled).prop_shuffle())
        }),
        sizes in vec(1_usize..9, 1..20),
    ) {
        let mut at_once = world(&terms);
        drop(at_once.take(&calls));
        let mut piecemeal = world(&terms);
        let mut rest = other.as_slice();
        for size in sizes.iter().cycle() {
            let (taken, later) = rest.split_at(rest.len().min(*size));
            drop(piecemeal.take(taken));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(state(&at_once), state(&piecemeal));
        prop_assert_eq!(piecemeal.items.len(), calls.len());
        // Once more changes nothing but the account of the batch.
        let before = (piecemeal.journal.clone(), state(&piecemeal));
        let again = piecemeal.ingest(&Batch { label: "again".into(), ..batch(&calls) }).unwrap();
        prop_assert_eq!(usize::try_from(again.intake.replayed)?, calls.len());
        prop_assert_eq!((piecemeal.journal.clone(), state(&piecemeal)), before);
    }

    #[test]
    fn everything_adds_up_and_leads_back(
        terms in terms(),
        calls in shuffled(1..40),
        runs in runs(),
    ) {
        let mut world = world(&terms);
        take_and_issue(&mut world, &calls, &runs);
        postings_are_the_totals(&world);
        journals_are_chained(&world);
        for invoice in &world.invoices {
            adds_up(&invoice.draft);
            prop_assert_eq!(&document::<Invoice>(&invoice.body()), invoice);
        }
        // Every day's total is in exactly one line, and every number is given once.
        let parts: Vec<TotalKey> = world.invoices.iter().flat_map(Invoice::part_keys).collect();
        let distinct: BTreeSet<&TotalKey> = parts.iter().collect();
        prop_assert_eq!(distinct.len(), parts.len());
        prop_assert!(distinct.into_iter().eq(world.totals.keys()));
        let numbers = world.invoices.iter().map(|invoice| invoice.number);
        prop_assert!(numbers.eq(1..=u64::try_from(world.invoices.len())?));
        // What was billed is what the carries say.
        let carried = sum(world.carries.values().map(|carry| carry.billed));
        let lines = world.invoices.iter().flat_map(|invoice| &invoice.draft.lines);
        prop_assert_eq!(carried, sum(lines.map(|line| line.amount)));
        let counts: i64 = world.postings().iter().map(|posting| posting.totals.count).sum();
        let lines = world.invoices.iter().flat_map(|invoice| &invoice.draft.lines);
        prop_assert_eq!(lines.map(|line| line.count).sum::<i64>(), counts);
        prop_assert_eq!(world.bill(END).iter().map(|draft| draft.lines.len()).sum::<usize>(), 0);
    }

    #[test]
    fn each_stretch_of_a_flat_rate_costs_what_a_hand_computes(
        settings in settings(),
        calls in shuffled(1..40),
        runs in runs(),
        change in 20_460_i32..20_600_i32,
        minutes in select(vec!["pro_rata", "per_started_minute"]),
        prices in [0_u32..5_000, 0_u32..5_000],
    ) {
        let [strategies, changed] = prices.map(|price| vec![flat_rate("rate", minutes, price)]);
        let change = Day::from_ordinal(change).unwrap();
        let terms = Terms { settings, strategies, changed, change };
        let mut world = world(&terms);
        take_and_issue(&mut world, &calls, &runs);
        let expected = flat_rate_by_hand(&terms, &calls, minutes, prices);
        prop_assert_eq!(billed(&world.invoices), expected);
    }

    #[test]
    fn blocks_of_a_lifetime_cost_the_same_however_they_are_invoiced(
        settings in settings(),
        calls in shuffled(1..60),
        runs in runs(),
        block_ms in 1_u32..100_000,
        price_units in 0_u32..5_000,
    ) {
        let strategies = vec![blocks("blocks", "lifetime", block_ms, price_units)];
        let (changed, change) = (strategies.clone(), read("2026-02-14"));
        let terms = Terms { settings, strategies, changed, change };
        let mut world = world(&terms);
        take_and_issue(&mut world, &calls, &runs);
        let answered = calls.iter().filter(|c| c.call.disposition == Disposition::Answered);
        let talked: u64 = answered.map(|ended| ended.call.duration_ms).sum();
        let blocks = i128::from(talked.div_ceil(u64::from(block_ms)));
        let decimals = terms.settings.decimals();
        let units = blocks * i128::from(price_units) * 10_i128.pow(decimals);
        let rounded = round(units, 10_000, terms.settings.invoice.rounding);
        let total = sum(billed(&world.invoices).into_values());
        prop_assert_eq!(total, Amount::from_units(rounded, decimals)?);
    }

    #[test]
    fn blocks_of_a_period_cost_the_same_however_they_are_invoiced(
        settings in settings(),
        calls in shuffled(1..60),
        runs in runs(),
        block_ms in 1_u32..100_000,
        price_units in 0_u32..5_000,
    ) {
        let strategies = vec![blocks("blocks", "period", block_ms, price_units)];
        let (changed, change) = (strategies.clone(), read("2026-02-14"));
        let terms = Terms { settings, strategies, changed, change };
        let mut world = world(&terms);
        take_and_issue(&mut world, &calls, &runs);
        let mut talked: BTreeMap<Day, u64> = BTreeMap::new();
        for ended in calls.iter().filter(|c| c.call.disposition == Disposition::Answered) {
            let day = terms.settings.zone.day_of(ended.call.start);
            *talked.entry(period_start(&terms.settings, day)).or_insert(0) +=
                ended.call.duration_ms;
        }
        let decimals = terms.settings.decimals();
        let cost = |ms: u64| {
            let blocks = i128::from(ms.div_ceil(u64::from(block_ms)));
            let units = blocks * i128::from(price_units) * 10_i128.pow(decimals);
            let rounded = round(units, 10_000, terms.settings.invoice.rounding);
            Amount::from_units(rounded, decimals).unwrap()
        };
        let total = sum(billed(&world.invoices).into_values());
        prop_assert_eq!(total, sum(talked.into_values().map(cost)));
    }
}

/// Anything a source may report.
fn anything() -> impl Strategy<Value = Incoming> {
    let edges = vec![Instant::MIN.micros(), Instant::MAX.micros(), 0, START_MICROS];
    let at = proptest::prop_oneof![
        select(edges),
        Instant::MIN.micros()..=Instant::MAX.micros(),
        START_MICROS..START_MICROS + 150 * DAY_MICROS,
    ];
    let duration = proptest::prop_oneof![
        select(vec![0, 1, u64::MAX, u64::MAX - 1, 999_999_999_999_999_999]),
        any::<u64>(),
        0_u64..100_000,
    ];
    let dispositions =
        [Disposition::Answered, Disposition::NoAnswer, Disposition::Busy, Disposition::Failed];
    let directions = [Direction::Outbound, Direction::Inbound, Direction::Internal];
    (
        at,
        duration,
        select(dispositions.to_vec()),
        select(directions.to_vec()),
        select(vec!["", "+12025550123", "0", "sip:a@example.org", "\u{1f4de}"]),
        select(vec![Some("alice"), Some("nobody"), None]),
        0_u8..30,
    )
        .prop_map(|(at, duration_ms, disposition, direction, party, account, id)| Incoming {
            key: ItemKey::new(read("switch"), read(&format!("item-{id}"))),
            account: account.map(read),
            item: Item::Call(Call {
                start: Instant::from_micros(at).unwrap(),
                duration_ms,
                caller: read(party),
                callee: read(party),
                disposition,
                direction,
            }),
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn whatever_arrives_is_answered_and_accounted_for(
        terms in terms(),
        entries in vec(anything(), 0..40),
        call_duration_ms_max in select(vec![0, 7_200_000, u64::MAX]),
        size in 1_usize..10,
    ) {
        let mut world = world(&terms);
        world.limits = Limits { call_duration_ms_max, ..Limits::default() };
        for part in entries.chunks(size) {
            let entries = part.iter().cloned().map(Ok).collect();
            drop(world.ingest(&Batch { label: "any".into(), entries }).unwrap());
        }
        postings_are_the_totals(&world);
        journals_are_chained(&world);
        let keys: BTreeSet<&ItemKey> = entries.iter().map(|incoming| &incoming.key).collect();
        let kept: BTreeSet<&ItemKey> = world.items.keys().chain(world.parked.keys()).collect();
        prop_assert_eq!(&keys, &kept, "what arrived is recorded or parked");
        prop_assert_eq!(world.items.len() + world.parked.len(), kept.len(), "and never both");
        // A bill is drawn up or refused, and never lost.
        let count = |drafts: &[Draft]| -> i64 {
            drafts.iter().flat_map(|draft| &draft.lines).map(|line| line.count).sum()
        };
        if let Ok(drafts) = world.bill_of("alice", END) {
            drafts.iter().for_each(adds_up);
            let charged = |posting: &&&Posting| posting.day <= drafts.last().unwrap().period.start();
            let postings = world.postings();
            let counts: i64 = postings.iter().filter(charged).map(|p| p.totals.count).sum();
            prop_assert_eq!(count(&drafts), counts);
        }
    }

    #[test]
    fn a_bill_may_be_asked_for_at_any_time(terms in terms(), at in -200_i64..2_000) {
        let mut world = world(&terms);
        drop(world.take(&[of_call(0, 0, 60_000, Disposition::Answered)]));
        let at = Instant::from_micros(START_MICROS + at * DAY_MICROS).unwrap();
        let drafts = decide::bill(&world.bill_facts(&read("alice"), at), at).unwrap();
        let today = terms.settings.zone.day_of(at);
        match drafts.last() {
            Some(open) => prop_assert!(open.period.contains(today) && open.start <= at && at < open.end),
            None => prop_assert!(today < read("2026-01-01"), "before the first plan"),
        }
        let issued = world.issue_at(&read("alice"), at).unwrap();
        prop_assert_eq!(issued.len(), drafts.len().saturating_sub(1));
    }
}
