//! What holds for every price list, however it is written.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::default_numeric_fallback,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::collections::BTreeSet;

use billing_core::{
    number::{PhoneNumber, Prefix},
    tariff::{LineSpec, Tariff, TariffSpec, To, WindowSpec},
    time::Zone,
};
use billing_formats::deck::{Deck, Mapping, fewest_prefixes, stream};
use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::*,
    sample::select,
};
use serde_json::{Value, json};

/// What a row says, in plain values.
#[derive(Clone, Debug)]
struct Row {
    name: String,
    tails: Tails,
    price_micros: Option<u64>,
    fee_micros: u64,
    increments: (u32, u32),
    /// Days of March 2026.
    days: (Option<u8>, Option<u8>),
}

/// What follows the country of a row.
#[derive(Clone, Debug)]
enum Tails {
    One(String),
    List(Vec<String>),
    Range(u32, u32, usize),
}

/// How a deck is written.
#[derive(Clone, Debug)]
struct Style {
    delimiter: char,
    encoding: &'static str,
    is_marked: bool,
    line_end: &'static str,
    is_quoted: bool,
    decimal: &'static str,
    thousands: Option<(&'static str, char)>,
    dates: &'static str,
    sign: &'static str,
    country: Country,
    order: Vec<usize>,
    title_rows: usize,
    is_spaced: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Country {
    Before(&'static str),
    Apart,
}

fn tails() -> impl Strategy<Value = Tails> {
    let digits = || "[0-9]{1,5}".prop_map(|digits| digits);
    let range = (1_usize..5).prop_flat_map(|digits| {
        let end = 10_u32.pow(u32::try_from(digits).unwrap());
        (0..end, 0..end, Just(digits))
    });
    prop_oneof![
        digits().prop_map(Tails::One),
        vec(digits(), 2..6).prop_map(Tails::List),
        range.prop_map(|(one, other, digits)| Tails::Range(one.min(other), one.max(other), digits)),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let days = (option::of(1_u8..15), option::of(15_u8..31));
    (
        "[A-Zäöüß€][a-zA-Z äöüß€,;|\"'-]{0,18}[a-z€]",
        tails(),
        option::weighted(0.9, prop_oneof![0_u64..1_000_000, 0_u64..5_000_000_000_000]),
        0_u64..10_000_000,
        (1_u32..100, 1_u32..100),
        days,
    )
        .prop_map(|(name, tails, price_micros, fee_micros, increments, days)| Row {
            name,
            tails,
            price_micros,
            fee_micros,
            increments,
            days,
        })
}

fn style() -> impl Strategy<Value = Style> {
    let encodings = vec![
        ("utf8", false),
        ("utf8", true),
        ("utf16_le", true),
        ("utf16_be", false),
        ("windows_1252", false),
    ];
    let marks = vec![
        ("point", None),
        ("comma", None),
        ("point", Some(("comma", ','))),
        ("comma", Some(("point", '.'))),
        ("comma", Some(("space", ' '))),
    ];
    let countries =
        vec![Country::Before(""), Country::Before("+"), Country::Before("00"), Country::Apart];
    (
        (
            select(vec![',', ';', '\t', '|']),
            select(encodings),
            select(vec!["\n", "\r\n"]),
            any::<bool>(),
        ),
        (
            select(marks),
            select(vec!["iso", "day_first", "month_first"]),
            select(vec!["", "€", " EUR"]),
        ),
        (
            select(countries),
            Just((0..8).collect::<Vec<usize>>()).prop_shuffle(),
            0_usize..4,
            any::<bool>(),
        ),
    )
        .prop_map(|(shape, values, layout)| {
            let (delimiter, (encoding, is_marked), line_end, is_quoted) = shape;
            let ((decimal, thousands), dates, sign) = values;
            let (country, order, title_rows, is_spaced) = layout;
            Style {
                delimiter,
                encoding,
                is_marked,
                line_end,
                is_quoted,
                decimal,
                thousands,
                dates,
                sign,
                country,
                order,
                title_rows,
                is_spaced,
            }
        })
}

const NAMES: [&str; 8] = ["Country", "Code", "Destination", "Rate", "Fee", "Inc", "From", "Until"];

impl Style {
    fn mapping(&self) -> Mapping {
        let mut mapping = json!({
            "currency": "EUR", "zone": "Europe/Berlin", "mode": "full", "rows": "with_code",
            "encoding": self.encoding, "decimal": self.decimal, "dates": self.dates, "blocked_prices": ["blocked"],
            "columns": {
                "code": "CODE", "destination": "destination", "price": "rate", "connect_fee": "fee",
                "increments": "inc", "valid_from": "from", "valid_until": "until", "grace": {"constant": "0"},
            },
        });
        if let Some((name, _)) = self.thousands {
            mapping["thousands"] = json!(name);
        }
        if self.country == Country::Apart {
            mapping["columns"]["country"] = json!("country");
        }
        serde_json::from_value(mapping).unwrap()
    }

    fn write(&self, rows: &[(u32, Row)]) -> Vec<u8> {
        let mut lines = vec!["A price list".to_owned(); self.title_rows];
        lines.push(self.join(&NAMES.map(ToOwned::to_owned)));
        for (country, row) in rows {
            lines.push(self.join(&self.cells(*country, row)));
            if self.is_spaced {
                lines.push(String::new());
                lines.push(self.join(&[const { String::new() }; 8]));
            }
        }
        lines.push("without VAT".to_owned());
        let mut text = lines.join(self.line_end);
        if self.is_marked {
            text.insert(0, '\u{FEFF}');
        }
        match self.encoding {
            "utf16_le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "utf16_be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            "windows_1252" => text.chars().map(windows_1252).collect(),
            _ => text.into_bytes(),
        }
    }

    fn join(&self, cells: &[String; 8]) -> String {
        let cell = |index: &usize| {
            let text = &cells[*index];
            let needs = text.contains(['"', self.delimiter]);
            if needs || self.is_quoted {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text.clone()
            }
        };
        let cells: Vec<String> = self.order.iter().map(cell).collect();
        cells.join(&self.delimiter.to_string())
    }

    fn cells(&self, country: u32, row: &Row) -> [String; 8] {
        let tails = match &row.tails {
            Tails::One(tail) => tail.clone(),
            Tails::List(tails) => tails.join(", "),
            Tails::Range(first, last, digits) => format!("{first:0digits$}-{last:0digits$}"),
        };
        let (country, code) = match self.country {
            Country::Apart => (format!("+{country}"), tails),
            Country::Before(sign) => (String::new(), format!("{sign}{country} {tails}")),
        };
        let (first, next) = row.increments;
        let price =
            row.price_micros.map_or("Blocked".to_owned(), |price| self.number(price) + self.sign);
        let from = row.days.0.map_or(String::new(), |day| self.date(day));
        let until = row.days.1.map_or(String::new(), |day| self.date(day));
        [
            country,
            code,
            row.name.clone(),
            price,
            self.number(row.fee_micros),
            format!("{first}/{next}"),
            from,
            until,
        ]
    }

    fn number(&self, micros: u64) -> String {
        let mark = if self.decimal == "comma" { ',' } else { '.' };
        let whole = (micros / 1_000_000).to_string();
        let whole = match self.thousands {
            None => whole,
            Some((_, thousands)) => {
                let grouped = whole.chars().rev().enumerate().fold(
                    String::new(),
                    |mut text, (place, digit)| {
                        if place > 0 && place % 3 == 0 {
                            text.push(thousands);
                        }
                        text.push(digit);
                        text
                    },
                );
                grouped.chars().rev().collect()
            }
        };
        format!("{whole}{mark}{:06}", micros % 1_000_000)
    }

    fn date(&self, day: u8) -> String {
        match self.dates {
            "iso" => format!("2026-03-{day:02}"),
            "day_first" => format!("{day}.3.26"),
            _ => format!("Mar {day}, 2026"),
        }
    }
}

/// The line that a row says, made without the library's reader.
fn line(country: u32, row: &Row) -> LineSpec {
    let prefix = |tail: &str| format!("{country}{tail}").parse::<Prefix>().unwrap();
    let prefixes: BTreeSet<Prefix> = match &row.tails {
        Tails::One(tail) => [prefix(tail)].into(),
        Tails::List(tails) => tails.iter().map(|tail| prefix(tail)).collect(),
        Tails::Range(first, last, digits) => {
            let end = |code: u32| prefix(&format!("{code:0digits$}"));
            fewest_prefixes(end(*first), end(*last)).unwrap().into_iter().collect()
        }
    };
    let decimal =
        |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000).parse().unwrap();
    let berlin = Zone::try_new("Europe/Berlin").unwrap();
    let begin = |day: u8| berlin.day_start(format!("2026-03-{day:02}").parse().unwrap());
    let (first, next) = row.increments;
    let mut line: LineSpec = serde_json::from_value(json!({
        "destination": row.name, "to": {"prefixes": prefixes.into_iter().collect::<Vec<_>>()},
    }))
    .unwrap();
    line.valid_from = row.days.0.map(begin);
    line.valid_until = row.days.1.map(|day| begin(day + 1));
    match row.price_micros {
        None => line.blocked = true,
        Some(price) => {
            let band = json!({"price": "0", "per": "60", "increment": next.to_string()});
            line.bands = vec![serde_json::from_value(band).unwrap()];
            line.bands[0].price = decimal(price);
            line.connect_fee = decimal(row.fee_micros);
            line.first = (first != next).then(|| first.into());
        }
    }
    line
}

fn windows_1252(letter: char) -> u8 {
    if letter == '€' { 0x80 } else { u8::try_from(u32::from(letter)).unwrap() }
}

/// Rows of cells as they stand in price lists, now and then in the wrong column.
fn cells() -> impl Strategy<Value = Vec<u8>> {
    let columns: [&[&str]; 8] = [
        &["49", "4930", "*", "+1204", "44 7700-7799", "4477", "49;4930", "4.4E+1", "1-204"],
        &["Germany", "", "UK"],
        &["2", "0.02", "0,02", "x", "1 €"],
        &["", "2026-03-01", "2026-04-01"],
        &["", "2026-03-15", "2026-04-15"],
        &["", "30/6", "60+1", "6"],
        &["", "7"],
        &["", "x", "evening"],
    ];
    let any = "\"|\"a\nb\"|9999999999999999|-1|1\\.250|[ -~äé€]{0,6}";
    let cells =
        columns.map(|known| prop_oneof![30 => select(known).prop_map(ToOwned::to_owned), 1 => any]);
    let row = (0_usize..40, cells.to_vec()).prop_map(|(width, mut cells)| {
        cells.truncate(if width == 0 { 5 } else { 8 });
        cells
    });
    (select(vec![",", ";", "\t"]), vec(row, 0..12)).prop_map(|(delimiter, rows)| {
        let quoted = |cell: &String| {
            if cell.contains([',', ';']) { format!("\"{cell}\"") } else { cell.clone() }
        };
        let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(delimiter);
        rows.iter().map(line).collect::<Vec<_>>().join("\n").into_bytes()
    })
}

/// Fields of a mapping that tell how the rest is read.
fn changes() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let header = select(vec![json!("absent"), json!({"row": 1}), json!({"row": 2})]);
    let encoding =
        prop_oneof![9 => Just("utf8"), 1 => select(vec!["windows_1252", "utf16_le", "utf16_be"])];
    let rows = select(vec!["all", "with_code"]);
    let decimal = prop_oneof![4 => Just("auto"), 1 => select(vec!["point", "comma"])];
    let dates = prop_oneof![4 => Just("iso"), 1 => select(vec!["day_first", "month_first"])];
    let delimiter = select(vec![Value::Null, json!(";"), json!(",")]);
    (header, encoding, rows, decimal, dates, delimiter).prop_map(
        |(header, encoding, rows, decimal, dates, delimiter)| {
            vec![
                ("header", header),
                ("encoding", json!(encoding)),
                ("rows", json!(rows)),
                ("decimal", json!(decimal)),
                ("dates", json!(dates)),
                ("delimiter", delimiter),
            ]
        },
    )
}

/// Rows of different countries, so that no code comes twice.
fn rows() -> impl Strategy<Value = Vec<(u32, Row)>> {
    vec(row(), 0..12).prop_map(|rows| (201..).zip(rows).collect())
}

fn lines_of(file: &[u8], mapping: &Mapping) -> Vec<LineSpec> {
    let mut lines = Vec::new();
    let push = |line: LineSpec| {
        lines.push(line);
        Ok::<(), core::convert::Infallible>(())
    };
    stream(file, mapping, push).unwrap();
    lines
}

proptest! {
    #[test]
    fn a_deck_reads_back_however_it_is_written(rows in rows(), style in style()) {
        let mapping = style.mapping();
        let file = style.write(&rows);
        let deck = Deck::read(file.as_slice(), &mapping).unwrap();
        prop_assert_eq!(deck.bad_rows().to_string(), "0 rows cannot be taken in");
        let expected: Vec<LineSpec> = rows.iter().map(|(country, row)| line(*country, row)).collect();
        prop_assert_eq!(deck.lines().collect::<Vec<_>>(), expected.as_slice());
        prop_assert_eq!(lines_of(&file, &mapping), expected);
        let counts = deck.counts();
        let blank = if style.is_spaced { 2 * rows.len() } else { 0 };
        let passed_over = style.title_rows + 2;
        prop_assert_eq!(counts.priced, rows.len() as u64);
        prop_assert_eq!((counts.blank, counts.passed_over), (blank as u64, passed_over as u64));
    }

    #[test]
    fn every_row_of_whatever_comes_is_accounted_for(
        file in prop_oneof![1 => vec(any::<u8>(), 0..400), 4 => cells()],
        changes in changes(),
    ) {
        let mut mapping = json!({
            "currency": "EUR", "zone": "Europe/Berlin", "mode": "delta", "blocked_prices": ["x"],
            "columns": {
                "code": 1, "destination": {"column": 2, "empty": "?"}, "price": 3, "valid_from": 4, "valid_until": 5,
                "increments": {"column": 6, "empty": "60/60"}, "connect_fee": 7, "grace": 7, "window": 8, "weight": 7,
                "change": {"column": 8, "values": {"x": "withdrawn"}, "otherwise": "new"},
            },
        });
        for (name, value) in changes {
            mapping[name] = value;
        }
        let mapping: Mapping = serde_json::from_value(mapping).unwrap();
        if let Ok(deck) = Deck::read(file.as_slice(), &mapping) {
            let counts = *deck.counts();
            let told = [counts.priced, counts.withdrawn, counts.repeated, counts.passed_over, counts.blank, counts.refused];
            prop_assert_eq!(counts.rows, told.iter().sum::<u64>());
            prop_assert_eq!(deck.bad_rows().count(), counts.refused);
            let lines: Vec<LineSpec> = deck.lines().collect();
            prop_assert!(lines.len() as u64 >= counts.priced);
            let mut present = tariff(&json!([]));
            present.windows = lines.iter().filter_map(|line| Some((line.window.clone()?, WindowSpec::default()))).collect();
            let applied = deck.without_bad_rows().apply(&present, 2);
            // What is left of a deck is a tariff: no two lines of it contradict each other.
            if let Ok(loaded) = applied {
                prop_assert_eq!(&loaded.tariff.lines, &lines);
                let compiled = Tariff::compile(&loaded.tariff);
                prop_assert!(compiled.is_ok(), "{:?}", compiled.err());
            }
        }
    }

    #[test]
    fn a_range_is_covered_exactly_by_the_fewest_prefixes(
        (digits, one, other) in (1_usize..5).prop_flat_map(|digits| {
            let end = 10_u32.pow(u32::try_from(digits).unwrap());
            (Just(digits), 0..end, 0..end)
        }),
    ) {
        let text = |code: u32, digits: usize| format!("{code:0digits$}").parse::<Prefix>().unwrap();
        let (first, last) = (one.min(other), one.max(other));
        let prefixes = fewest_prefixes(text(first, digits), text(last, digits)).unwrap();
        let codes = 0..10_u32.pow(u32::try_from(digits).unwrap());
        for code in codes {
            let number = PhoneNumber::try_new(&format!("{code:0digits$}5")).unwrap();
            let matching = prefixes.iter().filter(|prefix| prefix.matches(&number)).count();
            prop_assert_eq!(matching, usize::from((first..=last).contains(&code)), "{}", code);
        }
        // A cover has to have every prefix that lies within the range while what is one digit shorter does not.
        let lies_within = |prefix: u32, length: usize| {
            let size = 10_u32.pow(u32::try_from(digits - length).unwrap());
            length > 0 && prefix * size >= first && (prefix + 1) * size <= last + 1
        };
        let needed = (1..=digits).flat_map(|length| {
            let prefixes = 0..10_u32.pow(u32::try_from(length).unwrap());
            prefixes.filter(move |prefix| lies_within(*prefix, length) && !lies_within(prefix / 10, length - 1))
        });
        prop_assert_eq!(prefixes.len(), needed.count());
        prop_assert!(prefixes.is_sorted());
    }

    #[test]
    fn prices_of_one_code_follow_each_other_without_overlap(days in Just((1_u8..29).collect::<Vec<_>>()).prop_shuffle(), count in 1_usize..10) {
        let days = &days[..count];
        let rows: Vec<String> =
            days.iter().map(|day| format!("49;Germany;0.{day:02};2026-03-{day:02}\n")).collect();
        let rows = rows.concat();
        let deck = Deck::read(format!("code;name;rate;from\n{rows}").as_bytes(), &dated("full")).unwrap();
        let mut lines: Vec<LineSpec> = deck.lines().collect();
        prop_assert_eq!(lines.len(), count);
        lines.sort_by_key(|line| line.valid_from);
        for pair in lines.windows(2) {
            prop_assert_eq!(pair[0].valid_until, pair[1].valid_from);
        }
        prop_assert_eq!(lines[count - 1].valid_until, None);
    }

    #[test]
    fn a_range_of_a_delta_ends_the_codes_within_it_and_no_others(
        tails in btree_set("[0-3]{1,5}", 1..20),
        (digits, one, other) in (1_usize..5).prop_flat_map(|digits| {
            let end = 10_u32.pow(u32::try_from(digits).unwrap());
            (Just(digits), 0..end / 2, 0..end / 2)
        }),
    ) {
        let (first, last) = (one.min(other), one.max(other));
        let codes: Vec<String> = tails.iter().map(|tail| format!("44{tail}")).collect();
        let present = tariff(&json!([{"destination": "old", "to": {"prefixes": codes},
                                      "bands": [{"price": "1", "per": "60", "increment": "60"}]}]));
        let file = format!("code;name;rate;from\n44 {first:0digits$}-{last:0digits$};new;0.02;\n");
        let deck = Deck::read(file.as_bytes(), &dated("delta")).unwrap();
        let loaded = deck.apply(&present, 2).unwrap();
        let old = loaded.tariff.lines.iter().filter(|line| line.destination.as_str() == "old");
        let left: BTreeSet<String> = old.flat_map(|line| match &line.to {
            To::Prefixes(prefixes) => prefixes.iter().map(ToString::to_string).collect(),
            To::Any | To::Group(_) => Vec::new(),
        }).collect();
        // The lowest and the highest code of as many digits as the range that begin with the tail, or that the tail begins with.
        let is_within = |tail: &str| {
            let end = |filler: &str| -> u32 {
                let code = tail.chars().chain(filler.repeat(digits).chars()).take(digits).collect::<String>();
                code.parse().unwrap()
            };
            end("0") >= first && end("9") <= last
        };
        let outside = tails.iter().filter(|tail| !is_within(tail)).map(|tail| format!("44{tail}"));
        prop_assert_eq!(left, outside.collect::<BTreeSet<_>>());
    }

    #[test]
    fn a_delta_changes_the_codes_it_names_and_no_others_and_doing_it_again_changes_nothing(
        present in vec(vec(10_u32..40, 1..6), 0..8),
        delta in vec((10_u32..40, option::of(1_u8..29)), 0..8),
    ) {
        let lines: Vec<Value> = present.iter().enumerate().map(|(place, codes)| {
            let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
            json!({"destination": format!("line {place}"), "to": {"prefixes": codes},
                   "bands": [{"price": "1", "per": "60", "increment": "60"}]})
        }).collect();
        let present = tariff(&json!(lines));
        // One row a code, so that none is refused.
        let mut seen = BTreeSet::new();
        let rows: Vec<String> = delta.iter().filter(|(code, _)| seen.insert(*code)).map(|(code, day)| {
            let date = day.map_or(String::new(), |day| format!("2026-03-{day:02}"));
            format!("{code};new;0.02;{date}\n")
        }).collect();
        let deck = Deck::read(format!("code;name;rate;from\n{}", rows.concat()).as_bytes(), &dated("delta")).unwrap();
        let once = deck.apply(&present, 2).unwrap();
        prop_assert_eq!(once.kept + once.shortened + once.removed, present.lines.len());
        prop_assert_eq!(once.added, seen.len());
        for code in 10..40 {
            let (before, after) = (priced(&present, code), priced(&once.tariff, code));
            if seen.contains(&code) {
                let new = after.iter().filter(|line| line.destination.as_str() == "new").count();
                prop_assert_eq!(new, 1);
            } else {
                prop_assert_eq!(before, after);
            }
        }
        let twice = deck.apply(&once.tariff, 3).unwrap();
        for code in 10..40 {
            prop_assert_eq!(priced(&twice.tariff, code), priced(&once.tariff, code));
        }
    }
}

#[test]
fn all_codes_of_a_length_are_ten_prefixes_because_none_is_empty() {
    for (first, last) in [("0", "9"), ("000", "999"), ("000000000000000", "999999999999999")] {
        let prefixes = fewest_prefixes(first.parse().unwrap(), last.parse().unwrap()).unwrap();
        let prefixes: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
        assert_eq!(prefixes.join(" "), "0 1 2 3 4 5 6 7 8 9");
    }
}

fn dated(mode: &str) -> Mapping {
    serde_json::from_value(json!({
        "currency": "EUR", "zone": "UTC", "mode": mode,
        "columns": {"code": "code", "destination": "name", "price": "rate", "valid_from": "from", "increments": {"constant": "60/60"}},
    }))
    .unwrap()
}

fn tariff(lines: &Value) -> TariffSpec {
    serde_json::from_value(json!({
        "id": "retail", "version": 1, "currency": "EUR", "zone": "UTC", "decimals": 4, "rounding": "half_up", "lines": lines,
    }))
    .unwrap()
}

/// The lines of a code, each for it alone.
fn priced(tariff: &TariffSpec, code: u32) -> Vec<LineSpec> {
    let code: Prefix = code.to_string().parse().unwrap();
    let has =
        |line: &&LineSpec| matches!(&line.to, To::Prefixes(prefixes) if prefixes.contains(&code));
    let alone = |line: &LineSpec| LineSpec { to: To::Prefixes(vec![code]), ..line.clone() };
    tariff.lines.iter().filter(has).map(alone).collect()
}
