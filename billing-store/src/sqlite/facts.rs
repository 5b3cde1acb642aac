//! What a decision may ask, as statements of a fixed number for any number of keys.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;

use billing_core::{
    account::Assignment,
    decide::{AccountFacts, CarryMove, Dropped, Intake, Parked, Refusal, StoredItem},
    event::{Event, JournalEntry, Posting},
    id::{AccountId, CustomerId, IntakeId, PlanId, SeriesId, TenantId},
    invoice::{Invoice, InvoiceMark},
    item::ItemKey,
    plan::PlanSpec,
    settlement::Settlement,
    time::{Day, Instant},
    usage::{DayTotal, ScopeKey},
};

use crate::{
    error::StoreResult,
    sqlite::{
        SqliteUnit,
        bulk::json,
        failed,
        rows::{Cells, FromCells},
        writes::keys_json,
    },
    store::{BilledPart, Facts, HistoryPage},
};

/// The columns of an item, as `FromCells` reads them.
macro_rules! item {
    () => {
        "i.source, i.id, i.leg, i.partial, i.account, i.kind, i.at, i.body, i.fingerprint_rule, i.fingerprint, \
         i.first_seq, i.current_seq, i.postings"
    };
}

/// The columns of a parked item, as `FromCells` reads them.
macro_rules! parked {
    () => {
        "p.source, p.id, p.leg, p.partial, p.account, p.body, p.reason, p.since, p.digest"
    };
}

/// The columns of a posting, as `FromCells` reads them.
macro_rules! posting {
    () => {
        "p.account, p.seq, p.source, p.id, p.leg, p.partial, p.fingerprint_rule, p.fingerprint, p.cause, \
         p.day, p.assignment, p.strategy, p.grp, p.day_revision, p.rules, p.zone_data, p.unit, \
         p.currency, p.count, p.quantity, p.amount"
    };
}

/// The columns of a day total, as `FromCells` reads them.
macro_rules! total {
    () => {
        "t.account, t.day, t.assignment, t.strategy, t.grp, t.day_revision, t.unit, t.currency, \
         t.count, t.quantity, t.amount, t.closed, t.billed, t.handed"
    };
}

/// The columns of a carry, as `FromCells` reads them.
macro_rules! settlement {
    () => {
        "s.account, s.day, s.day_revision, s.body, s.digest, s.state, s.detail, s.attempts"
    };
}

macro_rules! carry {
    () => {
        "c.account, c.scope, c.strategy, c.grp, c.quantity, c.exact, c.billed, c.kept"
    };
}

/// The columns of an intake, as `FromCells` reads them.
macro_rules! intake {
    () => {
        "intake, label, at, received, recorded, replayed, conflict, parked, refused, digest"
    };
}

// Keys come as one JSON parameter. `cross join` keeps the planner from scanning the tenant's rows for each of them.

/// The columns of an invoice, as `FromCells` reads them.
macro_rules! invoice {
    () => {
        "i.series, i.number, i.account, i.kind, i.period_start, i.period_end, i.issued_at, \
         i.currency, i.total, i.body, i.digest"
    };
}

/// A parameter of a statement.
enum Param<'a> {
    Text(&'a str),
    Int(i64),
}
use Param::{Int, Text};

impl SqliteUnit {
    /// Runs a statement whose first parameter is the tenant, and reads its rows.
    async fn all<T: FromCells>(
        &mut self,
        table: &'static str,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> StoreResult<Vec<T>> {
        #[cfg(test)]
        super::tests::note(sql);
        let mut statement = sqlx::query(sql).bind(self.tenant.as_str());
        for param in params {
            statement = match param {
                Text(text) => statement.bind(*text),
                Int(number) => statement.bind(*number),
            };
        }
        let rows: Vec<SqliteRow> =
            statement.fetch_all(self.guard.connection()?).await.map_err(failed)?;
        rows.iter().map(|row| T::from_cells(&mut Cells::of(table, row))).collect()
    }
}

fn account_json(accounts: &[AccountId]) -> StoreResult<String> {
    json(&accounts.iter().map(AccountId::as_str).collect::<BTreeSet<_>>())
}

#[async_trait]
impl Facts for SqliteUnit {
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    async fn accounts(&mut self, ids: &[AccountId]) -> StoreResult<Vec<AccountFacts>> {
        let keys = account_json(ids)?;
        let assignments: Vec<(AccountId, Assignment)> = self
            .all(
                "billing_assignment",
                "select a.account, a.assignment, a.from_day, a.plan, a.version, a.overrides, a.digest \
                 from json_each(?2) k cross join billing_assignment a \
                 on a.tenant = ?1 and a.account = k.value order by a.account, a.from_day",
                &[Text(&keys)],
            )
            .await?;
        let mut of_account: BTreeMap<AccountId, Vec<_>> = BTreeMap::new();
        for (account, assignment) in assignments {
            of_account.entry(account).or_default().push(assignment);
        }
        let mut facts: Vec<AccountFacts> = self
            .all(
                "billing_account",
                "select s.customer, s.body, a.seq, a.chain, \
                 (select i.period_end \
                  from billing_invoice i indexed by billing_invoice_period \
                  where i.tenant = a.tenant and i.account = a.account and i.kind = 'period' \
                  and i.void = 0 order by i.period_start desc limit 1), \
                 (select i.period_end \
                  from billing_invoice i indexed by billing_invoice_period \
                  where i.tenant = a.tenant and i.account = a.account and i.kind = 'advance' \
                  and i.void = 0 order by i.period_start desc limit 1) \
                 from json_each(?2) k \
                 cross join billing_account a on a.tenant = ?1 and a.account = k.value \
                 join billing_account_settings s on s.tenant = a.tenant and s.account = a.account",
                &[Text(&keys)],
            )
            .await?;
        for account in &mut facts {
            account.assignments = of_account.remove(&account.settings.id).unwrap_or_default();
        }
        Ok(facts)
    }

    async fn account_page(
        &mut self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>> {
        let after = after.map_or("", AccountId::as_str);
        self.all(
            "billing_account",
            "select account from billing_account where tenant = ?1 and account > ?2 \
             order by account limit ?3",
            &[Text(after), Int(limit.into())],
        )
        .await
    }

    async fn accounts_of(&mut self, customer: &CustomerId) -> StoreResult<Vec<AccountId>> {
        self.all(
            "billing_account_settings",
            "select account from billing_account_settings indexed by billing_account_customer \
             where tenant = ?1 and customer = ?2 order by account",
            &[Text(customer.as_str())],
        )
        .await
    }

    async fn unhanded_accounts(
        &mut self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>> {
        self.all(
            "billing_day_total",
            "select distinct account from billing_day_total indexed by billing_day_total_unhanded \
             where tenant = ?1 and account > ?2 and handed = 0 order by account limit ?3",
            &[Text(after.map_or("", AccountId::as_str)), Int(limit.into())],
        )
        .await
    }

    async fn items(&mut self, keys: &[ItemKey]) -> StoreResult<Vec<StoredItem>> {
        let keys = usage_json(keys)?;
        self.all(
            "billing_item",
            concat!(
                "select ",
                item!(),
                " from json_each(?2) k cross join billing_item i on i.tenant = ?1 \
                 and i.source = k.value ->> 0 and i.id = k.value ->> 1 and i.leg = k.value ->> 2"
            ),
            &[Text(&keys)],
        )
        .await
    }

    async fn history(
        &mut self,
        account: &AccountId,
        of: &HistoryPage<'_>,
    ) -> StoreResult<Vec<StoredItem>> {
        let (source, id, leg, partial) = page_key(of.after.map(|(_, key)| key));
        let at = of.after.map_or(i64::MIN, |(at, _)| at.micros());
        let from = of.from.micros().max(at);
        self.all(
            "billing_item",
            concat!(
                "select ",
                item!(),
                " from billing_item i indexed by billing_item_history \
                 where i.tenant = ?1 and i.account = ?2 and i.at >= ?3 and i.at < ?4 \
                 and (i.at, i.source, i.id, i.leg, i.partial) > (?5, ?6, ?7, ?8, ?9) \
                 and (?10 = 1 or i.kind = ?11) \
                 order by i.at, i.source, i.id, i.leg, i.partial limit ?12"
            ),
            &[
                Text(account.as_str()),
                Int(from),
                Int(of.until.micros()),
                Int(at),
                Text(source),
                Text(id),
                Text(leg),
                Int(partial),
                Int(of.kind.is_none().into()),
                Text(of.kind.unwrap_or("")),
                Int(of.limit.into()),
            ],
        )
        .await
    }

    async fn item_page(
        &mut self,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<StoredItem>> {
        let (source, id, leg, partial) = page_key(after);
        self.all(
            "billing_item",
            concat!(
                "select ",
                item!(),
                " from billing_item i \
                 where i.tenant = ?1 and (i.source, i.id, i.leg, i.partial) > (?2, ?3, ?4, ?5) \
                 order by i.source, i.id, i.leg, i.partial limit ?6"
            ),
            &[Text(source), Text(id), Text(leg), Int(partial), Int(limit.into())],
        )
        .await
    }

    async fn parked(&mut self, keys: &[ItemKey]) -> StoreResult<Vec<Parked>> {
        let keys = keys_json(keys)?;
        self.all(
            "billing_parked",
            concat!(
                "select ",
                parked!(),
                " from json_each(?2) k cross join billing_parked p \
                 on p.tenant = ?1 and p.source = k.value ->> 0 and p.id = k.value ->> 1 \
                 and p.leg = k.value ->> 2 and p.partial = k.value ->> 3"
            ),
            &[Text(&keys)],
        )
        .await
    }

    async fn parked_page(
        &mut self,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<Parked>> {
        let (source, id, leg, partial) = page_key(after);
        self.all(
            "billing_parked",
            concat!(
                "select ",
                parked!(),
                " from billing_parked p \
                 where p.tenant = ?1 and (p.source, p.id, p.leg, p.partial) > (?2, ?3, ?4, ?5) \
                 order by p.source, p.id, p.leg, p.partial limit ?6"
            ),
            &[Text(source), Text(id), Text(leg), Int(partial), Int(limit.into())],
        )
        .await
    }

    async fn dropped_page(
        &mut self,
        after: Option<(Instant, &ItemKey)>,
        limit: u32,
    ) -> StoreResult<Vec<Dropped>> {
        let at = after.map_or(i64::MIN, |(at, _)| at.micros());
        let (source, id, leg, partial) = page_key(after.map(|(_, key)| key));
        self.all(
            "billing_dropped",
            "select d.source, d.id, d.leg, d.partial, d.account, d.body, d.parked, d.since, \
             d.reason, d.at, d.digest from billing_dropped d \
             where d.tenant = ?1 and (d.at, d.source, d.id, d.leg, d.partial) > (?2, ?3, ?4, ?5, ?6) \
             order by d.at, d.source, d.id, d.leg, d.partial limit ?7",
            &[Int(at), Text(source), Text(id), Text(leg), Int(partial), Int(limit.into())],
        )
        .await
    }

    async fn day_totals(&mut self, days: &[(AccountId, Day)]) -> StoreResult<Vec<DayTotal>> {
        let days: BTreeSet<_> = days.iter().map(|(id, day)| (id.as_str(), day.ordinal())).collect();
        let days = json(&days)?;
        self.all(
            "billing_day_total",
            concat!(
                "select ",
                total!(),
                " from json_each(?2) k cross join billing_day_total t \
                 on t.tenant = ?1 and t.account = k.value ->> 0 and t.day = k.value ->> 1"
            ),
            &[Text(&days)],
        )
        .await
    }

    async fn unbilled(&mut self, accounts: &[AccountId]) -> StoreResult<Vec<DayTotal>> {
        let accounts = account_json(accounts)?;
        self.all(
            "billing_day_total",
            concat!(
                "select ",
                total!(),
                " from json_each(?2) k \
                 cross join billing_day_total t indexed by billing_day_total_unbilled \
                 on t.tenant = ?1 and t.account = k.value and t.billed = 0"
            ),
            &[Text(&accounts)],
        )
        .await
    }

    async fn unhanded(&mut self, accounts: &[AccountId]) -> StoreResult<Vec<DayTotal>> {
        let accounts = account_json(accounts)?;
        self.all(
            "billing_day_total",
            concat!(
                "select ",
                total!(),
                " from json_each(?2) k \
                 cross join billing_day_total t indexed by billing_day_total_unhanded \
                 on t.tenant = ?1 and t.account = k.value and t.handed = 0"
            ),
            &[Text(&accounts)],
        )
        .await
    }

    async fn totals_between(
        &mut self,
        account: &AccountId,
        from: Day,
        until: Day,
    ) -> StoreResult<Vec<DayTotal>> {
        self.all(
            "billing_day_total",
            concat!(
                "select ",
                total!(),
                " from billing_day_total t \
                 where t.tenant = ?1 and t.account = ?2 and t.day >= ?3 and t.day < ?4"
            ),
            &[Text(account.as_str()), Int(from.ordinal().into()), Int(until.ordinal().into())],
        )
        .await
    }

    async fn totals_of(&mut self, account: &AccountId) -> StoreResult<Vec<DayTotal>> {
        let account = account.as_str();
        self.all(
            "billing_day_total",
            concat!(
                "select ",
                total!(),
                " from billing_day_total t \
                 where t.tenant = ?1 and t.account = ?2"
            ),
            &[Text(account)],
        )
        .await
    }

    async fn first_used(
        &mut self,
        account: &AccountId,
        from: Day,
        until: Option<Day>,
    ) -> StoreResult<Option<Day>> {
        let until = until.map_or(i64::MAX, |until| until.ordinal().into());
        let days: Vec<Option<Day>> = self
            .all(
                "billing_day_total",
                "select min(day) from billing_day_total \
                 where tenant = ?1 and account = ?2 and day >= ?3 and day < ?4",
                &[Text(account.as_str()), Int(from.ordinal().into()), Int(until)],
            )
            .await?;
        Ok(days.into_iter().flatten().next())
    }

    async fn carries(&mut self, scopes: &[(AccountId, ScopeKey)]) -> StoreResult<Vec<CarryMove>> {
        let scopes: BTreeSet<_> =
            scopes.iter().map(|(id, scope)| (id, scope.to_string())).collect();
        let scopes = json(&scopes)?;
        self.all(
            "billing_carry",
            concat!(
                "select ",
                carry!(),
                " from json_each(?2) k cross join billing_carry c \
                 on c.tenant = ?1 and c.account = k.value ->> 0 and c.scope = k.value ->> 1"
            ),
            &[Text(&scopes)],
        )
        .await
    }

    async fn carries_of(&mut self, account: &AccountId) -> StoreResult<Vec<CarryMove>> {
        let account = account.as_str();
        self.all(
            "billing_carry",
            concat!(
                "select ",
                carry!(),
                " from billing_carry c where c.tenant = ?1 and c.account = ?2"
            ),
            &[Text(account)],
        )
        .await
    }

    async fn plans(&mut self, ids: &[(PlanId, u32)]) -> StoreResult<Vec<PlanSpec>> {
        let ids = json(&ids.iter().collect::<BTreeSet<_>>())?;
        self.all(
            "billing_plan",
            "select p.plan, p.version, p.body, p.digest from json_each(?2) k cross join billing_plan p \
             on p.tenant = ?1 and p.plan = k.value ->> 0 and p.version = k.value ->> 1",
            &[Text(&ids)],
        )
        .await
    }

    async fn all_plans(&mut self) -> StoreResult<Vec<PlanSpec>> {
        self.all(
            "billing_plan",
            "select plan, version, body, digest from billing_plan where tenant = ?1 order by plan, version",
            &[],
        )
        .await
    }

    async fn journal(
        &mut self,
        account: &AccountId,
        after: u64,
        limit: u32,
    ) -> StoreResult<Vec<JournalEntry>> {
        let account = account.as_str();
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let postings: Vec<Posting> = self
            .all(
                "billing_posting",
                concat!(
                    "select ",
                    posting!(),
                    " from billing_posting p \
                     where p.tenant = ?1 and p.account = ?2 and p.seq > ?3 order by p.seq limit ?4"
                ),
                &[Text(account), Int(after), Int(limit.into())],
            )
            .await?;
        let events: Vec<Event> = self
            .all(
                "billing_event",
                "select account, seq, at, body from billing_event \
                 where tenant = ?1 and account = ?2 and seq > ?3 order by seq limit ?4",
                &[Text(account), Int(after), Int(limit.into())],
            )
            .await?;
        let postings = postings.into_iter().map(JournalEntry::Posting);
        let mut entries: Vec<_> =
            postings.chain(events.into_iter().map(JournalEntry::Event)).collect();
        entries.sort_by_key(JournalEntry::seq);
        entries.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(entries)
    }

    async fn postings(&mut self, numbers: &[(AccountId, u64)]) -> StoreResult<Vec<Posting>> {
        let numbers = json(&numbers.iter().collect::<BTreeSet<_>>())?;
        self.all(
            "billing_posting",
            concat!(
                "select ",
                posting!(),
                " from json_each(?2) k cross join billing_posting p \
                 on p.tenant = ?1 and p.account = k.value ->> 0 and p.seq = k.value ->> 1"
            ),
            &[Text(&numbers)],
        )
        .await
    }

    async fn intake(&mut self, id: &IntakeId) -> StoreResult<Option<Intake>> {
        let id = id.as_str();
        let found = self
            .all(
                "billing_intake",
                concat!(
                    "select ",
                    intake!(),
                    " from billing_intake where tenant = ?1 and intake = ?2"
                ),
                &[Text(id)],
            )
            .await?;
        Ok(found.into_iter().next())
    }

    async fn intake_page(
        &mut self,
        after: Option<&IntakeId>,
        limit: u32,
    ) -> StoreResult<Vec<Intake>> {
        let after = after.map_or("", IntakeId::as_str);
        self.all(
            "billing_intake",
            concat!(
                "select ",
                intake!(),
                " from billing_intake \
                 where tenant = ?1 and intake > ?2 order by intake limit ?3"
            ),
            &[Text(after), Int(limit.into())],
        )
        .await
    }

    async fn refusals(&mut self, intake: &IntakeId) -> StoreResult<Vec<Refusal>> {
        let intake = intake.as_str();
        self.all(
            "billing_refusal",
            "select intake, number, place, reason, raw, digest from billing_refusal \
             where tenant = ?1 and intake = ?2 order by number",
            &[Text(intake)],
        )
        .await
    }

    async fn invoices_of(&mut self, account: &AccountId) -> StoreResult<Vec<Invoice>> {
        let account = account.as_str();
        self.all(
            "billing_invoice",
            concat!(
                "select ",
                invoice!(),
                " from billing_invoice i indexed by billing_invoice_account \
                 where i.tenant = ?1 and i.account = ?2 order by i.series, i.number"
            ),
            &[Text(account)],
        )
        .await
    }

    async fn invoice_page(
        &mut self,
        account: &AccountId,
        after: Option<(Day, &SeriesId, u64)>,
        limit: u32,
    ) -> StoreResult<Vec<Invoice>> {
        let (start, series, number) = after.map_or((i64::MIN, "", 0), |(start, series, number)| {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            (start.ordinal().into(), series.as_str(), number)
        });
        self.all(
            "billing_invoice",
            concat!(
                "select ",
                invoice!(),
                " from billing_invoice i indexed by billing_invoice_account \
                 where i.tenant = ?1 and i.account = ?2 \
                 and (i.period_start, i.series, i.number) > (?3, ?4, ?5) \
                 order by i.period_start, i.series, i.number limit ?6"
            ),
            &[Text(account.as_str()), Int(start), Text(series), Int(number), Int(limit.into())],
        )
        .await
    }

    async fn last_invoice(&mut self, account: &AccountId) -> StoreResult<Option<(SeriesId, u64)>> {
        let last = self
            .all(
                "billing_invoice",
                "select series, number from billing_invoice indexed by billing_invoice_account \
                 where tenant = ?1 and account = ?2 and void = 0 \
                 order by period_start desc, kind = 'period' desc limit 1",
                &[Text(account.as_str())],
            )
            .await?;
        Ok(last.into_iter().next())
    }

    async fn invoice_marks(
        &mut self,
        invoices: &[(SeriesId, u64)],
    ) -> StoreResult<Vec<InvoiceMark>> {
        let invoices = json(&invoices.iter().collect::<BTreeSet<_>>())?;
        self.all(
            "billing_invoice_mark",
            "select i.series, i.number, i.void, m.at, m.body from json_each(?2) k \
             cross join billing_invoice i \
             on i.tenant = ?1 and i.series = k.value ->> 0 and i.number = k.value ->> 1 \
             left join billing_invoice_mark m \
             on m.tenant = i.tenant and m.series = i.series and m.number = i.number \
             where m.tenant is not null or i.void = 1",
            &[Text(&invoices)],
        )
        .await
    }

    async fn settlements(
        &mut self,
        keys: &[(AccountId, Day, u32)],
    ) -> StoreResult<Vec<Settlement>> {
        let keys: BTreeSet<_> =
            keys.iter().map(|(id, day, revision)| (id, day.ordinal(), revision)).collect();
        let keys = json(&keys)?;
        self.all(
            "billing_settlement",
            concat!(
                "select ",
                settlement!(),
                " from json_each(?2) k cross join billing_settlement s \
                 on s.tenant = ?1 and s.account = k.value ->> 0 and s.day = k.value ->> 1 \
                 and s.day_revision = k.value ->> 2"
            ),
            &[Text(&keys)],
        )
        .await
    }

    async fn settlements_of(&mut self, account: &AccountId) -> StoreResult<Vec<Settlement>> {
        self.all(
            "billing_settlement",
            concat!(
                "select ",
                settlement!(),
                " from billing_settlement s where s.tenant = ?1 and s.account = ?2 \
                 order by s.day, s.day_revision"
            ),
            &[Text(account.as_str())],
        )
        .await
    }

    async fn unanswered(
        &mut self,
        after: Option<(&AccountId, Day, u32)>,
        limit: u32,
    ) -> StoreResult<Vec<Settlement>> {
        let (account, day, revision) = after
            .map_or(("", i64::MIN, 0_i64), |(account, day, revision)| {
                (account.as_str(), day.ordinal().into(), revision.into())
            });
        self.all(
            "billing_settlement",
            concat!(
                "select ",
                settlement!(),
                " from billing_settlement s indexed by billing_settlement_unanswered \
                 where s.tenant = ?1 and (s.account, s.day, s.day_revision) > (?2, ?3, ?4) \
                 and s.state in ('pending', 'sent') \
                 order by s.account, s.day, s.day_revision limit ?5"
            ),
            &[Text(account), Int(day), Int(revision), Int(limit.into())],
        )
        .await
    }

    async fn line_parts(&mut self, account: &AccountId) -> StoreResult<Vec<BilledPart>> {
        self.all(
            "billing_line_part",
            "select account, day, assignment, strategy, grp, day_revision, series, number, line, \
             share, void from billing_line_part where tenant = ?1 and account = ?2",
            &[Text(account.as_str())],
        )
        .await
    }

    async fn strays(&mut self) -> StoreResult<Vec<AccountId>> {
        self.all(
            "billing_account",
            "select account from (
                 select account from billing_account_settings where tenant = ?1
                 union select account from billing_assignment where tenant = ?1
                 union select account from billing_posting where tenant = ?1
                 union select account from billing_event where tenant = ?1
                 union select account from billing_day_total where tenant = ?1
                 union select account from billing_carry where tenant = ?1
                 union select account from billing_invoice where tenant = ?1
                 union select account from billing_line_part where tenant = ?1
                 union select account from billing_settlement where tenant = ?1
             ) s where not exists (
                 select 1 from billing_account a where a.tenant = ?1 and a.account = s.account
             )",
            &[],
        )
        .await
    }

    async fn invoice(&mut self, series: &SeriesId, number: u64) -> StoreResult<Option<Invoice>> {
        let Ok(number) = i64::try_from(number) else { return Ok(None) };
        let series = series.as_str();
        let found = self
            .all(
                "billing_invoice",
                concat!(
                    "select ",
                    invoice!(),
                    " from billing_invoice i \
                     where i.tenant = ?1 and i.series = ?2 and i.number = ?3"
                ),
                &[Text(series), Int(number)],
            )
            .await?;
        Ok(found.into_iter().next())
    }

    async fn invoice_numbers(
        &mut self,
        series: &SeriesId,
        after: u64,
        limit: u32,
    ) -> StoreResult<Vec<u64>> {
        let series = series.as_str();
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        self.all(
            "billing_invoice",
            "select number from billing_invoice \
             where tenant = ?1 and series = ?2 and number > ?3 order by number limit ?4",
            &[Text(series), Int(after), Int(limit.into())],
        )
        .await
    }

    async fn all_series(&mut self) -> StoreResult<Vec<(SeriesId, u64)>> {
        self.all(
            "billing_series",
            "select series, last from billing_series where tenant = ?1 order by series",
            &[],
        )
        .await
    }
}

fn page_key(after: Option<&ItemKey>) -> (&str, &str, &str, i64) {
    after.map_or(("", "", "", 0), |key| {
        (key.source.as_str(), key.id.as_str(), key.leg_text(), key.partial_number().into())
    })
}

/// The usage that keys are of, each once: keys without the numbers of partial records.
fn usage_json(keys: &[ItemKey]) -> StoreResult<String> {
    let usage = keys.iter().map(|key| [key.source.as_str(), key.id.as_str(), key.leg_text()]);
    json(&usage.collect::<BTreeSet<_>>())
}
