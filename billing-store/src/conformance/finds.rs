//! Every question by keys, held against what the pages and lists of the same state say.

use std::collections::BTreeSet;

use billing_core::{
    decide::{AccountFacts, CarryMove, Parked, StoredItem},
    event::{JournalEntry, Posting},
    id::{AccountId, CustomerId, SeriesId},
    invoice::InvoiceMark,
    item::ItemKey,
    settlement::{Settlement, SettlementState},
    time::{Day, Instant},
    usage::{DayTotal, ScopeKey},
};

use crate::{
    conformance::{
        dump::{
            Dump, correction_key, invoice_place, is_void, item_key, parked_key, settlement_key,
        },
        kept::{Failed, Kept, ensure},
        sample,
    },
    store::{Facts, HistoryPage},
};

/// Asks every question with all keys of a state, each key twice, and with keys that name nothing.
pub(super) async fn finds(facts: &mut dyn Facts, dump: &Dump) -> Kept {
    let stranger: AccountId = sample::of("nobody")?;
    let ids: Vec<AccountId> = dump.journals.keys().cloned().collect();
    let asked = twice(&ids, &stranger);
    let accounts = facts.accounts(&asked).await?;
    same("accounts", accounts, &dump.accounts, |facts| facts.settings.id.clone())?;
    totals(facts, dump, &asked).await?;
    let carry_key = |carry: &CarryMove| carry.key.clone();
    let scope = |carry: &CarryMove| (carry.key.account.clone(), carry.key.scope);
    let scopes: Vec<_> = dump.carries.iter().map(scope).collect();
    let carries = facts.carries(&twice(&scopes, &(stranger, ScopeKey::Lifetime))).await?;
    same("carries", carries, &dump.carries, carry_key)?;
    customers(facts, dump).await?;
    items(facts, dump).await?;
    records(facts, dump).await?;
    numbered(facts, dump).await?;
    last_days(facts, dump).await?;
    rated(facts, dump).await?;
    invoices(facts, dump).await?;
    settlements(facts, dump).await?;
    lists(facts, dump).await?;
    corrections(facts, dump).await?;
    let strays = facts.strays().await?;
    ensure(strays.is_empty(), "rows are said to be of an account that is not there, and it is")
}

/// Asks for the day totals of `accounts`, which are all there are and one there is not.
async fn totals(facts: &mut dyn Facts, dump: &Dump, accounts: &[AccountId]) -> Kept {
    let total_key = |total: &DayTotal| total.key.clone();
    let of = |which: fn(&&DayTotal) -> bool| dump.totals.iter().filter(which).cloned().collect();
    let (unbilled, unhanded): (Vec<_>, Vec<_>) = (of(|t| !t.billed), of(|t| !t.handed));
    same("unbilled day totals", facts.unbilled(accounts).await?, &unbilled, total_key)?;
    let found = facts.unhanded(accounts).await?;
    same("day totals in no settlement", found, &unhanded, total_key)?;
    let unhanded: BTreeSet<_> = unhanded.into_iter().map(|total| total.key.account).collect();
    let found = facts.unhanded_accounts(None, u32::MAX).await?;
    let what = "accounts with day totals in no settlement are not those that have some";
    ensure(found.iter().eq(&unhanded), what)?;
    let day = |total: &DayTotal| (total.key.account.clone(), total.key.day);
    let days: Vec<_> = dump.totals.iter().map(day).collect();
    let nowhere = (sample::of("nobody")?, sample::of("2026-10-05")?);
    let totals = facts.day_totals(&twice(&days, &nowhere)).await?;
    same("day totals", totals, &dump.totals, total_key)?;
    for account in accounts.iter().collect::<BTreeSet<_>>() {
        let mine = dump.totals.iter().filter(|total| total.key.account == *account);
        let mine: Vec<_> = mine.cloned().collect();
        let mut days: BTreeSet<Day> = mine.iter().map(|total| total.key.day).collect();
        days.extend([Day::MIN, Day::MAX]);
        for (from, until) in days.iter().zip(days.iter().skip(1)) {
            let found = facts.totals_between(account, *from, *until).await?;
            let within = mine.iter().filter(|t| *from <= t.key.day && t.key.day < *until);
            let within: Vec<_> = within.cloned().collect();
            same("day totals of a span of days", found, &within, total_key)?;
        }
    }
    Ok(())
}

/// The accounts of each customer, in order of bytes.
async fn customers(facts: &mut dyn Facts, dump: &Dump) -> Kept {
    let customers = dump.accounts.iter().filter_map(|facts| facts.settings.customer.as_ref());
    for customer in customers.collect::<BTreeSet<&CustomerId>>() {
        let mine = dump.accounts.iter().filter(|a| a.settings.customer.as_ref() == Some(customer));
        let found = facts.accounts_of(customer).await?;
        let due = mine.map(|facts| &facts.settings.id);
        ensure(due.eq(&found), "a customer's accounts are not found, or not in order of bytes")?;
    }
    let nobodys = facts.accounts_of(&sample::of("nobody")?).await?;
    ensure(nobodys.is_empty(), "a customer that nobody is has accounts")
}

async fn items(facts: &mut dyn Facts, dump: &Dump) -> Kept {
    let nothing = sample::key("nothing")?;
    let keys: Vec<_> = dump.items.iter().map(item_key).cloned().collect();
    let key_of = |item: &StoredItem| item_key(item).clone();
    same("items", facts.items(&twice(&keys, &nothing)).await?, &dump.items, key_of)?;
    let keys: Vec<_> = dump.parked.iter().map(parked_key).cloned().collect();
    let key_of = |parked: &Parked| parked_key(parked).clone();
    let parked = facts.parked(&twice(&keys, &nothing)).await?;
    same("parked items", parked, &dump.parked, key_of)
}

/// Whichever record of a usage is asked for, all of that usage come and none of another.
async fn records(facts: &mut dyn Facts, dump: &Dump) -> Kept {
    let keys = dump.items.iter().map(item_key).filter(|key| key.partial.is_some());
    for usage in keys.map(ItemKey::of_final).collect::<BTreeSet<_>>() {
        let mine = dump.items.iter().filter(|item| item_key(item).of_final() == usage);
        let mine: Vec<_> = mine.cloned().collect();
        let asked = mine.iter().map(item_key).cloned();
        for key in asked.chain([usage.clone(), sample::partial(&usage, u32::MAX)]) {
            let found = facts.items(core::slice::from_ref(&key)).await?;
            same("records of one usage", found, &mine, |item| item_key(item).clone())?;
        }
    }
    Ok(())
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
    let versions = twice(&dump.versions(), &(sample::of("none")?, 1));
    let tariffs = facts.tariffs(&versions).await?;
    same("tariffs", tariffs, &dump.tariffs, |tariff| (tariff.id.clone(), tariff.version))?;
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

/// Whose usage is priced beyond an instant: asked of each instant up to which somebody's is, all at once and page by page.
async fn rated(facts: &mut dyn Facts, dump: &Dump) -> Kept {
    let until = |facts: &AccountFacts| facts.head.rated_until;
    let mut instants: BTreeSet<_> = dump.accounts.iter().filter_map(until).collect();
    instants.extend([Instant::MIN, Instant::MAX]);
    for instant in instants {
        let beyond = dump.accounts.iter().filter(|facts| until(facts) > Some(instant));
        let due: Vec<&AccountId> = beyond.map(|facts| &facts.settings.id).collect();
        let found = facts.rated_beyond(instant, None, u32::MAX).await?;
        let what = "accounts whose usage is priced beyond an instant are not those that have some";
        ensure(found.iter().eq(due.iter().copied()), what)?;
        for (account, next) in due.iter().zip(due.iter().skip(1)) {
            let found = facts.rated_beyond(instant, Some(account), 1).await?;
            ensure(found.iter().eq([*next]), what)?;
        }
    }
    Ok(())
}

/// What became of invoices, which parts they have, and which was issued to an account last.
async fn invoices(facts: &mut dyn Facts, dump: &Dump) -> Kept {
    let mark_key = |mark: &InvoiceMark| (mark.series.clone(), mark.number);
    let found = facts.invoice_marks(&twice(&dump.given(), &(sample::of("none")?, 1))).await?;
    same("marks of invoices", found, &dump.marks, mark_key)?;
    for account in dump.journals.keys() {
        let valid = dump
            .invoices
            .iter()
            .filter(|invoice| invoice.draft.account == *account && !is_void(&dump.marks, invoice));
        let last = valid.max_by_key(|i| (i.draft.period.start(), i.draft.kind));
        let last = last.map(|invoice| (invoice.series.clone(), invoice.number));
        ensure(facts.last_invoice(account).await? == last, "the last invoice is another one")?;
        let parts = facts.line_parts(account).await?;
        let mine: Vec<_> =
            dump.parts.iter().filter(|part| part.key.account == *account).cloned().collect();
        same("parts of lines", parts, &mine, Clone::clone)?;
    }
    let none: Option<(SeriesId, u64)> = facts.last_invoice(&sample::of("nobody")?).await?;
    ensure(none.is_none(), "an account that does not exist has an invoice")
}

async fn settlements(facts: &mut dyn Facts, dump: &Dump) -> Kept {
    let key_of = |settlement: &Settlement| {
        let (account, day, revision) = settlement_key(settlement);
        (account.clone(), day, revision)
    };
    let keys: Vec<_> = dump.settlements.iter().map(key_of).collect();
    let nothing = (sample::of("nobody")?, sample::of("2026-10-05")?, 1);
    let found = facts.settlements(&twice(&keys, &nothing)).await?;
    same("settlements", found, &dump.settlements, key_of)
}

/// Corrections by their ids, and which items of an account have other content.
async fn corrections(facts: &mut dyn Facts, dump: &Dump) -> Kept {
    let ids: Vec<_> = dump.corrections.iter().map(correction_key).cloned().collect();
    let found = facts.corrections(&twice(&ids, &sample::of("none")?)).await?;
    same("corrections", found, &dump.corrections, |recorded| correction_key(recorded).clone())?;
    for account in dump.journals.keys() {
        let is_mine =
            |item: &&StoredItem| item.claim.account == *account && item.claim.amended.is_some();
        let mine: Vec<_> = dump.items.iter().filter(is_mine).collect();
        let what = "the items of an account that have other content are not those that do";
        let found = facts.amended(account, None, u32::MAX).await?;
        ensure(found.iter().eq(mine.iter().copied()), what)?;
        for (item, next) in mine.iter().zip(mine.iter().skip(1)) {
            let found = facts.amended(account, Some(item_key(item)), 1).await?;
            ensure(found.iter().eq([*next]), what)?;
        }
    }
    Ok(())
}

/// What comes in pages, asked for at once, is what the rest of the state says.
async fn lists(facts: &mut dyn Facts, dump: &Dump) -> Kept {
    for account in dump.journals.keys() {
        let mine = dump.items.iter().filter(|item| item.claim.account == *account);
        let mut mine: Vec<_> = mine.filter(|item| item.item.at() < Instant::MAX).collect();
        mine.sort_by_key(|item| (item.item.at(), item_key(item)));
        let found = facts.history(account, &ALL).await?;
        ensure(found.iter().eq(mine), "a history is not the account's items in order of time")?;
        let mut mine: Vec<_> =
            dump.invoices.iter().filter(|i| i.draft.account == *account).collect();
        mine.sort_by_key(|invoice| invoice_place(invoice));
        let found = facts.invoice_page(account, None, u32::MAX).await?;
        ensure(found.iter().eq(mine), "a page of invoices is not the account's in their order")?;
    }
    let open = |one: &&Settlement| !matches!(one.state, SettlementState::Answered { .. });
    let open = dump.settlements.iter().filter(open);
    let found = facts.unanswered(None, u32::MAX).await?;
    ensure(open.eq(&found), "settlements without an answer are not those that have none")
}

/// The whole of a history.
const ALL: HistoryPage<'_> = HistoryPage {
    from: Instant::MIN,
    until: Instant::MAX,
    kind: None,
    after: None,
    limit: u32::MAX,
};

/// Asks for what another tenant has, by its names.
pub(super) async fn finds_nothing(facts: &mut dyn Facts, theirs: &Dump) -> Kept {
    for AccountFacts { settings, .. } in &theirs.accounts {
        let id = &settings.id;
        let ids = core::slice::from_ref(id);
        let customer = settings.customer.clone().into_iter().collect::<Vec<_>>();
        for customer in &customer {
            ensure(
                facts.accounts_of(customer).await?.is_empty(),
                "a tenant has another's customer",
            )?;
        }
        let rows = [
            facts.accounts(ids).await?.len(),
            facts.history(id, &ALL).await?.len(),
            facts.amended(id, None, 10).await?.len(),
            facts.unbilled(ids).await?.len(),
            facts.unhanded(ids).await?.len(),
            facts.totals_between(id, Day::MIN, Day::MAX).await?.len(),
            facts.totals_of(id).await?.len(),
            facts.carries_of(id).await?.len(),
            facts.journal(id, 0, 10).await?.len(),
            facts.invoices_of(id).await?.len(),
            facts.invoice_page(id, None, 10).await?.len(),
            facts.last_invoice(id).await?.iter().count(),
            facts.settlements_of(id).await?.len(),
            facts.line_parts(id).await?.len(),
        ];
        ensure(rows.iter().all(|rows| *rows == 0), format!("{rows:?} rows are another tenant's"))?;
    }
    let keys: Vec<_> = theirs.items.iter().map(item_key).cloned().collect();
    let corrections: Vec<_> = theirs.corrections.iter().map(correction_key).cloned().collect();
    let parked: Vec<_> = theirs.parked.iter().map(parked_key).cloned().collect();
    let settled = theirs.settlements.iter().map(settlement_key);
    let settled: Vec<_> = settled.map(|(id, day, number)| (id.clone(), day, number)).collect();
    let rows = [
        facts.items(&keys).await?.len(),
        facts.item_page(None, 10).await?.len(),
        facts.corrections(&corrections).await?.len(),
        facts.correction_page(None, 10).await?.len(),
        facts.parked(&parked).await?.len(),
        facts.parked_page(None, 10).await?.len(),
        facts.dropped_page(None, 10).await?.len(),
        facts.settlements(&settled).await?.len(),
        facts.unanswered(None, 10).await?.len(),
        facts.unhanded_accounts(None, 10).await?.len(),
        facts.invoice_marks(&theirs.given()).await?.len(),
        facts.strays().await?.len(),
        facts.tariffs(&theirs.versions()).await?.len(),
        facts.rated_beyond(Instant::MIN, None, 10).await?.len(),
    ];
    ensure(rows.iter().all(|rows| *rows == 0), format!("{rows:?} rows are another tenant's"))
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
