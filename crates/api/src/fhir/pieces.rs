//! A body that goes out piece by piece, packed if its taker wants it so, and that never looks whole if it is not.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::Frame;
use keepwell_service::BrokenOff;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::caller::Caller;

/// How many pieces wait to be taken.
const WAITING: usize = 2;

/// Says that a body has all its pieces.
pub(super) struct End(Arc<AtomicBool>);

impl End {
    /// To be called after the last piece, and before the sender of pieces is given up.
    pub(super) fn say_whole(self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A body and where to put its pieces. It counts as one of the caller's requests until it has ended. A body whose sender
/// goes without a word breaks off.
pub(super) fn pieces(coding: Option<&str>, caller: Caller) -> (Sender<Result<Bytes, BrokenOff>>, End, Body) {
    let (sink, pieces) = mpsc::channel(WAITING);
    let whole = Arc::new(AtomicBool::new(false));
    let packer = match coding {
        Some("gzip") => Some(Packer::Gzip(GzEncoder::new(Vec::new(), Compression::fast()))),
        Some("zstd") => zstd::stream::write::Encoder::new(Vec::new(), 1).ok().map(Packer::Zstd),
        _ => None,
    };
    let is_packed = coding.is_some();
    let body = Pieces { pieces, whole: Arc::clone(&whole), packer, is_packed, has_ended: false, _caller: caller };
    (sink, End(whole), Body::new(body))
}

enum Packer {
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Packer {
    /// Takes a piece and gives what can go out by now.
    fn pack(&mut self, piece: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(encoder) => {
                encoder.write_all(piece)?;
                encoder.flush()?;
                Ok(std::mem::take(encoder.get_mut()))
            }
            Self::Zstd(encoder) => {
                encoder.write_all(piece)?;
                encoder.flush()?;
                Ok(std::mem::take(encoder.get_mut()))
            }
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

struct Pieces {
    pieces: Receiver<Result<Bytes, BrokenOff>>,
    whole: Arc<AtomicBool>,
    packer: Option<Packer>,
    is_packed: bool,
    has_ended: bool,
    _caller: Caller,
}

impl Pieces {
    fn pack(&mut self, piece: Bytes) -> Result<Bytes, BrokenOff> {
        match &mut self.packer {
            Some(packer) => packer.pack(&piece).map(Bytes::from).map_err(|_| BrokenOff),
            None if self.is_packed => Err(BrokenOff),
            None => Ok(piece),
        }
    }

    /// What comes after the last piece.
    fn end(&mut self) -> Option<Result<Bytes, BrokenOff>> {
        if std::mem::replace(&mut self.has_ended, true) {
            return None;
        }
        if !self.whole.load(Ordering::Acquire) {
            return Some(Err(BrokenOff));
        }
        self.packer.take().map(|packer| packer.finish().map(Bytes::from).map_err(|_| BrokenOff))
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = self.get_mut();
        let next = match ready!(this.pieces.poll_recv(context)) {
            Some(piece) => Some(piece.and_then(|piece| this.pack(piece))),
            None => this.end(),
        };
        Poll::Ready(next.map(|piece| piece.map(Frame::data)))
    }
}
