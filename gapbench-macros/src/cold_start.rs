//! The options `cold_start` and `cold_start(process, jit, disk)`: how cold the starts are that are followed.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Expr, Ident};

use crate::arguments::{self, Value};
use crate::message;
use crate::mistakes::Mistakes;
use crate::signature::Function;

/// The words inside `cold_start(...)`, the warmest first, and the variant that the declaration names for each.
const LEVELS: [(&str, &str); 3] = [("process", "Process"), ("jit", "Jit"), ("disk", "Disk")];

/// The levels that are asked for; none where the option is absent.
#[derive(Default)]
pub(crate) struct ColdStart {
    /// In the order of [`LEVELS`].
    variants: Vec<&'static str>,
    /// Where `disk` stands, for what only the compiler can answer.
    pub(crate) disk: Option<Ident>,
}

/// Reads `cold_start`, which alone is `cold_start(process)`.
pub(crate) fn read(word: &Ident, value: &Value, function: &Function, mistakes: &mut Mistakes) -> ColdStart {
    let process = || ColdStart { variants: vec!["Process"], disk: None };
    let group = match value {
        Value::Parenthesized(group) => group,
        Value::Absent | Value::Mistaken => return process(),
        // Meant as an axis; the parameter's name is already answered.
        Value::Assigned(Expr::Array(_)) if function.parameters.iter().any(|one| one.ident == *word) => {
            return process();
        }
        Value::Assigned(value) => {
            mistakes.at(value, message::cold_start_value());
            return process();
        }
    };
    let words = LEVELS.map(|(word, _)| word);
    let arguments = arguments::read(group.stream(), mistakes);
    if group.stream().is_empty() {
        mistakes.at(word, message::no_level());
    }
    let mut seen: Vec<String> = Vec::new();
    for argument in &arguments {
        let (word, text) = (&argument.word, argument.text());
        match &argument.value {
            Value::Absent | Value::Mistaken => {}
            Value::Assigned(value) => mistakes.at(value, message::flag_value(word)),
            Value::Parenthesized(group) => mistakes.at(group, message::flag_value(word)),
        }
        if seen.contains(&text) {
            mistakes.at(word, message::given_twice(word));
        } else if !words.contains(&text.as_str()) {
            mistakes.at(word, message::unknown_inside("cold_start", word, &words));
        }
        seen.push(text);
    }
    let given = |name: &str| seen.iter().any(|word| word == name);
    ColdStart {
        variants: LEVELS.into_iter().filter(|(word, _)| given(word)).map(|(_, variant)| variant).collect(),
        disk: arguments.iter().find(|argument| argument.text() == "disk").map(|found| found.word.clone()),
    }
}

impl ColdStart {
    /// The declaration's value.
    pub(crate) fn tokens(&self) -> TokenStream {
        let levels = self.variants.iter().map(|variant| {
            let variant = format_ident!("{variant}");
            quote!(::gapbench::__private::ColdLevel::#variant)
        });
        quote!(&[#(#levels),*])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{options, signature};

    fn levels(attribute: TokenStream) -> (Vec<&'static str>, Vec<String>) {
        let mut mistakes = Mistakes::default();
        let function = "fn f(serve: &mut Serve) {}".parse().unwrap();
        let function = signature::read(function, &mut mistakes).unwrap();
        let arguments = arguments::read(attribute, &mut mistakes);
        let found = options::read(&arguments, &function, None, &mut mistakes);
        (found.cold_start.variants, mistakes.sentences())
    }

    #[test]
    fn levels_come_the_warmest_first() {
        assert_eq!(levels(quote!(memory)).0, [""; 0]);
        assert_eq!(levels(quote!(cold_start)).0, ["Process"]);
        assert_eq!(levels(quote!(cold_start(disk, process))).0, ["Process", "Disk"]);
        assert_eq!(levels(quote!(cold_start(jit,))), (vec!["Jit"], vec![]));
    }

    #[test]
    fn every_mistake_is_told_once() {
        for mistake in [
            quote!(cold_start()),
            quote!(cold_start(jitt)),
            quote!(cold_start(jit, jit)),
            quote!(cold_start(jit = 1)),
            quote!(cold_start(jit(1))),
            quote!(cold_start = true),
            quote!(cold_start(1)),
        ] {
            let (_, sentences) = levels(mistake.clone());
            assert_eq!(sentences.len(), 1, "{mistake}: {sentences:#?}");
        }
    }
}
