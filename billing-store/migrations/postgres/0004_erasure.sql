-- The digest, as text, of the content of an item whose persons were erased. Its fingerprint stays that of what was reported.
alter table billing_item add column erased text collate "C" check (length(erased) = 64);

-- The past is not edited, but persons may be taken out of it, once.
drop trigger billing_kept on billing_item;
select billing_kept('billing_item', 'an item is never changed', 'tenant, source, id, leg, partial, account, kind, at,
    fingerprint_rule, fingerprint, first_seq, postings');
create trigger billing_body_kept before update of body, erased on billing_item
    for each row when (old.erased is not null or new.erased is null)
    execute function billing_refuse('an item is never changed, but its persons may be erased');

drop trigger billing_kept on billing_refusal;
create trigger billing_kept before update on billing_refusal
    for each row when (length(new.raw) > 0 or length(old.raw) = 0 or (new.tenant, new.intake, new.number, new.place, new.reason)
        is distinct from (old.tenant, old.intake, old.number, old.place, old.reason))
    execute function billing_refuse('a refusal is never changed, but its raw text may be erased');

drop trigger billing_kept on billing_dropped;
create trigger billing_kept before update on billing_dropped
    for each row when (
        (new.tenant, new.at, new.source, new.id, new.leg, new.partial, new.account, new.parked, new.since, new.reason)
        is distinct from
        (old.tenant, old.at, old.source, old.id, old.leg, old.partial, old.account, old.parked, old.since, old.reason)
        or (new.body is distinct from old.body) <> (new.digest is distinct from old.digest))
    execute function billing_refuse('a dropped item is never changed, but its persons may be erased');
