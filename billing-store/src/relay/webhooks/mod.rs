//! Webhooks: messages posted to an endpoint over HTTP, signed as standard webhooks are.

mod egress;
mod line;
mod secret;
mod signature;
mod sink;

pub use egress::Reach;
pub use secret::{InvalidSecret, WebhookSecret};
pub use signature::{NotVerified, sign, verify};
pub use sink::{InvalidWebhook, Webhook, WebhookOptions};
