//! What a client sends, taken in frame by frame: a client cannot make the broker keep more than it may send.
//!
//! The codec behind it would collect everything that has come, and the whole of a frame however long it says it
//! is, before it looks at its size. Knows only how long a frame is (RFC 6455 §5.2); what is in it, and whether it is
//! right, the codec says.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _};

/// The longest header of a frame from a client: two bytes, a long length, the mask.
const HEADER_BYTES_MAX: usize = 14;

/// Stands for a frame that is too long: its header gives a length that no frame can have, which the codec refuses at
/// once.
const TOO_LONG: [u8; HEADER_BYTES_MAX] = {
    let mut header = [0xff; HEADER_BYTES_MAX];
    header[0] = 0x81;
    header
};

/// The bytes of a socket, one whole frame at a time.
pub(super) struct Frames<S> {
    socket: S,
    /// The longest payload, in bytes.
    payload_max: usize,
    /// What has come and was not passed on: less than a frame and what came with its end.
    rest: BytesMut,
    /// Whether a frame was just passed on, which is to be looked at before the next.
    is_passed_on: bool,
    /// Whether a frame was too long: nothing after it is read.
    is_over: bool,
}

impl<S> Frames<S> {
    /// Reads frames with payloads of at most `payload_max` bytes.
    pub(super) fn new(socket: S, payload_max: usize) -> Self {
        Self { socket, payload_max, rest: BytesMut::new(), is_passed_on: false, is_over: false }
    }

    /// Takes the next whole frame out of what has come; `None` when it has not come whole.
    fn next_frame(&mut self) -> Option<Bytes> {
        let (header, payload) = lengths(&self.rest)?;
        if payload > self.payload_max as u64 {
            self.is_over = true;
            self.rest.clear();
            return Some(Bytes::from_static(&TOO_LONG));
        }
        let end = header + usize::try_from(payload).ok()?;
        (self.rest.len() >= end).then(|| self.rest.split_to(end).freeze())
    }
}

/// How long header and payload of the first frame are; `None` when too little has come to say.
fn lengths(bytes: &[u8]) -> Option<(usize, u64)> {
    let second = *bytes.get(1)?;
    let (header, payload) = match second & 0x7f {
        126 => (4, u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        short => (2, u64::from(short)),
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    Some((header + mask, payload))
}

impl<S: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Stream for Frames<S> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.is_passed_on) {
            // Who asks for more at once would collect it; it comes back when it has looked at what it has.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if self.is_over {
                return Poll::Pending;
            }
            if let Some(frame) = self.next_frame() {
                self.is_passed_on = true;
                return Poll::Ready(Some(Ok(frame)));
            }
            match self.socket.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(bytes))) => self.rest.extend_from_slice(&bytes),
                // A connection that broke has ended: the codec would tell it like a text whose bytes are none.
                Poll::Ready(Some(Err(error))) => {
                    log::debug!(error:%; "a connection broke");
                    return Poll::Ready(None);
                }
                other => return other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::web::Bytes;
    use futures::{FutureExt as _, StreamExt as _, stream};

    use super::*;

    /// A masked text frame; the mask is zero.
    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x81];
        match payload.len() {
            short @ 0..126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
            long => {
                bytes.push(0xfe);
                bytes.extend_from_slice(&u16::try_from(long).unwrap().to_be_bytes());
            }
        }
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(payload);
        bytes
    }

    /// What is passed on of chunks, as long as anything is.
    fn passed_on(chunks: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let socket = stream::iter(chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk))));
        let mut frames = Frames::new(socket, 1_000);
        let mut passed_on = Vec::new();
        loop {
            match frames.next().now_or_never() {
                Some(Some(frame)) => passed_on.push(frame.unwrap().to_vec()),
                None if frames.is_over => return passed_on,
                None => {}
                Some(None) => return passed_on,
            }
        }
    }

    #[test]
    fn frames_come_whole_and_alone_however_they_are_cut() {
        let all = [frame(b""), frame(b"short"), frame(&[7; 126]), frame(&[8; 1_000])];
        let bytes = all.concat();
        assert_eq!(passed_on(vec![bytes.clone()]), all);
        for cut in 0..bytes.len() {
            let (before, after) = bytes.split_at(cut);
            assert_eq!(passed_on(vec![before.to_vec(), after.to_vec()]), all, "cut at {cut}");
        }
        assert_eq!(passed_on(bytes.chunks(1).map(<[u8]>::to_vec).collect()), all);
    }

    #[test]
    fn who_asks_again_at_once_gets_nothing_more() {
        let bytes = [frame(b"one"), frame(b"two")].concat();
        let mut frames = Frames::new(stream::iter([Ok(Bytes::from(bytes))]), 1_000);
        assert!(frames.next().now_or_never().is_some());
        assert!(frames.next().now_or_never().is_none());
        assert!(frames.next().now_or_never().is_some());
    }

    #[test]
    fn a_frame_that_says_it_is_too_long_ends_everything_before_it_has_come() {
        let long = [0x81, 0xff, 0, 0, 0, 0, 4, 0, 0, 0];
        let chunks = vec![frame(b"before"), long.to_vec(), vec![0; 4], frame(b"after")];
        assert_eq!(passed_on(chunks), [frame(b"before"), TOO_LONG.to_vec()]);
        assert_eq!(passed_on(vec![frame(&[9; 1_001])]), [TOO_LONG.to_vec()]);
    }
}
