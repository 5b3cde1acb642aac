//! What an account has used: item by item, and day by day.

use billing_core::{
    decide::StoredItem,
    id::{AccountId, CustomerId},
    time::Day,
    usage::{self, DayUsage},
};

use crate::{answer::Result, billing::Tenant, store::HistoryPage};

impl Tenant {
    /// An account's items in order of their instant, a page at a time; empty for an account that is not there.
    ///
    /// They stand where and as their source reported them. What counts is
    /// [`StoredItem::content`](billing_core::decide::StoredItem::content), and nothing of an item whose claim has no `effective` posting.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_store::store::HistoryPage;
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
    /// let (from, until) = ("2026-10-01T00:00:00Z".parse()?, "2026-11-01T00:00:00Z".parse()?);
    /// let first = HistoryPage { from, until, kind: Some("call"), after: None, limit: 100 };
    /// let page = acme.history(&alice, &first).await?;
    /// let last = page.last().expect("a call");
    /// let next = HistoryPage { after: Some((last.item.at(), &last.claim.key)), ..first };
    /// assert!(acme.history(&alice, &next).await?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn history(
        &self,
        account: &AccountId,
        page: &HistoryPage<'_>,
    ) -> Result<Vec<StoredItem>> {
        Ok(self.read().await?.history(account, page).await?)
    }

    /// What an account used on each local day in `[from, until)`: a sum for each strategy and group, over all revisions.
    ///
    /// # Errors
    ///
    /// [`Error::Totals`](crate::Error::Totals) if a sum leaves its bounds, [`Error::Store`](crate::Error::Store).
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
    /// # let pulse: billing_core::item::PulseReported = serde_json::from_str(
    /// #     r#"{"key":{"source":"meter","id":"1"},"account":"alice",
    /// #         "pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}}"#,
    /// # )?;
    /// acme.pulses_reported(&[pulse]).await?;
    /// let usage = acme.usage(&alice, "2026-10-01".parse()?, "2026-11-01".parse()?).await?;
    /// assert_eq!(usage[0].day.to_string(), "2026-10-05");
    /// assert_eq!(usage[0].totals.quantity.to_string(), "0.25");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn usage(&self, account: &AccountId, from: Day, until: Day) -> Result<Vec<DayUsage>> {
        let totals = self.read().await?.totals_between(account, from, until).await?;
        Ok(usage::by_day(totals)?)
    }

    /// The accounts that a customer has with this tenant, in order of their ids.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store).
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
    /// assert_eq!(acme.accounts_of(&"carol".parse()?).await?, [alice]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn accounts_of(&self, customer: &CustomerId) -> Result<Vec<AccountId>> {
        Ok(self.read().await?.accounts_of(customer).await?)
    }
}
