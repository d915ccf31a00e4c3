//! Long texts, packed while relay is compiled so that they are small in the binary.
//!
//! The form is LZ77 in bytes. One below 128 is itself; two that begin with the bits
//! `10` copy 3 to 18 bytes from at most 1,024 before (ten bits of distance, four of
//! length); three that begin with `11` copy 4 to 131 from at most 32,768 before
//! (fifteen bits and seven).
//!
//! Invariant: what is unpacked is what was packed; a text that is not ASCII does not compile.

const NEAR: usize = 1 << 10;
const FAR: usize = 1 << 15;
const SHORT: usize = 18;
const LONG: usize = 131;
/// How many earlier places that begin alike are compared.
const PLACES: usize = 64;
const HASHES: usize = 1 << 12;

/// The text packed, and how many of the bytes that takes.
pub const fn pack<const N: usize>(text: &str) -> ([u8; N], usize) {
    let text = text.as_bytes();
    assert!(text.len() == N && text.is_ascii());
    let (mut packed, mut size) = ([0; N], 0);
    // The place that was the latest with each hash, and the one before each place; they count from 1.
    let (mut latest, mut before) = ([0; HASHES], [0; N]);
    let (mut at, mut known) = (0, 0);
    while at < N {
        while known < at + 2 && known + 3 <= N {
            let hash = (text[known] as usize * 31 + text[known + 1] as usize) * 31 + text[known + 2] as usize;
            before[known] = latest[hash % HASHES];
            latest[hash % HASHES] = known + 1;
            known += 1;
        }
        let copy = best(text, at, &before);
        if copy.saved == 0 || best(text, at + 1, &before).saved > copy.saved {
            packed[size] = text[at];
            (size, at) = (size + 1, at + 1);
        } else if copy.distance <= NEAR && copy.length <= SHORT {
            let bits = (copy.distance - 1) << 4 | (copy.length - 3);
            (packed[size], packed[size + 1]) = (0x80 | (bits >> 8) as u8, bits as u8);
            (size, at) = (size + 2, at + copy.length);
        } else {
            let bits = (copy.distance - 1) << 7 | (copy.length - 4);
            (packed[size], packed[size + 1]) = (0xc0 | (bits >> 16) as u8, (bits >> 8) as u8);
            packed[size + 2] = bits as u8;
            (size, at) = (size + 3, at + copy.length);
        }
    }
    (packed, size)
}

/// What stands at a place and stood before, at this distance.
struct Same {
    distance: usize,
    length: usize,
    /// How many bytes fewer a copy takes; 0: there is none that pays.
    saved: usize,
}

const fn best(text: &[u8], at: usize, before: &[usize]) -> Same {
    let mut found = Same { distance: 0, length: 0, saved: 0 };
    let (mut places, mut place) = (0, if at < text.len() { before[at] } else { 0 });
    while place > 0 && places < PLACES && at - (place - 1) <= FAR {
        let from = place - 1;
        let mut length = 0;
        while length < LONG && at + length < text.len() && text[from + length] == text[at + length] {
            length += 1;
        }
        let cost = if at - from <= NEAR && length <= SHORT { 2 } else { 3 };
        if length > cost + found.saved {
            found = Same { distance: at - from, length, saved: length - cost };
        }
        (places, place) = (places + 1, before[from]);
    }
    found
}

/// The text that was packed.
pub fn unpack(packed: &[u8]) -> String {
    let mut text = Vec::new();
    let mut rest = packed.iter().map(|&byte| usize::from(byte));
    let mut next = || rest.next();
    while let Some(byte) = next() {
        let (distance, length) = match byte {
            0..0x80 => {
                text.push(byte as u8);
                continue;
            }
            0x80..0xc0 => {
                let bits = (byte & 0x3f) << 8 | next().unwrap_or(0);
                ((bits >> 4) + 1, (bits & 15) + 3)
            }
            _ => {
                let bits = (byte & 0x3f) << 16 | next().unwrap_or(0) << 8 | next().unwrap_or(0);
                ((bits >> 7) + 1, (bits & 127) + 4)
            }
        };
        for _ in 0..length {
            text.push(text[text.len() - distance]);
        }
    }
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_back<const N: usize>(text: &str) -> usize {
        let (packed, size) = pack::<N>(text);
        assert_eq!(unpack(&packed[..size]), text);
        size
    }

    #[test]
    fn a_text_comes_back() {
        assert_eq!(comes_back::<0>(""), 0);
        assert_eq!(comes_back::<3>("abc"), 3);
        assert_eq!(comes_back::<20>(&"a".repeat(20)), 1 + 2 + 1); // itself, 18 of them, itself
        assert_eq!(comes_back::<132>(&"a".repeat(132)), 1 + 3);
        assert_eq!(comes_back::<263>(&"a".repeat(263)), 1 + 3 + 3);
    }

    /// Of few letters, so that much of it repeats at every distance.
    #[test]
    fn a_long_text_comes_back_whatever_repeats() {
        let mut state = 1_u32;
        let mut letter = |kinds: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + (state >> 16) as u8 % kinds as u8)
        };
        let noise: String = (0..34_000).map(|_| letter(26)).collect();
        let few: String = (0..4_000).map(|_| letter(2)).collect();
        let text = [&noise, &few, &noise[..100], &noise[2_000..4_000], &few].concat();
        assert!(comes_back::<44_100>(&text) < 40_000);
    }

    #[test]
    #[should_panic]
    fn other_letters_are_refused() {
        pack::<2>("é");
    }
}
