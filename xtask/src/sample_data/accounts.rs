//! Who pays in the sample: fifty accounts with their plans, zones, taxes and rules, and the setup made of them.

use super::clock::{DAY_S, HOUR_S, MINUTE_S, OCTOBER};

const HEAD: &str = r#"  "tenant": "harbour-voice",
  "series": "HV",
  "asterisk": {
    "source": "pbx-1",
    "zone": "America/New_York",
    "contexts": {"office": "outbound", "from-carrier": "inbound"}
  },"#;

/// id, version, currency and strategies: (id, kind, applies to, terms).
type PlanRow = (&'static str, u32, &'static str, &'static [StrategyRow]);
type StrategyRow = (&'static str, &'static str, &'static str, &'static str);

const OUTBOUND: &str = r#"{"directions":["outbound"]}"#;
const INBOUND: &str = r#"{"directions":["inbound"]}"#;
const HOME: &str = r#"{"callee":["1"]}"#;
const ABROAD: &str = r#"{"callee":["44","49","61"]}"#;

const PLANS: [PlanRow; 16] = [
    (
        "eur-second",
        1,
        "EUR",
        &[("calls", "flat_rate", "", r#""per_minute":"0.019","minutes":"pro_rata""#)],
    ),
    (
        "eur-second",
        2,
        "EUR",
        &[("calls", "flat_rate", "", r#""per_minute":"0.0215","minutes":"pro_rata""#)],
    ),
    (
        "eur-minute",
        1,
        "EUR",
        &[("calls", "flat_rate", "", r#""per_minute":"0.025","minutes":"per_started_minute""#)],
    ),
    (
        "eur-outbound",
        1,
        "EUR",
        &[("calls", "blocks", OUTBOUND, r#""block_ms":30000,"per_block":"0.012","scope":"call""#)],
    ),
    (
        "usd-second",
        1,
        "USD",
        &[("calls", "flat_rate", "", r#""per_minute":"0.0129","minutes":"pro_rata""#)],
    ),
    (
        "usd-minute",
        1,
        "USD",
        &[("calls", "flat_rate", "", r#""per_minute":"0.02","minutes":"per_started_minute""#)],
    ),
    (
        "usd-block",
        1,
        "USD",
        &[("calls", "blocks", "", r#""block_ms":6000,"per_block":"0.0015","scope":"call""#)],
    ),
    (
        "usd-lifetime",
        1,
        "USD",
        &[("calls", "blocks", "", r#""block_ms":600000,"per_block":"0.11","scope":"lifetime""#)],
    ),
    (
        "usd-home-abroad",
        1,
        "USD",
        &[
            ("home", "flat_rate", HOME, r#""per_minute":"0.01","minutes":"pro_rata""#),
            ("abroad", "blocks", ABROAD, r#""block_ms":60000,"per_block":"0.085","scope":"call""#),
        ],
    ),
    (
        "usd-in-out",
        1,
        "USD",
        &[
            (
                "out",
                "flat_rate",
                OUTBOUND,
                r#""per_minute":"0.022","minutes":"per_started_minute""#,
            ),
            ("in", "flat_rate", INBOUND, r#""per_minute":"0.004","minutes":"pro_rata""#),
        ],
    ),
    (
        "gbp-minute",
        1,
        "GBP",
        &[("calls", "flat_rate", "", r#""per_minute":"0.018","minutes":"per_started_minute""#)],
    ),
    (
        "gbp-second",
        1,
        "GBP",
        &[("calls", "flat_rate", "", r#""per_minute":"0.0145","minutes":"pro_rata""#)],
    ),
    (
        "gbp-pool",
        1,
        "GBP",
        &[("calls", "blocks", "", r#""block_ms":30000,"per_block":"0.0085","scope":"period""#)],
    ),
    (
        "gbp-pool",
        2,
        "GBP",
        &[("calls", "blocks", "", r#""block_ms":30000,"per_block":"0.0095","scope":"period""#)],
    ),
    (
        "jpy-second",
        1,
        "JPY",
        &[("calls", "flat_rate", "", r#""per_minute":"2.4","minutes":"pro_rata""#)],
    ),
    (
        "jpy-lifetime",
        1,
        "JPY",
        &[("calls", "blocks", "", r#""block_ms":60000,"per_block":"3","scope":"lifetime""#)],
    ),
];

/// Account, zone, first day of its periods, tax, calls in October, what it is told by, and its plans with their first days
/// (the first day of its periods if left out).
const ACCOUNTS: &str = "
amber-books         America/New_York     2026-09-01  NY     210  code    usd-second.1
birch-dental        America/New_York     2026-10-01  none   140  code    usd-minute.1
cedar-freight       America/New_York     2026-09-01  NY     190  code    usd-lifetime.1
dune-optics         America/New_York     2026-09-01  none    80  code    usd-block.1
ember-coffee        America/New_York     2026-09-01  NYi     95  code    usd-second.1
fjord-travel        America/New_York     2026-09-01  NY     180  code    usd-home-abroad.1
grove-pharmacy      America/New_York     2026-09-01  none   120  code    usd-in-out.1
harbor-legal        America/New_York     2026-09-01  NY     150  code    usd-minute.1
iris-florists       America/New_York     2026-10-01  NY      60  caller  usd-second.1
juniper-motors      America/New_York     2026-09-01  none   130  code    usd-minute.1,usd-second.1@2026-10-20
kestrel-media       America/New_York     2026-08-15  NY     110  code    usd-block.1
lark-bakery         America/New_York     2026-08-31  NYi     40  code    usd-minute.1
maple-insurance     America/New_York     2026-09-01  none   260  trunk   usd-second.1
nimbus-hosting      America/New_York     2026-09-01  NY      90  trunk   usd-in-out.1
orchard-clinic      America/New_York     2026-09-01  none    90  suite   usd-second.1
pebble-toys         America/New_York     2026-10-15  NY       0  suite   usd-minute.1
quartz-studios      America/Los_Angeles  2026-09-01  CA     140  code    usd-home-abroad.1
redwood-yoga        America/Los_Angeles  2026-09-01  none    50  code    usd-minute.1
sierra-solar        America/Los_Angeles  2026-09-01  CA     120  code    usd-second.1,usd-block.1@2026-10-08
tidal-surf          America/Los_Angeles  2026-09-01  none    70  code    usd-second.1
umber-pottery       America/Los_Angeles  2026-09-01  CA      30  caller  usd-block.1
vista-realty        America/Los_Angeles  2026-09-15  CA     160  code    usd-in-out.1
willow-vet          America/Los_Angeles  2026-09-01  none    85  code    usd-lifetime.1
adler-druck         Europe/Berlin        2026-09-01  VAT19  130  code    eur-second.1,eur-second.2@2026-10-16
buche-moebel        Europe/Berlin        2026-09-01  VAT19   75  code    eur-minute.1
clara-apotheke      Europe/Berlin        2026-09-01  VAT19   95  code    eur-second.2
dorn-elektro        Europe/Berlin        2026-08-15  VAT19  115  code    eur-minute.1
esche-verlag        Europe/Berlin        2026-08-31  VAT19   60  caller   eur-second.1
falke-logistik      Europe/Berlin        2026-09-01  VAT19  240  trunk   eur-second.1
garten-bauer        Europe/Berlin        2026-09-01  VAT19i  45  code    eur-outbound.1
hafen-reederei      Europe/Berlin        2026-09-01  none   170  code    eur-minute.1
abbey-tea           Europe/London        2026-09-01  VAT20i  65  code    gbp-minute.1
brick-bikes         Europe/London        2026-09-01  VAT20i  55  code    gbp-second.1
camden-audio        Europe/London        2026-09-01  VAT20  120  code    gbp-pool.1,gbp-pool.2@2026-10-12
dover-ferries       Europe/London        2026-08-15  VAT20  200  code    gbp-pool.1
elm-estates         Europe/London        2026-09-01  VAT20   90  code    gbp-second.1
fleet-press         Europe/London        2026-09-01  none   140  trunk   gbp-minute.1
gull-charters       Europe/London        2026-09-01  VAT20   35  prefix  gbp-pool.2
hoshi-games         Asia/Tokyo           2026-09-01  JCT10i 150  code    jpy-second.1,jpy-lifetime.1@2026-10-19
kaze-robotics       Asia/Tokyo           2026-08-31  JCT10  110  code    jpy-second.1
mori-paper          Asia/Tokyo           2026-09-01  JCT10i  70  code    jpy-lifetime.1
sakura-inn          Asia/Tokyo           2026-09-01  JCT10i  80  code    jpy-second.1
banyan-software     Asia/Kolkata         2026-09-01  none   230  code    usd-block.1
lotus-textiles      Asia/Kolkata         2026-09-01  none    65  code    usd-second.1
monsoon-teas        Asia/Kolkata         2026-10-01  none    45  code    usd-minute.1
lagoon-lodge        Australia/Lord_Howe  2026-09-01  GST10i  40  code    usd-minute.1
petrel-tours        Australia/Lord_Howe  2026-09-01  GST10   50  code    usd-block.1
cod-fisheries       America/St_Johns     2026-09-01  HST15   85  code    usd-second.1
iceberg-tours       America/St_Johns     2026-09-01  none    55  code    usd-lifetime.1
signal-radio        America/St_Johns     2026-09-01  HST15   75  code    usd-in-out.1
";

/// The code that two accounts share, one after the other, and the day on which it passes on.
const SUITE: &str = "suite-7";
const SUITE_PASSES_ON: &str = "2026-10-15";

/// An account as far as its calls depend on it.
pub struct Account {
    pub id: &'static str,
    pub zone: &'static str,
    /// How many everyday calls it has.
    pub calls: u32,
    pub told_by: &'static str,
    /// Its own number, or what its numbers begin with.
    pub number: String,
    row: Vec<&'static str>,
}

/// The accounts, in the order of the table.
pub fn all() -> Vec<Account> {
    let rows = ACCOUNTS.lines().filter(|line| !line.is_empty());
    let rows = rows.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let account = |(number, row): (usize, Vec<&'static str>)| Account {
        id: row[0],
        zone: row[1],
        calls: row[4].parse().unwrap_or(0),
        told_by: row[5],
        number: if row[5] == "prefix" { "44207946089".into() } else { number_in(row[1], number) },
        row,
    };
    (0..).zip(rows).map(account).collect()
}

/// A number from a range that its country keeps for fiction.
fn number_in(zone: &str, number: usize) -> String {
    match zone {
        "Europe/Berlin" => format!("493023125{:03}", 100 + number),
        "Europe/London" => format!("442079460{:03}", 900 + number),
        "Australia/Lord_Howe" => format!("612555001{number:02}"),
        "America/Los_Angeles" => format!("141555501{number:02}"),
        _ => format!("121255501{number:02}"),
    }
}

impl Account {
    /// The code its calls come under, if it is told by one.
    pub fn code(&self) -> &'static str {
        match self.told_by {
            "code" => self.id,
            "suite" => SUITE,
            _ => "",
        }
    }

    /// When its offices open, after midnight at the PBX.
    pub fn opens_s(&self) -> i64 {
        let ahead = self.offset_s(OCTOBER + 5 * DAY_S) + 4 * HOUR_S;
        (8 * HOUR_S - ahead).rem_euclid(DAY_S)
    }

    /// The local midnight that ends day `day` of October, counted from 0.
    pub fn midnight_after(&self, day: i64) -> i64 {
        let utc = OCTOBER - 4 * HOUR_S + (day + 1) * DAY_S;
        utc - self.offset_s(utc)
    }

    fn offset_s(&self, at: i64) -> i64 {
        // Europe sets its clocks back on 25 October.
        let winter = i64::from(at >= OCTOBER + 24 * DAY_S + 8 * HOUR_S);
        match self.zone {
            "America/Los_Angeles" => -7 * HOUR_S,
            "America/St_Johns" => -150 * MINUTE_S,
            "Europe/Berlin" => (2 - winter) * HOUR_S,
            "Europe/London" => (1 - winter) * HOUR_S,
            "Asia/Tokyo" => 9 * HOUR_S,
            "Asia/Kolkata" => 330 * MINUTE_S,
            "Australia/Lord_Howe" => 11 * HOUR_S,
            _ => -4 * HOUR_S,
        }
    }

    fn currency(&self) -> &'static str {
        match self.row[6].get(..3) {
            Some("eur") => "EUR",
            Some("gbp") => "GBP",
            Some("jpy") => "JPY",
            _ => "USD",
        }
    }

    fn json(&self) -> String {
        let (id, zone, currency, from) = (self.id, self.zone, self.currency(), self.row[2]);
        let tax = tax(self.row[3]);
        let invoice = match id {
            "banyan-software" => r#","invoice":{"decimals":1}"#,
            "fjord-travel" => r#","invoice":{"rounding":"half_even"}"#,
            _ => "",
        };
        let plans: Vec<String> =
            self.row[6].split(',').map(|plan| assignment(plan, from)).collect();
        format!(
            "    {{\"settings\":{{\"id\":\"{id}\",\"currency\":\"{currency}\",\"zone\":\"{zone}\",\
             \"anchor\":{{\"from\":\"{from}\",\"months\":1}}{tax}{invoice}}},\n     \"plans\":[{}]}}",
            plans.join(",")
        )
    }

    fn rule(&self) -> String {
        let (matches, days) = match self.told_by {
            "trunk" => (format!("\"trunk\":\"PJSIP/{}\"", self.id), String::new()),
            "caller" => (format!("\"caller\":\"{}\"", self.number), String::new()),
            "prefix" => (format!("\"caller_prefix\":\"{}\"", self.number), String::new()),
            "suite" if self.calls > 0 => (
                format!("\"account_code\":\"{SUITE}\""),
                format!(",\"until\":\"{SUITE_PASSES_ON}\""),
            ),
            "suite" => (
                format!("\"account_code\":\"{SUITE}\""),
                format!(",\"from\":\"{SUITE_PASSES_ON}\""),
            ),
            _ => (format!("\"account_code\":\"{}\"", self.id), String::new()),
        };
        format!("    {{\"match\":{{{matches}}},\"account\":\"{}\"{days}}}", self.id)
    }
}

fn tax(code: &str) -> String {
    let (name, percent, mode) = match code {
        "NY" => ("Sales tax", "8.875", "added"),
        "NYi" => ("Sales tax", "8.875", "included"),
        "CA" => ("Sales tax", "9.5", "added"),
        "VAT19" => ("VAT", "19", "added"),
        "VAT19i" => ("VAT", "19", "included"),
        "VAT20" => ("VAT", "20", "added"),
        "VAT20i" => ("VAT", "20", "included"),
        "JCT10" => ("Consumption tax", "10", "added"),
        "JCT10i" => ("Consumption tax", "10", "included"),
        "GST10" => ("GST", "10", "added"),
        "GST10i" => ("GST", "10", "included"),
        "HST15" => ("HST", "15", "added"),
        _ => return String::new(),
    };
    format!(",\"tax\":{{\"name\":\"{name}\",\"percent\":\"{percent}\",\"mode\":\"{mode}\"}}")
}

/// `plan.version` or `plan.version@day`.
fn assignment(text: &str, first_day: &str) -> String {
    let (plan, from) = text.split_once('@').unwrap_or((text, first_day));
    let (plan, version) = plan.split_once('.').unwrap_or((plan, "1"));
    format!("{{\"plan\":\"{plan}\",\"version\":{version},\"from\":\"{from}\"}}")
}

fn plan((id, version, currency, strategies): &PlanRow) -> String {
    let strategies = strategies.iter().map(|(id, kind, applies_to, terms)| {
        let applies_to = match *applies_to {
            "" => String::new(),
            applies_to => format!("\"applies_to\":{applies_to},"),
        };
        format!("       {{\"id\":\"{id}\",\"kind\":\"{kind}\",{applies_to}\"terms\":{{{terms}}}}}")
    });
    format!(
        "    {{\"id\":\"{id}\",\"version\":{version},\"currency\":\"{currency}\",\"payment\":\"postpaid\",\n     \
         \"strategies\":[\n{}]}}",
        strategies.collect::<Vec<_>>().join(",\n")
    )
}

/// The setup as JSON, laid out to be read.
pub fn setup() -> String {
    let plans: Vec<String> = PLANS.iter().map(plan).collect();
    let accounts: Vec<String> = all().iter().map(Account::json).collect();
    let rules: Vec<String> = all().iter().map(Account::rule).collect();
    format!(
        "{{\n{HEAD}\n  \"plans\": [\n{}\n  ],\n  \"accounts\": [\n{}\n  ],\n  \"account_map\": [\n{}\n  ]\n}}\n",
        plans.join(",\n"),
        accounts.join(",\n"),
        rules.join(",\n")
    )
}
