-- How far each sink has been told of each account's journal; the journal itself is the outbox.
create table billing_cursor (
    tenant   text   collate "C" not null,
    sink     text   collate "C" not null,
    account  text   collate "C" not null,
    seq      bigint not null check (seq >= 0),
    attempts bigint not null check (attempts >= 0),
    retry_at bigint,
    error    text,
    primary key (tenant, sink, account)
);

create index billing_cursor_account on billing_cursor (tenant, account, sink);

-- What a sink did not take and was skipped; done once it was told again or closed by hand.
create table billing_dead_letter (
    tenant   text   collate "C" not null,
    sink     text   collate "C" not null,
    account  text   collate "C" not null,
    seq      bigint not null check (seq > 0),
    reason   text   not null,
    at       bigint not null,
    attempts bigint not null check (attempts > 0),
    done_at  bigint,
    primary key (tenant, sink, account, seq)
);

create index billing_dead_letter_open on billing_dead_letter (tenant, sink, account, seq) where done_at is null;
create index billing_dead_letter_account on billing_dead_letter (tenant, account, sink, seq);

-- Who relays to a sink. The token grows with each holder, and every write of a relay names the one it was given.
create table billing_lease (
    tenant text   collate "C" not null,
    sink   text   collate "C" not null,
    holder text   collate "C" not null,
    until  bigint not null,
    token  bigint not null check (token > 0),
    primary key (tenant, sink)
);

-- The epochs of this store, of all tenants: the last one stands in the ids of events.
create table billing_epoch (
    number bigint not null primary key,
    epoch  text   collate "C" not null unique,
    since  bigint not null
);

insert into billing_epoch (number, epoch, since) values (1, 'first', 0);

create trigger billing_forward before update on billing_cursor
    for each row when (new.seq < old.seq) execute function billing_refuse('a cursor moves forward');
select billing_stays('billing_cursor', 'a cursor is never deleted');
create trigger billing_done before update on billing_dead_letter
    for each row when (old.done_at is not null and new.done_at is distinct from old.done_at)
    execute function billing_refuse('a dead letter that is done stays so');
select billing_stays('billing_dead_letter', 'a dead letter is never deleted');
create trigger billing_token before update on billing_lease
    for each row when (new.token < old.token) execute function billing_refuse('the token of a lease never falls');
select billing_kept('billing_epoch', 'an epoch is never changed');
select billing_stays('billing_epoch', 'an epoch is never deleted');

select billing_wall('billing_cursor');
select billing_wall('billing_dead_letter');
select billing_wall('billing_lease');
