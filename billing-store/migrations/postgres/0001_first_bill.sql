-- Instants are microseconds since 1970 in UTC, days are days since 1970-01-01. Amounts and quantities are exact numbers of 18 digits
-- before the point and 10 behind it: SQL stores and finds them, it never computes them. Every key starts with the tenant; text
-- compares as bytes. What somebody else wrote and may hold NUL, which is no character to PostgreSQL, is kept as the bytes of UTF-8.

-- The lock of an account, the last number of its journal, the last link of its hash chain, and up to when its tariffs are
-- priced by. Narrow, because it is rewritten with every batch.
create table billing_account (
    tenant      text collate "C" not null,
    account     text collate "C" not null,
    seq         bigint           not null check (seq >= 0),
    chain       bytea            not null check (length(chain) = 32),
    rated_until bigint,
    primary key (tenant, account)
) with (fillfactor = 50);

create table billing_account_settings (
    tenant   text collate "C" not null,
    account  text collate "C" not null,
    customer text collate "C",
    body     text collate "C" not null,
    primary key (tenant, account)
);

create index billing_account_customer on billing_account_settings (tenant, customer, account)
    where customer is not null;

create table billing_plan (
    tenant  text collate "C" not null,
    plan    text collate "C" not null,
    version bigint           not null check (version > 0),
    body    text collate "C" not null,
    digest  bytea            not null check (length(digest) = 32),
    primary key (tenant, plan, version)
);

-- A version of a tariff. The document comes last, so that lists need not read past it.
create table billing_tariff (
    tenant   text collate "C" not null,
    tariff   text collate "C" not null,
    version  bigint           not null check (version > 0),
    currency text collate "C" not null,
    digest   bytea            not null check (length(digest) = 32),
    body     text collate "C" not null,
    primary key (tenant, tariff, version)
);

-- From when on a version is in force, until the next of its tariff.
create table billing_tariff_activation (
    tenant  text collate "C" not null,
    tariff  text collate "C" not null,
    from_at bigint           not null,
    version bigint           not null,
    primary key (tenant, tariff, from_at)
);

-- The digest of all that a tenant has in the two tables above: by it a process sees that nothing has changed.
create table billing_tariff_catalog (
    tenant text collate "C" not null,
    digest bytea            not null check (length(digest) = 32),
    primary key (tenant)
);

create table billing_assignment (
    tenant     text collate "C" not null,
    account    text collate "C" not null,
    assignment bigint           not null check (assignment > 0),
    from_day   bigint           not null,
    plan       text collate "C" not null,
    version    bigint           not null,
    overrides  text collate "C" not null,
    digest     bytea            not null check (length(digest) = 32),
    primary key (tenant, account, assignment),
    unique (tenant, account, from_day)
);

-- One fact of usage, claimed for ever. A partial record has a number, the final one 0; one that came after a later record of
-- the same usage has no posting.
create table billing_item (
    tenant           text collate "C" not null,
    source           text collate "C" not null,
    id               text collate "C" not null,
    leg              text collate "C" not null,
    partial          bigint           not null check (partial >= 0),
    account          text collate "C" not null,
    kind             text collate "C" not null,
    at               bigint           not null,
    body             text collate "C" not null,
    fingerprint_rule bigint           not null,
    fingerprint      bytea            not null check (length(fingerprint) = 32),
    first_seq        bigint           not null,
    current_seq      bigint           not null,
    postings         bigint           not null check (postings between 0 and 1001),
    primary key (tenant, source, id, leg, partial)
);

-- An account's history, in order of time.
create index billing_item_history on billing_item (tenant, account, at);

-- The effect of one item under one strategy. An amount is null where the price is settled over all usage, and the columns behind
-- it are where no tariff has priced it.
create table billing_posting (
    tenant           text collate "C" not null,
    account          text collate "C" not null,
    seq              bigint           not null check (seq > 0),
    source           text collate "C" not null,
    id               text collate "C" not null,
    leg              text collate "C" not null,
    partial          bigint           not null,
    fingerprint_rule bigint           not null,
    fingerprint      bytea            not null check (length(fingerprint) = 32),
    cause            text collate "C" not null,
    day              bigint           not null,
    assignment       bigint           not null,
    strategy         text collate "C" not null,
    grp              text collate "C" not null,
    day_revision     bigint           not null check (day_revision > 0),
    rules            bigint           not null,
    zone_data        text collate "C" not null,
    unit             text collate "C" not null,
    currency         text collate "C" not null,
    count            bigint           not null,
    quantity         numeric(28, 10) not null check (quantity <> 'NaN'),
    amount           numeric(28, 10) check (amount <> 'NaN'),
    tariff           text collate "C",
    tariff_version   bigint,
    tariff_digest    bytea            check (length(tariff_digest) = 32),
    line             bigint,
    prefix           text collate "C",
    rated_until      bigint,
    primary key (tenant, account, seq)
);

-- What else happened to an account, under the same numbers as its postings.
create table billing_event (
    tenant  text collate "C" not null,
    account text collate "C" not null,
    seq     bigint           not null check (seq > 0),
    at      bigint           not null,
    body    text collate "C" not null,
    primary key (tenant, account, seq)
);

create table billing_day_total (
    tenant       text collate "C" not null,
    account      text collate "C" not null,
    day          bigint           not null,
    assignment   bigint           not null,
    strategy     text collate "C" not null,
    grp          text collate "C" not null,
    day_revision bigint           not null check (day_revision > 0),
    unit         text collate "C" not null,
    currency     text collate "C" not null,
    count        bigint           not null,
    quantity     numeric(28, 10) not null check (quantity <> 'NaN'),
    amount       numeric(28, 10) check (amount <> 'NaN'),
    closed       bigint           not null check (closed in (0, 1)),
    billed       bigint           not null check (billed in (0, 1)),
    handed       bigint           not null check (handed in (0, 1)),
    primary key (tenant, account, day, assignment, strategy, grp, day_revision)
) with (fillfactor = 70);

create index billing_day_total_unbilled on billing_day_total (tenant, account) where billed = 0;
create index billing_day_total_unhanded on billing_day_total (tenant, account) where handed = 0;

-- What a scope has been billed so far.
create table billing_carry (
    tenant   text collate "C" not null,
    account  text collate "C" not null,
    scope    text collate "C" not null,
    strategy text collate "C" not null,
    grp      text collate "C" not null,
    quantity numeric(28, 10) not null check (quantity <> 'NaN'),
    exact    text collate "C" not null,
    billed   numeric(28, 10) not null check (billed <> 'NaN'),
    kept     text collate "C" not null,
    primary key (tenant, account, scope, strategy, grp)
);

create table billing_intake (
    tenant   text collate "C" not null,
    intake   text collate "C" not null,
    label    bytea            not null,
    at       bigint           not null,
    received bigint           not null,
    recorded bigint           not null,
    replayed bigint           not null,
    conflict bigint           not null,
    parked   bigint           not null,
    refused  bigint           not null,
    digest   bytea            not null check (length(digest) = 32),
    primary key (tenant, intake),
    check (received = recorded + replayed + conflict + parked + refused)
);

create table billing_refusal (
    tenant text collate "C" not null,
    intake text collate "C" not null,
    number bigint           not null,
    place  bytea            not null,
    reason bytea            not null,
    raw    bytea            not null,
    digest bytea            not null check (length(digest) = 32),
    primary key (tenant, intake, number)
);

create table billing_parked (
    tenant  text collate "C" not null,
    source  text collate "C" not null,
    id      text collate "C" not null,
    leg     text collate "C" not null,
    partial bigint           not null,
    account text collate "C",
    body    text collate "C" not null,
    reason  text collate "C" not null,
    since   bigint           not null,
    digest  bytea            not null check (length(digest) = 32),
    primary key (tenant, source, id, leg, partial)
);

-- What was parked and is not to be billed, with the reason.
create table billing_dropped (
    tenant  text collate "C" not null,
    at      bigint           not null,
    source  text collate "C" not null,
    id      text collate "C" not null,
    leg     text collate "C" not null,
    partial bigint           not null,
    account text collate "C",
    body    text collate "C" not null,
    parked  text collate "C" not null,
    since   bigint           not null,
    reason  bytea            not null,
    digest  bytea            not null check (length(digest) = 32),
    primary key (tenant, at, source, id, leg, partial)
);

-- An issued invoice, whole. Its unique index is the promise: at most one of a kind that is not void, for each account and
-- period.
create table billing_invoice (
    tenant       text collate "C" not null,
    series       text collate "C" not null,
    number       bigint           not null check (number > 0),
    account      text collate "C" not null,
    kind         text collate "C" not null check (kind in ('advance', 'period')),
    period_start bigint           not null,
    period_end   bigint           not null,
    issued_at    bigint           not null,
    currency     text collate "C" not null,
    total        numeric(28, 10) not null check (total <> 'NaN'),
    body         text collate "C" not null,
    digest       bytea            not null check (length(digest) = 32),
    void         bigint           not null check (void in (0, 1)),
    primary key (tenant, series, number)
);

create unique index billing_invoice_period on billing_invoice (tenant, account, kind, period_start)
    where void = 0;
create index billing_invoice_account on billing_invoice (tenant, account, period_start, series, number);

-- What became of an invoice: it is paid or made void, once.
create table billing_invoice_mark (
    tenant text collate "C" not null,
    series text collate "C" not null,
    number bigint           not null,
    at     bigint           not null,
    body   text collate "C" not null,
    primary key (tenant, series, number)
);

-- Its unique index is the promise: each revision of a day's total is in at most one line that is not void.
create table billing_line_part (
    tenant       text collate "C" not null,
    account      text collate "C" not null,
    day          bigint           not null,
    assignment   bigint           not null,
    strategy     text collate "C" not null,
    grp          text collate "C" not null,
    day_revision bigint           not null,
    series       text collate "C" not null,
    number       bigint           not null,
    line         bigint           not null,
    share        numeric(28, 10) not null check (share <> 'NaN'),
    void         bigint           not null check (void in (0, 1)),
    primary key (tenant, account, day, assignment, strategy, grp, day_revision, series, number)
);

create unique index billing_line_part_once
    on billing_line_part (tenant, account, day, assignment, strategy, grp, day_revision) where void = 0;
create index billing_line_part_invoice on billing_line_part (tenant, series, number);

-- A closed revision of a day on its way downstream.
create table billing_settlement (
    tenant       text collate "C" not null,
    account      text collate "C" not null,
    day          bigint           not null,
    day_revision bigint           not null check (day_revision > 0),
    body         text collate "C" not null,
    digest       bytea            not null check (length(digest) = 32),
    state        text collate "C" not null check (state in ('pending', 'sent', 'accepted', 'refused')),
    detail       text collate "C" not null,
    attempts     bigint           not null check (attempts >= 0),
    primary key (tenant, account, day, day_revision)
);

create index billing_settlement_unanswered on billing_settlement (tenant, account, day, day_revision)
    where state in ('pending', 'sent');

create table billing_series (
    tenant text collate "C" not null,
    series text collate "C" not null,
    last   bigint           not null check (last > 0),
    primary key (tenant, series)
);

-- Tables with these two are kept: a row that is there is not changed, in none of the columns if none is named, and stays.
create function billing_refuse() returns trigger language plpgsql as $$
begin
    raise exception '%', tg_argv[0] using errcode = 'BL001';
end
$$;

create function billing_kept(of_table regclass, why text, columns text default null) returns void language plpgsql as $$
begin
    execute format(
        'create trigger billing_kept before update %s on %s for each row execute function billing_refuse(%L)',
        'of ' || columns, of_table, why);
end
$$;

create function billing_stays(of_table regclass, why text) returns void language plpgsql as $$
begin
    execute format(
        'create trigger billing_stays before delete on %s for each row execute function billing_refuse(%L)',
        of_table, why);
    execute format(
        'create trigger billing_stays_whole before truncate on %s for each statement execute function billing_refuse(%L)',
        of_table, why);
end
$$;

-- The past is not edited.
select billing_kept('billing_plan', 'a plan version is never changed');
select billing_stays('billing_plan', 'a plan version is never deleted');
select billing_kept('billing_tariff', 'a tariff version is never changed');
select billing_stays('billing_tariff', 'a tariff version is never deleted');
select billing_kept('billing_tariff_activation', 'an activation is never changed');
select billing_stays('billing_tariff_activation', 'an activation is never deleted');
select billing_stays('billing_tariff_catalog', 'the digest of the tariffs is never deleted');
select billing_kept('billing_account_settings', 'settings are never changed');
select billing_stays('billing_account_settings', 'settings are never deleted');
select billing_kept('billing_intake', 'the record of a batch is never changed');
select billing_stays('billing_intake', 'the record of a batch is never deleted');
select billing_kept('billing_refusal', 'a refusal is never changed');
select billing_stays('billing_refusal', 'a refusal is never deleted');
select billing_kept('billing_assignment', 'an assignment is never changed');
select billing_stays('billing_assignment', 'an assignment is never deleted');
select billing_kept('billing_item', 'an item is never changed', 'tenant, source, id, leg, partial, account, kind, at, body,
    fingerprint_rule, fingerprint, first_seq, postings');
select billing_stays('billing_item', 'a claim is never deleted');
select billing_kept('billing_posting', 'a posting is never changed');
select billing_stays('billing_posting', 'a posting is never deleted');
select billing_kept('billing_event', 'an event is never changed');
select billing_stays('billing_event', 'an event is never deleted');
select billing_kept('billing_invoice', 'an issued invoice is never changed', 'tenant, series, number, account, kind, period_start,
    period_end, issued_at, currency, total, body, digest');
select billing_stays('billing_invoice', 'an issued invoice is never deleted');
select billing_kept('billing_line_part', 'a line part is never changed', 'tenant, account, day, assignment, strategy, grp,
    day_revision, series, number, line, share');
select billing_stays('billing_line_part', 'a line part is never deleted');
select billing_stays('billing_day_total', 'a total is never deleted');
select billing_stays('billing_series', 'a series is never deleted');
select billing_kept('billing_invoice_mark', 'what became of an invoice is never changed');
select billing_stays('billing_invoice_mark', 'what became of an invoice is never deleted');
select billing_kept('billing_dropped', 'a dropped item is never changed');
select billing_stays('billing_dropped', 'a dropped item is never deleted');
select billing_stays('billing_settlement', 'a settlement is never deleted');

create trigger billing_stays_void before update of void on billing_invoice
    for each row when (old.void = 1) execute function billing_refuse('a void invoice stays void');
create trigger billing_stays_void before update of void on billing_line_part
    for each row when (old.void = 1) execute function billing_refuse('a line part of a void invoice stays void');

-- An upsert names every column, so what is looked at is whether one of them changes.
create trigger billing_kept before update on billing_settlement
    for each row when ((new.tenant, new.account, new.day, new.day_revision, new.body, new.digest)
        is distinct from (old.tenant, old.account, old.day, old.day_revision, old.body, old.digest))
    execute function billing_refuse('what is handed over is never changed');
create trigger billing_accepted before update on billing_settlement
    for each row when (old.state = 'accepted') execute function billing_refuse('an accepted settlement is never changed');

-- Postings and events share the numbers of their account: a number stands in one of the two tables.
create function billing_posting_number() returns trigger language plpgsql as $$
begin
    if exists (select 1 from fresh f join billing_event e on (e.tenant, e.account, e.seq) = (f.tenant, f.account, f.seq)) then
        raise exception 'the number is an event''s' using errcode = 'BL001';
    end if;
    return null;
end
$$;
create trigger billing_number after insert on billing_posting
    referencing new table as fresh for each statement execute function billing_posting_number();

create function billing_event_number() returns trigger language plpgsql as $$
begin
    if exists (select 1 from fresh f join billing_posting p on (p.tenant, p.account, p.seq) = (f.tenant, f.account, f.seq)) then
        raise exception 'the number is a posting''s' using errcode = 'BL001';
    end if;
    return null;
end
$$;
create trigger billing_number after insert on billing_event
    referencing new table as fresh for each statement execute function billing_event_number();

-- Whether a row was committed since the transaction began, by the number of the transaction that wrote it; that number is brought to 64
-- bits by its distance to the one that asks, which is negative for one that began to write later. `billing.began` is what had been committed when it began.
create function billing_since_begun(writer xid) returns boolean language sql as $$
    select pg_xact_status(number) = 'committed'
        and not pg_visible_in_snapshot(number, current_setting('billing.began')::pg_snapshot)
    from (select greatest(pg_current_xact_id()::text::bigint - age(writer), 3)::text::xid8) of_writer(number)
$$;

-- Each transaction says whose rows it may see, and sees and writes no others; this holds for the owner of the tables too.
create function billing_wall(of_table regclass) returns void language plpgsql as $$
begin
    execute format('alter table %s enable row level security, force row level security', of_table);
    execute format(
        'create policy billing_tenant on %s using (tenant = current_setting(''billing.tenant'', true))', of_table);
end
$$;

select billing_wall('billing_account');
select billing_wall('billing_account_settings');
select billing_wall('billing_plan');
select billing_wall('billing_tariff');
select billing_wall('billing_tariff_activation');
select billing_wall('billing_tariff_catalog');
select billing_wall('billing_assignment');
select billing_wall('billing_item');
select billing_wall('billing_posting');
select billing_wall('billing_event');
select billing_wall('billing_day_total');
select billing_wall('billing_carry');
select billing_wall('billing_intake');
select billing_wall('billing_refusal');
select billing_wall('billing_parked');
select billing_wall('billing_dropped');
select billing_wall('billing_invoice');
select billing_wall('billing_invoice_mark');
select billing_wall('billing_line_part');
select billing_wall('billing_settlement');
select billing_wall('billing_series');
