//! The outbox at the door: messages that were skipped, and the epochs of the store.

use billing_core::{
    decide::Writes,
    id::{AccountId, EpochId, SinkId},
    outbox::DeadLetter,
};

use crate::{
    answer::{Error, Result},
    billing::{Billing, Tenant},
    store::{Facts, Locks},
};

impl Billing {
    /// Begins an epoch of the store: from here on, events are delivered under ids that were never used.
    ///
    /// A backup that is restored has forgotten what happened since it was taken, and gives the same numbers to other events.
    /// Receivers that know an id pass over it, so those events would be lost to them. Therefore, after a restore and before
    /// anything else:
    ///
    /// 1. keep every process of the library stopped, and the backup's file or database in place;
    /// 2. call this once, with a name that was never used, such as the day and the reason: the backup does not know the names that
    ///    were used since it was taken;
    /// 3. run [`verify`](crate::verify::verify), and start the processes.
    ///
    /// What the sinks had taken since the backup was made, and what is still there, is delivered again, under new ids.
    ///
    /// # Errors
    ///
    /// [`Error::Id`]; [`Error::Store`] with [`StoreError::Refused`](crate::StoreError::Refused) if the epoch was begun before.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::plan::PlanBook;
    /// use billing_store::{Billing, MemoryStore, clock::SystemClock};
    ///
    /// let billing = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock);
    /// billing.begin_epoch("2026-11-20-restore").await?;
    /// assert!(billing.begin_epoch("2026-11-20-restore").await.is_err());
    /// let acme = billing.tenant("acme")?;
    /// assert_eq!(acme.read().await?.epoch().await?.as_str(), "2026-11-20-restore");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn begin_epoch(&self, epoch: &str) -> Result<()> {
        let epoch = EpochId::try_new(epoch)?;
        Ok(self.parts.store.begin_epoch(&epoch, self.parts.clock.now()).await?)
    }
}

impl Tenant {
    /// Messages that a sink did not take and that nobody has dealt with, in order of account and number, at most `limit`, after one
    /// of them.
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
    /// # use billing_store::{Billing, MemoryStore, clock::SystemClock};
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock).tenant("acme")?;
    /// assert_eq!(acme.dead_letters(&"bus".parse()?, None, 10).await?, []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn dead_letters(
        &self,
        sink: &SinkId,
        after: Option<(&AccountId, u64)>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>> {
        Ok(self.read().await?.dead_letters(sink, after, limit).await?)
    }

    /// Marks a dead letter as done without telling the sink again: somebody has dealt with it otherwise.
    ///
    /// [`Relay::redeliver`](crate::relay::Relay::redeliver) tells the sink again.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]; [`Error::NoDeadLetter`] if there is none that is not done.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_store::Error;
    ///
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SystemClock};
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock).tenant("acme")?;
    /// let closed = acme.close_dead_letter(&"bus".parse()?, &"alice".parse()?, 7).await;
    /// assert!(matches!(closed, Err(Error::NoDeadLetter { seq: 7, .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn close_dead_letter(
        &self,
        sink: &SinkId,
        account: &AccountId,
        seq: u64,
    ) -> Result<DeadLetter> {
        let letter = self.open_letter(&mut *self.read().await?, sink, account, seq).await?;
        let letter = DeadLetter { done: Some(self.now()), ..letter };
        self.keep_letter(letter.clone()).await?;
        Ok(letter)
    }

    pub(crate) async fn open_letter<F: Facts + ?Sized>(
        &self,
        facts: &mut F,
        sink: &SinkId,
        account: &AccountId,
        seq: u64,
    ) -> Result<DeadLetter> {
        // The one behind the number before.
        let before = (account, seq.saturating_sub(1));
        let found = facts.dead_letters(sink, Some(before), 1).await?.into_iter().next();
        let found = found.filter(|letter| letter.account == *account && letter.seq == seq);
        found.ok_or_else(|| Error::NoDeadLetter {
            sink: sink.clone(),
            account: account.clone(),
            seq,
        })
    }

    pub(crate) async fn keep_letter(&self, letter: DeadLetter) -> Result<()> {
        let mut unit = self.begin(&Locks::default()).await?;
        unit.apply(&Writes { dead_letters: vec![letter], ..Writes::default() }).await?;
        Ok(unit.commit().await?)
    }
}
