//! Waiting for work, unless the host asks to stop first.

use core::{future::poll_fn, pin::Pin, pin::pin, task::Poll};

/// What the work gives, or `None` if the host asks to stop before that.
pub(super) async fn unless<T>(
    mut stop: Pin<&mut (impl Future<Output = ()> + ?Sized)>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    let either = poll_fn(|context| match stop.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => work.as_mut().poll(context).map(Some),
    });
    either.await
}
