//! Turns an instruction as written into one that can be executed.

use super::instruction::{ALWAYS, Compute, Instruction, Mode, Operation, Part, SINK, Select, Slot};
use super::link::Linker;
use super::names::{Names, Symbol, special};
use super::opcodes::{OPCODES, Row};
use super::parse_operand::literal;
use super::round::Rounding;
use super::syntax::{self, Number, Operand};
use super::types::Type;

/// A decoded instruction, or what about it is not known.
pub(super) type Decoded = Result<Instruction, String>;

/// Decodes one instruction.
pub(super) fn instruction<'t>(
    written: &syntax::Instruction<'t>,
    names: &mut Names<'t>,
    linker: &mut Linker<'t>,
) -> Decoded {
    let mut words = written.opcode.split('.');
    let opcode = words.next().unwrap_or("");
    let (_, row) =
        OPCODES.iter().find(|row| row.0 == opcode).ok_or_else(|| format!("unknown opcode `{opcode}`"))?;
    let mut reader = Reader {
        opcode,
        suffixes: words.collect(),
        operands: &written.operands,
        second: false,
        names,
        linker,
    };
    let mut instruction = match row {
        Row::Value(modifiers, inputs, select) => reader.table_row(modifiers, *inputs, *select)?,
        Row::Decode(decode) => decode(&mut reader)?,
    };
    if let Some(suffix) = reader.suffixes.first() {
        return Err(format!("unknown modifier `.{suffix}`"));
    }
    if !reader.operands.is_empty() {
        return Err("too many operands".into());
    }
    if let Some((name, negated)) = written.guard {
        instruction.guard = names.register(name).ok_or_else(|| format!("`{name}` is no register"))?;
        instruction.unless = negated;
    }
    Ok(instruction)
}

/// An instruction and how far it has been read: a decoder takes its suffixes in any order and its operands in theirs.
pub(super) struct Reader<'r, 't> {
    opcode: &'t str,
    suffixes: Vec<&'t str>,
    operands: &'r [Operand<'t>],
    /// The destination was a pair `a|b`.
    second: bool,
    names: &'r mut Names<'t>,
    pub(super) linker: &'r mut Linker<'t>,
}

/// What a suffix does to the mode.
type Apply = fn(&mut Mode);

/// The suffixes that a row of the table may allow, and what each does to the mode.
const MODIFIERS: &[(&str, Apply)] = &[
    ("approx", |_| {}),
    ("full", |_| {}),
    ("rn", |mode| mode.rounding = Rounding::Nearest),
    ("rz", |mode| mode.rounding = Rounding::Zero),
    ("rm", |mode| mode.rounding = Rounding::Down),
    ("rp", |mode| mode.rounding = Rounding::Up),
    ("ftz", |mode| mode.ftz = true),
    ("sat", |mode| mode.saturate = true),
    ("relu", |mode| mode.relu = true),
    ("NaN", |mode| mode.nan = true),
    ("xorsign", |mode| mode.variant = true),
    ("abs", |_| {}),
    ("shiftamt", |mode| mode.variant = true),
    ("lo", |mode| mode.part = Part::Low),
    ("hi", |mode| mode.part = Part::High),
    ("wide", |mode| mode.part = Part::Wide),
];

/// The modifiers that only integers have, and those that only floats have.
const OF_INTEGERS: &[&str] = &["lo", "hi", "wide", "shiftamt"];
const OF_FLOATS: &[&str] = &["approx", "full", "rn", "rz", "rm", "rp", "ftz", "NaN", "xorsign", "abs"];

impl<'t> Reader<'_, 't> {
    pub(super) fn opcode(&self) -> &'t str {
        self.opcode
    }

    /// Takes a suffix if it is there.
    pub(super) fn take(&mut self, suffix: &str) -> bool {
        let found = self.suffixes.iter().position(|word| *word == suffix);
        found.inspect(|index| {
            self.suffixes.remove(*index);
        });
        found.is_some()
    }

    /// Whether a suffix is there.
    pub(super) fn has(&self, suffix: &str) -> bool {
        self.suffixes.contains(&suffix)
    }

    /// Whether any suffix is left.
    pub(super) fn has_suffix(&self) -> bool {
        !self.suffixes.is_empty()
    }

    /// Takes a suffix that has to be there.
    pub(super) fn require(&mut self, suffix: &str) -> Result<(), String> {
        if self.take(suffix) { Ok(()) } else { Err(format!("`.{suffix}` is missing")) }
    }

    /// Takes the first suffix that is one of these.
    pub(super) fn choose<T: Copy>(&mut self, choices: &[(&str, T)]) -> Option<T> {
        let index = self.suffixes.iter().position(|word| choices.iter().any(|choice| choice.0 == *word))?;
        let word = self.suffixes.remove(index);
        choices.iter().find(|choice| choice.0 == word).map(|choice| choice.1)
    }

    /// Takes one of these suffixes.
    pub(super) fn one_of<T: Copy>(&mut self, choices: &[(&str, T)]) -> Result<T, String> {
        self.choose(choices).ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|choice| choice.0).collect();
            format!("expected one of the modifiers {}", names.join(", "))
        })
    }

    /// Takes the first suffix that is a type.
    pub(super) fn type_any(&mut self) -> Result<Type, String> {
        let found =
            self.suffixes.iter().enumerate().find_map(|(index, word)| Some((index, Type::parse(word)?)));
        let (index, t) = found.ok_or("a type is missing")?;
        self.suffixes.remove(index);
        Ok(t)
    }

    /// Takes a type, which must be one of those listed.
    pub(super) fn type_of(&mut self, allowed: &str) -> Result<Type, String> {
        let t = self.type_any()?;
        if allowed.split(' ').any(|name| name == t.name()) {
            Ok(t)
        } else {
            Err(format!("the type is {}, not one of {allowed}", t.name()))
        }
    }

    pub(super) fn operands_left(&self) -> usize {
        self.operands.len()
    }

    pub(super) fn has_operand(&self) -> bool {
        !self.operands.is_empty()
    }

    pub(super) fn next_operand(&mut self) -> Result<&Operand<'t>, String> {
        let (first, rest) = self.operands.split_first().ok_or("too few operands")?;
        self.operands = rest;
        Ok(first)
    }

    /// Reads a register to write.
    pub(super) fn destination(&mut self) -> Result<Slot, String> {
        match self.next_operand()?.clone() {
            Operand::Name(name) => self.register(name),
            other => Err(format!("{other:?} is no destination")),
        }
    }

    fn register(&mut self, name: &'t str) -> Result<Slot, String> {
        self.names.register(name).ok_or_else(|| format!("`{name}` is no register"))
    }

    /// Reads `a` or `a|b`.
    pub(super) fn destinations(&mut self) -> Result<[Slot; 2], String> {
        match self.next_operand()?.clone() {
            Operand::Name(name) => Ok([self.register(name)?, SINK]),
            Operand::Both(first, second) => {
                self.second = true;
                Ok([self.register(first)?, self.register(second)?])
            }
            other => Err(format!("{other:?} is no destination")),
        }
    }

    pub(super) fn has_second_destination(&self) -> bool {
        self.second
    }

    /// Reads `{a, b, …}` to write.
    pub(super) fn vector_destination(&mut self, lanes: usize) -> Result<Vec<Slot>, String> {
        let names = self.vector(lanes)?;
        let register = |operand: &Operand<'t>| match operand {
            Operand::Name(name) => {
                self.names.register(name).ok_or_else(|| format!("`{name}` is no register"))
            }
            other => Err(format!("{other:?} is no destination")),
        };
        names.iter().map(register).collect()
    }

    /// Reads `{a, b, …}`.
    pub(super) fn vector_source(&mut self, lanes: usize, t: Type) -> Result<Vec<Slot>, String> {
        let elements = self.vector(lanes)?;
        elements.iter().map(|element| self.read(element, t)).collect()
    }

    fn vector(&mut self, lanes: usize) -> Result<Vec<Operand<'t>>, String> {
        match self.next_operand()? {
            Operand::Vector(elements) if elements.len() == lanes => Ok(elements.clone()),
            _ => Err(format!("expected a vector of {lanes} elements")),
        }
    }

    /// How many elements the next operand has, if it is a vector.
    pub(super) fn vector_lanes(&self) -> Option<usize> {
        match self.operands.first()? {
            Operand::Vector(elements) => Some(elements.len()),
            _ => None,
        }
    }

    /// The next operand's name, without reading it.
    pub(super) fn peek_name(&self) -> Option<&'t str> {
        match self.operands.first()? {
            Operand::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Reads a register, variable or literal of a type.
    pub(super) fn source(&mut self, t: Type) -> Result<Slot, String> {
        let operand = self.next_operand()?.clone();
        self.read(&operand, t)
    }

    fn read(&mut self, operand: &Operand<'t>, t: Type) -> Result<Slot, String> {
        match operand {
            Operand::Number(number) => {
                let bits = literal(*number, t)?;
                Ok(self.names.constant(bits, None))
            }
            Operand::Name(name) => self.named(name),
            other => Err(format!("{other:?} is no {} value", t.name())),
        }
    }

    fn named(&mut self, name: &'t str) -> Result<Slot, String> {
        if let Some(slot) = self.names.register(name) {
            return Ok(slot);
        }
        if let Some(special) = special(name) {
            return Ok(self.names.special(special));
        }
        let symbol = self.names.find(name).map(|found| found.1);
        let (address, relative) = match symbol {
            Some(Symbol::Address(address, relative)) => (address, relative),
            Some(Symbol::Parameter(offset, _)) => {
                let address = super::memory::LOCAL_WINDOW.wrapping_add(offset as u64);
                (address, Some(super::instruction::Relative::Frame))
            }
            _ => self.linker.variable(name).ok_or_else(|| format!("`{name}` is not declared"))?,
        };
        Ok(self.names.constant(address, relative))
    }

    /// Reads a predicate that may be negated.
    pub(super) fn predicate(&mut self) -> Result<(Slot, bool), String> {
        match self.next_operand()?.clone() {
            Operand::Negated(name) => Ok((self.register(name)?, true)),
            operand => Ok((self.read(&operand, Type::Pred)?, false)),
        }
    }

    /// Reads `[base+offset]`.
    pub(super) fn address(&mut self) -> Result<(Slot, i64), String> {
        match self.next_operand()?.clone() {
            Operand::Address(base, offset) => Ok((self.read(&base, Type::B64)?, offset)),
            other => Err(format!("{other:?} is no address")),
        }
    }

    /// Reads an integer literal.
    pub(super) fn integer(&mut self) -> Result<u64, String> {
        match self.next_operand()? {
            Operand::Number(Number::Integer(value)) => Ok(*value),
            other => Err(format!("{other:?} is no integer")),
        }
    }

    /// Reads a label.
    pub(super) fn label(&mut self) -> Result<usize, String> {
        match self.next_operand()?.clone() {
            Operand::Name(name) => self.label_of(name),
            other => Err(format!("{other:?} is no label")),
        }
    }

    fn label_of(&self, name: &str) -> Result<usize, String> {
        match self.names.find(name) {
            Some((_, Symbol::Label(at))) => Ok(at),
            _ => Err(format!("`{name}` is no label")),
        }
    }

    /// Reads the name of a `.branchtargets` list.
    pub(super) fn targets(&mut self) -> Result<Vec<usize>, String> {
        match self.next_operand()?.clone() {
            Operand::Name(name) => match self.names.find(name) {
                Some((_, Symbol::Targets(labels))) => {
                    labels.iter().map(|label| self.label_of(label)).collect()
                }
                _ => Err(format!("`{name}` is no list of branch targets")),
            },
            other => Err(format!("{other:?} is no list of branch targets")),
        }
    }

    /// Reads `(param0, param1)`: offset and size of each on the frame.
    pub(super) fn passed(&mut self) -> Result<Vec<(usize, usize)>, String> {
        let Operand::List(list) = self.next_operand()?.clone() else {
            return Err("expected parameters".into());
        };
        let parameter = |operand: &Operand<'t>| match operand {
            Operand::Name(name) => match self.names.find(name) {
                Some((_, Symbol::Parameter(offset, bytes))) => Ok((offset, bytes)),
                _ => Err(format!("`{name}` is no parameter")),
            },
            other => Err(format!("{other:?} is no parameter")),
        };
        list.iter().map(parameter).collect()
    }

    /// Whether the next operand is a parenthesised list.
    pub(super) fn at_list(&self) -> bool {
        matches!(self.operands.first(), Some(Operand::List(_)))
    }

    /// A slot that always holds this value.
    pub(super) fn constant(&mut self, value: u64) -> Slot {
        self.names.constant(value, None)
    }

    /// The width of a register in bits.
    pub(super) fn width(&self, slot: Slot) -> u32 {
        self.names.width(slot)
    }

    /// An operation whose inputs have these types.
    pub(super) fn inputs(&mut self, operation: Operation, mode: Mode, types: &[Type]) -> Decoded {
        let mut instruction = Instruction::new(operation);
        instruction.mode = mode;
        instruction.inputs = [ALWAYS; 4];
        for (input, t) in instruction.inputs.iter_mut().zip(types) {
            *input = self.source(*t)?;
        }
        Ok(instruction)
    }

    /// An operation with one destination and inputs of these types.
    pub(super) fn value(&mut self, operation: Operation, mode: Mode, types: &[Type]) -> Decoded {
        let output = self.destination()?;
        let mut instruction = self.inputs(operation, mode, types)?;
        instruction.outputs[0] = output;
        Ok(instruction)
    }

    /// An instruction of the table: modifiers, one type, that many inputs of it.
    pub(super) fn table_row(&mut self, modifiers: &str, inputs: usize, select: Select) -> Decoded {
        let mut mode = Mode::default();
        let mut taken = Vec::new();
        for (suffix, apply) in MODIFIERS {
            if modifiers.split(' ').any(|allowed| allowed == *suffix) && self.take(suffix) {
                apply(&mut mode);
                taken.push(*suffix);
            }
        }
        let t = self.type_any()?;
        // A row for integers and floats has the modifiers of both.
        let foreign = if t.half().unwrap_or(t).is_float() { OF_INTEGERS } else { OF_FLOATS };
        if let Some(suffix) = taken.iter().find(|suffix| foreign.contains(suffix)) {
            return Err(format!("`.{suffix}` is not defined for {}", t.name()));
        }
        let undefined = || format!("not defined for {}", t.name());
        let compute: Compute = select(t.half().unwrap_or(t), mode).ok_or_else(undefined)?;
        let operation = if t.half().is_some() { Operation::Pair(compute) } else { Operation::Value(compute) };
        let mut types = [t; 3];
        match self.opcode {
            "shl" | "shr" => types[1] = Type::U32,
            "bfe" => types[1..].fill(Type::U32),
            "mad" if mode.part == Part::Wide => types[2] = t.doubled(),
            _ => {}
        }
        self.value(operation, mode, &types[..inputs])
    }
}
