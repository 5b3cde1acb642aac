-- Corrections: an item's current postings are no longer those of its arrival, or none.

-- How many postings count from current_seq on, and the content in force where a correction gave an item other than was reported.
alter table billing_item add column effective integer not null default 0 check (effective between 0 and 1001);
alter table billing_item add column amended text;

update billing_item set effective = postings where current_seq = first_seq;

-- An account's items whose content is another.
create index billing_item_amended on billing_item (tenant, account, source, id, leg, partial)
    where amended is not null;

-- By which correction a posting was made, if it was not made on arrival.
alter table billing_posting add column correction text;

-- A correction as it was asked for, claimed for ever, with the report of what it changed.
create table billing_correction (
    tenant     text    not null,
    correction text    not null,
    at         integer not null,
    kind       text    not null,
    reason     text    not null,
    body       text    not null,
    request    blob    not null check (length(request) = 32),
    report     text    not null,
    digest     blob    not null check (length(digest) = 32),
    primary key (tenant, correction)
) strict, without rowid;

create trigger billing_correction_kept before update on billing_correction
begin select raise(abort, 'a correction is never changed'); end;
create trigger billing_correction_stays before delete on billing_correction
begin select raise(abort, 'a correction is never deleted'); end;
