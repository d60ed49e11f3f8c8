//! What a PTX text consists of: declarations, functions, and the statements of their bodies.

use super::ParseError;
use super::types::Type;

/// A literal number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// In two's complement.
    Integer(u64),
    /// `0f…`, the bits.
    Single(u32),
    /// `0d…`, the bits.
    Double(u64),
}

/// An operand as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand<'t> {
    /// A register, variable, label or special register.
    Name(&'t str),
    Number(Number),
    /// `!%p1`
    Negated(&'t str),
    /// `%r1|%p1`
    Both(&'t str, &'t str),
    /// `{%f1, %f2}`
    Vector(Vec<Operand<'t>>),
    /// `[%rd1+8]`; the base is a name or a number.
    Address(Box<Operand<'t>>, i64),
    /// `(param0, param1)` of a call
    List(Vec<Operand<'t>>),
}

/// An instruction as written.
#[derive(Clone, Debug)]
pub(super) struct Instruction<'t> {
    /// The predicate before it, and whether it is negated.
    pub(super) guard: Option<(&'t str, bool)>,
    /// With all its suffixes.
    pub(super) opcode: &'t str,
    pub(super) operands: Vec<Operand<'t>>,
    /// Of its opcode, counted from 1.
    pub(super) line: usize,
    /// From its guard to its semicolon.
    pub(super) text: &'t str,
}

/// Where a variable lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Register,
    Global,
    Constant,
    Shared,
    Local,
    Parameter,
}

/// One element of an initialiser.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Initial<'t> {
    Number(Number),
    /// The address of a variable plus bytes.
    Address(&'t str, i64),
}

/// A declared variable.
#[derive(Clone, Debug)]
pub(super) struct Variable<'t> {
    pub(super) place: Place,
    /// In bytes, a power of two.
    pub(super) align: usize,
    /// Of one element.
    pub(super) element: Type,
    pub(super) name: &'t str,
    /// In bytes; 0 for `name[]`.
    pub(super) bytes: usize,
    /// `%r<10>` declares `%r0` to `%r9`.
    pub(super) range: Option<usize>,
    pub(super) initial: Vec<Initial<'t>>,
    pub(super) line: usize,
}

/// A statement of a body.
#[derive(Clone, Debug)]
pub(super) enum Statement<'t> {
    /// `{`
    Open,
    /// `}`
    Close,
    Label(&'t str),
    Declare(Variable<'t>),
    Run(Instruction<'t>),
    /// `table: .branchtargets a, b;`
    Targets(&'t str, Vec<&'t str>),
}

/// An `.entry` or `.func`.
#[derive(Clone, Debug)]
pub(super) struct Function<'t> {
    pub(super) name: &'t str,
    pub(super) entry: bool,
    pub(super) results: Vec<Variable<'t>>,
    pub(super) parameters: Vec<Variable<'t>>,
    /// Without its outer braces; `None` for a declaration.
    pub(super) body: Option<Vec<Statement<'t>>>,
}

/// A whole text.
#[derive(Debug, Default)]
pub(super) struct File<'t> {
    pub(super) version: (u32, u32),
    pub(super) target: &'t str,
    pub(super) variables: Vec<Variable<'t>>,
    pub(super) functions: Vec<Function<'t>>,
}

/// `Err` at a line.
pub(super) fn fail<T>(line: usize, message: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError { line, message: message.into() })
}
