-- Instants are microseconds since 1970 in UTC, days are days since 1970-01-01. Amounts and quantities are canonical decimal
-- text: SQL stores and finds them, it never computes them. Every key starts with the tenant; text compares as bytes.

-- The lock of an account, the last number of its journal, the last link of its hash chain, and up to when its tariffs are
-- priced by. Narrow, because it is rewritten with every batch.
create table billing_account (
    tenant      text    not null,
    account     text    not null,
    seq         integer not null check (seq >= 0),
    chain       blob    not null check (length(chain) = 32),
    rated_until integer,
    primary key (tenant, account)
) strict, without rowid;

create table billing_account_settings (
    tenant   text not null,
    account  text not null,
    customer text,
    body     text not null,
    primary key (tenant, account)
) strict, without rowid;

create index billing_account_customer on billing_account_settings (tenant, customer, account)
    where customer is not null;

create table billing_plan (
    tenant  text    not null,
    plan    text    not null,
    version integer not null check (version > 0),
    body    text    not null,
    digest  blob    not null check (length(digest) = 32),
    primary key (tenant, plan, version)
) strict, without rowid;

-- A version of a tariff. The document comes last, so that lists need not read past it.
create table billing_tariff (
    tenant   text    not null,
    tariff   text    not null,
    version  integer not null check (version > 0),
    currency text    not null,
    digest   blob    not null check (length(digest) = 32),
    body     text    not null,
    primary key (tenant, tariff, version)
) strict;

-- From when on a version is in force, until the next of its tariff.
create table billing_tariff_activation (
    tenant  text    not null,
    tariff  text    not null,
    from_at integer not null,
    version integer not null,
    primary key (tenant, tariff, from_at)
) strict, without rowid;

-- The digest of all that a tenant has in the two tables above: by it a process sees that nothing has changed.
create table billing_tariff_catalog (
    tenant text not null,
    digest blob not null check (length(digest) = 32),
    primary key (tenant)
) strict, without rowid;

create table billing_assignment (
    tenant     text    not null,
    account    text    not null,
    assignment integer not null check (assignment > 0),
    from_day   integer not null,
    plan       text    not null,
    version    integer not null,
    overrides  text    not null,
    digest     blob    not null check (length(digest) = 32),
    primary key (tenant, account, assignment),
    unique (tenant, account, from_day)
) strict, without rowid;

-- One fact of usage, claimed for ever. A partial record has a number, the final one 0; one that came after a later record of
-- the same usage has no posting.
create table billing_item (
    tenant           text    not null,
    source           text    not null,
    id               text    not null,
    leg              text    not null,
    partial          integer not null check (partial >= 0),
    account          text    not null,
    kind             text    not null,
    at               integer not null,
    body             text    not null,
    fingerprint_rule integer not null,
    fingerprint      blob    not null check (length(fingerprint) = 32),
    first_seq        integer not null,
    current_seq      integer not null,
    postings         integer not null check (postings between 0 and 1001),
    primary key (tenant, source, id, leg, partial)
) strict;

-- An account's history, in order of time.
create index billing_item_history on billing_item (tenant, account, at);

-- The effect of one item under one strategy. An amount is null where the price is settled over all usage, and the columns behind
-- it are where no tariff has priced it.
create table billing_posting (
    tenant           text    not null,
    account          text    not null,
    seq              integer not null check (seq > 0),
    source           text    not null,
    id               text    not null,
    leg              text    not null,
    partial          integer not null,
    fingerprint_rule integer not null,
    fingerprint      blob    not null check (length(fingerprint) = 32),
    cause            text    not null,
    day              integer not null,
    assignment       integer not null,
    strategy         text    not null,
    grp              text    not null,
    day_revision     integer not null check (day_revision > 0),
    rules            integer not null,
    zone_data        text    not null,
    unit             text    not null,
    currency         text    not null,
    count            integer not null,
    quantity         text    not null,
    amount           text,
    tariff           text,
    tariff_version   integer,
    tariff_digest    blob    check (length(tariff_digest) = 32),
    line             integer,
    prefix           text,
    rated_until      integer,
    primary key (tenant, account, seq)
) strict, without rowid;

-- What else happened to an account, under the same numbers as its postings.
create table billing_event (
    tenant  text    not null,
    account text    not null,
    seq     integer not null check (seq > 0),
    at      integer not null,
    body    text    not null,
    primary key (tenant, account, seq)
) strict, without rowid;

create table billing_day_total (
    tenant       text    not null,
    account      text    not null,
    day          integer not null,
    assignment   integer not null,
    strategy     text    not null,
    grp          text    not null,
    day_revision integer not null check (day_revision > 0),
    unit         text    not null,
    currency     text    not null,
    count        integer not null,
    quantity     text    not null,
    amount       text,
    closed       integer not null check (closed in (0, 1)),
    billed       integer not null check (billed in (0, 1)),
    handed       integer not null check (handed in (0, 1)),
    primary key (tenant, account, day, assignment, strategy, grp, day_revision)
) strict, without rowid;

create index billing_day_total_unbilled on billing_day_total (tenant, account) where billed = 0;
create index billing_day_total_unhanded on billing_day_total (tenant, account) where handed = 0;

-- What a scope has been billed so far.
create table billing_carry (
    tenant   text not null,
    account  text not null,
    scope    text not null,
    strategy text not null,
    grp      text not null,
    quantity text not null,
    exact    text not null,
    billed   text not null,
    kept     text not null,
    primary key (tenant, account, scope, strategy, grp)
) strict, without rowid;

create table billing_intake (
    tenant   text    not null,
    intake   text    not null,
    label    text    not null,
    at       integer not null,
    received integer not null,
    recorded integer not null,
    replayed integer not null,
    conflict integer not null,
    parked   integer not null,
    refused  integer not null,
    digest   blob    not null check (length(digest) = 32),
    primary key (tenant, intake),
    check (received = recorded + replayed + conflict + parked + refused)
) strict, without rowid;

create table billing_refusal (
    tenant text    not null,
    intake text    not null,
    number integer not null,
    place  text    not null,
    reason text    not null,
    raw    text    not null,
    digest blob    not null check (length(digest) = 32),
    primary key (tenant, intake, number)
) strict, without rowid;

create table billing_parked (
    tenant  text    not null,
    source  text    not null,
    id      text    not null,
    leg     text    not null,
    partial integer not null,
    account text,
    body    text    not null,
    reason  text    not null,
    since   integer not null,
    digest  blob    not null check (length(digest) = 32),
    primary key (tenant, source, id, leg, partial)
) strict, without rowid;

-- What was parked and is not to be billed, with the reason.
create table billing_dropped (
    tenant  text    not null,
    at      integer not null,
    source  text    not null,
    id      text    not null,
    leg     text    not null,
    partial integer not null,
    account text,
    body    text    not null,
    parked  text    not null,
    since   integer not null,
    reason  text    not null,
    digest  blob    not null check (length(digest) = 32),
    primary key (tenant, at, source, id, leg, partial)
) strict, without rowid;

-- An issued invoice, whole. Its unique index is the promise: at most one of a kind that is not void, for each account and
-- period.
create table billing_invoice (
    tenant       text    not null,
    series       text    not null,
    number       integer not null check (number > 0),
    account      text    not null,
    kind         text    not null check (kind in ('advance', 'period')),
    period_start integer not null,
    period_end   integer not null,
    issued_at    integer not null,
    currency     text    not null,
    total        text    not null,
    body         text    not null,
    digest       blob    not null check (length(digest) = 32),
    void         integer not null check (void in (0, 1)),
    primary key (tenant, series, number)
) strict, without rowid;

create unique index billing_invoice_period on billing_invoice (tenant, account, kind, period_start)
    where void = 0;
create index billing_invoice_account on billing_invoice (tenant, account, period_start, series, number);

-- What became of an invoice: it is paid or made void, once.
create table billing_invoice_mark (
    tenant text    not null,
    series text    not null,
    number integer not null,
    at     integer not null,
    body   text    not null,
    primary key (tenant, series, number)
) strict, without rowid;

-- Its unique index is the promise: each revision of a day's total is in at most one line that is not void.
create table billing_line_part (
    tenant       text    not null,
    account      text    not null,
    day          integer not null,
    assignment   integer not null,
    strategy     text    not null,
    grp          text    not null,
    day_revision integer not null,
    series       text    not null,
    number       integer not null,
    line         integer not null,
    share        text    not null,
    void         integer not null check (void in (0, 1)),
    primary key (tenant, account, day, assignment, strategy, grp, day_revision, series, number)
) strict, without rowid;

create unique index billing_line_part_once
    on billing_line_part (tenant, account, day, assignment, strategy, grp, day_revision) where void = 0;
create index billing_line_part_invoice on billing_line_part (tenant, series, number);

-- A closed revision of a day on its way downstream.
create table billing_settlement (
    tenant       text    not null,
    account      text    not null,
    day          integer not null,
    day_revision integer not null check (day_revision > 0),
    body         text    not null,
    digest       blob    not null check (length(digest) = 32),
    state        text    not null check (state in ('pending', 'sent', 'accepted', 'refused')),
    detail       text    not null,
    attempts     integer not null check (attempts >= 0),
    primary key (tenant, account, day, day_revision)
) strict, without rowid;

create index billing_settlement_unanswered on billing_settlement (tenant, account, day, day_revision)
    where state in ('pending', 'sent');

create table billing_series (
    tenant text    not null,
    series text    not null,
    last   integer not null check (last > 0),
    primary key (tenant, series)
) strict, without rowid;

-- The past is not edited.
create trigger billing_plan_kept before update on billing_plan
begin select raise(abort, 'a plan version is never changed'); end;
create trigger billing_plan_stays before delete on billing_plan
begin select raise(abort, 'a plan version is never deleted'); end;
create trigger billing_tariff_kept before update on billing_tariff
begin select raise(abort, 'a tariff version is never changed'); end;
create trigger billing_tariff_stays before delete on billing_tariff
begin select raise(abort, 'a tariff version is never deleted'); end;
create trigger billing_tariff_activation_kept before update on billing_tariff_activation
begin select raise(abort, 'an activation is never changed'); end;
create trigger billing_tariff_activation_stays before delete on billing_tariff_activation
begin select raise(abort, 'an activation is never deleted'); end;
create trigger billing_tariff_catalog_stays before delete on billing_tariff_catalog
begin select raise(abort, 'the digest of the tariffs is never deleted'); end;
create trigger billing_account_settings_kept before update on billing_account_settings
begin select raise(abort, 'settings are never changed'); end;
create trigger billing_account_settings_stay before delete on billing_account_settings
begin select raise(abort, 'settings are never deleted'); end;
create trigger billing_intake_kept before update on billing_intake
begin select raise(abort, 'the record of a batch is never changed'); end;
create trigger billing_intake_stays before delete on billing_intake
begin select raise(abort, 'the record of a batch is never deleted'); end;
create trigger billing_refusal_kept before update on billing_refusal
begin select raise(abort, 'a refusal is never changed'); end;
create trigger billing_refusal_stays before delete on billing_refusal
begin select raise(abort, 'a refusal is never deleted'); end;
create trigger billing_assignment_stays before delete on billing_assignment
begin select raise(abort, 'an assignment is never deleted'); end;
create trigger billing_assignment_kept before update on billing_assignment
begin select raise(abort, 'an assignment is never changed'); end;
create trigger billing_item_kept before update of tenant, source, id, leg, partial, account, kind, at, body,
    fingerprint_rule, fingerprint, first_seq, postings on billing_item
begin select raise(abort, 'an item is never changed'); end;
create trigger billing_item_stays before delete on billing_item
begin select raise(abort, 'a claim is never deleted'); end;
create trigger billing_posting_kept before update on billing_posting
begin select raise(abort, 'a posting is never changed'); end;
create trigger billing_posting_stays before delete on billing_posting
begin select raise(abort, 'a posting is never deleted'); end;
create trigger billing_event_kept before update on billing_event
begin select raise(abort, 'an event is never changed'); end;
create trigger billing_event_stays before delete on billing_event
begin select raise(abort, 'an event is never deleted'); end;
create trigger billing_invoice_kept before update of tenant, series, number, account, kind, period_start,
    period_end, issued_at, currency, total, body, digest on billing_invoice
begin select raise(abort, 'an issued invoice is never changed'); end;
create trigger billing_invoice_stays before delete on billing_invoice
begin select raise(abort, 'an issued invoice is never deleted'); end;
create trigger billing_line_part_kept before update of tenant, account, day, assignment, strategy, grp,
    day_revision, series, number, line, share on billing_line_part
begin select raise(abort, 'a line part is never changed'); end;
create trigger billing_line_part_stays before delete on billing_line_part
begin select raise(abort, 'a line part is never deleted'); end;

create trigger billing_invoice_stays_void before update of void on billing_invoice when old.void = 1
begin select raise(abort, 'a void invoice stays void'); end;
create trigger billing_line_part_stays_void before update of void on billing_line_part when old.void = 1
begin select raise(abort, 'a line part of a void invoice stays void'); end;
create trigger billing_day_total_stays before delete on billing_day_total
begin select raise(abort, 'a total is never deleted'); end;
create trigger billing_series_stays before delete on billing_series
begin select raise(abort, 'a series is never deleted'); end;
create trigger billing_invoice_mark_kept before update on billing_invoice_mark
begin select raise(abort, 'what became of an invoice is never changed'); end;
create trigger billing_invoice_mark_stays before delete on billing_invoice_mark
begin select raise(abort, 'what became of an invoice is never deleted'); end;
create trigger billing_dropped_kept before update on billing_dropped
begin select raise(abort, 'a dropped item is never changed'); end;
create trigger billing_dropped_stays before delete on billing_dropped
begin select raise(abort, 'a dropped item is never deleted'); end;
-- An upsert names every column, so what is looked at is whether one of them changes.
create trigger billing_settlement_kept before update on billing_settlement
when (new.tenant, new.account, new.day, new.day_revision, new.body, new.digest)
    is not (old.tenant, old.account, old.day, old.day_revision, old.body, old.digest)
begin select raise(abort, 'what is handed over is never changed'); end;
create trigger billing_settlement_accepted before update on billing_settlement when old.state = 'accepted'
begin select raise(abort, 'an accepted settlement is never changed'); end;
create trigger billing_settlement_stays before delete on billing_settlement
begin select raise(abort, 'a settlement is never deleted'); end;

-- Postings and events share the numbers of their account: a number stands in one of the two tables.
create trigger billing_posting_number before insert on billing_posting
when exists (select 1 from billing_event e
             where e.tenant = new.tenant and e.account = new.account and e.seq = new.seq)
begin select raise(abort, 'the number is an event''s'); end;
create trigger billing_event_number before insert on billing_event
when exists (select 1 from billing_posting p
             where p.tenant = new.tenant and p.account = new.account and p.seq = new.seq)
begin select raise(abort, 'the number is a posting''s'); end;
