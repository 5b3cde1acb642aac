//! Laws of corrections: what was corrected is billed as if it had been right from the start, on any store.

use std::collections::BTreeMap;

use proptest::{prelude::*, test_runner::TestRunner};

use billing_core::{
    correction::{Change, Correction, CorrectionReport, Selection},
    decide::{Batch, CorrectError},
    digest::Digest,
    id::{AccountId, CorrectionId, Group, PlanId, StrategyId},
    item::{Incoming, Item, ItemKey},
    money::Amount,
    tariff::{Activation, TariffSpec},
    terms::Overrides,
    time::{Day, Instant},
    usage::{DayUsage, Totals},
};
use billing_store::{Error, MemoryStore, Outcome, Tenant, state_hash, verify::verify};

use crate::{
    sum,
    world::{
        Span, Usage, block_on, cases, flat, items, retail, set_up, tenant, usage, with_sqlite,
    },
};

/// After everything that is used.
const NOW: &str = "2026-11-03T00:00:00Z";
/// When some of it is invoiced.
const THEN: &str = "2026-10-20T00:00:00Z";

/// One item: what it is, and what it was reported as. One of the two may be missing: then it should not be there, or was right at once.
#[derive(Clone, Debug)]
struct Told {
    account: u8,
    right: Option<Usage>,
    wrong: Option<Usage>,
}

fn told() -> impl Strategy<Value = Told> {
    let one = || usage(Span::Moment).prop_filter("one item", |usage| !is_records(usage));
    (0_u8..6, one(), one(), 0_u8..4).prop_map(|(account, right, wrong, which)| {
        let (right, wrong) = match which {
            0 => (None, Some(wrong)),
            1 => (Some(right), None),
            _ if is_same_kind(&right, &wrong) => (Some(right), Some(wrong)),
            _ => (Some(right), None),
        };
        Told { account, right, wrong }
    })
}

const fn is_records(usage: &Usage) -> bool {
    matches!(usage, Usage::Records { .. })
}

fn is_same_kind(one: &Usage, other: &Usage) -> bool {
    core::mem::discriminant(one) == core::mem::discriminant(other)
}

fn item(id: usize, account: u8, usage: &Usage) -> Incoming {
    items(id, account, usage).remove(0)
}

/// What was reported first, as items.
fn reported(all: &[Told]) -> Vec<(usize, Incoming)> {
    let first = |(id, one): (usize, &Told)| {
        let usage = one.wrong.as_ref().or(one.right.as_ref())?;
        Some((id, item(id, one.account, usage)))
    };
    all.iter().enumerate().filter_map(first).collect()
}

async fn ingest(tenant: &Tenant, items: Vec<Incoming>) {
    let entries = items.into_iter().map(Ok).collect();
    let taken = tenant.ingest(&Batch { label: String::new(), entries }).await.unwrap();
    assert!(taken.intake.balances());
}

async fn issue(tenant: &Tenant, as_of: &str) {
    let series = "main".parse().unwrap();
    tenant.issue_invoices(&series, as_of.parse().unwrap()).await.unwrap();
}

fn asked(id: &str, change: Change) -> Correction {
    Correction { id: id.parse().unwrap(), reason: "a complaint".into(), change }
}

/// Makes a correction, after a preview and before a repetition, which both say the same.
async fn correct(tenant: &Tenant, correction: &Correction) -> Result<CorrectionReport, Error> {
    let preview = tenant.preview_correction(correction).await;
    let made = tenant.correct(correction).await?;
    assert_eq!((made.outcome, &made.report), (Outcome::New, &preview.unwrap()));
    let again = tenant.correct(correction).await.unwrap();
    assert_eq!((again.outcome, &again.report), (Outcome::Replay, &made.report));
    Ok(made.report)
}

/// Mends one item: it is taken back, or amended; what is parked comes again.
async fn mend(tenant: &Tenant, id: usize, one: &Told) {
    let Some(wrong) = &one.wrong else { return };
    let key = item(id, one.account, wrong).key;
    let void = |suffix: &str| asked(&format!("{id}{suffix}"), Change::Void { key: key.clone() });
    let Some(right) = &one.right else {
        match correct(tenant, &void("")).await {
            Err(Error::NotRecorded { .. }) => {
                tenant.drop_parked(&key, "a test").await.unwrap();
                return;
            }
            answer => assert_eq!(answer.unwrap().changed, 1),
        }
        // Twice is once.
        assert_eq!(correct(tenant, &void("-again")).await.unwrap().changed, 0);
        return;
    };
    let right = item(id, one.account, right);
    let change = Change::Amend { key: key.clone(), item: right.item.clone() };
    match correct(tenant, &asked(&id.to_string(), change)).await {
        Ok(report) => assert_eq!(report.examined, 1),
        Err(Error::NotRecorded { .. }) => ingest(tenant, vec![right]).await,
        // What cannot be priced is not billed; without a correction it had been parked.
        Err(Error::Correct(CorrectError::Unpriced { .. })) => {
            assert_eq!(correct(tenant, &void("-void")).await.unwrap().changed, 1);
        }
        Err(error) => panic!("{error}"),
    }
}

/// What an account is billed and has been billed, by strategy and group, and what each of its days used; without what is nothing.
type Standing = (BTreeMap<(StrategyId, Group), Amount>, Vec<DayUsage>);

async fn standing(tenant: &Tenant) -> Vec<Standing> {
    let mut all = Vec::new();
    for number in 0..5 {
        let account: AccountId = format!("account-{number}").parse().unwrap();
        let invoices = tenant.invoices(&account).await.unwrap();
        let bill = tenant.bill(&account, NOW.parse().unwrap()).await.unwrap();
        let drafts = bill.ended.iter().chain(&bill.open);
        let lines = invoices.iter().map(|invoice| &invoice.draft).chain(drafts);
        let mut sums: BTreeMap<_, Amount> = BTreeMap::new();
        for line in lines.flat_map(|draft| &draft.lines) {
            let all = sum(line.parts.iter().map(|part| part.share));
            assert!(line.parts.is_empty() || all == line.amount, "{line:?}");
            let key = (line.strategy.clone(), line.group.clone());
            let billed = sums.entry(key).or_insert(Amount::ZERO);
            *billed = billed.checked_add(line.amount).unwrap();
        }
        sums.retain(|_, sum| !sum.is_zero());
        let (first, last) = ("2026-01-01".parse().unwrap(), "2027-01-01".parse().unwrap());
        let mut days = tenant.usage(&account, first, last).await.unwrap();
        let nothing = |totals: &Totals| {
            (totals.count, totals.quantity.is_zero()) == (0, true)
                && totals.amount.is_none_or(Amount::is_zero)
        };
        days.retain(|day| !nothing(&day.totals));
        all.push((sums, days));
    }
    all
}

async fn is_sound(tenant: &Tenant) {
    assert_eq!(verify(tenant).await.unwrap().findings, []);
}

/// What is left of a life: what stands, and the hash.
type Left = (Vec<Standing>, Digest);

async fn left(tenant: &Tenant) -> Left {
    is_sound(tenant).await;
    (standing(tenant).await, state_hash(tenant).await.unwrap())
}

/// Lives on both stores, which must come to the same.
fn on_both<F>(live: &F) -> Left
where
    F: AsyncFn(&Tenant) -> Left,
{
    let memory = block_on(async { live(&tenant(MemoryStore::new(), NOW).0).await });
    let sqlite = block_on(with_sqlite(async |store| live(&tenant(store, NOW).0).await));
    assert_eq!(memory, sqlite);
    memory
}

fn hold<S: Strategy>(of: S, law: impl Fn(S::Value)) {
    let config = ProptestConfig { cases: cases(), ..ProptestConfig::default() };
    let held = TestRunner::new(config).run(&of, |value| {
        law(value);
        Ok(())
    });
    held.unwrap();
}

#[test]
fn what_is_corrected_is_billed_as_if_it_had_been_right_also_over_an_invoice() {
    let all = proptest::collection::vec(told(), 1..25);
    hold((all, any::<bool>()), |(all, invoiced)| {
        let corrected = on_both(&async |tenant| {
            set_up(tenant).await;
            ingest(tenant, reported(&all).into_iter().map(|(_, item)| item).collect()).await;
            if invoiced {
                issue(tenant, THEN).await;
            }
            for (id, one) in all.iter().enumerate() {
                mend(tenant, id, one).await;
            }
            // Nothing is wrong any more.
            let again = asked("again", Change::Rerate { selection: Selection::all() });
            assert_eq!(correct(tenant, &again).await.unwrap().changed, 0);
            let done = left(tenant).await;
            issue(tenant, NOW).await;
            is_sound(tenant).await;
            assert_eq!(standing(tenant).await, done.0, "what is drafted is what is issued");
            done
        });
        let right = on_both(&async |tenant| {
            set_up(tenant).await;
            let right = all
                .iter()
                .enumerate()
                .filter_map(|(id, one)| Some(item(id, one.account, one.right.as_ref()?)));
            ingest(tenant, right.collect()).await;
            if invoiced {
                issue(tenant, THEN).await;
            }
            left(tenant).await
        });
        assert_eq!(corrected.0, right.0);
    });
}

#[test]
fn other_items_may_come_before_or_after_a_correction() {
    let all = proptest::collection::vec(told(), 1..25);
    hold((all, any::<u64>()), |(all, seed)| {
        let after = on_both(&async |tenant| {
            set_up(tenant).await;
            ingest(tenant, reported(&all).into_iter().map(|(_, item)| item).collect()).await;
            for (id, one) in all.iter().enumerate() {
                mend(tenant, id, one).await;
            }
            left(tenant).await
        });
        let between = on_both(&async |tenant| {
            set_up(tenant).await;
            let (late, early): (Vec<_>, Vec<_>) =
                reported(&all).into_iter().partition(|(id, _)| (seed >> (id % 64)) & 1 == 1);
            let mut late = late.into_iter();
            ingest(tenant, early.iter().map(|(_, item)| item.clone()).collect()).await;
            for (id, _) in early.iter().rev() {
                mend(tenant, *id, &all[*id]).await;
                if let Some((id, item)) = late.next() {
                    ingest(tenant, vec![item]).await;
                    mend(tenant, id, &all[id]).await;
                }
            }
            for (id, item) in late {
                ingest(tenant, vec![item]).await;
                mend(tenant, id, &all[id]).await;
            }
            left(tenant).await
        });
        assert_eq!(after, between);
    });
}

#[test]
fn what_is_amended_and_amended_back_or_taken_back_leaves_what_was_there_before() {
    let all = proptest::collection::vec(told(), 1..25);
    hold((all, any::<bool>()), |(all, invoiced)| {
        let _left = on_both(&async |tenant| {
            set_up(tenant).await;
            let items: Vec<_> = reported(&all);
            let nothing = standing(tenant).await;
            ingest(tenant, items.iter().map(|(_, item)| item.clone()).collect()).await;
            if invoiced {
                issue(tenant, THEN).await;
            }
            let before = standing(tenant).await;
            let mut recorded = Vec::new();
            for (id, item) in &items {
                let other = all[*id].right.as_ref().or(all[*id].wrong.as_ref()).unwrap();
                let other = self::item(*id, all[*id].account, other).item;
                if let Some(key) = there_and_back(tenant, item, other).await {
                    recorded.push(key);
                }
            }
            is_sound(tenant).await;
            assert_eq!(standing(tenant).await, before);
            for key in recorded {
                let id = format!("void-{key}");
                assert_eq!(
                    correct(tenant, &asked(&id, Change::Void { key })).await.unwrap().changed,
                    1
                );
            }
            let done = left(tenant).await;
            assert_eq!(done.0, nothing);
            done
        });
    });
}

/// Amends an item and amends it back, takes it back and gives it its content again; `None` if it is not recorded.
async fn there_and_back(tenant: &Tenant, item: &Incoming, other: Item) -> Option<ItemKey> {
    let key = item.key.clone();
    let amend = |id: &str, item: &Item| {
        let change = Change::Amend { key: key.clone(), item: item.clone() };
        asked(&format!("{id}-{key}"), change)
    };
    match correct(tenant, &amend("there", &other)).await {
        Err(Error::NotRecorded { .. }) => return None,
        Err(Error::Correct(CorrectError::Unpriced { .. })) => {}
        answer => drop(answer.unwrap()),
    }
    correct(tenant, &amend("back", &item.item)).await.unwrap();
    let void = asked(&format!("gone-{key}"), Change::Void { key: key.clone() });
    assert_eq!(correct(tenant, &void).await.unwrap().changed, 1);
    assert_eq!(correct(tenant, &amend("here", &item.item)).await.unwrap().changed, 1);
    Some(key)
}

/// A tariff that changes, as a version more, from some minute on.
fn change() -> impl Strategy<Value = (TariffSpec, Instant)> {
    (0_u8..3, 0_u32..70 * 24 * 60).prop_map(|(tariff, minute)| {
        let spec = match tariff {
            0 => retail(7),
            1 => flat("world", 7, "time"),
            _ => flat("pieces", 7, "units"),
        };
        // Between the minutes at which something is used, so that it takes over from another in any case.
        (spec, crate::world::at(minute).checked_add_ms(1).unwrap())
    })
}

/// What is right from the start, what is told first, and what had to be mended before.
#[derive(Clone, Debug)]
struct Mixed {
    usages: Vec<(u8, Usage)>,
    told: Vec<Told>,
}

fn mixed() -> impl Strategy<Value = Mixed> {
    let usages = proptest::collection::vec((0_u8..6, usage(Span::Days)), 1..20);
    let told = proptest::collection::vec(told(), 1..10);
    (usages, told).prop_map(|(usages, told)| Mixed { usages, told })
}

impl Mixed {
    fn always(&self) -> Vec<Incoming> {
        let numbered = self.usages.iter().zip(1_000..);
        numbered.flat_map(|((account, usage), id)| items(id, *account, usage)).collect()
    }

    fn right(&self) -> Vec<Incoming> {
        let numbered = self.told.iter().enumerate();
        let right =
            numbered.filter_map(|(id, one)| Some(item(id, one.account, one.right.as_ref()?)));
        self.always().into_iter().chain(right).collect()
    }

    /// Everything is told, and mended.
    async fn tell(&self, tenant: &Tenant) {
        let told = reported(&self.told).into_iter().map(|(_, item)| item);
        ingest(tenant, self.always().into_iter().chain(told).collect()).await;
        for (id, one) in self.told.iter().enumerate() {
            mend(tenant, id, one).await;
        }
    }

    /// What could not be priced before may have a price by now.
    async fn tell_again(&self, tenant: &Tenant) {
        let parked = tenant.parked(None, 1_000).await.unwrap();
        let keys: Vec<_> = parked.into_iter().map(|parked| parked.incoming.key).collect();
        tenant.retry_parked(&keys).await.unwrap();
        for (id, one) in self.told.iter().enumerate() {
            let Some(right) = one.right.as_ref().filter(|_| one.wrong.is_some()) else { continue };
            let Incoming { key, item, .. } = item(id, one.account, right);
            let amend = asked(&format!("{id}-later"), Change::Amend { key, item });
            match correct(tenant, &amend).await {
                Ok(_)
                | Err(Error::NotRecorded { .. } | Error::Correct(CorrectError::Unpriced { .. })) => {
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn a_tariff_that_comes_into_force_with_its_rerate_prices_as_if_it_had_always_been() {
    hold((mixed(), change(), any::<bool>()), |(all, (spec, from), invoiced)| {
        let activation = Activation { tariff: spec.id.clone(), version: spec.version, from };
        let anew = on_both(&async |tenant| {
            set_up(tenant).await;
            all.tell(tenant).await;
            if invoiced {
                issue(tenant, THEN).await;
            }
            tenant.save_tariff(&spec).await.unwrap();
            let activation = activation.clone();
            let change = Change::ActivateTariff { activation };
            correct(tenant, &asked("dearer", change)).await.unwrap();
            let again = asked("again", Change::Rerate { selection: Selection::all() });
            assert_eq!(correct(tenant, &again).await.unwrap().changed, 0);
            all.tell_again(tenant).await;
            left(tenant).await
        });
        let always = on_both(&async |tenant| {
            set_up(tenant).await;
            tenant.save_tariff(&spec).await.unwrap();
            tenant.activate_tariff(&spec.id, spec.version, from).await.unwrap();
            ingest(tenant, all.right()).await;
            if invoiced {
                issue(tenant, THEN).await;
            }
            left(tenant).await
        });
        assert_eq!(anew.0, always.0);
    });
}

#[test]
fn a_tariff_that_is_changed_and_changed_back_leaves_what_was_there_before() {
    let usages = proptest::collection::vec((0_u8..6, usage(Span::Days)), 1..25);
    hold((usages, any::<bool>()), |(usages, invoiced)| {
        let numbered = usages.iter().enumerate();
        let all: Vec<Incoming> =
            numbered.flat_map(|(id, (account, usage))| items(id, *account, usage)).collect();
        let _left = on_both(&async |tenant| {
            set_up(tenant).await;
            ingest(tenant, all.clone()).await;
            if invoiced {
                issue(tenant, THEN).await;
            }
            let before = standing(tenant).await;
            // After the second version came into force, which the fourth repeats.
            let from: Instant = "2026-09-21T00:00:00.000001Z".parse().unwrap();
            let next: Instant = "2026-09-21T00:00:00.000002Z".parse().unwrap();
            for (version, from, spec) in [(3, from, retail(9)), (4, next, retail(2))] {
                let spec = TariffSpec { version, ..spec };
                tenant.save_tariff(&spec).await.unwrap();
                let activation = Activation { tariff: spec.id, version, from };
                let change = Change::ActivateTariff { activation };
                correct(tenant, &asked(&version.to_string(), change)).await.unwrap();
                is_sound(tenant).await;
            }
            let done = left(tenant).await;
            assert_eq!(done.0, before);
            done
        });
    });
}

#[test]
fn a_plan_that_is_assigned_with_its_rerate_prices_as_if_it_had_always_been() {
    hold((mixed(), 0_u8..5, 0_u8..5, 0_i32..60), |(all, account, plan, day)| {
        let account: AccountId = format!("account-{account}").parse().unwrap();
        let plan: PlanId = format!("plan-{plan}").parse().unwrap();
        let first: Day = "2026-09-01".parse().unwrap();
        let from = first.plus_days(day).unwrap();
        let assigned = std::cell::Cell::new(true);
        let anew = on_both(&async |tenant| {
            set_up(tenant).await;
            all.tell(tenant).await;
            let (account, plan, overrides) = (account.clone(), plan.clone(), Overrides::none());
            let change = Change::AssignPlan { account, plan, version: 1, from, overrides };
            match correct(tenant, &asked("plan", change)).await {
                Err(Error::Assign(_) | Error::Correct(CorrectError::Unpriced { .. })) => {
                    assigned.set(false);
                }
                answer => drop(answer.unwrap()),
            }
            all.tell_again(tenant).await;
            let done = left(tenant).await;
            issue(tenant, NOW).await;
            is_sound(tenant).await;
            done
        });
        if !assigned.get() {
            return;
        }
        let always = on_both(&async |tenant| {
            set_up(tenant).await;
            tenant.assign(&account, &plan, 1, from).await.unwrap();
            ingest(tenant, all.right()).await;
            left(tenant).await
        });
        assert_eq!(anew.0, always.0);
    });
}

#[test]
fn corrections_are_listed_in_order_of_their_ids() {
    block_on(async {
        let (tenant, _) = tenant(MemoryStore::new(), NOW);
        for id in ["b", "a"] {
            let rerate = Change::Rerate { selection: Selection::all() };
            assert_eq!(correct(&tenant, &asked(id, rerate)).await.unwrap().examined, 0);
        }
        let listed = tenant.corrections(None, 10).await.unwrap();
        let ids: Vec<CorrectionId> = listed.into_iter().map(|one| one.correction.id).collect();
        assert_eq!(ids, ["a".parse().unwrap(), "b".parse().unwrap()]);
    });
}
