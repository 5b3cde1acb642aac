//! Questions of a relay: leases, cursors that have entries behind them, dead letters, the epoch.

use async_trait::async_trait;

use billing_core::{
    id::{AccountId, EpochId, SinkId},
    outbox::{Cursor, DeadLetter, Lease},
    time::Instant,
};

use crate::{
    error::{StoreError, StoreResult},
    outbox::OutboxFacts,
    sql::{
        connection::Param::{Int, Text},
        unit::{Hold, SqlUnit},
    },
};

#[async_trait]
impl<H: Hold> OutboxFacts for SqlUnit<H> {
    async fn epoch(&mut self) -> StoreResult<EpochId> {
        let found: Vec<EpochId> = self
            .session()?
            .all(
                "billing_epoch",
                // The tenant is named, as in every question, and left out: epochs are the whole store's.
                "select epoch from billing_epoch where cast(?1 as text) is not null order by number desc limit 1",
                &[],
            )
            .await?;
        let none = || StoreError::Corrupt { what: "the store has no epoch".into(), source: None };
        found.into_iter().next().ok_or_else(none)
    }

    async fn leases(&mut self) -> StoreResult<Vec<Lease>> {
        self.session()?.all(
            "billing_lease",
            "select sink, holder, until, token from billing_lease where tenant = ?1 order by sink",
            &[],
        )
        .await
    }

    async fn behind(
        &mut self,
        sink: &SinkId,
        now: Instant,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<Cursor>> {
        let after = after.map_or("", AccountId::as_str);
        self.session()?.all(
            "billing_cursor",
            "select cast(?2 as text), a.account, coalesce(c.seq, 0), coalesce(c.attempts, 0), c.retry_at, c.error \
             from billing_account a left join billing_cursor c \
             on c.tenant = a.tenant and c.sink = ?2 and c.account = a.account \
             where a.tenant = ?1 and a.account > ?4 and a.seq > coalesce(c.seq, 0) \
             and (c.retry_at is null or c.retry_at <= ?3) order by a.account limit ?5",
            &[Text(sink.as_str()), Int(now.micros()), Text(after), Int(limit.into())],
        )
        .await
    }

    async fn cursors_of(&mut self, account: &AccountId) -> StoreResult<Vec<Cursor>> {
        self.session()?
            .all(
                "billing_cursor",
                "select sink, account, seq, attempts, retry_at, error from billing_cursor \
             indexed by billing_cursor_account where tenant = ?1 and account = ?2 order by sink",
                &[Text(account.as_str())],
            )
            .await
    }

    async fn dead_letters(
        &mut self,
        sink: &SinkId,
        after: Option<(&AccountId, u64)>,
        limit: u32,
    ) -> StoreResult<Vec<DeadLetter>> {
        let (account, seq) = after.map_or(("", 0), |(account, seq)| (account.as_str(), seq));
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        self.session()?
            .all(
                "billing_dead_letter",
                "select sink, account, seq, reason, at, attempts, done_at from billing_dead_letter \
             where tenant = ?1 and sink = ?2 and (account, seq) > (?3, ?4) and done_at is null \
             order by account, seq limit ?5",
                &[Text(sink.as_str()), Text(account), Int(seq), Int(limit.into())],
            )
            .await
    }

    async fn dead_letters_of(&mut self, account: &AccountId) -> StoreResult<Vec<DeadLetter>> {
        self.session()?
            .all(
                "billing_dead_letter",
                "select sink, account, seq, reason, at, attempts, done_at from billing_dead_letter \
             indexed by billing_dead_letter_account where tenant = ?1 and account = ?2 order by sink, seq",
                &[Text(account.as_str())],
            )
            .await
    }
}
