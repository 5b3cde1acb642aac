//! In which order rows come, and that pages leave none out.

use billing_core::{
    account::Assignment,
    decide::Writes,
    event::{Event, JournalEntry, Posting},
    item::ItemKey,
};

use crate::conformance::{
    bench::Bench,
    dump::{intake_key, item_key, parked_key},
    handed, histories, invoiced,
    kept::{Failed, Kept, ensure},
    sample::{self, Made},
};

/// How many rows a page may have; the last is more than the checks write.
pub(super) const LIMITS: [u32; 4] = [1, 2, 3, 1_000];

pub(super) async fn journal_is_in_order(bench: &Bench) -> Kept {
    // Written in two commits, neither of which holds only one kind or a run of numbers.
    for numbers in [[1, 4, 3, 2, 6, 5], [8, 7, 12, 10, 11, 9]] {
        let mut writes = if numbers.contains(&1) {
            let mut alice = sample::opened("alice")?;
            alice.events.clear();
            alice.heads = vec![(sample::of("alice")?, sample::head(12))];
            alice
        } else {
            Writes::default()
        };
        for (account, numbers) in [("alice", numbers), ("alicea", numbers)] {
            let is_event = |seq: &&u64| seq.is_multiple_of(3) || **seq == 1;
            let (events, postings) = numbers.iter().partition::<Vec<u64>, _>(is_event);
            writes.events.extend(events_of(account, &events)?);
            writes.postings.extend(postings_of(account, &postings)?);
        }
        bench.commit(&bench.acme, &writes).await?;
    }
    let mut facts = bench.read(&bench.acme).await?;
    let alice = sample::of("alice")?;
    for limit in LIMITS {
        for after in 0..=12_u64 {
            let page = facts.journal(&alice, after, limit).await?;
            let found: Vec<u64> = page.iter().map(JournalEntry::seq).collect();
            let due: Vec<u64> = (1..=12).filter(|seq| *seq > after).take(size(limit)).collect();
            // Whether it is as long as was asked for is the matter of all pages.
            let next = due.starts_with(&found) && found.is_empty() == due.is_empty();
            ensure(next, format!("numbers {found:?} came after {after}, {due:?} were due"))?;
            let mine = page.iter().all(|entry| account_of(entry) == "alice");
            ensure(mine, "the journal holds another account's entries")?;
        }
    }
    let past_all = facts.journal(&alice, u64::MAX, 10).await?;
    ensure(past_all.is_empty(), "the journal goes on after the last number there can be")
}

fn events_of(account: &str, numbers: &[u64]) -> Made<Vec<Event>> {
    numbers.iter().map(|seq| sample::event(account, *seq)).collect()
}

fn postings_of(account: &str, numbers: &[u64]) -> Made<Vec<Posting>> {
    numbers.iter().map(|seq| sample::posting(account, *seq)).collect()
}

fn account_of(entry: &JournalEntry) -> &str {
    match entry {
        JournalEntry::Posting(posting) => posting.account.as_str(),
        JournalEntry::Event(event) => event.account.as_str(),
    }
}

/// Asks for the page after each row, with each limit, and compares it with what was written.
macro_rules! pages {
    ($what:literal, $rows:ident, |$after:ident, $limit:ident| $ask:expr) => {
        for $limit in $crate::conformance::order::LIMITS {
            for at in 0..=$rows.len() {
                let Some((before, rest)) = $rows.split_at_checked(at) else { continue };
                let $after = before.last();
                let found = $ask.await?;
                let due = rest.iter().take($crate::conformance::order::size($limit));
                let (came, were) = (found.len(), due.len());
                let wrong = $crate::conformance::order::wrong_page($what, $limit, at, came, were);
                $crate::conformance::kept::ensure(due.eq(&found), wrong)?;
            }
        }
    };
}
pub(super) use pages;

pub(super) fn wrong_page(what: &str, limit: u32, at: usize, came: usize, were: usize) -> String {
    format!(
        "a page of {limit} {what} after {at} of them holds {came} rows where {were} are due, or others"
    )
}

pub(super) async fn pages_are_complete(bench: &Bench) -> Kept {
    bench.commit(&bench.rival, &sample::everything("account-3", 1)?).await?;
    let mut writes = Writes::default();
    let names = ["account-1", "account-2", "account-3", "account-4", "account-5", "account-6"];
    for name in names {
        let opened = sample::opened(name)?;
        writes.accounts.extend(opened.accounts);
        writes.heads.extend(opened.heads);
    }
    for key in keys()? {
        writes.items.push(sample::item("account-1", key.clone(), 1)?);
        writes.parked.push(sample::parked(key)?);
    }
    writes.events = events_of("account-1", &[1, 2, 5])?;
    writes.postings = postings_of("account-1", &[3, 4])?;
    for version in 1..=4 {
        writes.plans.push(sample::plan("plan-2", version)?);
        writes.plans.push(sample::plan("plan-1", version)?);
    }
    // The first in the order of keys is not the first that is written.
    writes.items.reverse();
    writes.parked.rotate_left(2);
    writes.accounts.rotate_left(3);
    bench.commit(&bench.acme, &writes).await?;
    for number in [3, 1, 4, 2, 5] {
        bench.commit(&bench.acme, &batch_and_invoice(number)?).await?;
    }
    keyed_pages(bench, writes).await?;
    numbered_pages(bench).await?;
    histories::pages(bench).await?;
    handed::pages(bench).await?;
    invoiced::pages(bench).await?;
    assignments(bench).await
}

/// Keys of which the order of bytes is not that of the texts put together, nor that of numbers as texts.
pub(super) fn keys() -> Made<Vec<ItemKey>> {
    let keys = [
        ("b", "1", "", 0),
        ("a", "2", "", 0),
        ("a", "1", "x", 10),
        ("a", "1", "x", 9),
        ("a", "1", "", 2),
        ("a", "1", "", 0),
        ("ab", "0", "", 0),
    ];
    let key = |(source, id, leg, partial): (&str, &str, &str, u32)| {
        let leg = if leg.is_empty() { None } else { Some(sample::of(leg)?) };
        let partial = partial.try_into().ok();
        Ok(ItemKey { source: sample::of(source)?, id: sample::of(id)?, leg, partial })
    };
    keys.into_iter().map(key).collect()
}

fn batch_and_invoice(number: u64) -> Made<Writes> {
    let first = ["2026-11-01", "2026-12-01", "2027-01-01", "2027-02-01", "2027-03-01"];
    let months = (1..).zip(first);
    let mut from = months.filter(|(of, _)| *of == number).map(|(_, from)| from);
    let invoice = sample::invoice("account-1", "a", number, from.next().unwrap_or("2027-04-01"))?;
    // A series whose name begins like the other's.
    let mut other = sample::invoice("account-2", "ab", number, "2026-10-01")?;
    other.draft.account = sample::of(&format!("account-{number}"))?;
    Ok(Writes {
        intake: Some(sample::intake(&format!("batch-{number}"))?),
        refusals: vec![sample::refusal("2"), sample::refusal("10"), sample::refusal("1")],
        invoices: vec![invoice, other],
        series: Some((sample::of("a")?, number)),
        ..Writes::default()
    })
}

async fn keyed_pages(bench: &Bench, mut written: Writes) -> Kept {
    written.accounts.sort_by(|one, two| one.id.cmp(&two.id));
    written.items.sort_by(|one, two| item_key(one).cmp(item_key(two)));
    written.parked.sort_by(|one, two| parked_key(one).cmp(parked_key(two)));
    written.plans.sort_by(|one, two| (&one.id, one.version).cmp(&(&two.id, two.version)));
    let accounts: Vec<_> = written.accounts.into_iter().map(|settings| settings.id).collect();
    let (items, parked) = (written.items, written.parked);
    let events = written.events.into_iter().map(JournalEntry::Event);
    let postings = written.postings.into_iter().map(JournalEntry::Posting);
    let mut journal: Vec<_> = events.chain(postings).collect();
    journal.sort_by_key(JournalEntry::seq);
    let last = |after: Option<&JournalEntry>| after.map_or(0, JournalEntry::seq);
    let account = sample::of("account-1")?;
    let mut facts = bench.read(&bench.acme).await?;
    pages!("accounts", accounts, |after, limit| facts.account_page(after, limit));
    pages!("items", items, |after, limit| facts.item_page(after.map(item_key), limit));
    pages!("parked items", parked, |after, limit| facts.parked_page(after.map(parked_key), limit));
    pages!("journal entries", journal, |after, limit| facts.journal(&account, last(after), limit));
    let mine = facts.accounts_of(&sample::of("carol")?).await?;
    ensure(mine == accounts, "a customer's accounts are not all listed in the order of bytes")?;
    let plans = facts.all_plans().await?;
    ensure(plans == written.plans, "the plans are not all listed in order of id and version")
}

async fn numbered_pages(bench: &Bench) -> Kept {
    let numbers: Vec<u64> = (1..=5).collect();
    let batches = numbers.iter().map(|number| sample::intake(&format!("batch-{number}")));
    let batches = batches.collect::<Made<Vec<_>>>()?;
    let series = sample::of("a")?;
    let mut facts = bench.read(&bench.acme).await?;
    pages!("batches", batches, |after, limit| facts.intake_page(after.map(intake_key), limit));
    let last = |after: Option<&u64>| after.copied().unwrap_or(0);
    pages!("invoice numbers", numbers, |after, limit| {
        facts.invoice_numbers(&series, last(after), limit)
    });
    let none = facts.invoice_numbers(&series, u64::MAX, 10).await?;
    ensure(none.is_empty(), "a series goes on after the last number there can be")?;
    for batch in batches {
        let refusals = facts.refusals(&batch.id).await?;
        let places = refusals.iter().map(|refusal| refusal.place.as_str());
        ensure(places.eq(["2", "10", "1"]), "refusals do not keep the order of their batch")?;
    }
    let invoices = facts.invoices_of(&sample::of("account-1")?).await?;
    let found: Vec<_> = invoices.iter().map(|i| (i.series.as_str(), i.number)).collect();
    let due = [("a", 1), ("a", 2), ("a", 3), ("a", 4), ("a", 5), ("ab", 1)];
    ensure(found == due, "an account's invoices are not oldest number first within each series")
}

async fn assignments(bench: &Bench) -> Kept {
    let account = sample::of("account-1")?;
    let days = [(3, "2026-12-01"), (1, "2026-10-01"), (2, "2026-11-01")];
    for (number, from) in days {
        let assignments = vec![(sample::of("account-1")?, sample::assignment(number, from)?)];
        bench.commit(&bench.acme, &Writes { assignments, ..Writes::default() }).await?;
    }
    let accounts = bench.read(&bench.acme).await?.accounts(&[account]).await?;
    let account = accounts.first().ok_or_else(|| Failed("an account is not found".into()))?;
    let numbers = account.assignments.iter().map(|assignment: &Assignment| assignment.number);
    ensure(numbers.eq([1, 2, 3]), "assignments are not in the order of their days")
}

pub(super) fn size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
