//! Futures side by side and futures cut short, without a runtime of our own.

use core::{future::poll_fn, pin::Pin, task::Poll};
use std::time::{Duration, Instant};

/// A future on the heap.
pub(super) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Polls all of them until each is done; the answers stand in the order of the futures.
pub(super) async fn all<T>(futures: Vec<Boxed<'_, T>>) -> Vec<T> {
    let mut running: Vec<(Option<Boxed<'_, T>>, Option<T>)> =
        futures.into_iter().map(|future| (Some(future), None)).collect();
    poll_fn(|context| {
        for (future, answer) in &mut running {
            if let Some(Poll::Ready(ready)) = future.as_mut().map(|f| f.as_mut().poll(context)) {
                *answer = Some(ready);
                *future = None;
            }
        }
        let done = running.iter().all(|(future, _)| future.is_none());
        if done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, answer)| answer).collect()
}

/// Polls it at most `polls` times, each time when it asked for it, and then drops it.
pub(super) async fn cut_short<T>(future: Boxed<'_, T>, polls: u32) -> Option<T> {
    let (mut future, mut left) = (Some(future), polls);
    poll_fn(|context| {
        let Some(running) = &mut future else { return Poll::Ready(None) };
        if let Poll::Ready(answer) = running.as_mut().poll(context) {
            return Poll::Ready(Some(answer));
        }
        left = left.saturating_sub(1);
        if left > 0 {
            return Poll::Pending;
        }
        future = None;
        Poll::Ready(None)
    })
    .await
}

/// Polls it for so long and gives it back if it is not done: it may wait for the caller.
pub(super) async fn within<T>(time: Duration, mut future: Boxed<'_, T>) -> Result<T, Boxed<'_, T>> {
    let start = Instant::now();
    let answer = poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending if start.elapsed() >= time => Poll::Ready(None),
        Poll::Pending => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
    answer.ok_or(future)
}
