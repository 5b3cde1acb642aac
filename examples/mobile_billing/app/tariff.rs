//! What talk costs, as the program's flags say it.

use billing::core::money::Price;

/// The size and the price of a block.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Tariff {
    /// How much talk is one block, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub block_ms: u32,
    /// What a block costs, in US dollars
    #[arg(long, value_name = "PRICE", default_value = "0.2")]
    pub price_per_block: Price,
}
