//! What a dialled number turned out to be.

use billing_core::{item::Party, number::PhoneNumber};

/// What a dialled number turned out to be.
///
/// Personal data: `Debug` shows lengths alone.
///
/// # Examples
///
/// ```
/// use billing_core::item::Party;
/// use billing_formats::dial_plan::Dialled;
///
/// let number = Dialled::E164("493012345".parse()?);
/// assert_eq!(Party::from(number).as_str(), "+493012345");
/// # Ok::<(), billing_core::number::InvalidNumber>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialled {
    /// A number of the world's plan.
    E164(PhoneNumber),
    /// A short code, or a number with a special prefix; without the characters that are left out.
    Short(Party),
    /// An extension; without the characters that are left out.
    Internal(Party),
    /// Something that the plan does not know, as it came.
    Unchanged(Party),
}

/// The end of a call that it stands for; an E.164 number with its `+`.
impl From<Dialled> for Party {
    fn from(dialled: Dialled) -> Self {
        match dialled {
            // Up to 15 digits with a plus always are a party.
            Dialled::E164(number) => number.to_string().parse().unwrap_or_default(),
            Dialled::Short(party) | Dialled::Internal(party) | Dialled::Unchanged(party) => party,
        }
    }
}
