-- The digest, as text, of the content of an item whose persons were erased. Its fingerprint stays that of what was reported.
alter table billing_item add column erased text check (length(erased) = 64);

-- The past is not edited, but persons may be taken out of it, once.
drop trigger billing_item_kept;
create trigger billing_item_kept before update of tenant, source, id, leg, partial, account, kind, at,
    fingerprint_rule, fingerprint, first_seq, postings on billing_item
begin select raise(abort, 'an item is never changed'); end;
create trigger billing_item_body_kept before update of body, erased on billing_item
when old.erased is not null or new.erased is null
begin select raise(abort, 'an item is never changed, but its persons may be erased'); end;

drop trigger billing_refusal_kept;
create trigger billing_refusal_kept before update on billing_refusal
when new.raw <> '' or old.raw = '' or (new.tenant, new.intake, new.number, new.place, new.reason)
    is not (old.tenant, old.intake, old.number, old.place, old.reason)
begin select raise(abort, 'a refusal is never changed, but its raw text may be erased'); end;

drop trigger billing_dropped_kept;
create trigger billing_dropped_kept before update on billing_dropped
when (new.tenant, new.at, new.source, new.id, new.leg, new.partial, new.account, new.parked, new.since, new.reason)
    is not (old.tenant, old.at, old.source, old.id, old.leg, old.partial, old.account, old.parked, old.since, old.reason)
    or (new.body is not old.body) <> (new.digest is not old.digest)
begin select raise(abort, 'a dropped item is never changed, but its persons may be erased'); end;
