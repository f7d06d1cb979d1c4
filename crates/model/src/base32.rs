//! Crockford base32, lower case: the alphabet of every id that a person may have to read out.

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The value of one symbol. Upper case and the look-alikes `i l o` are refused: an id has exactly one spelling, so that
/// two different strings never name the same thing.
fn value(symbol: u8) -> Option<u8> {
    ALPHABET.iter().position(|&a| a == symbol).map(|p| u8::try_from(p).expect("the alphabet has 32 symbols"))
}

/// Writes ten bytes as sixteen symbols.
pub(crate) fn encode_80(bytes: [u8; 10]) -> [u8; 16] {
    let mut wide = [0u8; 16];
    wide[6..].copy_from_slice(&bytes);
    let n = u128::from_be_bytes(wide);
    let mut out = [0u8; 16];
    for (i, symbol) in out.iter_mut().enumerate() {
        let shift = 5 * (15 - i);
        *symbol = ALPHABET[((n >> shift) & 31) as usize];
    }
    out
}

/// Reads sixteen symbols as ten bytes.
pub(crate) fn decode_80(text: &str) -> Option<[u8; 10]> {
    let symbols: &[u8; 16] = text.as_bytes().try_into().ok()?;
    let mut n = 0u128;
    for &symbol in symbols {
        n = (n << 5) | u128::from(value(symbol)?);
    }
    let wide = n.to_be_bytes();
    let mut out = [0u8; 10];
    out.copy_from_slice(&wide[6..]);
    Some(out)
}

/// Writes a number without leading zeros; zero is `0`.
pub(crate) fn encode_number(mut n: u32) -> String {
    let mut symbols = Vec::with_capacity(7);
    loop {
        symbols.push(ALPHABET[(n & 31) as usize]);
        n >>= 5;
        if n == 0 {
            break;
        }
    }
    symbols.reverse();
    String::from_utf8(symbols).expect("the alphabet is ASCII")
}

/// Reads what [`encode_number`] writes; a leading zero or more than 32 bits is refused.
pub(crate) fn decode_number(text: &str) -> Option<u32> {
    let symbols = text.as_bytes();
    if symbols.is_empty() || symbols.len() > 7 || (symbols.len() > 1 && symbols[0] == b'0') {
        return None;
    }
    let mut n = 0u64;
    for &symbol in symbols {
        n = (n << 5) | u64::from(value(symbol)?);
    }
    u32::try_from(n).ok()
}
