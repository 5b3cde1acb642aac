//! The running bill, the invoice run, and invoices as issued.

use std::collections::{BTreeMap, BTreeSet};

use billing_core::{
    decide::{self, AccountFacts, BillError, BillFacts, MarkFacts, RunOutcome, Writes},
    id::{AccountId, CustomerId, SeriesId, TenantId},
    invoice::{Invoice, InvoiceState, RunningBill},
    time::{Day, Instant},
    usage::DayTotal,
};

use crate::{
    answer::{Error, Outcome, Result},
    billing::{Tenant, catalog::apply},
    store::{Facts, Locks, Transaction, Unit},
};

/// How many accounts an invoice run settles in one transaction.
const RUN_ACCOUNTS: u32 = 100;

impl Tenant {
    /// The running bill: drafts of the periods that ended without an invoice, and of the one that holds `at`.
    ///
    /// `at` picks the open period; what is recorded of that period counts, also if it is dated later than `at`. Its cost depends on the days with usage since the last invoice, never on the number of calls.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownAccount`], [`Error::Bill`] if a strategy fails, [`Error::Time`] if a period leaves the calendar.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # use billing_core::{account::AccountSettings, item::CallEnded, plan::PlanSpec};
    /// # let plan: PlanSpec = serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    /// # )?;
    /// # let settings: AccountSettings = serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?;
    /// # acme.save_plan(&plan).await?;
    /// # acme.open_account(&settings).await?;
    /// # let alice = "alice".parse()?;
    /// # acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// acme.calls_ended(&[call]).await?; // 75 minutes at 0.02, on 5 October
    /// let bill = acme.bill(&alice, "2026-11-02T08:00:00Z".parse()?).await?;
    /// assert_eq!(bill.ended[0].taxed.total.to_string(), "1.5");
    /// assert!(bill.open.expect("November").lines.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn bill(&self, account: &AccountId, at: Instant) -> Result<RunningBill> {
        let mut facts = self.parts.store.read(&self.id).await?;
        let account = self.account(&mut *facts, account).await?;
        let facts = self.bill_facts(&mut *facts, vec![account], at).await?;
        let mut bill = RunningBill::default();
        for facts in &facts {
            bill.ended = decide::bill(facts, at)?;
            bill.open = bill.ended.pop();
        }
        Ok(bill)
    }

    /// Issues the invoices of every account for every period that ended by `as_of`.
    ///
    /// Each account is answered: issued, already issued, nothing due, or held with its reason. Running it again, from anywhere
    /// and after any interruption, issues what is missing and nothing twice.
    ///
    /// # Errors
    ///
    /// [`Error::NotYet`] if `as_of` lies in the future, [`Error::Time`] if a period leaves the calendar. What else is wrong with one
    /// account is in its answer.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::{decide::RunOutcome, id::SeriesId};
    ///
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # use billing_core::{account::AccountSettings, item::CallEnded, plan::PlanSpec};
    /// # let plan: PlanSpec = serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    /// # )?;
    /// # let settings: AccountSettings = serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?;
    /// # acme.save_plan(&plan).await?;
    /// # acme.open_account(&settings).await?;
    /// # let alice = "alice".parse()?;
    /// # acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// acme.calls_ended(&[call]).await?; // 75 minutes at 0.02, on 5 October
    /// let (series, as_of): (SeriesId, _) = ("2026".parse()?, "2026-11-01T00:00:00Z".parse()?);
    /// let run = acme.issue_invoices(&series, as_of).await?;
    /// let RunOutcome::Issued(invoices) = &run[0].1 else { panic!("not issued") };
    /// assert_eq!(invoices[0].total.to_string(), "1.50 EUR");
    ///
    /// let run = acme.issue_invoices(&series, as_of).await?;
    /// assert_eq!(run, [(alice.clone(), RunOutcome::AlreadyIssued)]);
    /// assert_eq!(acme.invoice(&series, 1).await?, acme.invoices(&alice).await?.pop());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn issue_invoices(
        &self,
        series: &SeriesId,
        as_of: Instant,
    ) -> Result<Vec<(AccountId, RunOutcome)>> {
        self.check_clock(as_of)?;
        let mut answers: Vec<(AccountId, RunOutcome)> = Vec::new();
        let mut after: Option<AccountId> = None;
        loop {
            let page = self.read().await?.account_page(after.as_ref(), RUN_ACCOUNTS).await?;
            let Some(last) = page.last() else { return Ok(answers) };
            after = Some(last.clone());
            let locks = Locks::accounts(page.iter().cloned()).and_series(series.clone());
            let mut unit = self.parts.store.begin(&self.id, &locks).await?;
            let answered = self.issue_invoices_in(&mut *unit, &page, series, as_of).await?;
            unit.commit().await?;
            answers.extend(answered);
        }
    }

    /// Issues invoices for some accounts inside the caller's unit, which holds them and the series.
    ///
    /// # Errors
    ///
    /// As [`issue_invoices`](Self::issue_invoices), and [`Error::UnknownAccount`].
    ///
    /// # Examples
    ///
    /// All twins in one unit: see [`Tenant`].
    pub async fn issue_invoices_in(
        &self,
        unit: &mut dyn Unit,
        accounts: &[AccountId],
        series: &SeriesId,
        as_of: Instant,
    ) -> Result<Vec<(AccountId, RunOutcome)>> {
        self.expect_mine(unit)?;
        let now = self.check_clock(as_of)?;
        let ids = accounts;
        let mut accounts = unit.accounts(ids).await?;
        let unknown = |id: &&AccountId| !accounts.iter().any(|facts| facts.settings.id == **id);
        if let Some(account) = ids.iter().find(unknown).cloned() {
            return Err(Error::UnknownAccount { account });
        }
        // Numbers are given in order of the accounts' ids, whatever order the store answers in.
        accounts.sort_by(|one, two| one.settings.id.cmp(&two.settings.id));
        let all = unit.all_series().await?;
        let mut last = all.iter().find(|(id, _)| id == series).map_or(0, |(_, last)| *last);
        let (mut answers, mut writes) = (Vec::new(), Writes::default());
        for facts in self.bill_facts(unit, accounts, as_of).await? {
            let outcome = match decide::issue(&facts, as_of, series, last, now) {
                Err(error) => RunOutcome::Held(error),
                Ok((invoices, _)) if invoices.is_empty() => nothing_issued(&facts, as_of)?,
                Ok((invoices, issued)) => {
                    last = invoices.last().map_or(last, |invoice| invoice.number);
                    extend(&mut writes, issued);
                    RunOutcome::Issued(invoices.iter().map(Invoice::summary).collect())
                }
            };
            answers.push((facts.account.settings.id, outcome));
        }
        if !writes.invoices.is_empty() {
            writes.series = Some((series.clone(), last));
            unit.apply(&writes).await?;
        }
        Ok(answers)
    }

    /// An account's invoices, oldest first.
    ///
    /// Empty for an account that is not there.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// assert_eq!(acme.invoices(&"alice".parse()?).await?, []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn invoices(&self, account: &AccountId) -> Result<Vec<Invoice>> {
        Ok(self.read().await?.invoices_of(account).await?)
    }

    /// One invoice by its number.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// assert_eq!(acme.invoice(&"2026".parse()?, 1).await?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn invoice(&self, series: &SeriesId, number: u64) -> Result<Option<Invoice>> {
        Ok(self.read().await?.invoice(series, number).await?)
    }

    /// An account's invoices in order of their periods, with what became of them; at most `limit`, after one of them.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
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
    /// # let call: billing_core::item::CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// acme.calls_ended(&[call]).await?;
    /// acme.issue_invoices(&"A".parse()?, "2026-11-01T00:00:00Z".parse()?).await?;
    /// let page = acme.invoice_page(&alice, None, 10).await?;
    /// let (last, state) = page.last().expect("October");
    /// assert_eq!((last.number, state.name()), (1, "issued"));
    /// assert!(acme.invoice_page(&alice, Some(last), 10).await?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn invoice_page(
        &self,
        account: &AccountId,
        after: Option<&Invoice>,
        limit: u32,
    ) -> Result<Vec<(Invoice, InvoiceState)>> {
        let mut facts = self.read().await?;
        let place = after.map(|after| (after.draft.period.start(), &after.series, after.number));
        let invoices = facts.invoice_page(account, place, limit).await?;
        with_states(&mut *facts, invoices).await
    }

    /// What became of an invoice; `None` if there is no such invoice.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// See [`invoice_paid`](Self::invoice_paid).
    pub async fn invoice_state(
        &self,
        series: &SeriesId,
        number: u64,
    ) -> Result<Option<InvoiceState>> {
        let mut facts = self.read().await?;
        let invoice = facts.invoice(series, number).await?;
        let states = with_states(&mut *facts, invoice.into_iter().collect()).await?;
        Ok(states.into_iter().next().map(|(_, state)| state))
    }

    /// Records that an invoice was paid, on which day and under what reference.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownInvoice`], [`Error::Mark`] if it is void or was paid otherwise, [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
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
    /// # let call: billing_core::item::CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// acme.calls_ended(&[call]).await?;
    /// let series = "A".parse()?;
    /// acme.issue_invoices(&series, "2026-11-01T00:00:00Z".parse()?).await?;
    /// let on = "2026-11-02".parse()?;
    /// assert_eq!(acme.invoice_paid(&series, 1, on, "transfer 7").await?, Outcome::New);
    /// assert_eq!(acme.invoice_paid(&series, 1, on, "transfer 7").await?, Outcome::Replay);
    /// assert_eq!(acme.invoice_state(&series, 1).await?.expect("issued").name(), "paid");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn invoice_paid(
        &self,
        series: &SeriesId,
        number: u64,
        on: Day,
        reference: &str,
    ) -> Result<Outcome> {
        let mut unit = self.begin_mark(series, number).await?;
        let outcome = self.invoice_paid_in(&mut *unit, series, number, on, reference).await?;
        unit.commit().await?;
        Ok(outcome)
    }

    /// [`invoice_paid`](Self::invoice_paid) inside the caller's unit, which holds the invoice's account.
    ///
    /// # Errors
    ///
    /// As [`invoice_paid`](Self::invoice_paid), and [`Error::OtherTenant`].
    ///
    /// # Examples
    ///
    /// All twins in one unit: see [`Tenant`].
    pub async fn invoice_paid_in(
        &self,
        unit: &mut dyn Unit,
        series: &SeriesId,
        number: u64,
        on: Day,
        reference: &str,
    ) -> Result<Outcome> {
        self.expect_mine(unit)?;
        let facts = self.mark_facts(unit, series, number).await?;
        let now = self.parts.clock.now();
        apply(unit, decide::pay(&facts, on, reference.to_owned(), now)?).await
    }

    /// Makes the last invoice of an account void, because it is wrong: its number stays taken, its document stays readable, and the
    /// next run bills what it billed again.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownInvoice`], [`Error::Mark`] if it was paid, is void for another reason, or a later one builds on it,
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
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
    /// # let call: billing_core::item::CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// acme.calls_ended(&[call]).await?;
    /// let (series, as_of) = ("A".parse()?, "2026-11-01T00:00:00Z".parse()?);
    /// acme.issue_invoices(&series, as_of).await?;
    /// acme.void_invoice(&series, 1, "the wrong address").await?;
    /// acme.issue_invoices(&series, as_of).await?;
    /// let again = acme.invoice(&series, 2).await?.expect("the same, under the next number");
    /// assert_eq!(again.draft, acme.invoice(&series, 1).await?.expect("it stays").draft);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn void_invoice(
        &self,
        series: &SeriesId,
        number: u64,
        reason: &str,
    ) -> Result<Outcome> {
        let mut unit = self.begin_mark(series, number).await?;
        let outcome = self.void_invoice_in(&mut *unit, series, number, reason).await?;
        unit.commit().await?;
        Ok(outcome)
    }

    /// [`void_invoice`](Self::void_invoice) inside the caller's unit, which holds the invoice's account.
    ///
    /// # Errors
    ///
    /// As [`void_invoice`](Self::void_invoice), and [`Error::OtherTenant`].
    ///
    /// # Examples
    ///
    /// All twins in one unit: see [`Tenant`].
    pub async fn void_invoice_in(
        &self,
        unit: &mut dyn Unit,
        series: &SeriesId,
        number: u64,
        reason: &str,
    ) -> Result<Outcome> {
        self.expect_mine(unit)?;
        let facts = self.mark_facts(unit, series, number).await?;
        apply(unit, decide::void(&facts, reason.to_owned(), self.parts.clock.now())?).await
    }

    /// The invoices of all accounts that a customer has with this tenant, with what became of them.
    ///
    /// [`Consolidated`](billing_core::invoice::Consolidated) adds them up, those of several tenants too.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::invoice::Consolidated;
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
    /// # let call: billing_core::item::CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// acme.calls_ended(&[call]).await?;
    /// acme.issue_invoices(&"A".parse()?, "2026-11-01T00:00:00Z".parse()?).await?;
    /// let carol = "carol".parse()?;
    /// let invoices = acme.customer_invoices(&carol).await?;
    /// let months = Consolidated::by_month(&carol, invoices)?;
    /// assert_eq!(months[0].0.to_string(), "2026-10-01");
    /// assert_eq!(months[0].1.sums[0].taxed.total.to_string(), "1.5");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn customer_invoices(
        &self,
        customer: &CustomerId,
    ) -> Result<Vec<(TenantId, Invoice, InvoiceState)>> {
        let mut facts = self.read().await?;
        let mut found = Vec::new();
        for account in facts.accounts_of(customer).await? {
            let invoices = facts.invoices_of(&account).await?;
            let invoices = with_states(&mut *facts, invoices).await?.into_iter();
            found.extend(invoices.map(|(invoice, state)| (self.id.clone(), invoice, state)));
        }
        Ok(found)
    }

    /// Accounts whose bill cannot be drawn up, and why.
    pub(super) async fn held(&self, facts: &mut dyn Facts) -> Result<Vec<(AccountId, BillError)>> {
        let now = self.parts.clock.now();
        let mut held = Vec::new();
        let mut after: Option<AccountId> = None;
        loop {
            let page = facts.account_page(after.as_ref(), RUN_ACCOUNTS).await?;
            let Some(last) = page.last() else { return Ok(held) };
            after = Some(last.clone());
            let accounts = facts.accounts(&page).await?;
            for facts in self.bill_facts(facts, accounts, now).await? {
                if let Err(error) = decide::bill(&facts, now) {
                    held.push((facts.account.settings.id, error));
                }
            }
        }
    }

    /// Begins a unit that holds an invoice's account.
    async fn begin_mark(&self, series: &SeriesId, number: u64) -> Result<Box<dyn Transaction>> {
        let invoice = self.invoice(series, number).await?;
        let unknown = || Error::UnknownInvoice { series: series.clone(), number };
        let account = invoice.ok_or_else(unknown)?.draft.account;
        Ok(self.parts.store.begin(&self.id, &Locks::accounts([account])).await?)
    }

    async fn mark_facts(
        &self,
        unit: &mut dyn Unit,
        series: &SeriesId,
        number: u64,
    ) -> Result<MarkFacts> {
        let invoice = unit.invoice(series, number).await?;
        let invoice =
            invoice.ok_or_else(|| Error::UnknownInvoice { series: series.clone(), number })?;
        let account = self.account(unit, &invoice.draft.account).await?;
        let marks = unit.invoice_marks(&[(series.clone(), number)]).await?;
        let state = marks.into_iter().next().map_or(InvoiceState::Issued, |mark| mark.state);
        let last = unit.last_invoice(&invoice.draft.account).await?;
        let days: BTreeSet<_> = invoice.part_keys().map(|key| (key.account, key.day)).collect();
        let totals = unit.day_totals(&days.into_iter().collect::<Vec<_>>()).await?;
        Ok(MarkFacts { account, invoice, state, last, totals })
    }

    /// What must be known to bill accounts up to `at`, in four statements for any number of accounts.
    async fn bill_facts<F: Facts + ?Sized>(
        &self,
        facts: &mut F,
        accounts: Vec<AccountFacts>,
        at: Instant,
    ) -> Result<Vec<BillFacts>> {
        let ids: Vec<AccountId> = accounts.iter().map(|facts| facts.settings.id.clone()).collect();
        let plans = self.plans(facts, accounts.iter()).await?;
        let mut unbilled: BTreeMap<AccountId, Vec<DayTotal>> = BTreeMap::new();
        for total in facts.unbilled(&ids).await? {
            unbilled.entry(total.key.account.clone()).or_default().push(total);
        }
        let mut scopes = Vec::new();
        for account in &accounts {
            let id = &account.settings.id;
            let totals = unbilled.get(id).map_or(&[][..], Vec::as_slice);
            let touched = decide::scopes_touched(account, totals, at)?;
            scopes.extend(touched.into_iter().map(|scope| (id.clone(), scope)));
        }
        let mut carries: BTreeMap<AccountId, BTreeMap<_, _>> = BTreeMap::new();
        for carry in facts.carries(&scopes).await? {
            let of_account = carries.entry(carry.key.account.clone()).or_default();
            let _none: Option<_> = of_account.insert(carry.key, carry.carry);
        }
        let bill_facts = |account: AccountFacts| {
            let id = account.settings.id.clone();
            BillFacts {
                account,
                plans: plans.clone(),
                unbilled: unbilled.remove(&id).unwrap_or_default(),
                carries: carries.remove(&id).unwrap_or_default(),
            }
        };
        Ok(accounts.into_iter().map(bill_facts).collect())
    }
}

/// Invoices with what became of them.
async fn with_states(
    facts: &mut dyn Facts,
    invoices: Vec<Invoice>,
) -> Result<Vec<(Invoice, InvoiceState)>> {
    let numbers: Vec<_> = invoices.iter().map(|i| (i.series.clone(), i.number)).collect();
    let marks = facts.invoice_marks(&numbers).await?.into_iter();
    let mut states: BTreeMap<_, _> =
        marks.map(|mark| ((mark.series, mark.number), mark.state)).collect();
    let with = |invoice: Invoice| {
        let state = states.remove(&(invoice.series.clone(), invoice.number));
        (invoice, state.unwrap_or(InvoiceState::Issued))
    };
    Ok(invoices.into_iter().map(with).collect())
}

fn nothing_issued(facts: &BillFacts, as_of: Instant) -> Result<RunOutcome> {
    Ok(if decide::is_invoiced(&facts.account, as_of)? {
        RunOutcome::AlreadyIssued
    } else {
        RunOutcome::NothingDue
    })
}

/// Adds one account's invoices to the writes of the others; the rest of the writes stays empty in a run.
fn extend(writes: &mut Writes, issued: Writes) {
    let Writes { heads, events, totals, carries, invoices, .. } = issued;
    writes.heads.extend(heads);
    writes.events.extend(events);
    writes.totals.extend(totals);
    writes.carries.extend(carries);
    writes.invoices.extend(invoices);
}
