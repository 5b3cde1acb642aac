-- Corrections: an item's current postings are no longer those of its arrival, or none.

-- How many postings count from current_seq on, and the content in force where a correction gave an item other than was reported.
alter table billing_item add column effective bigint not null default 0 check (effective between 0 and 1001);
alter table billing_item add column amended text collate "C";

-- Of every tenant, so the wall between them is lowered for it.
alter table billing_item disable row level security;
update billing_item set effective = postings where current_seq = first_seq;
alter table billing_item enable row level security;

-- An account's items whose content is another.
create index billing_item_amended on billing_item (tenant, account, source, id, leg, partial)
    where amended is not null;

-- By which correction a posting was made, if it was not made on arrival.
alter table billing_posting add column correction text collate "C";

-- A correction as it was asked for, claimed for ever, with the report of what it changed.
create table billing_correction (
    tenant     text collate "C" not null,
    correction text collate "C" not null,
    at         bigint           not null,
    kind       text collate "C" not null,
    reason     bytea            not null,
    body       text collate "C" not null,
    request    bytea            not null check (length(request) = 32),
    report     text collate "C" not null,
    digest     bytea            not null check (length(digest) = 32),
    primary key (tenant, correction)
);

select billing_kept('billing_correction', 'a correction is never changed');
select billing_stays('billing_correction', 'a correction is never deleted');
select billing_wall('billing_correction');
