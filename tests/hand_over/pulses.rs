//! The pulses of a run: whatever a seed makes of them, for as long as writers ask for more.

use std::collections::BTreeMap;

use serde_json::json;

use billing::{PulseReported, Quantity, Tenant, store::store::Locks};

use crate::children::{Done, below};

pub const WRITERS: u64 = 8;
/// How many pulses are reported at once.
pub const BATCH: u64 = 10;
pub const ACCOUNTS: u64 = 12;
/// What every process takes for the time.
pub const NOW: &str = "2026-10-06T12:00:00Z";

const DAY_MINUTES: i64 = 1_440;
/// Zones, and how many minutes they are ahead in these days: the days are reckoned here once more, without the library.
const ZONES: [(&str, i64); 4] =
    [("UTC", 0), ("Asia/Kathmandu", 345), ("America/New_York", -240), ("Pacific/Auckland", 780)];
const PRODUCTS: [(&str, &str); 3] =
    [("sms", "message"), ("storage", "GB/h"), ("api", "% of quota")];

/// Account, local day, product and unit.
pub type Key = (String, String, String, String);

/// How many pulses, and how much together.
pub type Sums = BTreeMap<Key, (i64, Quantity)>;

/// One pulse, before it is a report.
struct Used {
    account: u64,
    minute: i64,
    product: (&'static str, &'static str),
    hundredths: i128,
}

/// The pulse that a writer reports as its `number`th.
fn used(seed: u64, writer: u64, number: u64) -> Done<Used> {
    let mut random = seed ^ (writer << 48) ^ number;
    let account = below(ACCOUNTS, &mut random);
    // From the first of October on, until a few hours after what is taken for the time.
    let minute = i64::try_from(below(5 * 1_440 + 900, &mut random))?;
    let product = PRODUCTS[usize::try_from(below(3, &mut random))?];
    let hundredths = i128::from(1 + below(100_000, &mut random));
    Ok(Used { account, minute, product, hundredths })
}

/// A writer's batch.
pub fn batch(seed: u64, writer: u64, number: u64) -> Done<Vec<PulseReported>> {
    let numbers = number * BATCH..(number + 1) * BATCH;
    numbers.map(|number| pulse(seed, writer, number)).collect()
}

fn pulse(seed: u64, writer: u64, number: u64) -> Done<PulseReported> {
    let Used { account, minute, product: (product, unit), hundredths } =
        used(seed, writer, number)?;
    let (day, hour, of_hour) = (1 + minute / DAY_MINUTES, minute / 60 % 24, minute % 60);
    let amount = Quantity::from_units(hundredths, 2)?;
    Ok(serde_json::from_value(json!({
        "key": { "source": format!("writer-{writer}"), "id": number.to_string() },
        "account": format!("account-{account}"),
        "pulse": {
            "at": format!("2026-10-{day:02}T{hour:02}:{of_hour:02}:00Z"),
            "product": product, "unit": unit, "amount": amount,
        },
    }))?)
}

/// What writers reported with this many batches each, added up day by day.
pub fn expected(seed: u64, batches: &[u64]) -> Done<Sums> {
    let mut sums = Sums::new();
    for (writer, batches) in (0..).zip(batches) {
        for number in 0..batches * BATCH {
            let Used { account, minute, product: (product, unit), hundredths } =
                used(seed, writer, number)?;
            let (_, ahead) = ZONES[usize::try_from(account % 4)?];
            let day = 1 + (minute + ahead).div_euclid(DAY_MINUTES);
            // The last day of September is the day before the first of October.
            let day = if day == 0 { "2026-09-30".to_owned() } else { format!("2026-10-{day:02}") };
            let key = (format!("account-{account}"), day, product.to_owned(), unit.to_owned());
            add(&mut sums, key, 1, Quantity::from_units(hundredths, 2)?)?;
        }
    }
    Ok(sums)
}

pub fn add(sums: &mut Sums, key: Key, count: i64, quantity: Quantity) -> Done {
    let (counted, sum) = sums.entry(key).or_insert((0, Quantity::ZERO));
    *counted += count;
    *sum = sum.checked_add(quantity)?;
    Ok(())
}

/// The plan and the accounts that pulses are reported for.
pub async fn prepare(tenant: &Tenant) -> Done {
    let plan = r#"{"id":"usage","version":1,"currency":"EUR","payment":"postpaid",
                   "strategies":[{"id":"usage","kind":"unpriced","terms":{}}]}"#;
    tenant.save_plan(&serde_json::from_str(plan)?).await?;
    let mut unit = tenant.begin(&Locks::catalog()).await?;
    for account in 0..ACCOUNTS {
        let (zone, _) = ZONES[usize::try_from(account % 4)?];
        let id = format!("account-{account}");
        let settings = json!({
            "id": id, "currency": "EUR", "zone": zone,
            "anchor": { "from": "2026-09-01", "months": 1 },
        });
        tenant.open_account_in(&mut *unit, &serde_json::from_value(settings)?).await?;
        let from = "2026-09-01".parse()?;
        tenant.assign_in(&mut *unit, &id.parse()?, &"usage".parse()?, 1, from).await?;
    }
    unit.commit().await?;
    Ok(())
}
