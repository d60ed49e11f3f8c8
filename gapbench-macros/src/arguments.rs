//! The shape of the attribute: `word`, `word = value` or `word(...)`, separated by commas.
//!
//! What the words mean is not known here. After a mistake reading goes on at the next comma, so that one mistake does
//! not hide the others.

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Token, token};

use crate::message;
use crate::mistakes::Mistakes;

/// One word of the attribute with what follows it.
pub(crate) struct Argument {
    pub(crate) word: Ident,
    pub(crate) value: Value,
}

/// What follows a word.
pub(crate) enum Value {
    /// Nothing: a flag.
    Absent,
    /// `= value`.
    Assigned(Expr),
    /// `(...)`, which no option takes; kept so that the sentence can say what to write instead.
    Parenthesized(Group),
    /// Something that is already answered.
    Mistaken,
}

impl Argument {
    /// The word without `r#`.
    pub(crate) fn text(&self) -> String {
        self.word.unraw().to_string()
    }
}

/// Reads the attribute's tokens.
pub(crate) fn read(attribute: TokenStream, mistakes: &mut Mistakes) -> Vec<Argument> {
    let mut arguments = Vec::new();
    let reader = |input: ParseStream<'_>| {
        while !input.is_empty() {
            arguments.extend(argument(input, mistakes)?);
            separator(input, mistakes)?;
        }
        Ok(())
    };
    if let Err(error) = reader.parse2(attribute) {
        mistakes.push(error);
    }
    arguments
}

/// Reads one argument, or notes the mistake and skips to the comma.
fn argument(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Option<Argument>> {
    if !input.peek(Ident::peek_any) {
        note_next(input, mistakes, message::not_a_word);
        skip_to_comma(input)?;
        return Ok(None);
    }
    let word = input.call(Ident::parse_any)?;
    let value = if input.peek(Token![=]) {
        assigned(&word, input, mistakes)?
    } else if input.peek(token::Paren) {
        Value::Parenthesized(input.parse()?)
    } else if input.is_empty() || input.peek(Token![,]) || input.peek(Ident::peek_any) {
        Value::Absent
    } else {
        note_next(input, mistakes, message::unexpected);
        skip_to_comma(input)?;
        Value::Mistaken
    };
    Ok(Some(Argument { word, value }))
}

/// Reads `= value`.
fn assigned(word: &Ident, input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Value> {
    let equals = input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        mistakes.at(equals, message::value_missing(word));
        return Ok(Value::Mistaken);
    }
    let fork = input.fork();
    match fork.parse::<Expr>() {
        Ok(value) => {
            input.advance_to(&fork);
            Ok(Value::Assigned(ungrouped(value)))
        }
        Err(error) => {
            mistakes.push(syn::Error::new(error.span(), message::value_unreadable(word, &error)));
            skip_to_comma(input)?;
            Ok(Value::Mistaken)
        }
    }
}

/// The expression inside the invisible delimiters of a macro's `$value:expr`.
fn ungrouped(expression: Expr) -> Expr {
    match expression {
        Expr::Group(group) => ungrouped(*group.expr),
        other => other,
    }
}

/// Reads the comma after an argument.
fn separator(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<()> {
    if input.is_empty() || input.parse::<Option<Token![,]>>()?.is_some() {
        return Ok(());
    }
    if input.peek(Ident::peek_any) {
        note_next(input, mistakes, message::comma_missing);
        return Ok(());
    }
    note_next(input, mistakes, message::unexpected);
    skip_to_comma(input)?;
    input.parse::<Option<Token![,]>>()?;
    Ok(())
}

/// Adds a sentence about the token that comes next.
fn note_next(input: ParseStream<'_>, mistakes: &mut Mistakes, sentence: impl Fn(&TokenTree) -> String) {
    if let Some((next, _)) = input.cursor().token_tree() {
        let sentence = sentence(&next);
        mistakes.at(next, sentence);
    }
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn words(attribute: TokenStream) -> (Vec<String>, Vec<String>) {
        let mut mistakes = Mistakes::default();
        let arguments = read(attribute, &mut mistakes);
        (arguments.iter().map(Argument::text).collect(), mistakes.sentences())
    }

    #[test]
    fn nothing_is_no_argument() {
        assert_eq!(words(quote!()), (vec![], vec![]));
    }

    #[test]
    fn a_trailing_comma_is_allowed() {
        assert_eq!(words(quote!(memory, rows = [1, 2],)).0, ["memory", "rows"]);
    }

    #[test]
    fn keywords_and_raw_identifiers_are_words() {
        assert_eq!(words(quote!(type = [1], r#match = [2])).0, ["type", "match"]);
    }

    #[test]
    fn reading_goes_on_after_each_mistake() {
        let (words, sentences) =
            words(quote!(rows = [1, , 2], "x", hidden =, memory cold_start, a::b, name = "n"));
        assert_eq!(words, ["rows", "hidden", "memory", "cold_start", "a", "name"]);
        assert_eq!(sentences.len(), 5, "{sentences:#?}");
    }

    #[test]
    fn stray_tokens_end() {
        for attribute in
            [quote!(,), quote!(= 3), quote!(a == b, ,), quote!(a => [1]), quote!('x'), quote!((a)[b])]
        {
            assert!(!words(attribute.clone()).1.is_empty(), "{attribute}");
        }
    }
}
