//! The way of a call or a pulse from its source to the stream that billing reads.

use async_nats::{
    HeaderMap,
    jetstream::{
        Context,
        context::{PublishAckFuture, PublishError},
    },
};

use billing_core::{digest::Digest, id::TenantId};

use crate::bus::{
    Letter,
    nats::{Layout, NatsError},
};

/// How many messages may be on their way before their answers are awaited.
pub(super) const ON_THEIR_WAY_MAX: usize = 64;

/// Publishes calls and pulses, and waits until NATS has stored them. Cloning is cheap.
///
/// Each carries a `Nats-Msg-Id` over the tenant and all that it says: NATS may drop what came a moment ago, and never a second content
/// under a key that came a moment ago.
///
/// # Examples
///
/// See [the module](super).
#[derive(Clone, Debug)]
pub struct Publisher {
    context: Context,
    layout: Layout,
}

impl Publisher {
    /// A publisher into the streams of a layout.
    ///
    /// # Examples
    ///
    /// See [the module](super).
    #[must_use]
    pub const fn new(context: Context, layout: Layout) -> Self {
        Self { context, layout }
    }

    /// Publishes a call or a pulse; when this returns, NATS has it.
    ///
    /// # Errors
    ///
    /// [`NatsError::Publish`]; it may be stored all the same, and publishing it again is safe.
    ///
    /// # Examples
    ///
    /// See [the module](super).
    pub async fn publish(&self, tenant: &TenantId, letter: &impl Letter) -> Result<(), NatsError> {
        self.publish_all(tenant, core::slice::from_ref(letter)).await
    }

    /// Publishes many, several at once on their way; when this returns, NATS has them all.
    ///
    /// # Errors
    ///
    /// [`NatsError::Publish`] says how many were stored from the front; publishing all of them again is safe.
    ///
    /// # Examples
    ///
    /// See [the module](super).
    pub async fn publish_all(
        &self,
        tenant: &TenantId,
        letters: &[impl Letter],
    ) -> Result<(), NatsError> {
        let mut stored: usize = 0;
        for some in letters.chunks(ON_THEIR_WAY_MAX) {
            let mut on_their_way = Vec::with_capacity(some.len());
            for letter in some {
                let sent = self.send(tenant, letter).await;
                on_their_way.push(sent.map_err(|source| NatsError::Publish { stored, source })?);
            }
            for answer in on_their_way {
                let answer = answer.await;
                answer.map_err(|error| NatsError::Publish { stored, source: error.into() })?;
                stored = stored.saturating_add(1);
            }
        }
        Ok(())
    }

    async fn send(
        &self,
        tenant: &TenantId,
        letter: &impl Letter,
    ) -> Result<PublishAckFuture, Box<dyn core::error::Error + Send + Sync>> {
        let body = letter.body()?;
        let id = Digest::of().text(tenant.as_str()).bytes(&body).finish().to_string();
        let subject = self.layout.subject_of(tenant, letter.account());
        Ok(send(&self.context, subject, &id, HeaderMap::new(), body).await?)
    }
}

/// Sends a message under an id that NATS drops repetitions by, for as long as it remembers.
pub(super) async fn send(
    context: &Context,
    subject: String,
    id: &str,
    mut headers: HeaderMap,
    body: Vec<u8>,
) -> Result<PublishAckFuture, PublishError> {
    headers.insert(async_nats::header::NATS_MESSAGE_ID, id);
    context.publish_with_headers(subject, headers, body.into()).await
}
