//! The digest of a tariff document, taken line by line.

use crate::{
    digest::{Digest, DigestBuilder},
    money::{Price, Quantity},
    number::Prefix,
    tariff::{AtMaximum, BandSpec, LineSpec, TariffSpec, To, ticks::units},
    time::Instant,
};

impl TariffSpec {
    /// The digest of what the document says: the head, then each line in order, whatever the JSON looked like.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::TariffSpec;
    ///
    /// let json = r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,
    ///     "rounding":"half_up","lines":[]}"#;
    /// let tariff: TariffSpec = serde_json::from_str(json)?;
    /// let next = TariffSpec { version: 2, ..tariff.clone() };
    /// assert_ne!(tariff.digest(), next.digest());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut digest = self.begin_digest();
        for line in &self.lines {
            line.add_to(&mut digest);
        }
        digest.finish()
    }

    /// The digest of all but the lines.
    pub(super) fn begin_digest(&self) -> DigestBuilder {
        let Self {
            id,
            version,
            currency,
            zone,
            measure,
            crossing,
            increments,
            decimals,
            rounding,
            calendars,
            windows,
            groups,
            lines: _lines,
            fallback,
        } = self;
        let names = (id, version, currency, zone, calendars, windows, groups, fallback);
        let rules = (measure, crossing, increments, decimals, rounding);
        // Serialising values made of texts, numbers and lists of them cannot fail.
        Digest::of().text(&serde_json::to_string(&(names, rules)).unwrap_or_default())
    }
}

impl LineSpec {
    pub(super) fn add_to(&self, digest: &mut DigestBuilder) {
        let Self {
            destination,
            to,
            origin,
            window,
            weight,
            valid_from,
            valid_until,
            connect_fee,
            minimum,
            maximum,
            at_maximum,
            grace,
            first,
            bands,
            blocked,
        } = self;
        digest.add_text(destination.as_str());
        match to {
            To::Any => digest.add_number(0_u8),
            To::Group(name) => {
                digest.add_number(1_u8);
                digest.add_text(name);
            }
            To::Prefixes(prefixes) => {
                digest.add_number(2_u8);
                add_count(digest, prefixes.len());
                for prefix in prefixes {
                    digest.add_number(prefix.packed());
                }
            }
        }
        digest.add_number(origin.map_or(0, Prefix::packed));
        // No window has an empty name that differs from none: it would be refused as unknown.
        digest.add_text(window.as_deref().unwrap_or_default());
        digest.add_number(*weight);
        for instant in [valid_from, valid_until] {
            add_maybe(digest, instant.map(Instant::micros).map(i128::from));
        }
        add_price(digest, *connect_fee);
        add_price(digest, *minimum);
        add_maybe(digest, maximum.map(price_number));
        digest.add_number(match at_maximum {
            AtMaximum::Free => 0_u8,
            AtMaximum::Disconnect => 1,
        });
        add_quantity(digest, *grace);
        digest.add_number(u8::from(first.is_some()));
        add_quantity(digest, first.unwrap_or(Quantity::ZERO));
        add_count(digest, bands.len());
        for BandSpec { from, price, per, increment } in bands {
            add_quantity(digest, *from);
            add_price(digest, *price);
            add_quantity(digest, *per);
            add_quantity(digest, *increment);
        }
        digest.add_number(u8::from(*blocked));
    }
}

fn add_count(digest: &mut DigestBuilder, count: usize) {
    digest.add_number(u64::try_from(count).unwrap_or(u64::MAX));
}

fn add_maybe(digest: &mut DigestBuilder, number: Option<i128>) {
    digest.add_number(u8::from(number.is_some()));
    digest.add_number(number.unwrap_or(0));
}

fn add_price(digest: &mut DigestBuilder, price: Price) {
    digest.add_number(price_number(price));
}

fn price_number(price: Price) -> i128 {
    i128::try_from(units(price)).unwrap_or(i128::MAX)
}

/// A quantity has no trailing zeros, so equal ones have equal parts.
fn add_quantity(digest: &mut DigestBuilder, quantity: Quantity) {
    let decimal = quantity.decimal();
    digest.add_number(decimal.mantissa());
    digest.add_number(decimal.scale());
}
