//! WebSocket frames (RFC 6455) in a row of bytes: payloads are left where they are.

use shardkeep_core::wire::CloseCode;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::tls::provider;

/// A control frame's payload may be this long (RFC 6455, 5.5).
const CONTROL_MAX: usize = 125;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continue,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// A frame's header, and where its payload lies behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) last: bool,
    pub(super) opcode: Opcode,
    /// Where the payload begins, counted from the header's first byte.
    pub(super) start: usize,
    /// One past the payload.
    pub(super) end: usize,
}

/// How a peer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a frame header is malformed")]
    Header,
    #[error("a frame uses an extension that was not negotiated")]
    Reserved,
    #[error("the server masked a frame")]
    Masked,
    #[error("a control frame is fragmented or too long")]
    Control,
    #[error("fragments of messages are out of order")]
    Fragment,
    #[error("a frame of {len} bytes exceeds the limit of {max}")]
    TooLarge { len: u64, max: usize },
}

impl FrameError {
    /// The code that a close frame gives for it. None of them ends the session.
    pub(super) const fn close_code(self) -> CloseCode {
        match self {
            Self::TooLarge { .. } => CloseCode(1009),
            _ => CloseCode(1002),
        }
    }
}

/// Reads the header at the front of `bytes`; none if it is not whole yet.
///
/// By hand: tungstenite's reader takes six times as long, and every event has a header.
#[inline]
pub(super) fn parse(bytes: &[u8], max: usize) -> Result<Option<Head>, FrameError> {
    let &[first, second, ref rest @ ..] = bytes else {
        return Ok(None);
    };
    if first & 0x70 != 0 {
        return Err(FrameError::Reserved);
    }
    let opcode = match first & 0x0f {
        0 => Opcode::Continue,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        _ => return Err(FrameError::Header),
    };
    if second & 0x80 != 0 {
        return Err(FrameError::Masked);
    }
    let (start, len) = match (second, rest) {
        (126, [high, low, ..]) => (4, u64::from(u16::from_be_bytes([*high, *low]))),
        (127, _) => match rest.first_chunk() {
            Some(len) => (10, u64::from_be_bytes(*len)),
            None => return Ok(None),
        },
        (126, _) => return Ok(None),
        (len, _) => (2, u64::from(len)),
    };
    let too_large = FrameError::TooLarge { len, max };
    let len = usize::try_from(len)
        .ok()
        .filter(|&len| len <= max)
        .ok_or(too_large)?;
    let last = first & 0x80 != 0;
    let control = matches!(opcode, Opcode::Close | Opcode::Ping | Opcode::Pong);
    if control && (!last || len > CONTROL_MAX) {
        return Err(FrameError::Control);
    }
    Ok(Some(Head {
        last,
        opcode,
        start,
        end: start + len,
    }))
}

/// Appends a whole message in one frame, masked as a client must.
pub(crate) fn write_frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    let opcode = match opcode {
        Opcode::Continue => OpCode::Data(Data::Continue),
        Opcode::Text => OpCode::Data(Data::Text),
        Opcode::Binary => OpCode::Data(Data::Binary),
        Opcode::Close => OpCode::Control(Control::Close),
        Opcode::Ping => OpCode::Control(Control::Ping),
        Opcode::Pong => OpCode::Control(Control::Pong),
    };
    let mut mask = [0; 4];
    // Masks keep scripts from planting requests in the caches of old proxies. Without entropy they would be zero, which
    // is a valid mask: better than no heartbeat.
    if provider().secure_random.fill(&mut mask).is_err() {
        tracing::warn!("the system gives no random bytes for WebSocket masks");
    }
    let header = FrameHeader {
        is_final: true,
        opcode,
        mask: Some(mask),
        ..FrameHeader::default()
    };
    out.reserve(header.len(payload.len() as u64) + payload.len());
    header
        .format(payload.len() as u64, out)
        .expect("writing to a Vec does not fail");
    out.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
}

/// Appends a close frame.
pub(crate) fn write_close(out: &mut Vec<u8>, code: CloseCode) {
    // Codes that stand for the absence of a close frame must not be in one.
    let payload = if matches!(code.0, 1005 | 1006 | 1015) {
        None
    } else {
        Some(code.0.to_be_bytes())
    };
    write_frame(
        out,
        Opcode::Close,
        payload.as_ref().map_or(&[], |bytes| &bytes[..]),
    );
}

/// The code in a close frame's payload.
pub(super) fn close_code(payload: &[u8]) -> Option<CloseCode> {
    payload
        .first_chunk()
        .map(|bytes| CloseCode(u16::from_be_bytes(*bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames as a server writes them: without mask.
    fn server_frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![first];
        let len = payload.len();
        match (u8::try_from(len), u16::try_from(len)) {
            (Ok(len @ 0..126), _) => out.push(len),
            (_, Ok(len)) => {
                out.push(126);
                out.extend_from_slice(&len.to_be_bytes());
            }
            _ => {
                out.push(127);
                out.extend_from_slice(&(len as u64).to_be_bytes());
            }
        }
        out.extend_from_slice(payload);
        out
    }

    #[test]
    fn a_header_is_read_at_every_length_and_only_when_whole() {
        for len in [0, 1, 125, 126, 65_535, 65_536, 100_000] {
            let bytes = server_frame(0x82, &vec![7; len]);
            let head = parse(&bytes, 1 << 20).unwrap().unwrap();
            assert_eq!((head.opcode, head.last), (Opcode::Binary, true));
            assert_eq!((head.end - head.start, head.end), (len, bytes.len()));
            for cut in 0..head.start {
                assert_eq!(
                    parse(&bytes[..cut], 1 << 20),
                    Ok(None),
                    "{len} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn what_breaks_the_protocol_is_named() {
        let frame = |first, len| parse(&server_frame(first, &vec![0; len]), 1_000);
        assert_eq!(frame(0xc1, 0), Err(FrameError::Reserved));
        assert_eq!(frame(0x83, 0), Err(FrameError::Header));
        assert_eq!(frame(0x09, 0), Err(FrameError::Control));
        assert_eq!(frame(0x89, 126), Err(FrameError::Control));
        assert_eq!(
            frame(0x81, 1_001),
            Err(FrameError::TooLarge {
                len: 1_001,
                max: 1_000
            })
        );
        assert_eq!(
            parse(&[0x81, 0x80, 1, 2, 3, 4], 1_000),
            Err(FrameError::Masked)
        );
    }

    #[test]
    fn what_is_written_is_masked_and_can_be_read() {
        let mut out = Vec::new();
        write_frame(&mut out, Opcode::Text, b"{\"op\":1,\"d\":null}");
        assert_eq!(out[..2], [0x81, 0x80 | 17]);
        let (mask, payload) = out[2..].split_first_chunk::<4>().unwrap();
        let plain: Vec<_> = payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(a, b)| a ^ b)
            .collect();
        assert_eq!(plain, b"{\"op\":1,\"d\":null}");

        out.clear();
        write_close(&mut out, CloseCode(4000));
        assert_eq!(out[..2], [0x88, 0x82]);
        assert_eq!(close_code(&[0x0f, 0xa4, b'x']), Some(CloseCode(4004)));
        assert_eq!(close_code(&[1]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_frame_or_not_and_never_a_panic(bytes: Vec<u8>, max in 0usize..1_000) {
            if let Ok(Some(head)) = parse(&bytes, max) {
                proptest::prop_assert!(head.start <= bytes.len());
                proptest::prop_assert!(head.end - head.start <= max);
            }
        }
    }
}
