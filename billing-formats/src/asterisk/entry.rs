//! From a row to an entry of a batch.

use billing_core::{decide::Refusal, item::Incoming};

use crate::{
    accounts::AccountMap,
    asterisk::{Options, Row},
};

/// The entry of a batch that a row becomes: an item with the account that pays it, or a refusal that keeps the line.
///
/// The dial plan of the options, if there is one, is asked about both numbers first. The account is the map's for the local day
/// on which charging began, in the zone of the options. If the map names none, neither does the entry: the call is parked, not
/// guessed at.
///
/// # Errors
///
/// [`Refusal`] for a bad row, with its line as the place.
///
/// # Examples
///
/// ```
/// use billing_core::{id::SourceId, time::Zone};
/// use billing_formats::{accounts::AccountMap, asterisk::{Options, Reader, entry}};
///
/// let options = Options::new(SourceId::try_new("pbx-1")?, Zone::try_new("Europe/Berlin")?);
/// let accounts = AccountMap::try_new(Vec::new())?;
/// for row in Reader::new("no record\n".as_bytes(), &options) {
///     let refusal = entry(row?, &options, &accounts).unwrap_err();
///     assert_eq!(refusal.place, "line 1");
///     assert_eq!(refusal.reason, "the line has 1 columns; accepted are 17, 18, 20 and 21");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn entry(row: Row, options: &Options, accounts: &AccountMap) -> Result<Incoming, Refusal> {
    let mut cdr = row?;
    let [account_code, channel] = [&mut cdr.account_code, &mut cdr.channel].map(core::mem::take);
    Ok(options.bill(cdr.into_call(None, options), (&account_code, &channel), accounts))
}
