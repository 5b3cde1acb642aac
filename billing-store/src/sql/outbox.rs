//! Applying what a relay has done: its lease first, and under it cursors and dead letters.

use billing_core::{
    id::{EpochId, SinkId},
    outbox::{Cursor, DeadLetter, LeaseMove, Relayed},
    time::Instant,
};

use crate::{
    error::{StoreError, StoreResult},
    sql::{
        bulk::Insert,
        connection::{
            Connection,
            Param::{Int, Text},
        },
        session::Session,
    },
};

impl Session<'_> {
    pub(super) async fn outbox(
        &mut self,
        relayed: Option<&Relayed>,
        dead_letters: &[DeadLetter],
    ) -> StoreResult<()> {
        if let Some(Relayed { lease, skip_the_past, cursors, dead_letters }) = relayed {
            self.lease(lease).await?;
            if *skip_the_past {
                self.skip_the_past(&lease.lease.sink).await?;
            }
            self.cursors(cursors).await?;
            self.dead_letters(dead_letters).await?;
        }
        self.dead_letters(dead_letters).await
    }

    async fn lease(&mut self, LeaseMove { expected, lease }: &LeaseMove) -> StoreResult<()> {
        // One whose token is not the expected one stays as it is; so does one that is there and was not expected.
        let sql = "insert into billing_lease (tenant, sink, holder, until, token) \
                   values (?1, ?2, ?3, ?4, ?5) on conflict (tenant, sink) do update set \
                   holder = excluded.holder, until = excluded.until, token = excluded.token \
                   where billing_lease.token = ?6";
        let (sink, holder) = (Text(lease.sink.as_str()), Text(lease.holder.as_str()));
        // No lease has the token 0.
        let (token, expected) = (number(lease.token)?, number(expected.unwrap_or(0))?);
        let until = Int(lease.until.micros());
        let params = [Text(self.tenant), sink, holder, until, Int(token), Int(expected)];
        let changed = self.connection.execute(sql, &params).await?;
        if changed == 1 {
            return Ok(());
        }
        Err(StoreError::Refused { what: "the lease is another's".into(), source: None })
    }

    /// Under the lease nobody else moves the sink's cursors.
    async fn skip_the_past(&mut self, sink: &SinkId) -> StoreResult<()> {
        let sql = "insert into billing_cursor (tenant, sink, account, seq, attempts) \
                   select a.tenant, cast(?2 as text), a.account, a.seq, 0 \
                   from billing_account a where a.tenant = ?1 \
                   on conflict (tenant, sink, account) do nothing";
        let params = [Text(self.tenant), Text(sink.as_str())];
        self.connection.execute(sql, &params).await.map(drop)
    }

    async fn cursors(&mut self, cursors: &[Cursor]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_cursor (tenant, sink, account, seq, attempts, retry_at, error)",
            columns: 7,
            on_conflict: "on conflict (tenant, sink, account) do update set seq = excluded.seq, \
                          attempts = excluded.attempts, retry_at = excluded.retry_at, \
                          error = excluded.error",
        };
        self.insert(insert, cursors, |cells, cursor| {
            cells.text(cursor.sink.as_str())?;
            cells.text(cursor.account.as_str())?;
            cells.int(cursor.seq)?;
            cells.int(cursor.attempts)?;
            cells.maybe_int(cursor.retry_at.map(Instant::micros))?;
            cells.maybe_text(cursor.error.as_deref())
        })
        .await
    }

    async fn dead_letters(&mut self, letters: &[DeadLetter]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_dead_letter (tenant, sink, account, seq, reason, at, attempts, done_at)",
            columns: 8,
            on_conflict: "on conflict (tenant, sink, account, seq) do update set \
                          reason = excluded.reason, at = excluded.at, \
                          attempts = excluded.attempts, \
                          done_at = coalesce(billing_dead_letter.done_at, excluded.done_at)",
        };
        self.insert(insert, letters, |cells, letter| {
            cells.text(letter.sink.as_str())?;
            cells.text(letter.account.as_str())?;
            cells.int(letter.seq)?;
            cells.text(&letter.reason)?;
            cells.int(letter.at.micros())?;
            cells.int(letter.attempts)?;
            cells.maybe_int(letter.done.map(Instant::micros))
        })
        .await
    }
}

fn number(token: u64) -> StoreResult<i64> {
    let beyond = || StoreError::Refused { what: "a number is beyond 63 bits".into(), source: None };
    i64::try_from(token).ok().ok_or_else(beyond)
}

/// Adds an epoch behind those that were begun; one that was is refused by its key.
pub(super) async fn begin_epoch(
    mut connection: Connection<'_>,
    epoch: &EpochId,
    at: Instant,
) -> StoreResult<()> {
    let sql = "insert into billing_epoch (number, epoch, since) \
               select coalesce(max(number), 0) + 1, cast(?1 as text), cast(?2 as bigint) \
               from billing_epoch";
    connection.execute(sql, &[Text(epoch.as_str()), Int(at.micros())]).await.map(drop)
}
