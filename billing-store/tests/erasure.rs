//! Persons are erased wherever they are recorded, and everything that was billed stays as it was.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod folder;
mod server;
mod services;

use std::{path::Path, sync::Arc};

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use billing_core::{
    correction::{Change, Correction, Selection},
    decide::{Batch, CorrectError, Days, Erasure, Limits, Refusal},
    item::{Call, CallEnded, Incoming, Item, ItemKey, Party, PulseReported},
    plan::PlanBook,
    time::Instant,
};
use billing_store::{
    Billing, Erased, Error, MemoryStore, Outcome, SqliteStore, Tenant,
    clock::SetClock,
    store::{HistoryPage, Store},
    verify::verify,
};

use folder::Folder;
use server::Database;

const NUMBER: &str = "+4930901820";
const SAME_NUMBER: &str = "4930901820";
const OTHER: &str = "+12025550123";
const NOW: &str = "2026-11-20T00:00:00Z";

fn call(account: &str, id: &str, start: &str, parties: [&str; 2]) -> Incoming {
    let [from, to] = parties;
    let call: CallEnded = serde_json::from_str(&format!(
        r#"{{"key":{{"source":"pbx","id":"{id}"}},"account":"{account}",
            "call":{{"start":"{start}","duration_ms":600000,"caller":"{from}","callee":"{to}",
                     "disposition":"answered","direction":"outbound"}}}}"#
    ))
    .unwrap();
    call.into()
}

fn pulse(id: &str) -> Incoming {
    let pulse: PulseReported = serde_json::from_str(&format!(
        r#"{{"key":{{"source":"meter","id":"{id}"}},"account":"alice",
            "pulse":{{"at":"2026-10-06T00:00:00Z","product":"storage","unit":"GB","amount":"3",
                      "properties":{{"who":"{NUMBER}"}}}}}}"#
    ))
    .unwrap();
    pulse.into()
}

/// What is recorded of October, which is invoiced, and of November, and what was not.
fn items() -> Vec<Result<Incoming, Refusal>> {
    let refused = |place: &str, number: &str| {
        let (reason, raw) = ("no column `start`".into(), format!("2;alice;{number};61"));
        Err(Refusal { place: place.into(), reason, raw })
    };
    let calls = [
        call("alice", "calls", "2026-10-05T08:00:00Z", [NUMBER, OTHER]),
        call("alice", "is-called", "2026-10-06T08:00:00Z", [OTHER, SAME_NUMBER]),
        call("alice", "others", "2026-10-07T08:00:00Z", [OTHER, OTHER]),
        call("bob", "of-bob", "2026-10-05T08:00:00Z", ["", NUMBER]),
        call("alice", "open", "2026-11-05T08:00:00Z", [NUMBER, OTHER]),
        call("nobody", "waits", "2026-10-05T08:00:00Z", [NUMBER, OTHER]),
        call("nobody", "dropped", "2026-10-05T08:00:00Z", [NUMBER, OTHER]),
        pulse("metered"),
    ];
    let refused = [refused("line 2", SAME_NUMBER), refused("line 3", OTHER)];
    calls.into_iter().map(Ok).chain(refused).collect()
}

async fn world(store: Arc<dyn Store>) -> (Tenant, Arc<SetClock>) {
    let clock = Arc::new(SetClock::at(NOW.parse().unwrap()));
    let limits = Limits::default();
    let shared = Arc::<SetClock>::clone(&clock);
    let acme = Billing::with_limits(store, PlanBook::standard(), shared, limits);
    let acme = acme.tenant("acme").unwrap();
    let plan = r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid","strategies":[
        {"id":"calls","kind":"flat_rate","terms":{"per_minute":"0.02","minutes":"pro_rata"}},
        {"id":"storage","kind":"per_unit","terms":{"product":"storage","unit":"GB","per_unit":"0.10"}}]}"#;
    acme.save_plan(&serde_json::from_str(plan).unwrap()).await.unwrap();
    for id in ["alice", "bob"] {
        let account = format!(
            r#"{{"id":"{id}","currency":"EUR","zone":"UTC","anchor":{{"from":"2026-10-01","months":1}}}}"#
        );
        acme.open_account(&serde_json::from_str(&account).unwrap()).await.unwrap();
        let (id, from) = (id.parse().unwrap(), "2026-10-01".parse().unwrap());
        acme.assign(&id, &"basic".parse().unwrap(), 1, from).await.unwrap();
    }
    let taken = acme.ingest(&batch()).await.unwrap().intake;
    assert_eq!((taken.recorded, taken.parked, taken.refused), (6, 2, 2), "{taken:?}");
    acme.issue_invoices(&"2026".parse().unwrap(), "2026-11-01T00:00:00Z".parse().unwrap())
        .await
        .unwrap();
    // A ticket said who was called, and that it was shorter: the next bill gives the difference back.
    acme.correct(&ticket()).await.unwrap();
    let dropped = call("nobody", "dropped", "2026-10-05T08:00:00Z", ["", ""]).key;
    acme.drop_parked(&dropped, "a test").await.unwrap();
    (acme, clock)
}

/// A call was shorter, and another was called.
fn ticket() -> Correction {
    let incoming = call("alice", "others", "2026-10-07T08:00:00Z", [OTHER, NUMBER]);
    let shorter = match incoming.item {
        Item::Call(call) => Item::Call(Call { duration_ms: 60_000, ..call }),
        other => other,
    };
    correction("ticket-1", Change::Amend { key: incoming.key, item: shorter })
}

fn correction(id: &str, change: Change) -> Correction {
    Correction { id: id.parse().unwrap(), reason: "a ticket".into(), change }
}

fn batch() -> Batch {
    Batch { label: "october.csv".into(), entries: items() }
}

/// What a bill and the invoices say.
async fn money(acme: &Tenant) -> Vec<String> {
    let mut said = Vec::new();
    for id in ["alice", "bob"] {
        let id = id.parse().unwrap();
        let invoices = acme.invoices(&id).await.unwrap();
        let bill = acme.bill(&id, NOW.parse().unwrap()).await.unwrap();
        said.push(format!("{invoices:?} {bill:?}"));
    }
    said
}

async fn texts(acme: &Tenant) -> String {
    let mut facts = acme.read().await.unwrap();
    let items = facts.item_page(None, 100).await.unwrap();
    let dropped = facts.dropped_page(None, 100).await.unwrap();
    let mut said =
        serde_json::to_string(&items.iter().map(|it| &it.item).collect::<Vec<_>>()).unwrap();
    let incoming: Vec<_> = dropped.iter().map(|it| &it.parked.incoming).collect();
    said.push_str(&serde_json::to_string(&incoming).unwrap());
    for intake in facts.intake_page(None, 100).await.unwrap() {
        let refusals = facts.refusals(&intake.id).await.unwrap();
        said.push_str(&serde_json::to_string(&refusals).unwrap());
    }
    said
}

async fn a_number_goes_and_the_money_stays(store: Arc<dyn Store>) {
    let (acme, clock) = world(store).await;
    let before = money(&acme).await;
    assert!(texts(&acme).await.contains(SAME_NUMBER));
    let party: Party = NUMBER.parse().unwrap();
    let number = Erasure::Party(&party);
    let erased = acme.erase_persons(&number, "asked for").await.unwrap();
    let first = Erased { items: 3, open: 2, dropped: 1, refused: 1, parked: 1 };
    assert_eq!(erased, first);
    assert_eq!(money(&acme).await, before);
    assert_eq!(verify(&acme).await.unwrap().findings, []);
    // The open call, the one with a difference to be billed and the parked one keep it, and the properties of a pulse.
    let again = acme.erase_persons(&number, "asked for").await.unwrap();
    assert_eq!(again, Erased { open: 2, parked: 1, ..Erased::default() });
    // What comes again is known, whatever it lost.
    clock.set("2026-11-21T00:00:00Z".parse().unwrap());
    let taken = acme.ingest(&batch()).await.unwrap().intake;
    assert_eq!((taken.replayed, taken.recorded, taken.conflict), (6, 0, 0));
    let key = call("alice", "calls", NOW, ["", ""]).key;
    assert!(matches!(acme.explain_item(&key).await, Err(Error::Erased { .. })));
    // A year later everything of October goes.
    let (from, until) = (Instant::MIN, "2026-11-01T00:00:00Z".parse().unwrap());
    let october = Erasure::Between { from, until };
    let erased = acme.erase_persons(&october, "retention").await.unwrap();
    assert_eq!((erased.items, erased.open), (1, 1));
    acme.hand_over(Days::Ended).await.unwrap();
    let erased = acme.erase_persons(&october, "retention").await.unwrap();
    assert_eq!((erased.items, erased.open), (1, 0));
    let of = HistoryPage { from, until, kind: None, after: None, limit: 100 };
    let history = acme.history(&"alice".parse().unwrap(), &of).await.unwrap();
    let nobodys = |item: &Item| *item == item.without_persons();
    assert!(history.iter().all(|it| it.erased && nobodys(&it.item) && nobodys(it.content())));
    assert_eq!(money(&acme).await, before);
    assert_eq!(verify(&acme).await.unwrap().findings, []);
    what_is_left_is_corrected(&acme, key).await;
}

/// What lost its persons is taken back, and neither amended nor rated anew.
async fn what_is_left_is_corrected(acme: &Tenant, key: ItemKey) {
    let anew = correction("anew", Change::Rerate { selection: Selection::all() });
    let report = acme.correct(&anew).await.unwrap().report;
    assert_eq!((report.examined, report.changed, report.erased), (6, 0, 5));
    let item = call("alice", "calls", "2026-10-05T08:00:00Z", [NUMBER, OTHER]).item;
    let amend = correction("amended", Change::Amend { key: key.clone(), item });
    let refused = acme.correct(&amend).await;
    assert!(matches!(refused, Err(Error::Correct(CorrectError::Erased { .. }))), "{refused:?}");
    let amended = call("alice", "others", NOW, ["", ""]).key;
    for (id, key) in [("void", key), ("void-too", amended)] {
        let void = acme.correct(&correction(id, Change::Void { key })).await.unwrap();
        assert_eq!(void.report.changed, 1);
    }
    assert_eq!(verify(acme).await.unwrap().findings, []);
    // The first request again is known by its digest, though the number in it is gone.
    assert_eq!(acme.correct(&ticket()).await.unwrap().outcome, Outcome::Replay);
}

#[tokio::test]
async fn an_amended_call_goes_by_the_time_and_the_day_it_has_now() {
    let (acme, _clock) = world(Arc::new(MemoryStore::new())).await;
    let october = call("alice", "calls", "2026-10-05T08:00:00Z", [NUMBER, OTHER]);
    let later = call("alice", "calls", "2026-11-03T08:00:00Z", [NUMBER, OTHER]).item;
    let change = Change::Amend { key: october.key, item: later };
    acme.correct(&correction("later", change)).await.unwrap();
    let times = ["2026-11-03T00:00:00Z", "2026-11-04T00:00:00Z"];
    let [from, until] = times.map(|at| at.parse().unwrap());
    let third = Erasure::Between { from, until };
    let erased = acme.erase_persons(&third, "retention").await.unwrap();
    assert_eq!((erased.items, erased.open), (0, 1), "November is not billed");
    acme.hand_over(Days::Ended).await.unwrap();
    let erased = acme.erase_persons(&third, "retention").await.unwrap();
    assert_eq!((erased.items, erased.open), (1, 0));
    assert_eq!(verify(&acme).await.unwrap().findings, []);
}

#[tokio::test]
async fn a_number_goes_from_memory_and_the_money_stays() {
    a_number_goes_and_the_money_stays(Arc::new(MemoryStore::new())).await;
}

#[tokio::test]
async fn a_number_goes_from_sqlite_and_the_money_stays() {
    let folder = Folder::new("erasure");
    let store = folder::open(folder.file("billing.db")).await;
    a_number_goes_and_the_money_stays(Arc::new(store)).await;
}

#[tokio::test]
async fn a_number_goes_from_postgres_and_the_money_stays() {
    let Some(database) = Database::new("erasure").await else { return };
    a_number_goes_and_the_money_stays(Arc::new(database.store().await)).await;
}

/// What a compact copy of a database file holds, read as bytes.
async fn bytes(folder: &Folder, file: &Path) -> Vec<u8> {
    let copy = folder.file("copy.db");
    let url = format!("sqlite://{}", file.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let sql = AssertSqlSafe(format!("vacuum into '{}'", copy.display()));
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    std::fs::read(copy).unwrap()
}

#[tokio::test]
async fn no_byte_of_a_copy_knows_an_erased_number() {
    let folder = Folder::new("erasure-bytes");
    let file = folder.file("billing.db");
    let store: SqliteStore = folder::open(&file).await;
    let (acme, _clock) = world(Arc::new(store.clone())).await;
    let waits = call("nobody", "waits", NOW, ["", ""]).key;
    acme.drop_parked(&waits, "nobody's").await.unwrap();
    let always = Erasure::Between { from: Instant::MIN, until: Instant::MAX };
    acme.hand_over(Days::Ended).await.unwrap();
    let erased = acme.erase_persons(&always, "the end").await.unwrap();
    assert_eq!((erased.open, erased.parked), (0, 0), "{erased:?}");
    store.close().await;
    let bytes = bytes(&folder, &file).await;
    for number in [SAME_NUMBER, "12025550123"] {
        let found = bytes.windows(number.len()).any(|window| window == number.as_bytes());
        assert!(!found, "{number} is still there");
    }
}
