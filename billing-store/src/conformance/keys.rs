//! Whose rows a question finds: tenants apart, keys as bytes, and what the pages list.

use std::collections::BTreeSet;

use billing_core::{
    account::AccountSettings,
    decide::{CarryMove, Writes},
    event::Head,
    id::{AccountId, TenantId},
    invoice::InvoiceKind,
    item::ItemKey,
    time::Day,
    usage::{CarryKey, DayTotal, ScopeKey, TotalKey},
};

use crate::conformance::{
    bench::{Bench, ensure_same},
    dump::{Dump, item_key},
    finds::{finds, finds_nothing},
    kept::{Kept, ensure},
    sample::{self, Made},
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
    finds_nothing(&mut *bench.read(&bench.rival).await?, &before).await?;
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
    // The same names again, in everything that may change.
    let pending = &writes.settlements;
    let changed = Writes {
        unparked: vec![sample::key("alice-parked")?],
        dropped: vec![sample::dropped(sample::key("alice-parked")?, "09:20:00")?],
        moved: vec![sample::moved(sample::key("alice-2")?, 7)?],
        corrections: vec![sample::correction("another")?],
        marks: vec![sample::mark("invoices", 1, sample::void())?],
        settlements: pending.iter().map(sample::sent).collect::<Made<_>>()?,
        heads: writes.heads.clone(),
        ..Writes::default()
    };
    bench.commit(&bench.rival, &changed).await?;
    let after = bench.dump(&bench.acme).await?;
    ensure_same(&after, &before, "after another tenant changed what has the same names")
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
        for (revision, closed, billed, handed) in [
            (1, true, true, true),
            (2, true, false, true),
            (3, true, true, false),
            (4, true, false, false),
            (5, false, false, false),
        ] {
            let total = sample::total("alice", &format!("2027-{month:02}-05"), revision)?;
            writes.totals.push(DayTotal { closed, billed, handed, ..total });
        }
        let scope = format!("stretch:2027-{month:02}-01:1");
        writes.carries.push(sample::carry("alice", sample::of(&scope)?)?);
        writes.plans.push(sample::plan("basic", month)?);
        writes.tariffs.push(sample::tariff("retail", month)?);
    }
    let rated =
        |time: &str| Made::Ok(Head { rated_until: Some(sample::at(time)?), ..sample::head(2) });
    writes.heads = vec![(sample::of("alice")?, rated("08:01:01")?)];
    records(&mut writes)?;
    settlements_and_invoices(&mut writes)?;
    bench.commit(&bench.acme, &writes).await?;
    let mut bob = sample::everything("bob", 100)?;
    bob.heads = vec![(sample::of("bob")?, rated("08:01:01.000001")?)];
    bench.commit(&bench.acme, &bob).await?;
    let mut dora = sample::opened("dora")?;
    dora.accounts =
        vec![AccountSettings { customer: Some(sample::of("erin")?), ..sample::settings("dora")? }];
    dora.totals = vec![DayTotal { handed: true, ..sample::total("dora", "2027-01-05", 1)? }];
    bench.commit(&bench.acme, &dora).await?;
    let marks = vec![
        sample::mark("invoices", 1, sample::paid()?)?,
        sample::mark("invoices", 5, sample::paid()?)?,
        sample::mark("invoices", 4, sample::paid()?)?,
    ];
    let heads = writes.heads.clone();
    bench.commit(&bench.acme, &Writes { marks, heads, ..Writes::default() }).await?;
    let dump = bench.dump(&bench.acme).await?;
    let last = dump.invoices.iter().filter(|invoice| invoice.draft.account.as_str() == "alice");
    ensure(
        last.count() == 5 && dump.marks.len() == 3,
        "invoices or what became of them is missing",
    )?;
    finds(&mut *bench.read(&bench.acme).await?, &dump).await?;
    strays(bench).await
}

/// Several records of one usage, beside a leg of the same usage and usage whose id begins alike.
fn records(writes: &mut Writes) -> Kept {
    let usage = sample::key("session")?;
    let (leg, longer) = (sample::leg(&usage, "b")?, sample::key("session1")?);
    for key in [usage.clone(), leg.clone(), longer] {
        writes.items.push(sample::item("alice", key, 3)?);
    }
    for number in [1, 2, 9, 10, 11] {
        writes.items.push(sample::item("alice", sample::partial(&usage, number), 3)?);
        writes.items.push(sample::item("alice", sample::partial(&leg, number), 3)?);
        writes.parked.push(sample::parked(sample::partial(&sample::key("parked")?, number))?);
    }
    Ok(())
}

/// More settlements than a question can have parameters, and invoices of both kinds.
fn settlements_and_invoices(writes: &mut Writes) -> Kept {
    for number in 3..MANY {
        let day = Day::from_ordinal(i32::try_from(number)?)?.to_string();
        writes.settlements.push(sample::settlement("alice", &day, 1)?);
    }
    for (number, kind, from) in [
        (2, InvoiceKind::Period, "2026-12-01"),
        (3, InvoiceKind::Advance, "2026-12-01"),
        (4, InvoiceKind::Advance, "2027-01-01"),
        (5, InvoiceKind::Period, "2027-01-01"),
    ] {
        let mut invoice = sample::invoice("alice", "invoices", number, from)?;
        invoice.draft.kind = kind;
        writes.invoices.push(invoice);
    }
    writes.series = Some((sample::of("invoices")?, 5));
    Ok(())
}

/// Rows of an account that is not there are found by whoever looks for them.
async fn strays(bench: &Bench) -> Kept {
    let writes = Writes {
        settlements: vec![sample::settlement("settled-stray", "2026-10-05", 1)?],
        totals: vec![sample::total("used-stray", "2026-10-05", 1)?],
        ..Writes::default()
    };
    bench.commit(&bench.acme, &writes).await?;
    let mut strays = bench.read(&bench.acme).await?.strays().await?;
    strays.sort();
    let found = strays.iter().map(AccountId::as_str).eq(["settled-stray", "used-stray"]);
    ensure(found, "rows of an account that is not there are not found")
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
    let paid = |text: &&str| sample::mark(text, 1, sample::paid()?);
    due.marks = texts.iter().map(paid).collect::<Made<_>>()?;
    let (marks, heads) = (due.marks.clone(), due.heads.clone());
    bench.commit(&bench.acme, &Writes { marks, heads, ..Writes::default() }).await?;
    let dump = bench.dump(&bench.acme).await?;
    ensure_same(&dump, &Dump::of(&due), "ids that differ in their bytes")?;
    finds(&mut *bench.read(&bench.acme).await?, &dump).await?;
    let waiting = bench.read(&bench.acme).await?.unanswered(None, u32::MAX).await?;
    let mut sorted = texts.clone();
    sorted.sort_unstable();
    let accounts = waiting.iter().map(|settlement| settlement.handover.account.as_str());
    ensure(accounts.eq(sorted), "settlements are not listed in the order of bytes")?;
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
    ensure(found, "an item is found under another's id, or not under its own")?;
    let mine = facts.accounts_of(&sample::of(text)?).await?;
    ensure(mine == [account.clone()], "a customer is found under another's id, or not its own")?;
    let settlements = facts.settlements_of(&account).await?;
    let found = settlements.iter().map(|one| &one.handover.account).eq([&account]);
    ensure(found, "a settlement is found under another's id, or not under its own")?;
    let invoice = facts.invoice(&sample::of(text)?, 1).await?;
    let found = invoice.is_some_and(|invoice| invoice.draft.account == account);
    ensure(found, "an invoice is found under another's series, or not under its own")?;
    let marks = facts.invoice_marks(&[(sample::of(text)?, 1)]).await?;
    let found = marks.iter().map(|mark| mark.series.as_str()).eq([text]);
    ensure(found, "what became of an invoice is found under another's series, or not its own")
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
    let dropped = keys.iter().map(|key| sample::dropped(key.clone(), "09:10:00"));
    let customer = Some(sample::of(text)?);
    let settings = AccountSettings { customer, ..sample::settings(text)? };
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
        dropped: dropped.collect::<Made<_>>()?,
        invoices: vec![sample::invoice(text, text, 1, "2026-10-01")?],
        settlements: vec![sample::settlement(text, "2026-10-05", 1)?],
        accounts: vec![settings],
        plans: vec![sample::plan(text, 1)?],
        tariffs: vec![sample::tariff(text, 1)?],
        activations: vec![sample::activation(text, 1, "00:00:00")?],
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
    writes.tariffs.extend(more.tariffs);
    writes.activations.extend(more.activations);
    writes.totals.extend(more.totals);
    writes.carries.extend(more.carries);
    writes.dropped.extend(more.dropped);
    writes.invoices.extend(more.invoices);
    writes.settlements.extend(more.settlements);
}
