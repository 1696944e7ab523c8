//! Cuts the text of a bound into words: names, numbers, quoted texts, marks. Pure.

use std::fmt;
use std::iter::Peekable;
use std::str::CharIndices;

/// One word of a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// A keyword or a part of a type's name.
    Name(String),
    /// Digits with what belongs to them, without a sign.
    Number(String),
    /// What stood between quotes.
    Quoted(String),
    /// `::`
    Cast,
    /// Any other single character that may stand in a bound.
    Mark(char),
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word::Name(text) | Word::Number(text) => f.write_str(text),
            Word::Quoted(text) => write!(f, "'{text}'"),
            Word::Cast => f.write_str("::"),
            Word::Mark(mark) => write!(f, "{mark}"),
        }
    }
}

type Chars<'a> = Peekable<CharIndices<'a>>;

/// All words of a text.
pub(super) fn words(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, first)) = chars.next() {
        words.push(match first {
            c if c.is_whitespace() => continue,
            '\'' => Word::Quoted(quoted(&mut chars, '\'')?),
            '"' => Word::Name(quoted(&mut chars, '"')?),
            'E' | 'e' if follows(&mut chars, '\'') => Word::Quoted(escaped(&mut chars)?),
            // Bits are as good as digits here.
            'B' | 'b' | 'X' | 'x' | 'N' | 'n' if follows(&mut chars, '\'') => Word::Quoted(quoted(&mut chars, '\'')?),
            c if c.is_ascii_digit() || c == '.' && digit_follows(&mut chars) => {
                Word::Number(number(text, at, &mut chars))
            }
            c if c.is_alphabetic() || c == '_' => {
                let rest = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                while chars.next_if(|(_, c)| rest(*c)).is_some() {}
                Word::Name(slice(text, at, &mut chars))
            }
            ':' if follows(&mut chars, ':') => Word::Cast,
            '(' | ')' | ',' | '.' | '[' | ']' | '-' | '+' => Word::Mark(first),
            _ => return Err(format!("{first} means nothing here")),
        });
    }
    Ok(words)
}

fn follows(chars: &mut Chars<'_>, wanted: char) -> bool {
    chars.next_if(|(_, c)| *c == wanted).is_some()
}

fn digit_follows(chars: &mut Chars<'_>) -> bool {
    chars.peek().is_some_and(|(_, c)| c.is_ascii_digit())
}

fn slice(text: &str, from: usize, chars: &mut Chars<'_>) -> String {
    let to = chars.peek().map_or(text.len(), |(at, _)| *at);
    text.get(from..to).unwrap_or_default().to_owned()
}

/// `12`, `1.5`, `1e+20`.
fn number(text: &str, from: usize, chars: &mut Chars<'_>) -> String {
    let mut before = '0';
    while let Some((_, c)) =
        chars.next_if(|(_, c)| c.is_ascii_alphanumeric() || *c == '.' || matches!((before, c), ('e' | 'E', '+' | '-')))
    {
        before = c;
    }
    slice(text, from, chars)
}

/// Up to the closing quote; a doubled one stands for itself.
fn quoted(chars: &mut Chars<'_>, quote: char) -> Result<String, String> {
    let mut text = String::new();
    while let Some((_, c)) = chars.next() {
        if c == quote && !follows(chars, quote) {
            return Ok(text);
        }
        text.push(c);
    }
    Err("a quote is not closed".to_owned())
}

/// The text of `E'…'`. Escapes of bytes are put together to characters at the end.
fn escaped(chars: &mut Chars<'_>) -> Result<String, String> {
    let mut bytes = Vec::new();
    while let Some((_, c)) = chars.next() {
        match c {
            '\'' if !follows(chars, '\'') => {
                return String::from_utf8(bytes).map_err(|_| "an escape is not UTF-8".to_owned());
            }
            '\\' => escape(chars, &mut bytes)?,
            c => push(&mut bytes, c),
        }
    }
    Err("a quote is not closed".to_owned())
}

fn escape(chars: &mut Chars<'_>, bytes: &mut Vec<u8>) -> Result<(), String> {
    let Some((_, c)) = chars.next() else { return Err("a quote is not closed".to_owned()) };
    let number = match c {
        'b' => 8,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        '0'..='7' => digits(chars, 8, 2, c.to_digit(8).unwrap_or(0)),
        'x' if chars.peek().is_some_and(|(_, c)| c.is_ascii_hexdigit()) => digits(chars, 16, 2, 0),
        'u' | 'U' => {
            let code = digits(chars, 16, if c == 'u' { 4 } else { 8 }, 0);
            push(bytes, char::from_u32(code).ok_or("an escape is not a character")?);
            return Ok(());
        }
        c => {
            push(bytes, c);
            return Ok(());
        }
    };
    // As the server does: the lower eight bits of what an octal escape says.
    bytes.push(u8::try_from(number & 0xff).unwrap_or_default());
    Ok(())
}

fn digits(chars: &mut Chars<'_>, radix: u32, most: usize, first: u32) -> u32 {
    let mut value = first;
    for _ in 0..most {
        let Some(digit) = chars.peek().and_then(|(_, c)| c.to_digit(radix)) else { break };
        chars.next();
        value = value.wrapping_mul(radix).wrapping_add(digit);
    }
    value
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
