//! Makes a kernel out of an entry point, the functions it calls and the variables it names.

use std::collections::HashMap;

use super::decode;
use super::instruction::{Function, Instruction, Operation, Relative};
use super::memory::{Bytes, LOCAL_WINDOW, PARAMETER_WINDOW};
use super::names::{Names, Symbol};
use super::syntax::{self, File, Initial, Number, Place, Statement, fail};
use super::types::low_bits;
use super::{Parameter, ParseError};

/// Where each variable of the module lies: name, offset and size in bytes.
pub(super) type Offsets<'t> = HashMap<&'t str, (usize, usize)>;

/// Offset and size of each in bytes.
pub(super) type Places = Vec<(usize, usize)>;

/// Lays out and initialises the `.global` and `.const` variables of a file.
pub(super) fn variables<'t>(file: &File<'t>) -> Result<(Bytes, Offsets<'t>), ParseError> {
    let (mut end, mut offsets) = (0_usize, HashMap::new());
    let stored = || file.variables.iter().filter(|variable| variable.place != Place::Shared);
    for variable in stored() {
        // Addresses are handed out as a device does: aligned to more than any access needs.
        let offset = end.next_multiple_of(variable.align.max(16));
        end = offset.saturating_add(variable.bytes);
        if end > 1 << 30 {
            return fail(variable.line, "the variables of this text need more than 1 GiB");
        }
        offsets.insert(variable.name, (offset, variable.bytes));
    }
    let bytes = Bytes::zeroed(end);
    for variable in stored() {
        let (mut at, _) = offsets.get(variable.name).copied().unwrap_or_default();
        for initial in &variable.initial {
            let value = match initial {
                Initial::Number(Number::Integer(value) | Number::Double(value)) => *value,
                Initial::Number(Number::Single(bits)) => (*bits).into(),
                Initial::Address(name, offset) => match offsets.get(name) {
                    Some((base, _)) => {
                        bytes.address().wrapping_add(*base as u64).wrapping_add_signed(*offset)
                    }
                    None => return fail(variable.line, format!("`{name}` is not declared")),
                },
            };
            for byte in value.to_le_bytes().iter().take(variable.element.bytes()) {
                bytes.write(at, *byte);
                at += 1;
            }
        }
    }
    Ok((bytes, offsets))
}

/// Lays variables out one after another: the offset and size of each in bytes, and the size of all.
fn layout(variables: &[syntax::Variable<'_>]) -> (Places, usize) {
    let mut end = 0_usize;
    let places = variables
        .iter()
        .map(|variable| {
            let offset = end.next_multiple_of(variable.align);
            end = offset.saturating_add(variable.bytes);
            (offset, variable.bytes)
        })
        .collect();
    (places, end)
}

/// A kernel under construction.
pub(super) struct Linker<'t> {
    file: &'t File<'t>,
    /// Of the first module variable.
    base: u64,
    offsets: &'t Offsets<'t>,
    shared: HashMap<&'t str, usize>,
    shared_bytes: usize,
    /// The entry point and every function that is called, in the order in which they were first named.
    functions: Vec<&'t syntax::Function<'t>>,
}

/// What a kernel consists of.
#[derive(Debug)]
pub(super) struct Linked {
    /// The entry point is the first.
    pub(super) functions: Vec<Function>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) parameter_bytes: usize,
    pub(super) shared_bytes: usize,
    pub(super) registers: u32,
}

/// Decodes an entry point and everything that it calls.
pub(super) fn link<'t>(
    file: &'t File<'t>,
    base: u64,
    offsets: &'t Offsets<'t>,
    entry: &'t syntax::Function<'t>,
) -> Result<Linked, ParseError> {
    let mut linker =
        Linker { file, base, offsets, shared: HashMap::new(), shared_bytes: 0, functions: vec![entry] };
    let (mut functions, mut registers) = (Vec::new(), 0_u32);
    while let Some(next) = linker.functions.get(functions.len()).copied() {
        let (function, declared) = linker.decode(next)?;
        functions.push(function);
        registers = registers.max(declared);
    }
    let dynamic = linker.shared_bytes.next_multiple_of(16) as u64;
    for function in &mut functions {
        let registers = &mut function.registers;
        function.relative.retain(|(slot, relative)| {
            let dynamically_shared = *relative == Relative::DynamicShared;
            if dynamically_shared {
                registers[*slot as usize] += dynamic;
            }
            !dynamically_shared
        });
    }
    let (places, parameter_bytes) = layout(&entry.parameters);
    let parameters = places.into_iter().map(|(offset, size)| Parameter { offset, size }).collect();
    Ok(Linked { functions, parameters, parameter_bytes, shared_bytes: linker.shared_bytes, registers })
}

impl<'t> Linker<'t> {
    /// The address of a module-scope variable. Shared ones are laid out when they are first named.
    pub(super) fn variable(&mut self, name: &str) -> Option<(u64, Option<Relative>)> {
        if let Some((offset, _)) = self.offsets.get(name) {
            return Some((self.base.wrapping_add(*offset as u64), None));
        }
        let variable = self.file.variables.iter().find(|variable| variable.name == name)?;
        Some(self.share(variable))
    }

    /// The offset of a shared variable; one without a size begins behind all that have one.
    fn share(&mut self, variable: &'t syntax::Variable<'t>) -> (u64, Option<Relative>) {
        if variable.bytes == 0 {
            return (0, Some(Relative::DynamicShared));
        }
        if let Some(offset) = self.shared.get(variable.name) {
            return (*offset as u64, None);
        }
        let offset = self.shared_bytes.next_multiple_of(variable.align);
        self.shared_bytes = offset.saturating_add(variable.bytes);
        self.shared.insert(variable.name, offset);
        (offset as u64, None)
    }

    /// The index of a function with a body, and where its results and parameters lie on its frame.
    pub(super) fn function(&mut self, name: &str) -> Option<(usize, Places, Places)> {
        let function =
            self.file.functions.iter().find(|function| function.name == name && function.body.is_some())?;
        let known = self.functions.iter().position(|known| known.name == name);
        let index = known.unwrap_or_else(|| {
            self.functions.push(function);
            self.functions.len() - 1
        });
        let (mut results, _) = layout(&passed(function));
        let parameters = results.split_off(function.results.len());
        Some((index, results, parameters))
    }

    /// Decodes a function; also how many 32-bit registers it declares.
    fn decode(&mut self, syntax: &'t syntax::Function<'t>) -> Result<(Function, u32), ParseError> {
        let mut names = Names::new();
        let mut frame_bytes = 0;
        if syntax.entry {
            for (variable, (offset, _)) in syntax.parameters.iter().zip(layout(&syntax.parameters).0) {
                names.declare(
                    variable.name,
                    Symbol::Address(PARAMETER_WINDOW.wrapping_add(offset as u64), None),
                );
            }
        } else {
            let variables = passed(syntax);
            let (places, bytes) = layout(&variables);
            frame_bytes = bytes;
            for (variable, (offset, bytes)) in variables.iter().zip(places) {
                if variable.place != Place::Parameter {
                    return fail(variable.line, "a function's parameters must be .param variables");
                }
                names.declare(variable.name, Symbol::Parameter(offset, bytes));
            }
        }
        let body = syntax.body.as_deref().unwrap_or_default();
        let instructions = self.declare(body, &mut names, &mut frame_bytes)?;
        let mut function = Function { frame_bytes: frame_bytes.next_multiple_of(16), ..Function::default() };
        for (scope, written) in instructions {
            names.current = scope;
            let decoded = decode::instruction(written, &mut names, self)
                .or_else(|message| fail(written.line, format!("{message} in `{}`", written.text)))?;
            function.code.push(decoded);
            function
                .source
                .push((written.line, written.text.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
        // The end of a body is a return, so that every instruction has a successor.
        let last_line = function.source.last().map_or(0, |source| source.0);
        function.code.push(Instruction::new(Operation::Return));
        function.source.push((last_line, "ret;".into()));
        let declared = names.declared;
        names.finish(&mut function);
        Ok((function, declared))
    }

    /// Declares all names of a body; its instructions, each with the scope in which it stands.
    fn declare(
        &mut self,
        body: &'t [Statement<'t>],
        names: &mut Names<'t>,
        frame_bytes: &mut usize,
    ) -> Result<Vec<(usize, &'t syntax::Instruction<'t>)>, ParseError> {
        let mut instructions = Vec::new();
        for statement in body {
            match statement {
                Statement::Open => names.open(),
                Statement::Close => names.close(),
                Statement::Label(name) => names.declare(name, Symbol::Label(instructions.len())),
                Statement::Targets(name, targets) => names.declare(name, Symbol::Targets(targets.clone())),
                Statement::Run(instruction) => instructions.push((names.current, instruction)),
                Statement::Declare(variable) => match (variable.place, variable.range) {
                    (Place::Register, Some(count)) => {
                        names.declare_range(variable.name, count, variable.element)
                    }
                    (Place::Register, None) => {
                        names.declare(variable.name, Symbol::Register(variable.element))
                    }
                    (Place::Local | Place::Parameter, _) => {
                        let offset = frame_bytes.next_multiple_of(variable.align);
                        *frame_bytes = offset.saturating_add(variable.bytes);
                        if *frame_bytes > 16 << 20 {
                            return fail(variable.line, "the local memory of a thread exceeds 16 MiB");
                        }
                        let symbol = if variable.place == Place::Parameter {
                            Symbol::Parameter(offset, variable.bytes)
                        } else {
                            Symbol::Address(LOCAL_WINDOW.wrapping_add(offset as u64), Some(Relative::Frame))
                        };
                        names.declare(variable.name, symbol);
                    }
                    (Place::Shared, _) => {
                        let (offset, relative) = self.share(variable);
                        names.declare(variable.name, Symbol::Address(low_bits(offset, 32), relative));
                    }
                    (Place::Global | Place::Constant, _) => {
                        return fail(variable.line, "a global variable inside a function is not supported");
                    }
                },
            }
        }
        Ok(instructions)
    }
}

/// The results and parameters of a function, in the order in which they lie on its frame.
fn passed<'t>(function: &syntax::Function<'t>) -> Vec<syntax::Variable<'t>> {
    function.results.iter().chain(&function.parameters).cloned().collect()
}
