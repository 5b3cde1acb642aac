//! Bytes that change behind the library's back: each must be found by opening the store and verifying it.

use std::{collections::BTreeMap, fmt};

use billing_store::verify::verify;

use crate::{
    Done,
    backend::Backend,
    chance::Chance,
    check::Expected,
    place::Place,
    raw::{Column, Raw, Value},
    request::Answer,
    run::Run,
    script::Script,
};

/// How many bytes are changed in the short run, and in the long one.
const CHANGES: (u64, u64) = (100, 1_000);
/// Items that each account uses in a month.
const LITTLE: u64 = 4;

/// What decides nothing about money, or is gone without a hole: such cells are not changed. The last text says of which rows that
/// is true.
const OPERATIONAL: [(&str, &str, &str); 9] = [
    // How often it was sent is told to people, and decides nothing.
    ("billing_settlement", "attempts", "true"),
    // A row of another tenant is a row that is gone, and nothing else speaks of what waits, of what was dropped, and of a batch
    // that recorded nothing.
    ("billing_parked", "tenant", "true"),
    ("billing_dropped", "tenant", "true"),
    ("billing_intake", "tenant", "recorded = 0"),
    // How far sinks were told, and by whom: nobody is billed by it.
    ("billing_cursor", "*", "true"),
    ("billing_dead_letter", "*", "true"),
    ("billing_lease", "*", "true"),
    ("billing_epoch", "*", "true"),
    // Which record it was that came after a later one and has no effect.
    ("billing_item", "partial", "postings = 0"),
];

/// One changed byte.
struct Change {
    column: Column,
    row: u64,
    before: Value,
    after: Value,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column: Column { table, name, .. }, row, before, after } = self;
        write!(f, "{table}.{name} of row {row}: {before:?} became {after:?}")
    }
}

pub async fn changed(run: &Run, backend: &Backend) -> Done<Vec<String>> {
    let original = history(run, backend).await?;
    let mut raw = Raw::connect(&original).await?;
    raw.disarm().await?;
    let columns: Vec<Column> = raw.columns().await?;
    raw.close().await?;
    let mut chance = Chance::of(run.seed);
    let changes = if run.is_long() { CHANGES.1 } else { CHANGES.0 };
    let mut places: BTreeMap<(String, String), u64> = BTreeMap::new();
    let (mut made, mut missed) = (0_u64, Vec::new());
    while made < changes {
        let Some((change, found)) = one(backend, &original, &columns, &mut chance).await? else {
            continue;
        };
        made += 1;
        *places.entry((change.column.table.clone(), change.column.name.clone())).or_default() += 1;
        if !found {
            missed.push(change.to_string());
        }
    }
    if !missed.is_empty() {
        let told = missed.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
        return Err(
            format!("{} of {made} changed bytes are not found:\n{told}", missed.len()).into()
        );
    }
    backend.remove(&original).await?;
    let tables: BTreeMap<&String, ()> = places.keys().map(|(table, _)| (table, ())).collect();
    let left = OPERATIONAL.iter().map(|(table, name, when)| match *when {
        "true" => format!("{table}.{name}"),
        when => format!("{table}.{name} where {when}"),
    });
    let left: Vec<String> = left.collect();
    Ok(vec![format!(
        "random bytes changed behind the library's back, {} = {made} in {} columns of {} tables, 0 missed; operational state, left \
         out: {}",
        backend.name(),
        places.len(),
        tables.len(),
        left.join(", "),
    )])
}

/// A store whose script is done.
async fn history(run: &Run, backend: &Backend) -> Done<Place> {
    let script = Script::of(run.seed, LITTLE)?;
    let expected = Expected::of(&script).await?;
    let place = backend.fresh(run.folder(), "bytes").await?;
    let opened = place.open_patiently().await?;
    let tenant = opened.tenant()?;
    for request in script.stages.iter().flat_map(|stage| &stage.requests) {
        let answer = request.ask(&tenant).await;
        if answer != Answer::Ok {
            return Err(format!("{}: {answer:?}", request.name()).into());
        }
    }
    let problems = expected.problems(&tenant).await?;
    opened.close().await;
    if problems.is_empty() { Ok(place) } else { Err(problems.join("; ").into()) }
}

/// Changes one byte somewhere, and whether it was found; `None` if there was nothing to change, or the database refused.
async fn one(
    backend: &Backend,
    original: &Place,
    columns: &[Column],
    chance: &mut Chance,
) -> Done<Option<(Change, bool)>> {
    let Some(column) = columns.get(usize::try_from(chance.below(columns.len() as u64))?) else {
        return Ok(None);
    };
    let row = chance.below(column.rows);
    let copy = backend.copy(original)?;
    let mut raw = Raw::connect(&copy).await?;
    let before = match operational(column) {
        Some(when) if raw.holds(column, row, when).await? => None,
        _ => raw.read(column, row).await?,
    };
    let after = before.as_ref().and_then(|value| other(value, chance));
    let spot = match &after {
        Some(value) => raw.write(column, row, value).await?,
        None => None,
    };
    let mut told = None;
    if let (Some(spot), Some(before), Some(after)) = (spot, before, after) {
        let found = is_found(&copy).await;
        raw.restore(column, &spot, &before).await?;
        told = Some((Change { column: column.clone(), row, before, after }, found));
    }
    raw.close().await?;
    if copy != *original {
        backend.remove(&copy).await?;
    }
    Ok(told)
}

/// Of which rows a column is left out, if it is of any.
fn operational(column: &Column) -> Option<&'static str> {
    let mine = |(table, name, _): &&(&str, &str, &str)| {
        *table == column.table && (*name == "*" || *name == column.name)
    };
    OPERATIONAL.iter().find(mine).map(|(.., when)| *when)
}

/// The value with one byte changed.
fn other(value: &Value, chance: &mut Chance) -> Option<Value> {
    match value {
        Value::Text(text) => {
            let mut bytes = text.clone().into_bytes();
            let place = usize::try_from(chance.next()).ok()?.checked_rem(bytes.len())?;
            // Printable, so that every database takes it.
            let byte = b' ' + u8::try_from(chance.below(95)).ok()?;
            *bytes.get_mut(place).filter(|old| **old != byte && old.is_ascii())? = byte;
            String::from_utf8(bytes).ok().map(Value::Text)
        }
        Value::Number(number) => {
            let mut bytes = number.to_le_bytes();
            let place = usize::try_from(chance.below(8)).ok()?;
            *bytes.get_mut(place)? ^= 1 + u8::try_from(chance.below(255)).ok()?;
            Some(Value::Number(i64::from_le_bytes(bytes)))
        }
        Value::Bytes(bytes) => {
            let mut bytes = bytes.clone();
            let place = usize::try_from(chance.next()).ok()?.checked_rem(bytes.len())?;
            *bytes.get_mut(place)? ^= 1 + u8::try_from(chance.below(255)).ok()?;
            Some(Value::Bytes(bytes))
        }
    }
}

/// Whether opening and verifying it says that something is wrong.
async fn is_found(place: &Place) -> bool {
    let Ok(opened) = place.open().await else { return true };
    let report = match opened.tenant() {
        Ok(tenant) => verify(&tenant).await.ok(),
        Err(_) => None,
    };
    opened.close().await;
    // A store that cannot be read at all has been found out too.
    !report.is_some_and(|report| report.is_clean())
}
