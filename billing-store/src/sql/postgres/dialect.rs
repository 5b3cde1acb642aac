//! The statements as PostgreSQL spells them.

/// A statement that is written for SQLite, in PostgreSQL's words.
///
/// Parameters are numbered `$1`, keys are the elements of a JSON array, and the hints that SQLite's planner needs are left out: the
/// order of a join, and which index to use.
pub(super) fn spelled(sql: &str) -> String {
    let sql = without_indexes(sql).replace(" cross join ", " join ");
    let sql = sql.replace("json_each(?2) k", "jsonb_array_elements(?2::jsonb) k(value)");
    // No statement has a question mark but before the number of a parameter.
    sql.replace('?', "$")
}

/// Leaves out every `indexed by …`.
fn without_indexes(sql: &str) -> String {
    let mut parts = sql.split(" indexed by ");
    let first = parts.next().unwrap_or_default();
    parts.fold(first.to_owned(), |text, part| {
        // The name of the index ends at the next space.
        let after = part.split_once(' ').map_or("", |(_, after)| after);
        format!("{text} {after}")
    })
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
            (
                "select t.a from json_each(?2) k cross join t indexed by t_b \
                 on t.a = cast(k.value ->> 0 as text)",
                "select t.a from jsonb_array_elements($2::jsonb) k(value) join t \
                 on t.a = cast(k.value ->> 0 as text)",
            ),
            ("select a from t indexed by t_b where c = 0", "select a from t where c = 0"),
        ];
        for (sqlite, postgres) in cases {
            assert_eq!(spelled(sqlite), postgres);
        }
    }
}
