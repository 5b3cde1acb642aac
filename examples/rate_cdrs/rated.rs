//! Each call with its price, one JSON document a line.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
};

use billing::formats::csv::BadRow;
use serde_json::json;

use super::{
    Done,
    batch::{Call, Price},
};

pub struct RatedFile(BufWriter<File>);

impl RatedFile {
    pub fn new(file: File) -> Self {
        Self(BufWriter::with_capacity(1 << 18, file))
    }

    /// A call with its price, or why it has none.
    pub fn call(&mut self, call: &Call<'_>, price: &Price<'_>) -> Done {
        let Call { id, account, start, duration_ms } = call;
        let mut document = json!({
            "id": id, "account": account, "start": start.to_string(), "duration_ms": duration_ms,
        });
        match price {
            Ok(None) => document["amount"] = json!("0"),
            Ok(Some(rated)) => {
                document["amount"] = json!(rated.amount().to_string());
                document["billed_ms"] = json!(rated.billed_ms());
                document["destination"] = json!(rated.destination().as_str());
                document["prefix"] = json!(rated.prefix().map(|prefix| prefix.to_string()));
                document["line"] = json!(rated.line());
            }
            Err(error) => document["no_price"] = json!(error.to_string()),
        }
        self.line(&document)
    }

    /// A line that is no call.
    pub fn refused(&mut self, bad: &BadRow) -> Done {
        self.line(&json!({ "refused": bad.to_string() }))
    }

    pub fn finish(mut self) -> Done {
        Ok(self.0.flush()?)
    }

    fn line(&mut self, document: &serde_json::Value) -> Done {
        Ok(writeln!(self.0, "{document}")?)
    }
}
