//! Handing closed days to a downstream processor, and recording what it answers.

use std::collections::BTreeSet;

use billing_core::{
    decide::{self, Days, Writes},
    id::AccountId,
    settlement::{Answer, Handover, Settlement},
    time::Day,
};

use crate::{
    answer::{Error, Outcome, Result},
    billing::{Tenant, catalog::apply},
    settlement::{Processor, ProcessorError, Sent},
    store::{Locks, Unit},
};

const PAGE: u32 = 100;

impl Tenant {
    /// Closes days and makes settlements of them, to be sent; gives how many revisions of days that were.
    ///
    /// What arrives afterwards for a closed day forms its next revision. Handing over twice does nothing twice.
    ///
    /// # Errors
    ///
    /// [`Error::JournalFull`], [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::decide::Days;
    ///
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # acme.save_plan(&serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}},
    /// #                       {"id":"usage","kind":"unpriced","terms":{}}]}"#,
    /// # )?).await?;
    /// # acme.open_account(&serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","customer":"carol",
    /// #         "anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?).await?;
    /// # let alice = "alice".parse()?;
    /// # acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let pulse: billing_core::item::PulseReported = serde_json::from_str(
    /// #     r#"{"key":{"source":"meter","id":"1"},"account":"alice",
    /// #         "pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}}"#,
    /// # )?;
    /// acme.pulses_reported(&[pulse.clone()]).await?;
    /// assert_eq!(acme.hand_over(Days::Ended).await?, 1);
    /// assert_eq!(acme.hand_over(Days::Ended).await?, 0);
    ///
    /// let late = billing_core::item::PulseReported {
    ///     key: billing_core::item::ItemKey::new("meter".parse()?, "2".parse()?),
    ///     ..pulse
    /// };
    /// acme.pulses_reported(&[late]).await?;
    /// assert_eq!(acme.hand_over(Days::Ended).await?, 1);
    /// assert_eq!(acme.settlements(&alice).await?[1].handover.revision, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn hand_over(&self, days: Days) -> Result<u64> {
        let mut made = 0_u64;
        let mut after: Option<AccountId> = None;
        loop {
            let page = self.read().await?.unhanded_accounts(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(made) };
            after = Some(last.clone());
            let locks = Locks::accounts(page.iter().cloned());
            let mut unit = self.parts.store.begin(&self.id, &locks).await?;
            made = made.saturating_add(self.hand_over_in(&mut *unit, &page, days).await?);
            unit.commit().await?;
        }
    }

    /// [`hand_over`](Self::hand_over) of these accounts, inside the caller's unit, which holds them.
    ///
    /// # Errors
    ///
    /// As [`hand_over`](Self::hand_over), [`Error::UnknownAccount`] and [`Error::OtherTenant`].
    ///
    /// # Examples
    ///
    /// All twins in one unit: see [`Tenant`].
    pub async fn hand_over_in(
        &self,
        unit: &mut dyn Unit,
        accounts: &[AccountId],
        days: Days,
    ) -> Result<u64> {
        self.expect_mine(unit)?;
        let now = self.parts.clock.now();
        let known = unit.accounts(accounts).await?;
        let unknown = |id: &&AccountId| !known.iter().any(|facts| facts.settings.id == **id);
        if let Some(account) = accounts.iter().find(unknown).cloned() {
            return Err(Error::UnknownAccount { account });
        }
        let unhanded = unit.unhanded(accounts).await?;
        let mut writes = Writes::default();
        for account in &known {
            let of_account = |total: &&_| is_of(total, &account.settings.id);
            let mine: Vec<_> = unhanded.iter().filter(of_account).cloned().collect();
            let more = decide::hand_over(account, &mine, days, now)?;
            writes.totals.extend(more.totals);
            writes.events.extend(more.events);
            writes.heads.extend(more.heads);
            writes.settlements.extend(more.settlements);
        }
        let made = u64::try_from(writes.settlements.len()).unwrap_or(u64::MAX);
        if made > 0 {
            unit.apply(&writes).await?;
        }
        Ok(made)
    }

    /// Sends what is pending, and what was sent `answer_ms_max` milliseconds ago or longer and has no answer, and records the
    /// answers.
    ///
    /// That a revision is sent is stored before it is, and its answer after: whatever fails in between, it is sent again with the
    /// same content, and nothing is lost.
    ///
    /// # Errors
    ///
    /// [`Error::Processor`], at the end, if the processor did not answer a batch, or not each revision of it; what it answered of the
    /// others is recorded.
    /// [`Error::JournalFull`], [`Error::Store`].
    ///
    /// # Examples
    ///
    /// See [`settle_days`](Self::settle_days).
    pub async fn send_settlements(
        &self,
        processor: &dyn Processor,
        answer_ms_max: u64,
    ) -> Result<Sent> {
        let mut report = Sent::default();
        let mut failed: Option<ProcessorError> = None;
        let mut after: Option<(AccountId, Day, u32)> = None;
        loop {
            let place = after.as_ref().map(|(account, day, revision)| (account, *day, *revision));
            let page = self.read().await?.unanswered(place, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(place_of(last));
            let sent = self.mark_sent(&page, answer_ms_max).await?;
            if sent.is_empty() {
                continue;
            }
            let answers = match processor.process(&self.id, &sent).await {
                Ok(answers) if answers.len() == sent.len() => answers,
                Ok(answers) => {
                    let (came, due) = (answers.len(), sent.len());
                    let what = format!("{came} answers to {due} revisions of days");
                    failed.get_or_insert(what.into());
                    continue;
                }
                // One batch that fails keeps no other from being sent.
                Err(source) => {
                    failed.get_or_insert(source);
                    continue;
                }
            };
            for (handover, answer) in sent.iter().zip(answers) {
                report.sent = report.sent.saturating_add(1);
                let count = match &answer {
                    Answer::Accepted { .. } => &mut report.accepted,
                    Answer::Refused { .. } => &mut report.refused,
                };
                let Handover { account, day, revision, .. } = handover;
                match self.answer_settlement(account, *day, *revision, answer).await? {
                    Outcome::New => *count = count.saturating_add(1),
                    // Another process has recorded an answer meanwhile.
                    Outcome::Replay => {}
                }
            }
        }
        failed.map_or(Ok(report), |source| Err(Error::Processor { source }))
    }

    /// Hands over days and sends what is to be sent: [`hand_over`](Self::hand_over), then
    /// [`send_settlements`](Self::send_settlements).
    ///
    /// # Errors
    ///
    /// As both.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::{decide::Days, id::TenantId, settlement::{Answer, Handover}};
    /// use billing_store::settlement::{Processor, ProcessorError};
    ///
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # acme.save_plan(&serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}},
    /// #                       {"id":"usage","kind":"unpriced","terms":{}}]}"#,
    /// # )?).await?;
    /// # acme.open_account(&serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","customer":"carol",
    /// #         "anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?).await?;
    /// # let alice = "alice".parse()?;
    /// # acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let pulse: billing_core::item::PulseReported = serde_json::from_str(
    /// #     r#"{"key":{"source":"meter","id":"1"},"account":"alice",
    /// #         "pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}}"#,
    /// # )?;
    /// #[derive(Debug)]
    /// struct Ledger;
    ///
    /// #[async_trait::async_trait]
    /// impl Processor for Ledger {
    ///     async fn process(
    ///         &self,
    ///         _tenant: &TenantId,
    ///         handovers: &[Handover],
    ///     ) -> Result<Vec<Answer>, ProcessorError> {
    ///         Ok(handovers.iter().map(|_| Answer::Accepted { reference: "7".into() }).collect())
    ///     }
    /// }
    ///
    /// acme.pulses_reported(&[pulse]).await?;
    /// let sent = acme.settle_days(&Ledger, Days::All, 60_000).await?;
    /// assert_eq!((sent.sent, sent.accepted), (1, 1));
    /// assert_eq!(acme.settlements(&alice).await?[0].state.name(), "accepted");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn settle_days(
        &self,
        processor: &dyn Processor,
        days: Days,
        answer_ms_max: u64,
    ) -> Result<Sent> {
        let _made: u64 = self.hand_over(days).await?;
        self.send_settlements(processor, answer_ms_max).await
    }

    /// Records what a processor answered; for one that the host hands settlements to itself, or that answers later.
    ///
    /// What is accepted stays so, what is refused is accepted if the processor takes it after all, and a refusal of what is to
    /// be sent again is an old one: an answer that changes nothing is [`Outcome::Replay`].
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSettlement`], [`Error::JournalFull`], [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::{decide::Days, settlement::Answer};
    /// use billing_store::Outcome;
    ///
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # acme.save_plan(&serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}},
    /// #                       {"id":"usage","kind":"unpriced","terms":{}}]}"#,
    /// # )?).await?;
    /// # acme.open_account(&serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","customer":"carol",
    /// #         "anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?).await?;
    /// # let alice = "alice".parse()?;
    /// # acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let pulse: billing_core::item::PulseReported = serde_json::from_str(
    /// #     r#"{"key":{"source":"meter","id":"1"},"account":"alice",
    /// #         "pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}}"#,
    /// # )?;
    /// acme.pulses_reported(&[pulse]).await?;
    /// acme.hand_over(Days::All).await?;
    /// let day = "2026-10-05".parse()?;
    /// let answer = Answer::Accepted { reference: "batch 7".into() };
    /// assert_eq!(acme.answer_settlement(&alice, day, 1, answer.clone()).await?, Outcome::New);
    /// assert_eq!(acme.answer_settlement(&alice, day, 1, answer).await?, Outcome::Replay);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn answer_settlement(
        &self,
        account: &AccountId,
        day: Day,
        revision: u32,
        answer: Answer,
    ) -> Result<Outcome> {
        let locks = Locks::accounts([account.clone()]);
        let mut unit = self.parts.store.begin(&self.id, &locks).await?;
        let settlement = self.settlement(&mut *unit, account, day, revision, "known").await?;
        let facts = self.account(&mut *unit, account).await?;
        let writes = decide::answer(&facts, &settlement, answer, self.parts.clock.now())?;
        let outcome = apply(&mut *unit, writes).await?;
        unit.commit().await?;
        Ok(outcome)
    }

    /// Makes a refused settlement pending again, with the same content, because what it was refused for was mended.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSettlement`] if there is none or it was not refused, [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::{decide::Days, id::TenantId, settlement::{Answer, Handover}};
    /// use billing_store::settlement::{Processor, ProcessorError};
    ///
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # acme.save_plan(&serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}},
    /// #                       {"id":"usage","kind":"unpriced","terms":{}}]}"#,
    /// # )?).await?;
    /// # acme.open_account(&serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","customer":"carol",
    /// #         "anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?).await?;
    /// # let alice = "alice".parse()?;
    /// # acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let pulse: billing_core::item::PulseReported = serde_json::from_str(
    /// #     r#"{"key":{"source":"meter","id":"1"},"account":"alice",
    /// #         "pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}}"#,
    /// # )?;
    /// #[derive(Debug)]
    /// struct Refuses;
    ///
    /// #[async_trait::async_trait]
    /// impl Processor for Refuses {
    ///     async fn process(
    ///         &self,
    ///         _tenant: &TenantId,
    ///         handovers: &[Handover],
    ///     ) -> Result<Vec<Answer>, ProcessorError> {
    ///         Ok(handovers.iter().map(|_| Answer::Refused { reason: "not mine".into() }).collect())
    ///     }
    /// }
    ///
    /// acme.pulses_reported(&[pulse]).await?;
    /// acme.settle_days(&Refuses, Days::All, 0).await?;
    /// let day = "2026-10-05".parse()?;
    /// acme.resend_settlement(&alice, day, 1).await?;
    /// assert_eq!(acme.settlements(&alice).await?[0].state.name(), "pending");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn resend_settlement(
        &self,
        account: &AccountId,
        day: Day,
        revision: u32,
    ) -> Result<()> {
        let locks = Locks::accounts([account.clone()]);
        let mut unit = self.parts.store.begin(&self.id, &locks).await?;
        let settlement = self.settlement(&mut *unit, account, day, revision, "refused").await?;
        let pending = decide::resend(&settlement).ok_or_else(|| Error::UnknownSettlement {
            expected: "refused",
            account: account.clone(),
            day,
            revision,
        })?;
        unit.apply(&Writes { settlements: vec![pending], ..Writes::default() }).await?;
        unit.commit().await?;
        Ok(())
    }

    /// An account's settlements, in order of day and revision.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// See [`settle_days`](Self::settle_days).
    pub async fn settlements(&self, account: &AccountId) -> Result<Vec<Settlement>> {
        Ok(self.read().await?.settlements_of(account).await?)
    }

    /// Stores that settlements are being sent, and gives their content.
    async fn mark_sent(&self, page: &[Settlement], answer_ms_max: u64) -> Result<Vec<Handover>> {
        let accounts: BTreeSet<_> = page.iter().map(|one| one.handover.account.clone()).collect();
        let mut unit = self.parts.store.begin(&self.id, &Locks::accounts(accounts)).await?;
        let keys: Vec<_> = page.iter().map(place_of).collect();
        let now = self.parts.clock.now();
        let mut due = unit.settlements(&keys).await?;
        due.sort_by_key(place_of);
        let sent: Vec<Settlement> =
            due.iter().filter_map(|one| decide::send(one, answer_ms_max, now)).collect();
        let handovers = sent.iter().map(|one| one.handover.clone()).collect();
        if !sent.is_empty() {
            unit.apply(&Writes { settlements: sent, ..Writes::default() }).await?;
            unit.commit().await?;
        }
        Ok(handovers)
    }

    async fn settlement(
        &self,
        unit: &mut dyn Unit,
        account: &AccountId,
        day: Day,
        revision: u32,
        expected: &'static str,
    ) -> Result<Settlement> {
        let found = unit.settlements(&[(account.clone(), day, revision)]).await?;
        found.into_iter().next().ok_or_else(|| Error::UnknownSettlement {
            expected,
            account: account.clone(),
            day,
            revision,
        })
    }
}

fn place_of(settlement: &Settlement) -> (AccountId, Day, u32) {
    let Handover { account, day, revision, .. } = &settlement.handover;
    (account.clone(), *day, *revision)
}

fn is_of(total: &billing_core::usage::DayTotal, account: &AccountId) -> bool {
    total.key.account == *account
}
