//! The axes: a list of values for every parameter, and the label each value has in a case's name.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Expr, ExprArray, Ident, Lit, Type};

use crate::arguments::Value;
use crate::message;
use crate::mistakes::Mistakes;
use crate::signature::Parameter;

/// A swept parameter.
pub(crate) struct Axis {
    /// The parameter.
    pub(crate) ident: Ident,
    /// Its type.
    pub(crate) ty: Type,
    /// What it is swept over.
    pub(crate) values: Vec<Expr>,
    /// How the values are called in a case's name.
    pub(crate) labels: Vec<String>,
}

/// Reads what was given for `parameter`.
pub(crate) fn read(
    parameter: &Parameter,
    word: &Ident,
    value: &Value,
    mistakes: &mut Mistakes,
) -> Option<Axis> {
    let list = match value {
        Value::Assigned(Expr::Array(list)) => list,
        Value::Assigned(other) => {
            mistakes.at(other, message::not_a_list(word, other));
            return None;
        }
        Value::Absent | Value::Parenthesized(_) => {
            mistakes.at(word, message::list_missing(word));
            return None;
        }
        Value::Mistaken => return None,
    };
    if list.elems.is_empty() {
        mistakes.at(list, message::empty_list(word));
        return None;
    }
    let labels = labels(word, list, mistakes);
    Some(Axis {
        ident: parameter.ident.clone(),
        ty: parameter.ty.clone(),
        values: list.elems.iter().cloned().collect(),
        labels,
    })
}

/// The label of every value; a value whose label would not do is a mistake.
fn labels(word: &Ident, list: &ExprArray, mistakes: &mut Mistakes) -> Vec<String> {
    let mut labels = Vec::new();
    for value in &list.elems {
        let label = label(value);
        if label.is_empty() {
            mistakes.at(value, message::empty_label(word));
        } else if let Some(separator) = separator(&label) {
            mistakes.at(value, message::label_separator(word, &label, separator));
        } else if labels.contains(&label) {
            mistakes.at(value, message::duplicate_value(word, &label));
        }
        labels.push(label);
    }
    labels
}

fn label(value: &Expr) -> String {
    match value {
        // The invisible delimiters of a macro's `$value:expr`.
        Expr::Group(group) => label(&group.expr),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => text.value(),
            Lit::Char(character) => character.value().to_string(),
            other => compact(other.to_token_stream()),
        },
        Expr::Path(path) => match path.path.segments.last() {
            Some(segment) => compact(segment.to_token_stream()),
            None => compact(path.to_token_stream()),
        },
        other => compact(other.to_token_stream()),
    }
}

/// The tokens' text without the spaces that Rust does not need.
fn compact(tokens: TokenStream) -> String {
    let text = tokens.to_string();
    let mut words = text.split_whitespace();
    let mut compact = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (left, right) = (compact.chars().next_back(), word.chars().next());
        if left.is_some_and(is_word_character) && right.is_some_and(is_word_character) {
            compact.push(' ');
        }
        compact.push_str(word);
    }
    compact
}

fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// What a label has that separates the parts of a case's name.
fn separator(label: &str) -> Option<&'static str> {
    if label.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return Some("a space");
    }
    [(",", "a comma"), ("=", "`=`"), ("::", "`::`")]
        .into_iter()
        .find_map(|(separator, name)| label.contains(separator).then_some(name))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn labels_of(list: ExprArray) -> (Vec<String>, usize) {
        let mut mistakes = Mistakes::default();
        let labels = labels(&parse_quote!(axis), &list, &mut mistakes);
        (labels, mistakes.sentences().len())
    }

    #[test]
    fn labels_are_the_text_of_the_values() {
        let (labels, mistakes) =
            labels_of(parse_quote!([2048, 1 << 10, -1.5, "bf16", 'x', Mode::Fast, size(3), true]));
        assert_eq!(labels, ["2048", "1<<10", "-1.5", "bf16", "x", "Fast", "size(3)", "true"]);
        assert_eq!(mistakes, 0);
    }

    #[test]
    fn labels_that_could_not_be_told_apart_are_mistakes() {
        assert_eq!(labels_of(parse_quote!(["", "a b", "a,b", "a=b", "a::b", "a", "a"])).1, 6);
        assert_eq!(labels_of(parse_quote!([1 as usize, max(1, 2), 1 == 1, f::PI * 2.0, A::B, C::B])).1, 5);
    }
}
