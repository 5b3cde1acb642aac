//! What tariffs price: it stays so, and tariffs change after it alone.

use billing_core::{
    decide::{Receipt, TariffError},
    event::JournalEntry,
    id::TariffId,
    item::{Incoming, Item},
    tariff::{Provenance, SavedTariff, TariffSpec},
    time::Instant,
};

use crate::{
    answer::{Error, Outcome},
    conformance::{
        bench::{Bench, ensure_same},
        coheres::coheres,
        door::Door,
        kept::{Failed, Kept, ensure},
        sample::{self, Made},
    },
};

pub(super) async fn priced_stays_priced(bench: &Bench) -> Kept {
    let door = Door::by_tariff(bench, "priced", &["alice", "bob"]).await?;
    let retail = sample::tariff("retail", 1)?;
    let waits = door.take(&[call("alice", "first", "08:00:00", 61_000)?]).await?;
    ensure(matches!(*waits.receipts, [Receipt::Parked(_)]), "a call is priced without a tariff")?;
    save(&door, &retail).await?;
    activate(&door, "retail", 1, "00:00:00").await?;
    let keys = [sample::key("first")?];
    let retried = door.tenant.retry_parked(&keys).await?;
    ensure(
        matches!(*retried.receipts, [Receipt::Recorded { .. }]),
        "a price came, and no use of it",
    )?;
    // What comes late does not let tariffs change earlier, nor does what another account used.
    let times = [
        ("alice", "late", "09:00:00"),
        ("alice", "earlier", "07:00:00"),
        ("bob", "other", "06:00:00"),
    ];
    for (account, id, time) in times {
        let taken = door.take(&[call(account, id, time, 60_000)?]).await?;
        ensure(matches!(*taken.receipts, [Receipt::Recorded { .. }]), "a call is not priced")?;
    }
    let dearer = dearer(&retail)?;
    save(&door, &dearer).await?;
    save(&door, &sample::tariff("world", 1)?).await?;
    save(&door, &sample::tariff("elsewhere", 1)?).await?;
    let before = bench.dump(door.tenant.id()).await?;
    for tariff in ["retail", "world"] {
        let version = if tariff == "retail" { 2 } else { 1 };
        refused(&door, tariff, version, "09:00:59.999999").await?;
    }
    let after = bench.dump(door.tenant.id()).await?;
    ensure_same(&after, &before, "after tariffs were refused to come into force")?;
    activate(&door, "elsewhere", 1, "00:00:00").await?;
    activate(&door, "retail", 2, "09:01:00").await?;
    refused(&door, "retail", 1, "09:00:00").await?;
    let taken = door.take(&[call("bob", "dearer", "09:01:00", 60_000)?]).await?;
    ensure(matches!(*taken.receipts, [Receipt::Recorded { .. }]), "a call is not priced")?;
    kept(bench, &door, [&retail, &dearer]).await
}

/// Each posting says which of the versions priced it, and costs what that version says.
async fn kept(bench: &Bench, door: &Door, versions: [&TariffSpec; 2]) -> Kept {
    let dump = bench.dump(door.tenant.id()).await?;
    coheres(&dump)?;
    let mut priced = Vec::new();
    for entry in dump.journals.values().flatten() {
        let JournalEntry::Posting(posting) = entry else { continue };
        let (amount, provenance) = (posting.totals.amount, posting.provenance.as_deref());
        let provenance =
            provenance.ok_or_else(|| Failed("a posting lost what priced it".into()))?;
        priced.push((posting.item.id.to_string(), amount, provenance.clone()));
    }
    let due = [
        ("first", 1, "0.0398", "08:01:01"),
        ("late", 1, "0.0199", "09:01:00"),
        ("earlier", 1, "0.0199", "07:01:00"),
        ("other", 1, "0.0199", "06:01:00"),
        ("dearer", 2, "1.0199", "09:02:00"),
    ];
    for (id, version, amount, until) in due {
        let spec = versions.into_iter().find(|spec| spec.version == version);
        let spec = spec.ok_or_else(|| Failed("no such version".into()))?;
        let SavedTariff { tariff, digest, .. } = spec.into();
        let until = sample::at(until)?;
        let provenance = Provenance { tariff, version, digest, line: 1, prefix: None, until };
        let due = (id.to_owned(), Some(sample::of(amount)?), provenance);
        ensure(priced.contains(&due), format!("call {id} is not priced as it was"))?;
    }
    ensure(priced.len() == due.len(), "there are postings more than calls")
}

/// The next version, with a fee for being connected.
fn dearer(tariff: &TariffSpec) -> Made<TariffSpec> {
    let mut next = TariffSpec { version: 2, ..tariff.clone() };
    for line in &mut next.lines {
        line.connect_fee = sample::of("1")?;
    }
    Ok(next)
}

async fn save(door: &Door, tariff: &TariffSpec) -> Kept {
    let first = door.tenant.save_tariff(tariff).await?;
    let again = door.tenant.save_tariff(tariff).await?;
    let told = (first, again) == (Outcome::New, Outcome::Replay);
    ensure(told, "saving a tariff again is no replay")?;
    let other = TariffSpec { decimals: 2, ..tariff.clone() };
    let differs = door.tenant.save_tariff(&other).await;
    let told = matches!(differs, Err(Error::Tariff(TariffError::Differs { .. })));
    ensure(told, "a version of a tariff is saved with other content")
}

async fn activate(door: &Door, tariff: &str, version: u32, from: &str) -> Kept {
    let (tariff, from): (TariffId, Instant) = (sample::of(tariff)?, sample::at(from)?);
    let first = door.tenant.activate_tariff(&tariff, version, from).await?;
    let again = door.tenant.activate_tariff(&tariff, version, from).await?;
    let told = (first, again) == (Outcome::New, Outcome::Replay);
    ensure(told, "letting a tariff come into force again is no replay")
}

/// The refusal names the end of what is priced.
async fn refused(door: &Door, tariff: &str, version: u32, from: &str) -> Kept {
    let (tariff, from): (TariffId, Instant) = (sample::of(tariff)?, sample::at(from)?);
    match door.tenant.activate_tariff(&tariff, version, from).await {
        Err(Error::Tariff(TariffError::Past { earliest, .. })) => {
            ensure(earliest == sample::at("09:01:00")?, "a tariff could begin at another instant")
        }
        answer => Err(Failed(format!("a tariff was to change what is priced: {answer:?}"))),
    }
}

fn call(account: &str, id: &str, time: &str, duration_ms: u64) -> Made<Incoming> {
    let Item::Call(mut call) = sample::call()? else {
        return Err(Failed("the sample is no call".into()));
    };
    (call.start, call.duration_ms) = (sample::at(time)?, duration_ms);
    let (key, account) = (sample::key(id)?, Some(sample::of(account)?));
    Ok(Incoming { key, account, item: Item::Call(call) })
}
