//! Signatures of webhooks: made here, and checked by whoever receives them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::relay::webhooks::WebhookSecret;

/// The value of the header `webhook-signature`: one signature for each secret, the newest first, so that a receiver may change its
/// secret at its leisure.
///
/// Signed is `id.seconds.body`, with HMAC-SHA256.
///
/// # Examples
///
/// ```
/// use billing_store::relay::webhooks::{WebhookSecret, sign};
///
/// // The example that the specification of standard webhooks gives.
/// let secret: WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse()?;
/// let signature =
///     sign(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
/// assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
/// # Ok::<(), billing_store::relay::webhooks::InvalidSecret>(())
/// ```
#[must_use]
pub fn sign(secrets: &[WebhookSecret], id: &str, seconds: i64, body: &str) -> String {
    let signed = signed(id, seconds, body);
    let signatures = secrets.iter().filter_map(|secret| {
        let mac = keyed(secret)?.chain_update(&signed).finalize();
        Some(format!("v1,{}", STANDARD.encode(mac.into_bytes())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

/// Checks a webhook as its receiver: whether one of its signatures was made with one of the secrets, and whether it is from now.
///
/// `id`, `seconds` and `signature` are the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, and `body` is what came,
/// before anything else is done with it. A receiver keeps the ids it has dealt with, and passes over those that come again.
///
/// # Errors
///
/// [`NotVerified`].
///
/// # Examples
///
/// ```
/// use billing_store::relay::webhooks::{NotVerified, WebhookSecret, sign, verify};
///
/// let secrets = [WebhookSecret::try_new(&[7; 32])?];
/// let (id, body) = ("first:acme:alice:7", r#"{"id":"first:acme:alice:7"}"#);
/// let signature = sign(&secrets, id, 1_700_000_000, body);
/// assert_eq!(verify(&secrets, id, "1700000000", &signature, body, 1_700_000_030, 300), Ok(()));
/// let late = verify(&secrets, id, "1700000000", &signature, body, 1_700_000_301, 300);
/// assert_eq!(late, Err(NotVerified::Time));
/// # Ok::<(), billing_store::relay::webhooks::InvalidSecret>(())
/// ```
pub fn verify(
    secrets: &[WebhookSecret],
    id: &str,
    seconds: &str,
    signature: &str,
    body: &str,
    now_seconds: i64,
    tolerance_seconds: u64,
) -> Result<(), NotVerified> {
    let at: i64 = seconds.parse().ok().ok_or(NotVerified::Header)?;
    if now_seconds.abs_diff(at) > tolerance_seconds {
        return Err(NotVerified::Time);
    }
    let signed = signed(id, at, body);
    let is_signed = |macs: &[u8], secret: &WebhookSecret| {
        // Compared in constant time.
        keyed(secret).is_some_and(|mac| mac.chain_update(&signed).verify_slice(macs).is_ok())
    };
    let given = signature.split(' ').filter_map(|one| one.strip_prefix("v1,"));
    let mut given = given.filter_map(|one| STANDARD.decode(one).ok());
    let is_verified = given.any(|mac| secrets.iter().any(|secret| is_signed(&mac, secret)));
    if is_verified { Ok(()) } else { Err(NotVerified::Signature) }
}

/// Why a webhook is not to be believed.
///
/// # Examples
///
/// ```
/// use billing_store::relay::webhooks::{NotVerified, verify};
///
/// assert_eq!(verify(&[], "id", "soon", "", "", 0, 300), Err(NotVerified::Header));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotVerified {
    /// The timestamp is no number of seconds.
    #[error("the header webhook-timestamp is not a whole number of seconds since 1970")]
    Header,
    /// It was sent too long ago, or in the future.
    #[error("the webhook was not sent within the tolerance")]
    Time,
    /// No signature fits.
    #[error("no signature of version 1 was made with a known secret")]
    Signature,
}

fn signed(id: &str, seconds: i64, body: &str) -> Vec<u8> {
    format!("{id}.{seconds}.{body}").into_bytes()
}

/// Never `None`: keys may have any length.
fn keyed(secret: &WebhookSecret) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(secret.bytes()).ok()
}
