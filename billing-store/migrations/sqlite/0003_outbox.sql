-- How far each sink has been told of each account's journal; the journal itself is the outbox.
create table billing_cursor (
    tenant   text    not null,
    sink     text    not null,
    account  text    not null,
    seq      integer not null check (seq >= 0),
    attempts integer not null check (attempts >= 0),
    retry_at integer,
    error    text,
    primary key (tenant, sink, account)
) strict, without rowid;

create index billing_cursor_account on billing_cursor (tenant, account, sink);

-- What a sink did not take and was skipped; done once it was told again or closed by hand.
create table billing_dead_letter (
    tenant   text    not null,
    sink     text    not null,
    account  text    not null,
    seq      integer not null check (seq > 0),
    reason   text    not null,
    at       integer not null,
    attempts integer not null check (attempts > 0),
    done_at  integer,
    primary key (tenant, sink, account, seq)
) strict, without rowid;

create index billing_dead_letter_open on billing_dead_letter (tenant, sink, account, seq) where done_at is null;
create index billing_dead_letter_account on billing_dead_letter (tenant, account, sink, seq);

-- Who relays to a sink. The token grows with each holder, and every write of a relay names the one it was given.
create table billing_lease (
    tenant text    not null,
    sink   text    not null,
    holder text    not null,
    until  integer not null,
    token  integer not null check (token > 0),
    primary key (tenant, sink)
) strict, without rowid;

-- The epochs of this store, of all tenants: the last one stands in the ids of events.
create table billing_epoch (
    number integer not null primary key,
    epoch  text    not null unique,
    since  integer not null
) strict;

insert into billing_epoch (number, epoch, since) values (1, 'first', 0);

create trigger billing_cursor_forward before update on billing_cursor when new.seq < old.seq
begin select raise(abort, 'a cursor moves forward'); end;
create trigger billing_cursor_stays before delete on billing_cursor
begin select raise(abort, 'a cursor is never deleted'); end;
create trigger billing_dead_letter_done before update on billing_dead_letter
when old.done_at is not null and new.done_at is not old.done_at
begin select raise(abort, 'a dead letter that is done stays so'); end;
create trigger billing_dead_letter_stays before delete on billing_dead_letter
begin select raise(abort, 'a dead letter is never deleted'); end;
create trigger billing_lease_token before update on billing_lease when new.token < old.token
begin select raise(abort, 'the token of a lease never falls'); end;
create trigger billing_epoch_kept before update on billing_epoch
begin select raise(abort, 'an epoch is never changed'); end;
create trigger billing_epoch_stays before delete on billing_epoch
begin select raise(abort, 'an epoch is never deleted'); end;
