//! The statements as PostgreSQL spells them.

use std::collections::BTreeMap;

/// Where the condition of a join ends.
const ENDS: [&str; 5] = [" cross join ", " left join ", " where ", " order by ", " limit "];

/// How a statement takes a part of a key out of an element of the JSON array.
const PART: &str = "cast(k.value ->> ";

/// A statement that is written for SQLite, in PostgreSQL's words.
///
/// Parameters are numbered `$1`, and no index is named. Keys are the elements of a JSON array, and their parts are taken out of it before
/// anything is looked up by them: behind row-level security a condition that calls a function finds nothing in an index. What is joined to
/// the keys is looked up key by key, in the order in which it is written: the planner is kept from turning it round by `offset 0`, or
/// a plan that was made while a table was small would walk it for each key once it has grown. For the same reason rows that
/// are changed by their keys are found first.
pub(super) fn spelled(sql: &str) -> String {
    let sql = found_first(&without_indexes(sql));
    let sql = looked_up(&looked_up(&sql, " cross join "), " left join ");
    // No statement has a question mark but before the number of a parameter.
    in_parts(&sql).replace('?', "$")
}

/// Takes the parts of keys out of the array: `k0`, `k1` and so on.
fn in_parts(sql: &str) -> String {
    let mut parts = sql.split(PART);
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut columns = BTreeMap::new();
    for part in parts {
        let (number, kind, after) = part
            .split_once(" as ")
            .and_then(|(number, rest)| Some((number, rest.split_once(')')?)))
            .map_or((part, "", ""), |(number, (kind, after))| (number, kind, after));
        let _same: Option<&str> = columns.insert(number, kind);
        text.extend(["k.k", number, after]);
    }
    let columns = columns
        .iter()
        .map(|(number, kind)| format!("cast(e.value ->> {number} as {kind}) as k{number}"));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let keys =
        format!("(select {columns} from jsonb_array_elements(?2::jsonb) e(value) offset 0) k");
    text.replace("json_each(?2) k", &keys)
}

/// Leaves out every `indexed by …`.
fn without_indexes(sql: &str) -> String {
    let mut parts = sql.split(" indexed by ");
    let first = parts.next().unwrap_or_default();
    parts.fold(first.to_owned(), |text, part| {
        // The name of the index ends at the next space.
        let after = part.split_once(char::is_whitespace).map_or("", |(_, after)| after);
        format!("{text} {after}")
    })
}

/// Turns `join table name on condition` into a look-up for each row before it.
fn looked_up(sql: &str, join: &str) -> String {
    let mut parts = sql.split(join);
    let first = parts.next().unwrap_or_default();
    parts.fold(first.to_owned(), |text, part| {
        let table = part.split_once(" on ").and_then(|(table, rest)| {
            let name = table.split_whitespace().next_back()?;
            let end = ENDS.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
            let (condition, after) = rest.split_at_checked(end)?;
            let on = if join == " left join " { " on true" } else { "" };
            let table = format!("(select * from {table} where {condition} offset 0) {name}");
            Some(format!("{text}{join}lateral {table}{on}{after}"))
        });
        table.unwrap_or_else(|| format!("{text}{join}{part}"))
    })
}

/// Turns `(columns) in (select keys …)` of a change into the places of the rows that have them.
fn found_first(sql: &str) -> String {
    let places = || {
        let rest = sql.strip_prefix("delete from ").or_else(|| sql.strip_prefix("update "))?;
        let table = rest.split_whitespace().next()?;
        let (before, keys) = sql.split_once("tenant = ?1 and (")?;
        let (columns, keys) = keys.split_once(") in (select ")?;
        let (values, after) = keys.split_once(" from json_each(?2) k)")?;
        Some(format!(
            "{before}tenant = ?1 and ctid = any(array(select f.ctid from json_each(?2) k cross join lateral (\
             select ctid from {table} where tenant = ?1 and ({columns}) = ({values}) offset 0) f)){after}"
        ))
    };
    places().unwrap_or_else(|| sql.to_owned())
}

#[cfg(test)]
mod tests {
    use super::spelled;

    #[test]
    fn what_sqlite_needs_is_left_out_and_the_rest_is_translated() {
        let cases = [
            (
                "select 1 from t where a = ?1 and b > ?12",
                "select 1 from t where a = $1 and b > $12",
            ),
            ("select a from t indexed by t_b where c = 0", "select a from t where c = 0"),
            (
                "select t.a from json_each(?2) k cross join big t indexed by t_b \
                 on t.a = cast(k.value ->> 0 as text) order by t.a",
                "select t.a from (select cast(e.value ->> 0 as text) as k0 \
                 from jsonb_array_elements($2::jsonb) e(value) offset 0) k cross join lateral \
                 (select * from big t where t.a = k.k0 offset 0) t order by t.a",
            ),
            (
                "select s.b from json_each(?2) k cross join t on t.a = cast(k.value ->> 1 as bigint) \
                 left join u s on s.a = t.a where s.a is not null",
                "select s.b from (select cast(e.value ->> 1 as bigint) as k1 \
                 from jsonb_array_elements($2::jsonb) e(value) offset 0) k cross join lateral \
                 (select * from t where t.a = k.k1 offset 0) t \
                 left join lateral (select * from u s where s.a = t.a offset 0) s on true \
                 where s.a is not null",
            ),
            (
                "update t indexed by t_b set c = 1 where tenant = ?1 and (a, b) in \
                 (select cast(k.value ->> 0 as text), 1 from json_each(?2) k)",
                "update t set c = 1 where tenant = $1 and ctid = any(array(select f.ctid from \
                 (select cast(e.value ->> 0 as text) as k0 \
                 from jsonb_array_elements($2::jsonb) e(value) offset 0) k cross join lateral \
                 (select ctid from t where tenant = $1 and (a, b) = (k.k0, 1) offset 0) f))",
            ),
        ];
        for (sqlite, postgres) in cases {
            assert_eq!(spelled(sqlite), postgres);
        }
    }
}
