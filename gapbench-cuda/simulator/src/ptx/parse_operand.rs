//! Reads the operands of an instruction.

use super::ParseError;
use super::lex::{Kind, Token};
use super::parse::Parser;
use super::syntax::{Number, Operand};
use super::types::{Type, low_bits};

/// A literal: decimal, `0x…`, `0b…`, octal with a leading 0, an optional `U`, `0f…`, `0d…`, or `WARP_SZ`.
pub(super) fn number(word: &str) -> Option<Number> {
    if word == "WARP_SZ" {
        return Some(Number::Integer(32));
    }
    let prefix = word.get(..2).unwrap_or("").to_ascii_lowercase();
    let rest = word.get(2..).unwrap_or("");
    match prefix.as_str() {
        "0f" if rest.len() == 8 => return u32::from_str_radix(rest, 16).ok().map(Number::Single),
        "0d" if rest.len() == 16 => return u64::from_str_radix(rest, 16).ok().map(Number::Double),
        _ => {}
    }
    let digits = word.strip_suffix('U').unwrap_or(word);
    let (digits, radix) = match prefix.as_str() {
        "0x" => (digits.get(2..)?, 16),
        "0b" => (digits.get(2..)?, 2),
        _ if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
        _ => (digits, 10),
    };
    u64::from_str_radix(digits, radix).ok().map(Number::Integer)
}

/// A literal as the bits of a type.
pub(super) fn literal(number: Number, t: Type) -> Result<u64, String> {
    match (number, t) {
        (_, Type::F16 | Type::Bf16) | (Number::Integer(_), Type::F32 | Type::F64) => {
            Err(format!("a literal of type {} is expected", t.name()))
        }
        (Number::Integer(value), _) => Ok(low_bits(value, t.bits())),
        (Number::Single(bits), Type::F64) => Ok(f64::from(f32::from_bits(bits)).to_bits()),
        (Number::Double(bits), Type::F32) => Ok((f64::from_bits(bits) as f32).to_bits().into()),
        (Number::Single(bits), _) if t.bits() == 32 => Ok(bits.into()),
        (Number::Double(bits), _) if t.bits() == 64 => Ok(bits),
        _ => Err(format!("a literal of type {} is expected", t.name())),
    }
}

impl<'t> Parser<'t> {
    /// One operand, up to the comma or semicolon behind it.
    pub(super) fn operand(&mut self) -> Result<Operand<'t>, ParseError> {
        if self.take('{') {
            return Ok(Operand::Vector(self.list('}')?));
        }
        if self.take('(') {
            return Ok(Operand::List(self.list(')')?));
        }
        if self.take('[') {
            let base = self.simple()?;
            let offset = self.offset()?;
            self.mark(']')?;
            return Ok(Operand::Address(Box::new(base), offset));
        }
        let first = self.simple()?;
        match first {
            Operand::Name(first) if self.take('|') => Ok(Operand::Both(first, self.word()?)),
            first => Ok(first),
        }
    }

    fn list(&mut self, end: char) -> Result<Vec<Operand<'t>>, ParseError> {
        let mut list = Vec::new();
        while !self.take(end) {
            if !list.is_empty() {
                self.mark(',')?;
            }
            list.push(self.simple()?);
        }
        Ok(list)
    }

    /// A name, a number or a negated predicate.
    fn simple(&mut self) -> Result<Operand<'t>, ParseError> {
        if self.take('!') {
            return Ok(Operand::Negated(self.word()?));
        }
        let negative = self.take('-');
        let Some(Token { kind: Kind::Word(word), .. }) = self.peek() else {
            return self.expected("an operand");
        };
        match number(word) {
            Some(Number::Integer(value)) if negative => {
                self.word()?;
                Ok(Operand::Number(Number::Integer(value.wrapping_neg())))
            }
            _ if negative => self.expected("an integer behind the minus"),
            Some(value) => {
                self.word()?;
                Ok(Operand::Number(value))
            }
            None => Ok(Operand::Name(self.word()?)),
        }
    }
}
