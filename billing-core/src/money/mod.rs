//! Exact money: amounts, currencies, quantities, prices, rounding and sharing out.

mod allocate;
mod amount;
mod currency;
mod decimal;
mod error;
mod exact;
mod pair;
mod price;
mod quantity;
mod rounding;

pub use allocate::allocate;
pub use amount::Amount;
pub use currency::{Currency, UnknownCurrency};
pub(crate) use decimal::power_of_ten;
pub use error::MoneyError;
pub use exact::Exact;
pub use pair::Money;
pub use price::{Percent, Price};
pub use quantity::Quantity;
pub use rounding::Rounding;
