//! WebSocket frames, server side: written straight into a connection's send buffer, read out of its receive buffer.

use std::io::Cursor;

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// Largest message a client may send, in bytes. Discord refuses commands above 4,096 bytes with 4002; what lies between
/// the two is left to the world to refuse, what is above is not read at all.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// One thing that a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// A text message, whole.
    Text(String),
    /// A binary message, whole.
    Binary(Vec<u8>),
    /// A ping; the answer is a pong with the same bytes.
    Ping(Vec<u8>),
    /// An unasked pong means nothing.
    Pong,
    /// A close frame; without a code if the client named none.
    Close(Option<u16>),
}

/// A client broke RFC 6455: the connection is closed with this code and reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) code: u16,
    pub(super) reason: &'static str,
}

impl Broken {
    const fn protocol(reason: &'static str) -> Self {
        Self { code: 1002, reason }
    }
}

/// Appends an unmasked frame that is a whole message.
pub(super) fn write(out: &mut Vec<u8>, opcode: OpCode, payload: &[u8]) {
    let header = FrameHeader {
        is_final: true,
        rsv1: false,
        rsv2: false,
        rsv3: false,
        opcode,
        mask: None,
    };
    header
        .format(payload.len() as u64, out)
        .expect("a Vec takes every byte");
    out.extend_from_slice(payload);
}

/// Appends a close frame. Reasons longer than the 123 bytes that fit are cut at a character boundary; without a code
/// there is no room for a reason.
pub(super) fn write_close(out: &mut Vec<u8>, code: Option<u16>, reason: &str) {
    let mut payload = Vec::new();
    if let Some(code) = code {
        let mut end = reason.len().min(123);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        payload.extend_from_slice(&code.to_be_bytes());
        payload.extend_from_slice(&reason.as_bytes()[..end]);
    }
    write(out, OpCode::Control(Control::Close), &payload);
}

/// Puts a client's frames together again: takes bytes as they come, gives messages.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    bytes: Vec<u8>,
    start: usize,
    message: Vec<u8>,
    kind: Option<Data>,
}

impl Assembler {
    /// Takes what was read from the socket.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message or control frame; `None` until more bytes are there.
    pub(super) fn next(&mut self) -> Result<Option<Received>, Broken> {
        loop {
            let Some((header, payload)) = self.frame()? else {
                return Ok(None);
            };
            match header.opcode {
                OpCode::Control(control) => {
                    return control_frame(control, &header, payload).map(Some);
                }
                OpCode::Data(data) => self.extend(data, &payload)?,
            }
            if header.is_final {
                return self.finish().map(Some);
            }
        }
    }

    fn frame(&mut self) -> Result<Option<(FrameHeader, Vec<u8>)>, Broken> {
        let mut cursor = Cursor::new(&self.bytes[self.start..]);
        let parsed = FrameHeader::parse(&mut cursor)
            .map_err(|_| Broken::protocol("a frame header that RFC 6455 does not allow"))?;
        let Some((header, length)) = parsed else {
            return Ok(None);
        };
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Broken::protocol(
                "a reserved bit is set, but no extension was agreed on",
            ));
        }
        let Some(mask) = header.mask else {
            return Err(Broken::protocol("a client must mask its frames"));
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MAX_MESSAGE_BYTES {
            return Err(Broken {
                code: 1009,
                reason: "a frame above 1 MiB",
            });
        }
        let begin = self.start + usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        let Some(masked) = self.bytes.get(begin..begin + length) else {
            return Ok(None);
        };
        let payload = masked
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, key)| byte ^ key)
            .collect();
        self.start = begin + length;
        Ok(Some((header, payload)))
    }

    fn extend(&mut self, data: Data, payload: &[u8]) -> Result<(), Broken> {
        match (data, self.kind) {
            (Data::Continue, Some(_)) => {}
            (Data::Text | Data::Binary, None) => self.kind = Some(data),
            (Data::Continue, None) => return Err(Broken::protocol("a continuation of nothing")),
            _ => return Err(Broken::protocol("a new message before the last one ended")),
        }
        if self.message.len() + payload.len() > MAX_MESSAGE_BYTES {
            return Err(Broken {
                code: 1009,
                reason: "a message above 1 MiB",
            });
        }
        self.message.extend_from_slice(payload);
        Ok(())
    }

    fn finish(&mut self) -> Result<Received, Broken> {
        let message = std::mem::take(&mut self.message);
        match self.kind.take() {
            Some(Data::Text) => {
                String::from_utf8(message)
                    .map(Received::Text)
                    .map_err(|_| Broken {
                        code: 1007,
                        reason: "a text message that is not UTF-8",
                    })
            }
            _ => Ok(Received::Binary(message)),
        }
    }
}

fn control_frame(
    control: Control,
    header: &FrameHeader,
    payload: Vec<u8>,
) -> Result<Received, Broken> {
    if !header.is_final || payload.len() > 125 {
        return Err(Broken::protocol(
            "a control frame is one frame of at most 125 bytes",
        ));
    }
    match control {
        Control::Ping => Ok(Received::Ping(payload)),
        Control::Pong => Ok(Received::Pong),
        Control::Close => match payload.as_slice() {
            [] => Ok(Received::Close(None)),
            [high, low, ..] => Ok(Received::Close(Some(u16::from_be_bytes([*high, *low])))),
            [_] => Err(Broken::protocol("a close code is two bytes")),
        },
        Control::Reserved(_) => Err(Broken::protocol("an opcode that RFC 6455 reserves")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [1, 2, 3, 4];

    fn masked(opcode: OpCode, is_final: bool, payload: &[u8]) -> Vec<u8> {
        let header = FrameHeader {
            is_final,
            rsv1: false,
            rsv2: false,
            rsv3: false,
            opcode,
            mask: Some(MASK),
        };
        let mut bytes = Vec::new();
        header.format(payload.len() as u64, &mut bytes).unwrap();
        bytes.extend(
            payload
                .iter()
                .zip(MASK.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
        bytes
    }

    fn text(is_final: bool, payload: &str) -> Vec<u8> {
        masked(OpCode::Data(Data::Text), is_final, payload.as_bytes())
    }

    #[test]
    fn a_message_in_pieces_byte_by_byte_with_a_ping_inside() {
        let mut bytes = text(false, "hel");
        bytes.extend(masked(OpCode::Control(Control::Ping), true, b"?"));
        bytes.extend(masked(OpCode::Data(Data::Continue), true, b"lo"));
        let mut assembler = Assembler::default();
        let mut received = Vec::new();
        for byte in bytes {
            assembler.push(&[byte]);
            received.extend(assembler.next().unwrap());
        }
        assert_eq!(
            received,
            [
                Received::Ping(b"?".to_vec()),
                Received::Text("hello".to_owned())
            ]
        );
    }

    #[test]
    fn several_messages_in_one_read() {
        let mut assembler = Assembler::default();
        assembler.push(&[text(true, "a"), text(true, "b")].concat());
        assert_eq!(assembler.next(), Ok(Some(Received::Text("a".to_owned()))));
        assert_eq!(assembler.next(), Ok(Some(Received::Text("b".to_owned()))));
        assert_eq!(assembler.next(), Ok(None));
    }

    #[test]
    fn broken_frames_are_refused_with_a_code() {
        let mut unmasked = Vec::new();
        write(&mut unmasked, OpCode::Data(Data::Text), b"x");
        let mut reserved = text(true, "x");
        reserved[0] |= 0x40;
        let huge = [0x82, 0xff, 0, 0, 0, 0, 0xff, 0, 0, 0, 1, 2, 3, 4].to_vec();
        let cases = [
            (unmasked, 1002),
            (reserved, 1002),
            (huge, 1009),
            (masked(OpCode::Data(Data::Continue), true, b"x"), 1002),
            ([text(false, "x"), text(true, "y")].concat(), 1002),
            (masked(OpCode::Data(Data::Text), true, &[0xff]), 1007),
            (masked(OpCode::Control(Control::Close), true, &[3]), 1002),
            (masked(OpCode::Control(Control::Ping), false, b""), 1002),
        ];
        for (bytes, code) in cases {
            let mut assembler = Assembler::default();
            assembler.push(&bytes);
            assert_eq!(assembler.next().unwrap_err().code, code, "{bytes:?}");
        }
    }

    #[test]
    fn a_long_close_reason_is_cut_between_characters() {
        let mut out = Vec::new();
        write_close(&mut out, Some(4000), &"ä".repeat(100));
        assert_eq!(out.len(), 2 + 2 + 122);
        assert_eq!(&out[2..4], &4000_u16.to_be_bytes());
    }
}
