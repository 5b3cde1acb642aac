//! Random tariffs, and usage to price under them.

use std::sync::Arc;

use billing_core::{
    id::TariffId,
    money::{Price, Quantity, Rounding},
    number::PhoneNumber,
    tariff::{
        AtMaximum, BandSpec, Crossing, HolidayRule, IncrementRule, LineSpec, Measure, Tariff,
        TariffProblem, TariffSpec, Tariffs, To, Usage, Weekday, WindowSpec,
    },
    time::{Day, Instant, Zone},
};
use proptest::{
    collection::vec,
    option,
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::select,
};
use rust_decimal::Decimal;

use super::{Reference, Used};

/// Zones, each with an instant near which something happens to its clocks, or nothing does.
const PLACES: [(&str, &str); 15] = [
    ("UTC", "2026-06-15T12:00:00Z"),
    ("UTC", "2026-12-31T23:00:00Z"),
    ("Asia/Kolkata", "2026-02-28T18:30:00Z"),
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    // Half an hour.
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    // At midnight.
    ("America/Santiago", "2026-04-05T03:00:00Z"),
    ("America/Santiago", "2026-09-06T04:00:00Z"),
    ("Africa/Cairo", "2026-10-29T21:00:00Z"),
    // A minute after midnight.
    ("America/St_Johns", "2010-03-14T03:31:00Z"),
    ("America/St_Johns", "2010-11-07T02:31:00Z"),
    // A whole day.
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
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

const CALLEES: [&str; 9] = [
    "4930123456",
    "4930123456",
    "4930123456",
    "493012",
    "493012",
    "493",
    "49151123456789",
    "442071234567",
    "",
];
pub(crate) const PREFIXES: [&str; 9] =
    ["4", "4", "49", "49", "493", "4930", "49301", "49151", "44"];
const CALLERS: [&str; 4] = ["", "12025550100", "12", "4940123"];
const ORIGINS: [&str; 4] = ["1", "12", "1202", "49"];
const WINDOWS: [&str; 3] = ["a", "b", "c"];

/// Quantities are chosen in ticks: milliseconds, or millionths of a unit.
const PER: [u64; 7] = [1, 1_000, 6_000, 7_000, 60_000, 60_000, 3_600_000];
const INCREMENTS: [u64; 9] = [1, 500, 1_000, 1_000, 6_000, 7_000, 30_000, 60_000, 3_600_000];
const FIRST: [u64; 7] = [1, 250, 1_000, 6_000, 30_000, 31_000, 90_000];
const GRACE: [u64; 7] = [0, 0, 0, 0, 1, 3_000, 60_000];

const FROM: [&str; 9] =
    ["00:00", "01:30", "02:00", "02:15", "02:30:30", "08:00", "18:00", "22:00", "23:30"];
const UNTIL: [&str; 10] =
    ["00:00", "00:30", "01:45", "02:15", "02:30", "03:00", "08:00", "18:00", "23:59:59", "24:00"];

/// How much usage is priced under each tariff.
pub(crate) const USED: usize = 32;

const MINUTE: i64 = 60_000_000;
const DAY_MS: u64 = 86_400_000;

/// Tariffs in their versions, and usage to price under the first.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// With since when each is in force.
    pub(crate) versions: Vec<(TariffSpec, Instant)>,
    pub(crate) used: Vec<Used>,
}

impl World {
    pub(crate) fn asked(&self) -> &TariffId {
        &self.versions[0].0.id
    }

    /// The first version alone.
    pub(crate) fn tariff(&self) -> Tariff {
        Tariff::compile(&self.versions[0].0).unwrap()
    }

    pub(crate) fn tariffs(&self) -> Tariffs {
        let mut tariffs = Tariffs::default();
        for (spec, since) in &self.versions {
            let tariff = Arc::new(Tariff::compile(spec).unwrap());
            tariffs.activate(tariff, *since).unwrap();
        }
        tariffs
    }

    pub(crate) fn reference(&self) -> Reference {
        let end = |used: &Used| {
            let ms = if used.measure == Measure::Time { used.ticks() } else { 0 };
            used.at.checked_add_ms(ms).unwrap()
        };
        let from = self.used.iter().map(|used| used.at).min().unwrap();
        let until = self.used.iter().map(end).max().unwrap();
        Reference::new(self.versions.iter().cloned(), from, until)
    }
}

impl Used {
    /// The usage in milliseconds, or in millionths of a unit.
    pub(crate) fn ticks(&self) -> u64 {
        u64::try_from(self.usage / self.tick()).unwrap()
    }

    /// A tick in millionths.
    pub(crate) fn tick(&self) -> i128 {
        if self.measure == Measure::Time { 1_000 } else { 1 }
    }

    pub(crate) fn with_ticks(&self, ticks: u64) -> Self {
        Self { usage: i128::from(ticks) * self.tick(), ..self.clone() }
    }

    /// The same for the engine.
    pub(crate) fn usage(&self) -> Usage {
        let to = PhoneNumber::try_new(&self.to).ok();
        let usage = match (self.measure, &to) {
            (Measure::Time, Some(to)) => Usage::call(to, self.at, self.ticks()),
            (Measure::Time, None) => Usage::call_to_nobody(self.at, self.ticks()),
            (Measure::Units, to) => {
                let quantity = Quantity::from_units(i128::from(self.ticks()), 6).unwrap();
                Usage::units(to.as_ref(), self.at, quantity).unwrap()
            }
        };
        match PhoneNumber::try_new(&self.from) {
            Ok(from) => usage.from(&from),
            Err(_) => usage,
        }
    }
}

pub(crate) fn measures() -> impl Strategy<Value = Measure> {
    prop_oneof![5 => Just(Measure::Time), 1 => Just(Measure::Units)]
}

/// One tariff, and usage under it.
pub(crate) fn world() -> BoxedStrategy<World> {
    measures().prop_flat_map(world_of).boxed()
}

/// One tariff of a measure, and usage under it.
pub(crate) fn world_of(measure: Measure) -> BoxedStrategy<World> {
    let world = select(&PLACES[..]).prop_flat_map(move |(zone, pivot)| {
        let pivot: Instant = pivot.parse().unwrap();
        let spec = tariff("retail", zone, pivot, measure, 2..8);
        let used = vec(used(pivot, measure), USED);
        (spec, used).prop_map(move |(spec, used)| {
            let versions = vec![(spec, days_before(pivot, 60))];
            World { versions, used }
        })
    });
    world.boxed()
}

/// Five tariffs that fall back on each other, some with a second version, and usage under the first.
pub(crate) fn worlds() -> impl Strategy<Value = World> {
    (select(&PLACES[..]), select(&PLACES[..])).prop_flat_map(|((zone, pivot), (other, _))| {
        let pivot: Instant = pivot.parse().unwrap();
        let one = move |number: usize| {
            let zone = if number.is_multiple_of(2) { zone } else { other };
            let id = format!("tariff-{number}");
            let fallback = vec(0_usize..5, 0..3);
            // The last of them is in another currency.
            let currency = if number == 4 { "USD" } else { "EUR" };
            let versions = vec(
                (tariff(&id, zone, pivot, Measure::Time, 1..4), fallback, -3_000_i64..3_000),
                1..3,
            );
            versions.prop_map(move |versions| {
                let numbered = versions.into_iter().enumerate();
                let versions = numbered.map(|(place, (mut spec, fallback, minutes))| {
                    let name = |number| format!("tariff-{number}").parse().unwrap();
                    spec.version = u32::try_from(place).unwrap() + 1;
                    spec.fallback = fallback.into_iter().map(name).collect();
                    spec.currency = currency.parse().unwrap();
                    let spec = named(spec);
                    let long_before = place == 0 && minutes % 3 != 0;
                    let minutes = if long_before { -60 * 24 * 60 } else { minutes };
                    (spec, after(pivot, minutes * MINUTE + i64::try_from(place).unwrap()))
                });
                versions.collect::<Vec<_>>()
            })
        };
        ([0, 1, 2, 3, 4].map(one), vec(used(pivot, Measure::Time), USED))
            .prop_map(|(versions, used)| World { versions: versions.concat(), used })
    })
}

fn after(instant: Instant, micros: i64) -> Instant {
    Instant::from_micros(instant.micros() + micros).unwrap()
}

fn days_before(instant: Instant, days: i64) -> Instant {
    after(instant, -days * 24 * 60 * MINUTE)
}

fn tariff(
    id: &str,
    zone: &'static str,
    pivot: Instant,
    measure: Measure,
    lines: core::ops::Range<usize>,
) -> BoxedStrategy<TariffSpec> {
    let id: TariffId = id.parse().unwrap();
    let zone: Zone = zone.parse().unwrap();
    let today = zone.day_of(pivot);
    let rules = (
        select(vec![Crossing::Split, Crossing::Split, Crossing::Split, Crossing::AtStart]),
        select(vec![IncrementRule::Remainder, IncrementRule::Total]),
        select(vec![0_u8, 1, 2, 4, 4, 4, 10]),
        select(&ROUNDINGS[..]),
    );
    let days = vec(-3_i32..4_i32, 0..4_usize).prop_map(move |days| {
        days.into_iter().map(|days| today.plus_days(days).unwrap()).collect::<Vec<_>>()
    });
    let group = vec(select(&PREFIXES[..]), 1..4);
    (rules, days, [(); 3].map(|()| window(today)), group, vec(line(pivot, measure), lines))
        .prop_map(
            move |((crossing, increments, decimals, rounding), days, windows, group, lines)| {
                let group = group.into_iter().map(|prefix| prefix.parse().unwrap()).collect();
                named(untwinned(TariffSpec {
                    id: id.clone(),
                    version: 1,
                    currency: "EUR".parse().unwrap(),
                    zone: zone.clone(),
                    measure,
                    crossing,
                    increments,
                    decimals,
                    rounding,
                    calendars: [("days".into(), days)].into(),
                    windows: WINDOWS.into_iter().map(Into::into).zip(windows).collect(),
                    groups: [("group".into(), group)].into(),
                    lines,
                    fallback: Vec::new(),
                }))
            },
        )
        .boxed()
}

/// Without the lines between which and another nothing decides.
pub(crate) fn untwinned(mut spec: TariffSpec) -> TariffSpec {
    while let Err(invalid) = Tariff::compile(&spec) {
        assert!(matches!(invalid.problem, TariffProblem::Twins { .. }), "{invalid}");
        drop(spec.lines.remove(invalid.line.unwrap() - 1));
    }
    spec
}

/// With a destination of its own for each line.
pub(crate) fn named(mut spec: TariffSpec) -> TariffSpec {
    let of = format!("{}-{}", spec.id, spec.version);
    for (number, line) in (1_usize..).zip(&mut spec.lines) {
        line.destination = format!("{of}-line-{number}").parse().unwrap();
    }
    spec
}

fn window(today: Day) -> BoxedStrategy<WindowSpec> {
    let week = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
    let weekdays = prop_oneof![
        3 => Just(Vec::new()),
        1 => Just(week.to_vec()),
        1 => Just(vec![Weekday::Sat, Weekday::Sun]),
        1 => Just(vec![Weekday::Sun]),
    ];
    let months = prop_oneof![
        6 => Just(Vec::new()),
        1 => Just(vec![today.month()]),
        1 => vec(1_u8..13, 1..6),
    ];
    let month_days = prop_oneof![6 => Just(Vec::new()), 1 => vec(1_u8..32, 4..20)];
    let day = move |days: i32| today.plus_days(days).unwrap();
    let days =
        (option::weighted(0.15_f64, -2_i32..2_i32), option::weighted(0.15_f64, 2_i32..4_i32));
    let holidays = prop_oneof![
        5 => Just(None),
        1 => Just(Some(HolidayRule::Only("days".into()))),
        1 => Just(Some(HolidayRule::Except("days".into()))),
    ];
    let times = (option::of(select(&FROM[..])), option::of(select(&UNTIL[..])));
    (weekdays, months, month_days, days, holidays, times)
        .prop_map(move |(weekdays, months, month_days, (first, end), holidays, (from, until))| {
            WindowSpec {
                weekdays,
                months,
                month_days,
                first_day: first.map(day),
                end_day: end.map(day),
                holidays,
                from: from.map(Into::into),
                until: until.map(Into::into),
            }
        })
        .boxed()
}

pub(crate) fn price() -> impl Strategy<Value = Price> {
    let units = prop_oneof![
        1 => Just(0_i128),
        6 => (0_i128..1_000_000).prop_map(|units| units * 1_000_000),
        2 => (0_i128..10_000).prop_map(|units| units * 100_000_000),
        1 => 0_i128..1_000_000_000_000,
        1 => 9_999_999_999_999_000_000_000_i128..10_000_000_000_000_000_000_000,
    ];
    units.prop_map(of_units)
}

/// A price of units of 10^-10.
pub(crate) fn of_units(units: i128) -> Price {
    Price::try_new(Decimal::from_i128_with_scale(units, 10)).unwrap()
}

/// A quantity of ticks.
pub(crate) fn quantity(ticks: u64, measure: Measure) -> Quantity {
    let decimals = if measure == Measure::Time { 3 } else { 6 };
    Quantity::from_units(i128::from(ticks), decimals).unwrap()
}

fn bands(measure: Measure) -> impl Strategy<Value = Vec<BandSpec>> {
    let band = (price(), select(&PER[..]), select(&INCREMENTS[..]), 1_u64..20);
    vec(band, 1..4).prop_map(move |bands| {
        let mut from = 0;
        let placed = bands.into_iter().map(|(price, per, increment, count)| {
            let [begins, per, every] = [from, per, increment].map(|it| quantity(it, measure));
            from += increment * count;
            BandSpec { from: begins, price, per, increment: every }
        });
        placed.collect()
    })
}

fn line(pivot: Instant, measure: Measure) -> BoxedStrategy<LineSpec> {
    let to = prop_oneof![
        5 => vec(select(&PREFIXES[..]), 1..4).prop_map(|prefixes| {
            To::Prefixes(prefixes.into_iter().map(|prefix| prefix.parse().unwrap()).collect())
        }),
        1 => Just(To::Group("group".into())),
        1 => Just(To::Any),
    ];
    let conditions = (
        option::weighted(0.25_f64, select(&ORIGINS[..])),
        option::weighted(0.6_f64, select(&WINDOWS[..])),
        select(vec![0_u32, 0, 0, 5, 10]),
        option::weighted(0.2_f64, -3_000_i64..1_500_i64),
        option::weighted(0.2_f64, 1_500_i64..4_000_i64),
    );
    let fees = (
        prop_oneof![2 => Just(Price::ZERO), 1 => price()],
        prop_oneof![3 => Just(0_i128), 1 => 0_i128..30_000_000_000],
        option::weighted(0.25_f64, 0_i128..2_000_000_000_000_i128),
        select(vec![AtMaximum::Free, AtMaximum::Free, AtMaximum::Disconnect]),
        select(&GRACE[..]),
        option::weighted(0.4_f64, select(&FIRST[..])),
    );
    let blocked = prop_oneof![24 => Just(false), 1 => Just(true)];
    (to, conditions, fees, bands(measure), blocked)
        .prop_map(move |(to, conditions, fees, bands, blocked)| {
            let (origin, window, weight, from, until) = conditions;
            let (connect_fee, minimum, over, at_maximum, grace, first) = fees;
            let instant = |minutes: i64| after(pivot, minutes * MINUTE);
            let open = LineSpec {
                destination: "one".parse().unwrap(),
                to,
                origin: origin.map(|origin| origin.parse().unwrap()),
                window: window.map(Into::into),
                weight,
                valid_from: from.map(instant),
                valid_until: until.map(instant),
                connect_fee,
                minimum: of_units(minimum),
                maximum: over.map(|over| of_units(minimum + over)),
                at_maximum,
                grace: quantity(grace, measure),
                first: first.map(|first| quantity(first, measure)),
                bands,
                blocked: false,
            };
            if blocked { closed(open) } else { open }
        })
        .boxed()
}

/// The same line, blocked.
pub(crate) fn closed(line: LineSpec) -> LineSpec {
    LineSpec {
        connect_fee: Price::ZERO,
        minimum: Price::ZERO,
        maximum: None,
        bands: Vec::new(),
        blocked: true,
        ..line
    }
}

pub(crate) fn ticks() -> impl Strategy<Value = u64> {
    prop_oneof![
        2 => select(vec![0, 1, 2, 59_999, 60_000, 60_001, 90_000]),
        8 => 0_u64..200_000,
        4 => 0_u64..7_200_000,
        4 => 0_u64..2 * DAY_MS,
        1 => select(vec![30 * DAY_MS, 30 * DAY_MS + 1, 9 * DAY_MS - 1]),
    ]
}

fn used(pivot: Instant, measure: Measure) -> impl Strategy<Value = Used> {
    let at = prop_oneof![
        3 => (-2_400_i64..2_400).prop_map(|minutes| minutes * MINUTE),
        2 => -180 * MINUTE..180 * MINUTE,
        1 => any::<i32>().prop_map(i64::from),
    ];
    let tick = if measure == Measure::Time { 1_000 } else { 1 };
    (select(&CALLEES[..]), select(&CALLERS[..]), at, ticks()).prop_map(
        move |(to, from, at, ticks)| Used {
            to: to.to_owned(),
            from: from.to_owned(),
            at: after(pivot, at),
            measure,
            usage: i128::from(ticks) * tick,
        },
    )
}
