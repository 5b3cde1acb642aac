//! The whole numbers that clients know customers, operators and calls by, and the accounts behind them.
//!
//! Nothing counts them up beside the library: a number is read off what the library keeps, so that it is as safe as the rest when
//! clients come at once or the program stops.

use billing::{AccountId, core::id::InvalidId};

/// The number of a customer's account, or of the one that a customer has with an operator.
///
/// A customer may have many operators and an operator many customers: each pair is an account of its own, with its own plan and
/// invoices. They are accounts of one tenant, and not a tenant each, because one transaction can then see all that a customer has,
/// and one series numbers all invoices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contract {
    pub customer: u32,
    /// 0 for the customer's own account.
    pub operator: u8,
}

/// A call is known by its customer, its operator and its place in the journal of their account, written one after the other:
/// 2 030 000 005 is entry 5 of customer 2 with operator 3. It stays below 2^53, which every reader of JSON can hold.
const SEQ_END: u64 = 10_000_000;
const OPERATOR_END: u64 = 100;

impl Contract {
    pub const CUSTOMER_MAX: u32 = 9_000_000;
    pub const OPERATOR_MAX: u8 = 99;

    pub const fn own(customer: u32) -> Self {
        Self { customer, operator: 0 }
    }

    /// The account's name: `2`, or `2.3` with operator 3.
    pub fn account(self) -> Result<AccountId, InvalidId> {
        match self {
            Self { customer, operator: 0 } => AccountId::try_new(customer.to_string()),
            Self { customer, operator } => AccountId::try_new(format!("{customer}.{operator}")),
        }
    }

    /// The contract that an account was named after.
    pub fn of(account: &AccountId) -> Option<Self> {
        let (customer, operator) =
            account.as_str().split_once('.').unwrap_or((account.as_str(), "0"));
        Some(Self { customer: customer.parse().ok()?, operator: operator.parse().ok()? })
    }

    /// The number of the call at a place in the journal; `None` past the ten millionth.
    pub fn call_id(self, seq: u64) -> Option<u64> {
        let contract = u64::from(self.customer) * OPERATOR_END + u64::from(self.operator);
        (seq < SEQ_END).then(|| contract * SEQ_END + seq)
    }

    /// Where the call of a number stands.
    pub fn of_call(id: u64) -> Option<(Self, u64)> {
        let (contract, seq) = (id / SEQ_END, id % SEQ_END);
        let customer = u32::try_from(contract / OPERATOR_END).ok()?;
        let operator = u8::try_from(contract % OPERATOR_END).ok()?;
        Some((Self { customer, operator }, seq))
    }
}
