//! Accounts and plans, a log of usage made by chance, and what a clean run of it gives.

use serde_json::json;

use billing_core::{
    decide::{Batch, Intake},
    digest::Digest,
    id::AccountId,
    item::{CallEnded, Incoming, PulseReported},
    plan::PlanBook,
};
use billing_store::{
    Billing, MemoryStore, Tenant,
    bus::{Letter, Report},
    clock::SetClock,
    state_hash,
    store::Store,
    verify::verify,
};

/// After everything that is used.
const NOW: &str = "2026-11-03T00:00:00Z";

/// A small generator (splitmix64).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            let other = usize::try_from(self.below(at as u64 + 1)).unwrap();
            all.swap(at, other);
        }
    }
}

/// A message as a source publishes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) account: Option<AccountId>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    fn of(letter: &impl Letter) -> Self {
        Self { account: letter.account().cloned(), body: letter.body().unwrap() }
    }

    fn nonsense(text: &str) -> Self {
        Self { account: None, body: text.into() }
    }
}

/// What sources report in one run.
pub(crate) struct Log {
    /// What counts, each once.
    pub(crate) items: Vec<Incoming>,
    /// The messages of it, and what nobody can read.
    pub(crate) messages: Vec<Sent>,
    /// Other contents under keys of it.
    pub(crate) conflicts: Vec<Sent>,
}

/// Accounts 0 to 4 are open; account 5 is not.
const OPEN: u64 = 5;

impl Log {
    pub(crate) fn by_chance(chance: &mut Chance) -> Self {
        let mut log = Self { items: vec![], messages: vec![], conflicts: vec![] };
        for id in 0..30 + chance.below(30) {
            let account = format!("account-{}", chance.below(OPEN + 1));
            let minute = chance.below(50 * 24 * 60);
            match chance.below(3) {
                0 => {
                    let call = call(id, &account, minute, chance.below(400_000));
                    log.add(&call);
                    if id % 8 == 0 && account != "account-5" {
                        let other = call_of(&call, chance.below(400_000) + 400_000);
                        log.conflicts.push(Sent::of(&other));
                    }
                }
                1 => log.add(&pulse(id, None, &account, minute, chance.below(50_000))),
                _ => {
                    // Of the records of one usage the last one counts, in whatever order they come.
                    for number in 0..=chance.below(3) {
                        let number = u32::try_from(number).unwrap();
                        log.add(&pulse(id, Some(number), &account, minute, chance.below(50_000)));
                    }
                }
            }
        }
        log.messages.extend([Sent::nonsense("+12025550100;61"), Sent::nonsense("{\"call\":{}}")]);
        log
    }

    fn add<L: Letter + Clone + Into<Incoming>>(&mut self, letter: &L) {
        self.messages.push(Sent::of(letter));
        self.items.push(letter.clone().into());
    }

    /// Every message 1 to 10 times, in any order.
    pub(crate) fn repeated(&self, chance: &mut Chance) -> Vec<Sent> {
        let mut all = Vec::new();
        for message in &self.messages {
            for _ in 0..=chance.below(10) {
                all.push(message.clone());
            }
        }
        chance.shuffle(&mut all);
        all
    }

    /// The state after the items came once, in their order, without a bus.
    pub(crate) async fn clean(&self) -> Digest {
        let tenant = tenant(MemoryStore::new());
        set_up(&tenant).await;
        let entries = self.items.iter().cloned().map(Ok).collect();
        tenant.ingest(&Batch { label: "clean".into(), entries }).await.unwrap();
        checked(&tenant).await
    }
}

fn call(id: u64, account: &str, minute: u64, duration_ms: u64) -> CallEnded {
    serde_json::from_value(json!({
        "key": {"source": "pbx", "id": id.to_string()}, "account": account,
        "call": {"start": at(minute), "duration_ms": duration_ms, "caller": "+12025550100",
                 "callee": "+12025550123", "disposition": "answered", "direction": "outbound"},
    }))
    .unwrap()
}

fn call_of(call: &CallEnded, duration_ms: u64) -> CallEnded {
    let mut other = call.clone();
    other.call.duration_ms = duration_ms;
    other
}

fn pulse(
    id: u64,
    partial: Option<u32>,
    account: &str,
    minute: u64,
    thousandths: u64,
) -> PulseReported {
    let mut key = json!({"source": "meter", "id": id.to_string()});
    // The first of several records has no number, and is the final one.
    if let Some(number) = partial.filter(|number| *number > 0) {
        key["partial"] = json!(number);
    }
    let amount = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
    serde_json::from_value(json!({
        "key": key, "account": account,
        "pulse": {"at": at(minute), "product": "storage", "unit": "GB-h", "amount": amount},
    }))
    .unwrap()
}

fn at(minute: u64) -> String {
    let start: billing_core::time::Instant = "2026-09-10T00:00:00Z".parse().unwrap();
    start.checked_add_ms(minute * 60_000).unwrap().to_string()
}

/// A thousand messages: one in a hundred cannot be read, one in a hundred is of an account that is not open.
pub(crate) fn poisoned() -> Vec<Sent> {
    let message = |id: u64| match id % 100 {
        0 => Sent::nonsense(&format!("{id};+12025550100;61")),
        1 => Sent::of(&call(id, "account-5", id, 61_000)),
        _ => Sent::of(&call(id, &format!("account-{}", id % OPEN), id, 61_000)),
    };
    (0..1_000).map(message).collect()
}

pub(crate) fn tenant(store: impl Store + 'static) -> Tenant {
    let clock = SetClock::at(NOW.parse().unwrap());
    Billing::new(store, PlanBook::standard(), clock).tenant("acme").unwrap()
}

pub(crate) async fn set_up(tenant: &Tenant) {
    let plan = serde_json::from_value(json!({
        "id": "basic", "version": 1_u8, "currency": "EUR", "payment": "postpaid", "strategies": [
            {"id": "calls", "kind": "flat_rate", "terms": {"per_minute": "0.0199", "minutes": "pro_rata"}},
            {"id": "storage", "kind": "per_unit",
             "terms": {"product": "storage", "unit": "GB-h", "per_unit": "0.0333"}},
        ],
    }))
    .unwrap();
    tenant.save_plan(&plan).await.unwrap();
    for number in 0..OPEN {
        let account = serde_json::from_value(json!({
            "id": format!("account-{number}"), "currency": "EUR", "zone": "Europe/Berlin",
            "anchor": {"from": "2026-09-01", "months": 1_u8},
        }))
        .unwrap();
        tenant.open_account(&account).await.unwrap();
        let from = "2026-09-01".parse().unwrap();
        tenant.assign(&account.id, &plan.id, 1, from).await.unwrap();
    }
}

/// The state's hash; it must agree with itself.
pub(crate) async fn checked(tenant: &Tenant) -> Digest {
    assert_eq!(verify(tenant).await.unwrap().findings, []);
    state_hash(tenant).await.unwrap()
}

/// The sums of the intakes of several reports, each of which accounts for all that it received.
pub(crate) fn sum(reports: &[Report]) -> [u64; 6] {
    let mut sums = [0; 6];
    for intake in reports.iter().flat_map(|report| &report.intakes) {
        assert!(intake.balances(), "{intake:?}");
        let Intake { received, recorded, replayed, conflict, parked, refused, .. } = intake;
        let counts = [received, recorded, replayed, conflict, parked, refused];
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    sums
}
