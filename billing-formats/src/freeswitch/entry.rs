//! From a row to an entry of a batch.

use billing_core::{decide::Refusal, item::Incoming};

use crate::{
    accounts::AccountMap,
    freeswitch::{Options, Row},
};

/// The entry of a batch that a row becomes: an item with the account that pays it, or a refusal that keeps the line.
///
/// The dial plan of the options, if there is one, is asked about both numbers first. The account is the map's for the local day
/// on which charging began. If it names none, neither does the entry: the call is parked, not guessed at.
///
/// # Errors
///
/// [`Refusal`] for a bad row, with its line as the place.
///
/// # Examples
///
/// ```
/// use billing_core::{id::SourceId, time::Zone};
/// use billing_formats::{accounts::AccountMap, freeswitch::{JsonReader, Options, Variables, entry}};
///
/// let options = Options::new(SourceId::try_new("fs-1")?, Zone::try_new("Europe/Berlin")?);
/// let (accounts, variables) = (AccountMap::default(), Variables::default());
/// for row in JsonReader::new("no document\n".as_bytes(), &variables, &options) {
///     let refusal = entry(row?, &options, &accounts).unwrap_err();
///     assert_eq!(refusal.place, "line 1");
///     assert_eq!(refusal.reason, "the line is not one JSON document of a call: reading stops at byte 1");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn entry(row: Row, options: &Options, accounts: &AccountMap) -> Result<Incoming, Refusal> {
    let mut cdr = row?;
    let [account_code, channel] = [&mut cdr.account_code, &mut cdr.channel].map(core::mem::take);
    Ok(options.bill(cdr.into_call(None, options), (&account_code, &channel), accounts))
}
