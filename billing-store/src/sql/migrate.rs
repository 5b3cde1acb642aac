//! The schema's steps, and the ledger of those that were taken.

use billing_core::digest::Digest;

use crate::{
    error::{StoreError, StoreResult},
    sql::{
        bulk::Insert,
        connection::{Ask, Connection},
    },
};

/// The schema of one database.
pub(super) struct Schema {
    /// Makes the ledger if it is not there.
    pub(super) ledger: &'static str,
    /// Each step once, in order; a step that was released is never changed.
    pub(super) steps: &'static [Step],
}

/// One step of a schema.
pub(super) struct Step {
    /// From 1 on, rising.
    pub(super) version: i64,
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

impl Schema {
    /// Takes the next step that is missing, inside the caller's transaction, and says whether there was one.
    ///
    /// The caller sees to it that nobody else takes one at the same time.
    pub(super) async fn next(&self, mut connection: Connection<'_>) -> StoreResult<bool> {
        connection.script(self.ledger).await?;
        let taken: Vec<(i64, String, String)> = connection
            .fetch(
                "billing_migration",
                Ask {
                    sql: "select version, name, digest from billing_migration order by version",
                    held: None,
                },
                &[],
            )
            .await?;
        let last = self.last(&taken)?;
        let Some(step) = self.steps.iter().find(|step| step.version > last) else {
            return Ok(false);
        };
        connection.script(step.sql).await?;
        let insert = Insert {
            into: "billing_migration (version, name, digest)",
            columns: 3,
            on_conflict: "",
        };
        let _one: u64 = insert
            .run(&mut connection, core::slice::from_ref(step), |cells, step| {
                cells.int(step.version)?;
                cells.text(step.name)?;
                cells.text(&digest_of(step.sql))
            })
            .await?;
        Ok(true)
    }

    /// The last step that was taken; all of them must be the first of this library's, in their order.
    fn last(&self, taken: &[(i64, String, String)]) -> StoreResult<i64> {
        let mut due = self.steps.iter().map(|step| step.version);
        let mut last = 0;
        for (version, name, digest) in taken {
            self.check(*version, name, digest)?;
            if due.next() != Some(*version) {
                let what = format!("schema step {version} was taken after step {last}");
                return Err(StoreError::Corrupt { what, source: None });
            }
            last = *version;
        }
        Ok(last)
    }

    fn check(&self, version: i64, name: &str, digest: &str) -> StoreResult<()> {
        let known = self.steps.iter().find(|step| step.version == version);
        let newest = self.steps.last().map_or(0, |step| step.version);
        let step = known.ok_or(StoreError::Schema { found: version, known: newest })?;
        if step.name == name && digest_of(step.sql) == digest {
            return Ok(());
        }
        let what = format!(
            "schema step {version} was taken with another name or text than this library's"
        );
        Err(StoreError::Corrupt { what, source: None })
    }
}

fn digest_of(sql: &str) -> String {
    Digest::of().text(sql).finish().to_string()
}
