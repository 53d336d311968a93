//! A connection that is given up when its other end takes too long.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep, sleep},
};

/// After our last word the other end is listened to for so long at most. What it still sends is dropped; a socket that is
/// closed with something unread takes our last word back on the way.
const LINGER: Duration = Duration::from_secs(2);
const SCRAP: usize = 16 << 10;

/// What goes on on a connection.
#[derive(Default)]
pub(super) struct Activity {
    begun: AtomicU64,
    ended: AtomicU64,
    is_free: AtomicBool,
}

impl Activity {
    /// A request begins; it ends when what this gives is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Ongoing {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Ongoing(Arc::clone(self))
    }

    /// How many requests there were.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.begun() != self.ended.load(Ordering::Relaxed)
    }

    /// From now on there are no heads to wait for: it is a WebSocket, or HTTP/2, which pings.
    pub(super) fn set_free(&self) {
        self.is_free.store(true, Ordering::Relaxed);
    }
}

/// A request that is being answered.
pub(super) struct Ongoing(Arc<Activity>);

impl Drop for Ongoing {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection with an end to our patience.
pub(super) struct Patient<S> {
    stream: S,
    activity: Arc<Activity>,
    head_time: Duration,
    write_time: Duration,
    /// Until when the head must be there that the client has begun, and how many requests there had been then.
    head: Option<(Pin<Box<Sleep>>, u64)>,
    /// Until when it must take something of what is sent.
    write: Option<Pin<Box<Sleep>>>,
    linger: Option<Pin<Box<Sleep>>>,
    /// One of the seats, as long as the connection lives.
    _seat: OwnedSemaphorePermit,
}

impl<S> Patient<S> {
    pub(super) fn new(
        stream: S,
        activity: Arc<Activity>,
        head_time: Duration,
        write_time: Duration,
        seat: OwnedSemaphorePermit,
    ) -> Self {
        // The first head is waited for from the start.
        let head = Some((Box::pin(sleep(head_time)), 0));
        Self { stream, activity, head_time, write_time, head, write: None, linger: None, _seat: seat }
    }

    /// Whether the head that was begun is still not there, and it is too late.
    fn is_too_late(&mut self, cx: &mut Context<'_>) -> bool {
        let Some((deadline, begun)) = &mut self.head else { return false };
        if self.activity.is_free.load(Ordering::Relaxed) || self.activity.begun() != *begun {
            self.head = None;
            return false;
        }
        deadline.as_mut().poll(cx).is_ready()
    }

    fn wait_for_head(&mut self) {
        let begun = self.activity.begun();
        let is_waiting = self.head.as_ref().is_some_and(|(_, before)| *before == begun);
        if is_waiting || self.activity.is_busy() || self.activity.is_free.load(Ordering::Relaxed) {
            return;
        }
        self.head = Some((Box::pin(sleep(self.head_time)), begun));
    }

    /// What a write came to; nothing for too long is an error.
    fn written<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write = None;
            return written;
        }
        let time = self.write_time;
        let deadline = self.write.get_or_insert_with(|| Box::pin(sleep(time)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing of the answer")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(read) => {
                if buffer.filled().len() > before {
                    self.wait_for_head();
                }
                Poll::Ready(read)
            }
            Poll::Pending if self.is_too_late(cx) => {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the request does not come")))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
            ready!(self.written(cx, shut))?;
        }
        let linger = self.linger.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        let until = linger.deadline();
        if linger.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut scrap = [0; SCRAP];
        // A client who sends without end does not hold the thread.
        while Instant::now() < until {
            let mut buffer = ReadBuf::new(&mut scrap);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
