//! Whose rows a question finds: tenants apart, keys as bytes, and what the pages list.

use std::collections::BTreeSet;

use billing_core::{
    decide::{CarryMove, Parked, StoredItem, Writes},
    event::{JournalEntry, Posting},
    id::{AccountId, TenantId},
    item::ItemKey,
    time::Day,
    usage::{CarryKey, DayTotal, ScopeKey, TotalKey},
};

use crate::{
    conformance::{
        bench::{Bench, ensure_same},
        dump::{Dump, item_key, parked_key},
        kept::{Failed, Kept, ensure},
        sample::{self, Made},
    },
    store::Facts,
};

/// Texts that careless comparison takes for one another: case, accents, blanks, numbers, emoji, lengths, quoting.
const TEXTS: [&str; 28] = [
    "a",
    "A",
    "a ",
    " a",
    "\u{e1}",
    "a\u{301}",
    "\u{c1}",
    "a\u{200b}",
    "ss",
    "\u{df}",
    "1",
    "01",
    "1.0",
    "1e0",
    "+1",
    "\u{1f600}",
    "\u{1f601}",
    // In UTF-16 these two stand the other way round.
    "\u{ff61}",
    "\u{10000}",
    "a'b",
    "a\"b",
    "a\\b",
    "a%b",
    "a_b",
    "null",
    "[]",
    "a/b",
    "\u{fffd}",
];

/// How many keys one question may name: more than a statement has parameters in some databases.
const MANY: u64 = 1_500;

pub(super) async fn tenants_are_apart(bench: &Bench) -> Kept {
    let mut writes = sample::everything("alice", 1)?;
    bench.commit(&bench.acme, &writes).await?;
    let before = bench.dump(&bench.acme).await?;
    let empty = bench.dump(&bench.rival).await?;
    ensure_same(&empty, &Dump::default(), "a tenant that wrote nothing")?;
    for posting in &mut writes.postings {
        posting.totals.count = 7;
    }
    for total in &mut writes.totals {
        total.totals.count = 7;
    }
    bench.commit(&bench.rival, &writes).await?;
    ensure_same(
        &bench.dump(&bench.acme).await?,
        &before,
        "after another tenant wrote the same ids",
    )?;
    let mut facts = bench.read(&bench.rival).await?;
    ensure(*facts.tenant() == bench.rival, "the facts name another tenant")?;
    let totals = facts.totals_of(&sample::of("alice")?).await?;
    ensure(totals.iter().all(|total| total.totals.count == 7), "a tenant reads another's totals")?;
    drop(facts);
    let unparked = vec![sample::key("alice-parked")?];
    bench.commit(&bench.rival, &Writes { unparked, ..Writes::default() }).await?;
    ensure_same(&bench.dump(&bench.acme).await?, &before, "after another tenant unparked an item")
}

pub(super) async fn keys_find_their_rows(bench: &Bench) -> Kept {
    let mut writes = sample::everything("alice", 1)?;
    for seq in 3..MANY {
        let posting = sample::posting("alice", seq)?;
        writes.items.push(sample::item("alice", posting.item.clone(), seq)?);
        writes.parked.push(sample::parked(sample::key(&format!("parked-{seq}"))?)?);
        writes.postings.push(posting);
    }
    for month in 1..13 {
        for (revision, closed) in [(1, true), (2, false)] {
            let total = sample::total("alice", &format!("2027-{month:02}-05"), revision)?;
            writes.totals.push(DayTotal { closed, billed: closed, ..total });
        }
        let scope = format!("stretch:2027-{month:02}-01:1");
        writes.carries.push(sample::carry("alice", sample::of(&scope)?)?);
        writes.plans.push(sample::plan("basic", month)?);
    }
    bench.commit(&bench.acme, &writes).await?;
    let bob = sample::everything("bob", 2)?;
    bench.commit(&bench.acme, &bob).await?;
    let dump = bench.dump(&bench.acme).await?;
    finds(&mut *bench.read(&bench.acme).await?, &dump).await
}

pub(super) async fn keys_are_bytes(bench: &Bench) -> Kept {
    let longest = "x".repeat(255);
    let nearly = format!("{}y", "x".repeat(254));
    let smileys = "\u{1f600}".repeat(63);
    let long = [longest.as_str(), nearly.as_str(), smileys.as_str()];
    let texts: Vec<&str> = TEXTS.into_iter().chain(long).collect();
    let mut due = Writes::default();
    for text in &texts {
        extend(&mut due, named(text)?);
    }
    bench.commit(&bench.acme, &due).await?;
    let dump = bench.dump(&bench.acme).await?;
    ensure_same(&dump, &Dump::of(&due), "ids that differ in their bytes")?;
    finds(&mut *bench.read(&bench.acme).await?, &dump).await?;
    for text in &texts {
        one_is_found(bench, text).await?;
    }
    batches_and_series(bench, &texts).await?;
    tenants(bench, &texts).await
}

/// Asks for one text at a time, so that a neighbour cannot answer for it.
async fn one_is_found(bench: &Bench, text: &str) -> Kept {
    let mut facts = bench.read(&bench.acme).await?;
    let account: AccountId = sample::of(text)?;
    let accounts = facts.accounts(core::slice::from_ref(&account)).await?;
    let found = accounts.iter().map(|facts| &facts.settings.id).eq([&account]);
    ensure(found, "an account is found under another's id, or not under its own")?;
    let key = sample::key(text)?;
    let items = facts.items(core::slice::from_ref(&key)).await?;
    let found = items.iter().map(item_key).eq([&key]);
    ensure(found, "an item is found under another's id, or not under its own")
}

async fn batches_and_series(bench: &Bench, texts: &[&str]) -> Kept {
    for text in texts {
        let (series, intake) = (sample::of(text)?, sample::intake(text)?);
        let writes =
            Writes { intake: Some(intake), series: Some((series, 1)), ..Writes::default() };
        bench.commit(&bench.rival, &writes).await?;
    }
    let dump = bench.dump(&bench.rival).await?;
    let mut sorted = texts.to_vec();
    sorted.sort_unstable();
    let intakes = dump.intakes.iter().map(|(intake, _)| intake.id.as_str());
    ensure(intakes.eq(sorted.iter().copied()), "batches are not listed in the order of bytes")?;
    let series = dump.series.iter().map(|(series, _)| series.as_str());
    ensure(series.eq(sorted.iter().copied()), "series that differ in their bytes are mixed up")
}

async fn tenants(bench: &Bench, texts: &[&str]) -> Kept {
    for (number, text) in (1_u64..).zip(texts) {
        let series = Some((sample::of("s")?, number));
        let writes = Writes { series, ..Writes::default() };
        bench.commit(&TenantId::try_new(text)?, &writes).await?;
    }
    for (number, text) in (1_u64..).zip(texts) {
        let series = bench.read(&TenantId::try_new(text)?).await?.all_series().await?;
        let last = series.iter().map(|(_, last)| *last);
        ensure(last.eq([number]), "tenants that differ in their bytes are mixed up")?;
    }
    Ok(())
}

/// Rows that are known by one text, wherever a key has one.
fn named(text: &str) -> Made<Writes> {
    let by_source = ItemKey::new(sample::of(text)?, sample::of("1")?);
    let by_leg = ItemKey { leg: Some(sample::of(text)?), ..sample::key("1")? };
    let keys = [by_source, by_leg, sample::key(text)?];
    let items = keys.iter().map(|key| sample::item(text, key.clone(), 1));
    let parked = keys.iter().map(|key| sample::parked(key.clone()));
    let total = sample::total(text, "2026-10-05", 1)?;
    let by_group = TotalKey { group: sample::of(text)?, ..total.key.clone() };
    let by_strategy = TotalKey { strategy: sample::of(text)?, ..total.key.clone() };
    let totals = [total.key.clone(), by_group, by_strategy];
    let totals = BTreeSet::from(totals).into_iter().map(|key| DayTotal { key, ..total.clone() });
    let CarryMove { key, carry } = sample::carry(text, ScopeKey::Lifetime)?;
    let by_group = CarryKey { group: sample::of(text)?, ..key.clone() };
    let by_strategy = CarryKey { strategy: sample::of(text)?, ..key.clone() };
    let carries = BTreeSet::from([key, by_group, by_strategy]).into_iter();
    Ok(Writes {
        items: items.collect::<Made<_>>()?,
        parked: parked.collect::<Made<_>>()?,
        plans: vec![sample::plan(text, 1)?],
        totals: totals.collect(),
        carries: carries.map(|key| CarryMove { key, carry: carry.clone() }).collect(),
        ..sample::opened(text)?
    })
}

fn extend(writes: &mut Writes, more: Writes) {
    writes.accounts.extend(more.accounts);
    writes.heads.extend(more.heads);
    writes.events.extend(more.events);
    writes.items.extend(more.items);
    writes.parked.extend(more.parked);
    writes.plans.extend(more.plans);
    writes.totals.extend(more.totals);
    writes.carries.extend(more.carries);
}

/// Asks every question with all keys of a state, each key twice, and with keys that name nothing.
async fn finds(facts: &mut dyn Facts, dump: &Dump) -> Kept {
    let stranger: AccountId = sample::of("nobody")?;
    let ids: Vec<AccountId> = dump.journals.keys().cloned().collect();
    let asked = twice(&ids, &stranger);
    let accounts = facts.accounts(&asked).await?;
    same("accounts", accounts, &dump.accounts, |facts| facts.settings.id.clone())?;
    let unbilled = dump.totals.iter().filter(|total| !total.billed).cloned().collect::<Vec<_>>();
    let total_key = |total: &DayTotal| total.key.clone();
    same("unbilled day totals", facts.unbilled(&asked).await?, &unbilled, total_key)?;
    let day = |total: &DayTotal| (total.key.account.clone(), total.key.day);
    let days: Vec<_> = dump.totals.iter().map(day).collect();
    let nowhere = (stranger.clone(), sample::of("2026-10-05")?);
    let totals = facts.day_totals(&twice(&days, &nowhere)).await?;
    same("day totals", totals, &dump.totals, total_key)?;
    let carry_key = |carry: &CarryMove| carry.key.clone();
    let scope = |carry: &CarryMove| (carry.key.account.clone(), carry.key.scope);
    let scopes: Vec<_> = dump.carries.iter().map(scope).collect();
    let carries = facts.carries(&twice(&scopes, &(stranger, ScopeKey::Lifetime))).await?;
    same("carries", carries, &dump.carries, carry_key)?;
    items(facts, dump).await?;
    numbered(facts, dump).await?;
    last_days(facts, dump).await
}

async fn items(facts: &mut dyn Facts, dump: &Dump) -> Kept {
    let nothing = sample::key("nothing")?;
    let keys: Vec<_> = dump.items.iter().map(item_key).cloned().collect();
    let item_key = |item: &StoredItem| item.claim.key.clone();
    same("items", facts.items(&twice(&keys, &nothing)).await?, &dump.items, item_key)?;
    let keys: Vec<_> = dump.parked.iter().map(parked_key).cloned().collect();
    let parked_key = |parked: &Parked| parked.incoming.key.clone();
    let parked = facts.parked(&twice(&keys, &nothing)).await?;
    same("parked items", parked, &dump.parked, parked_key)
}

async fn numbered(facts: &mut dyn Facts, dump: &Dump) -> Kept {
    let posting = |entry: &JournalEntry| match entry {
        JournalEntry::Posting(posting) => Some(posting.clone()),
        JournalEntry::Event(_) => None,
    };
    let due: Vec<_> = dump.journals.values().flatten().filter_map(posting).collect();
    let number = |posting: &Posting| (posting.account.clone(), posting.seq);
    let numbers: Vec<_> = due.iter().map(number).collect();
    let nothing = (sample::of("nobody")?, 1);
    let postings = facts.postings(&twice(&numbers, &nothing)).await?;
    same("postings", postings, &due, number)?;
    let versions: Vec<_> = dump.plans.iter().map(|plan| (plan.id.clone(), plan.version)).collect();
    let plans = facts.plans(&twice(&versions, &(sample::of("none")?, 1))).await?;
    same("plans", plans, &dump.plans, |plan| (plan.id.clone(), plan.version))?;
    for invoice in &dump.invoices {
        let found = facts.invoice(&invoice.series, invoice.number).await?;
        ensure(found.as_ref() == Some(invoice), "an invoice is not found by its number")?;
    }
    for (intake, _) in &dump.intakes {
        let found = facts.intake(&intake.id).await?;
        ensure(found.as_ref() == Some(intake), "the record of a batch is not found by its id")?;
    }
    let nothing = facts.invoice(&sample::of("none")?, u64::MAX).await?;
    ensure(nothing.is_none(), "an invoice is found that does not exist")
}

async fn last_days(facts: &mut dyn Facts, dump: &Dump) -> Kept {
    for account in dump.journals.keys() {
        let mine = dump.totals.iter().filter(|total| total.key.account == *account);
        let days: BTreeSet<Day> = mine.map(|total| total.key.day).collect();
        let found = facts.first_used(account, Day::MIN, None).await?;
        ensure(found.as_ref() == days.first(), "the first day with usage is not found")?;
        for day in days {
            let from = facts.first_used(account, day, None).await?;
            ensure(from == Some(day), "a day with usage is not found from that day on")?;
            let before = facts.first_used(account, day, Some(day)).await?;
            ensure(before.is_none(), "usage is found in a span without days")?;
        }
    }
    let nobody = facts.first_used(&sample::of("nobody")?, Day::MIN, None).await?;
    ensure(nobody.is_none(), "an account that does not exist has usage")
}

fn twice<K: Clone>(keys: &[K], stranger: &K) -> Vec<K> {
    keys.iter().chain(keys).chain([stranger]).cloned().collect()
}

fn same<T: PartialEq + Clone, K: Ord>(
    what: &str,
    mut found: Vec<T>,
    due: &[T],
    key: impl Fn(&T) -> K,
) -> Kept {
    found.sort_by_key(&key);
    let mut due = due.to_vec();
    due.sort_by_key(&key);
    if found == due {
        return Ok(());
    }
    let (found, due) = (found.len(), due.len());
    Err(Failed(format!("{what} asked for by their keys: {found} rows came, {due} were due")))
}
