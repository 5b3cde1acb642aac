//! What customers pay, as the program's flags say it, and the plans made of it.

use std::str::FromStr;

use clap::ValueEnum;
use serde_json::{Value, json};

use billing::{
    PlanSpec, Zone,
    core::money::{Percent, Price},
};

/// The prices, and what users get who choose nothing.
#[derive(Clone, Debug, clap::Args)]
pub struct Tariff {
    /// The plan of users who choose none
    #[arg(long, value_name = "PLAN", default_value = "postpaid")]
    pub plan: PlanName,
    /// What a minute of talk costs, in US dollars and before tax
    #[arg(long, value_name = "PRICE", default_value = "0.02")]
    pub per_minute: Price,
    /// What a month costs under the plan `monthly`, however much is talked
    #[arg(long, value_name = "PRICE", default_value = "10")]
    pub per_month: Price,
    /// What is paid ahead for a month under the plan `prepaid`, and covers its talk up to that amount
    #[arg(long, value_name = "PRICE", default_value = "5")]
    pub prepaid: Price,
    /// The tax on the invoices of users; customers that open themselves by a call pay none
    #[arg(long, value_name = "PERCENT", default_value = "8")]
    pub tax_percent: Percent,
    /// Whose midnights part the days and months of customers who name no zone
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub zone: Zone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum PlanName {
    /// Each minute, after the month
    Postpaid,
    /// A fixed amount, after the month
    Monthly,
    /// An amount ahead, and what is talked beyond it after the month
    Prepaid,
}

impl PlanName {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postpaid => "postpaid",
            Self::Monthly => "monthly",
            Self::Prepaid => "prepaid",
        }
    }
}

impl FromStr for PlanName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        <Self as ValueEnum>::from_str(name, false)
    }
}

impl Tariff {
    /// The documents of all plans. Each counts calls under the name `calls`, so that each tells how many minutes were talked.
    pub fn plans(&self) -> serde_json::Result<Vec<(PlanName, PlanSpec)>> {
        let calls = |per_minute: Value| {
            let terms = json!({ "per_minute": per_minute, "minutes": "pro_rata" });
            json!({ "id": "calls", "kind": "flat_rate", "terms": terms })
        };
        let by_minute = calls(json!(self.per_minute));
        let fee = json!({
            "id": "fee", "kind": "recurring",
            "terms": { "per_period": self.per_month, "timing": "in_arrears", "proration": "none" },
        });
        let credit = json!({
            "id": "credit", "kind": "prepaid",
            "terms": { "per_period": self.prepaid, "proration": "none", "covers": ["calls"] },
        });
        let plan = |plan: PlanName, strategies: Value| {
            let document = json!({
                "id": plan.name(), "version": 1, "currency": "USD", "payment": "postpaid",
                "strategies": strategies,
            });
            Ok((plan, serde_json::from_value(document)?))
        };
        Ok(vec![
            plan(PlanName::Postpaid, json!([by_minute]))?,
            plan(PlanName::Monthly, json!([calls(json!("0")), fee]))?,
            plan(PlanName::Prepaid, json!([by_minute, credit]))?,
        ])
    }
}
