//! Reads a PTX text into its declarations and functions.

use super::ParseError;
use super::lex::{Kind, Token, tokens};
use super::parse_operand::number;
use super::syntax::{File, Function, Initial, Instruction, Number, Place, Statement, Variable, fail};
use super::types::Type;

/// More than any device has; a larger size is a mistake in the text, and must not exhaust the host.
const LARGEST_VARIABLE: usize = 256 << 20;

/// Parses a text.
pub(super) fn file(text: &str) -> Result<File<'_>, ParseError> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0 };
    let mut file = File::default();
    while let Some(token) = parser.peek() {
        match token.kind {
            Kind::Word(".version") => {
                parser.at += 1;
                file.version = parser.version()?;
            }
            Kind::Word(".target") => {
                file.target = parser.word_after()?;
                while parser.take(',') {
                    parser.word()?;
                }
            }
            Kind::Word(".address_size") => {
                if parser.word_after()? != "64" {
                    return fail(token.line, "only 64-bit addresses are supported");
                }
            }
            Kind::Word(".visible" | ".extern" | ".weak" | ".common") => parser.at += 1,
            Kind::Word(".entry" | ".func") => file.functions.push(parser.function()?),
            Kind::Word(".global" | ".const" | ".shared") => file.variables.extend(parser.declaration()?),
            _ if parser.skip_directive()? => {}
            _ => return parser.expected("a directive"),
        }
    }
    if file.version == (0, 0) || file.target.is_empty() {
        return fail(1, "a PTX text starts with .version and .target");
    }
    Ok(file)
}

/// The tokens of a text and how far they are read.
pub(super) struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token<'t>>,
    at: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.at).copied()
    }

    /// The line of the next token, or of the last one.
    pub(super) fn line(&self) -> usize {
        self.peek().or(self.tokens.last().copied()).map_or(1, |token| token.line)
    }

    pub(super) fn expected<T>(&self, what: &str) -> Result<T, ParseError> {
        match self.peek() {
            Some(token) => {
                let found = &self.text[token.start..token.end];
                fail(token.line, format!("expected {what}, found `{found}`"))
            }
            None => fail(self.line(), format!("expected {what}, found the end of the text")),
        }
    }

    /// Whether the next token is this mark; reads it if so.
    pub(super) fn take(&mut self, mark: char) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == Kind::Mark(mark));
        self.at += usize::from(found);
        found
    }

    /// Reads this mark.
    pub(super) fn mark(&mut self, mark: char) -> Result<(), ParseError> {
        if self.take(mark) { Ok(()) } else { self.expected(&format!("`{mark}`")) }
    }

    /// Whether the next token is this word; reads it if so.
    fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == Kind::Word(word));
        self.at += usize::from(found);
        found
    }

    /// Reads any word.
    pub(super) fn word(&mut self) -> Result<&'t str, ParseError> {
        match self.peek() {
            Some(Token { kind: Kind::Word(word), .. }) => {
                self.at += 1;
                Ok(word)
            }
            _ => self.expected("a word"),
        }
    }

    fn word_after(&mut self) -> Result<&'t str, ParseError> {
        self.at += 1;
        self.word()
    }

    /// Reads a count or a size.
    fn size(&mut self) -> Result<usize, ParseError> {
        let line = self.line();
        match self.word().map(number)? {
            Some(Number::Integer(value)) if value <= LARGEST_VARIABLE as u64 => Ok(value as usize),
            _ => fail(line, "expected a size of at most 256 MiB"),
        }
    }

    fn version(&mut self) -> Result<(u32, u32), ParseError> {
        let line = self.line();
        let word = self.word()?;
        let parts =
            word.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        parts.map_or_else(|| fail(line, format!("`{word}` is no version")), Ok)
    }

    /// Reads past a directive that says nothing about what a kernel computes.
    fn skip_directive(&mut self) -> Result<bool, ParseError> {
        let Some(first) = self.peek() else { return Ok(false) };
        match first.kind {
            Kind::Word(".file" | ".loc") => {
                while self.peek().is_some_and(|token| token.line == first.line) {
                    self.at += 1;
                }
            }
            Kind::Word(".pragma") => self.skip_to(';')?,
            Kind::Word(".section") => {
                self.skip_to('{')?;
                self.skip_to('}')?;
            }
            Kind::Mark(';') => self.at += 1,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn skip_to(&mut self, mark: char) -> Result<(), ParseError> {
        while !self.take(mark) {
            if self.peek().is_none() {
                return self.expected(&format!("`{mark}`"));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn function(&mut self) -> Result<Function<'t>, ParseError> {
        let entry = self.word()? == ".entry";
        let results = if entry { Vec::new() } else { self.parameters()? };
        let name = self.word()?;
        let parameters = self.parameters()?;
        while let Some(Token { kind: Kind::Word(word), .. }) = self.peek() {
            self.at += 1;
            match word {
                ".maxntid" | ".reqntid" | ".minnctapersm" | ".maxnreg" | ".maxnctapersm"
                | ".reqnctapercluster" | ".maxclusterrank" => {
                    self.size()?;
                    while self.take(',') {
                        self.size()?;
                    }
                }
                ".noreturn" | ".explicitcluster" | ".blocksareclusters" => {}
                ".pragma" => self.skip_to(';')?,
                _ => {
                    self.at -= 1;
                    return self.expected("a body");
                }
            }
        }
        let body = if self.take(';') { None } else { Some(self.body()?) };
        Ok(Function { name, entry, results, parameters, body })
    }

    /// `(.param .b64 a, .param .align 8 .b8 b[16])`, or nothing.
    fn parameters(&mut self) -> Result<Vec<Variable<'t>>, ParseError> {
        let mut parameters = Vec::new();
        if !self.take('(') {
            return Ok(parameters);
        }
        while !self.take(')') {
            if !parameters.is_empty() {
                self.mark(',')?;
            }
            let place = self.place()?;
            parameters.push(self.variable(place)?.0);
        }
        Ok(parameters)
    }

    fn place(&mut self) -> Result<Place, ParseError> {
        let place = match self.peek().map(|token| token.kind) {
            Some(Kind::Word(".reg")) => Place::Register,
            Some(Kind::Word(".global")) => Place::Global,
            Some(Kind::Word(".const")) => Place::Constant,
            Some(Kind::Word(".shared")) => Place::Shared,
            Some(Kind::Word(".local")) => Place::Local,
            Some(Kind::Word(".param")) => Place::Parameter,
            _ => return self.expected("a state space"),
        };
        self.at += 1;
        Ok(place)
    }

    /// `.reg .b32 %r<10>, %x;` or `.global .align 4 .b8 name[8] = {1, 2};`
    fn declaration(&mut self) -> Result<Vec<Variable<'t>>, ParseError> {
        let place = self.place()?;
        let (first, lanes) = self.variable(place)?;
        let mut variables = vec![first];
        while self.take(',') {
            let (align, element) = (variables[0].align, variables[0].element);
            variables.push(self.declarator(place, align, element, lanes)?);
        }
        self.mark(';')?;
        Ok(variables)
    }

    /// Everything after the state space, up to the first name and its initialiser; and how many elements a vector has.
    fn variable(&mut self, place: Place) -> Result<(Variable<'t>, usize), ParseError> {
        let (mut align, mut element, mut lanes) = (0, None, 1);
        while let Some(Token { kind: Kind::Word(word), line, .. }) = self.peek() {
            let Some(directive) = word.strip_prefix('.') else { break };
            self.at += 1;
            match directive {
                "align" => align = self.size()?,
                "v2" => lanes = 2,
                "v4" => lanes = 4,
                "ptr" | "global" | "const" | "shared" | "local" => {}
                "attribute" => self.skip_to(')')?,
                _ => match Type::parse(directive) {
                    Some(found) => element = Some(found),
                    None => return fail(line, format!("`{word}` is no type")),
                },
            }
        }
        let Some(element) = element else { return self.expected("a type") };
        let align = if align == 0 { element.bytes() * lanes } else { align };
        if !align.is_power_of_two() || align > 4096 {
            return fail(self.line(), format!("{align} is no alignment"));
        }
        Ok((self.declarator(place, align, element, lanes)?, lanes))
    }

    fn declarator(
        &mut self,
        place: Place,
        align: usize,
        element: Type,
        lanes: usize,
    ) -> Result<Variable<'t>, ParseError> {
        let line = self.line();
        let name = self.word()?;
        let (mut bytes, mut range, mut initial) = (element.bytes() * lanes, None, Vec::new());
        if self.take('<') {
            range = Some(self.size()?);
            self.mark('>')?;
        }
        while self.take('[') {
            let count = if self.take(']') { 0 } else { self.size()? };
            if count > 0 {
                self.mark(']')?;
            }
            bytes = bytes.saturating_mul(count);
        }
        if self.take('=') {
            self.initialiser(&mut initial)?;
        }
        bytes = bytes.max(initial.len().saturating_mul(element.bytes()));
        if bytes > LARGEST_VARIABLE {
            return fail(line, format!("`{name}` is larger than 256 MiB"));
        }
        Ok(Variable { place, align, element, name, bytes, range, initial, line })
    }

    /// `5`, `{1, 2}` or nested lists, flattened.
    fn initialiser(&mut self, initial: &mut Vec<Initial<'t>>) -> Result<(), ParseError> {
        let mut depth = 0;
        loop {
            if self.take('{') {
                depth += 1;
                continue;
            }
            let negative = self.take('-');
            let word = self.word()?;
            let name = if word == "generic" && self.take('(') {
                let name = self.word()?;
                self.mark(')')?;
                name
            } else {
                word
            };
            initial.push(match number(name) {
                Some(Number::Integer(value)) if negative => {
                    Initial::Number(Number::Integer(value.wrapping_neg()))
                }
                Some(value) => Initial::Number(value),
                None => Initial::Address(name, self.offset()?),
            });
            while depth > 0 && self.take('}') {
                depth -= 1;
            }
            if depth == 0 {
                return Ok(());
            }
            self.mark(',')?;
        }
    }

    /// `+8`, `+-8`, `-8` or nothing.
    pub(super) fn offset(&mut self) -> Result<i64, ParseError> {
        let plus = self.take('+');
        let minus = self.take('-');
        if !plus && !minus {
            return Ok(0);
        }
        let line = self.line();
        match self.word().map(number)? {
            Some(Number::Integer(value)) if minus => Ok((value as i64).wrapping_neg()),
            Some(Number::Integer(value)) => Ok(value as i64),
            _ => fail(line, "expected an offset in bytes"),
        }
    }

    /// A body with its braces.
    fn body(&mut self) -> Result<Vec<Statement<'t>>, ParseError> {
        self.mark('{')?;
        let (mut statements, mut depth) = (Vec::new(), 1_usize);
        loop {
            let Some(token) = self.peek() else { return self.expected("`}`") };
            match token.kind {
                Kind::Mark('{') => {
                    self.at += 1;
                    depth += 1;
                    statements.push(Statement::Open);
                }
                Kind::Mark('}') => {
                    self.at += 1;
                    depth -= 1;
                    if depth == 0 {
                        return Ok(statements);
                    }
                    statements.push(Statement::Close);
                }
                Kind::Word(".reg" | ".param" | ".local" | ".shared" | ".global" | ".const") => {
                    statements.extend(self.declaration()?.into_iter().map(Statement::Declare));
                }
                _ if self.skip_directive()? => {}
                Kind::Word(label)
                    if self.tokens.get(self.at + 1).is_some_and(|t| t.kind == Kind::Mark(':')) =>
                {
                    self.at += 2;
                    statements.push(self.label(label)?);
                }
                _ => statements.push(Statement::Run(self.instruction()?)),
            }
        }
    }

    /// What follows `label:`.
    fn label(&mut self, label: &'t str) -> Result<Statement<'t>, ParseError> {
        if !self.take_word(".branchtargets") {
            return Ok(Statement::Label(label));
        }
        let mut targets = vec![self.word()?];
        while self.take(',') {
            targets.push(self.word()?);
        }
        self.mark(';')?;
        Ok(Statement::Targets(label, targets))
    }

    fn instruction(&mut self) -> Result<Instruction<'t>, ParseError> {
        let Some(first) = self.peek() else { return self.expected("an instruction") };
        let guard = match self.take('@') {
            true => {
                let negated = self.take('!');
                Some((self.word()?, negated))
            }
            false => None,
        };
        let line = self.line();
        let opcode = self.word()?;
        let mut operands = Vec::new();
        while !self.take(';') {
            if !operands.is_empty() {
                self.mark(',')?;
            }
            operands.push(self.operand()?);
        }
        let end = self.tokens[self.at - 1].end;
        Ok(Instruction { guard, opcode, operands, line, text: &self.text[first.start..end] })
    }
}
