//! The way to the processor: what it has not accepted yet, and what it says of what it is handed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use billing::{
    AccountId, Day, Error, Outcome, Quantity, Tenant,
    core::{
        id::Group,
        settlement::{Answer, Handover, Settlement, SettlementState},
    },
    store::store::Facts,
};

/// How many accounts or settlements are read at once.
const PAGE: u32 = 500;

/// One revision of one account's day.
pub type Place = (AccountId, Day, u32);

/// What is added up together: an account's day, and the product and unit within.
pub type Totals = BTreeMap<(AccountId, Day, Group), Quantity>;

/// How far days have come on their way to the processor.
#[derive(Debug)]
pub struct Handing {
    tenant: Tenant,
    /// Days that were refused, and a few that are not any more: the store knows what each is, and does not list them.
    refused: Mutex<BTreeSet<Place>>,
}

impl Handing {
    pub async fn open(tenant: Tenant) -> Result<Self, Error> {
        let refused = Mutex::new(refused(&tenant).await?);
        Ok(Self { tenant, refused })
    }

    pub const fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// What the processor has not accepted: totals that wait to be handed over, and days on their way or refused.
    ///
    /// All of it is read from one state of the store, so that a day that moves on meanwhile is neither missing nor there twice.
    pub async fn not_accepted(&self) -> Result<Totals, Error> {
        let mut facts = self.tenant.read().await?;
        let mut totals = Totals::new();
        let mut after: Option<AccountId> = None;
        loop {
            let page = facts.unhanded_accounts(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            for total in facts.unhanded(&page).await? {
                let key = (total.key.account, total.key.day, total.key.group);
                add(&mut totals, key, total.totals.quantity)?;
            }
        }
        let mut settlements = unanswered(&mut *facts).await?;
        // Asked for after the state was fixed, so that all that are refused in it are among them; others may be too.
        let refused: Vec<Place> = self.refused().iter().cloned().collect();
        let refused = facts.settlements(&refused).await?.into_iter();
        settlements.extend(refused.map(|refused| (place_of(&refused.handover), refused)));
        for Settlement { handover, .. } in settlements.into_values().filter(is_not_accepted) {
            for total in handover.totals {
                let key = (handover.account.clone(), handover.day, total.group);
                add(&mut totals, key, total.totals.quantity)?;
            }
        }
        Ok(totals)
    }

    /// Records what the processor says of a day.
    pub async fn answered(&self, handover: &Handover, answer: Answer) -> Result<(), Error> {
        let Handover { account, day, revision, .. } = handover;
        let (place, is_refused) = (place_of(handover), matches!(answer, Answer::Refused { .. }));
        // Listed before it is refused and until it is accepted, so that no reader finds it nowhere.
        if is_refused {
            self.refused().insert(place.clone());
        }
        let first = self.tenant.answer_settlement(account, *day, *revision, answer).await?;
        if !is_refused && first == Outcome::New {
            self.refused().remove(&place);
        }
        Ok(())
    }

    /// Lets refused days be sent once more; those of one day, or all.
    pub async fn resend_refused(&self, only: Option<Day>) -> Result<(), Error> {
        let refused: Vec<Place> = self.refused().iter().cloned().collect();
        let asked = |(_, day, _): &Place| only.is_none_or(|only| *day == only);
        for (account, day, revision) in refused.into_iter().filter(asked) {
            match self.tenant.resend_settlement(&account, day, revision).await {
                // It is on its way again already.
                Ok(()) | Err(Error::UnknownSettlement { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn refused(&self) -> MutexGuard<'_, BTreeSet<Place>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All days that were refused, when the program starts.
async fn refused(tenant: &Tenant) -> Result<BTreeSet<Place>, Error> {
    let mut facts = tenant.read().await?;
    let (mut places, mut after) = (BTreeSet::new(), None::<AccountId>);
    loop {
        let page = facts.account_page(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(places) };
        after = Some(last.clone());
        for account in &page {
            let settlements = facts.settlements_of(account).await?.into_iter();
            let refused = settlements.filter(|one| one.state.name() == "refused");
            places.extend(refused.map(|refused| place_of(&refused.handover)));
        }
    }
}

async fn unanswered(facts: &mut dyn Facts) -> Result<BTreeMap<Place, Settlement>, Error> {
    let mut found: BTreeMap<Place, Settlement> = BTreeMap::new();
    loop {
        let after = found.keys().next_back();
        let after = after.map(|(account, day, revision)| (account, *day, *revision));
        let page = facts.unanswered(after, PAGE).await?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page.into_iter().map(|one| (place_of(&one.handover), one)));
    }
}

fn is_not_accepted(settlement: &Settlement) -> bool {
    let accepted = |answer: &Answer| matches!(answer, Answer::Accepted { .. });
    !matches!(&settlement.state, SettlementState::Answered { answer, .. } if accepted(answer))
}

fn add(totals: &mut Totals, key: (AccountId, Day, Group), more: Quantity) -> Result<(), Error> {
    let sum = totals.entry(key).or_insert(Quantity::ZERO);
    *sum = sum.checked_add(more)?;
    Ok(())
}

pub fn place_of(handover: &Handover) -> Place {
    (handover.account.clone(), handover.day, handover.revision)
}
