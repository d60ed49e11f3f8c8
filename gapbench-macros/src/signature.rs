//! The shape of a benchmark function. Its body is not looked at.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, FnArg, Ident, Pat, PatType, ReturnType, Safety, Signature, Type, Visibility};

use crate::message;
use crate::mistakes::Mistakes;
use crate::options;

/// What the attribute needs to know of the function below it.
pub(crate) struct Function {
    /// Its `#[cfg]` attributes: they hold for the declaration too.
    pub(crate) conditions: Vec<Attribute>,
    /// Its name.
    pub(crate) ident: Ident,
    /// The name of the first parameter, where it has one.
    pub(crate) driver: Option<Ident>,
    /// `T` of the first parameter's `&mut T`; absent after a mistake there.
    pub(crate) target: Option<Type>,
    /// Whether a parameter after the first has no plain name; that is answered, and its axis is then not known.
    pub(crate) nameless: bool,
    /// The parameters after the first.
    pub(crate) parameters: Vec<Parameter>,
    /// The return type, absent for none.
    pub(crate) output: Option<Type>,
}

/// A parameter that takes an axis.
pub(crate) struct Parameter {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
}

impl Parameter {
    /// The name without `r#`.
    pub(crate) fn text(&self) -> String {
        self.ident.unraw().to_string()
    }
}

/// Reads the item below the attribute. After a mistake in one part the other parts are still read; `None` means that it
/// is no function at all.
pub(crate) fn read(item: TokenStream, mistakes: &mut Mistakes) -> Option<Function> {
    let (attributes, signature) = match split.parse2(item) {
        Ok(parts) => parts,
        Err(error) => {
            mistakes.push(error);
            return None;
        }
    };
    for attribute in attributes.iter().filter(|attribute| names(attribute, "gap_bench")) {
        mistakes.at(attribute, message::second_attribute());
    }
    qualifiers(&signature, mistakes);

    let mut inputs = signature.inputs.iter();
    let (driver, target) = match inputs.next() {
        None => {
            // The parentheses: there is no other token to point at.
            mistakes.push(syn::Error::new(signature.paren_token.span.join(), message::no_parameters()));
            (None, None)
        }
        Some(FnArg::Receiver(receiver)) => {
            mistakes.at(receiver, message::receiver());
            (None, None)
        }
        Some(FnArg::Typed(first)) => (plain_name(&first.pat).cloned(), target(first, mistakes)),
    };
    let mut nameless = false;
    let mut parameters = Vec::new();
    for input in inputs {
        // The compiler says that a receiver comes first.
        let FnArg::Typed(typed) = input else { continue };
        match parameter(typed, mistakes) {
            Some(parameter) => parameters.push(parameter),
            None => nameless = true,
        }
    }
    Some(Function {
        nameless,
        parameters,
        conditions: attributes.into_iter().filter(|attribute| attribute.path().is_ident("cfg")).collect(),
        ident: signature.ident.clone(),
        driver,
        target,
        output: output(&signature, mistakes),
    })
}

/// The attributes and the signature of a function.
fn split(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, Signature)> {
    let attributes = input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    let start = input.cursor().token_tree().map(|(token, _)| token);
    let signature = match (input.parse::<Signature>(), start) {
        (Ok(signature), _) => signature,
        (Err(_), Some(token)) if !starts_function(&token) => {
            let sentence = message::not_a_function(&token);
            return Err(syn::Error::new_spanned(token, sentence));
        }
        (Err(error), _) => return Err(error),
    };
    match input.parse::<Group>() {
        Ok(_) => Ok((attributes, signature)),
        Err(error) => Err(syn::Error::new(error.span(), message::no_body())),
    }
}

/// Whether `token` can be the first of a function. `const` can be, but it then reads as a function or is a constant.
fn starts_function(token: &TokenTree) -> bool {
    ["fn", "async", "unsafe", "extern"].iter().any(|word| token.to_string() == *word)
}

fn names(attribute: &Attribute, name: &str) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == name)
}

/// Refuses what cannot be called plainly.
fn qualifiers(signature: &Signature, mistakes: &mut Mistakes) {
    if let Some(token) = &signature.constness {
        mistakes.at(token, message::const_function());
    }
    if let Some(token) = &signature.asyncness {
        mistakes.at(token, message::async_function());
    }
    if let Safety::Unsafe(token) = &signature.safety {
        mistakes.at(token, message::unsafe_function());
    }
    if let Some(abi) = &signature.abi {
        mistakes.at(abi, message::extern_function());
    }
    if !signature.generics.params.is_empty() {
        mistakes.at(&signature.generics, message::generic_function());
    } else if let Some(bounds) = &signature.generics.where_clause {
        mistakes.at(bounds, message::generic_function());
    }
    if let Some(variadic) = &signature.variadic {
        mistakes.at(variadic, message::variadic_function());
    }
}

/// `T` of a first parameter `&mut T`.
fn target(first: &PatType, mistakes: &mut Mistakes) -> Option<Type> {
    let ty = ungrouped(&first.ty);
    if let Some(span) = impl_keyword(ty.to_token_stream()) {
        mistakes.push(syn::Error::new(span, message::impl_driver()));
        return None;
    }
    match ty {
        Type::Reference(reference) if reference.mutability.is_some() => Some((*reference.elem).clone()),
        other => {
            mistakes.at(other, message::not_a_driver(other));
            None
        }
    }
}

/// A parameter after the first.
fn parameter(typed: &PatType, mistakes: &mut Mistakes) -> Option<Parameter> {
    for attribute in typed.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")) {
        mistakes.at(attribute, message::parameter_condition());
    }
    let Some(ident) = plain_name(&typed.pat) else {
        mistakes.at(&typed.pat, message::parameter_pattern());
        return None;
    };
    if options::WORDS.iter().any(|word| ident.unraw() == word) {
        mistakes.at(ident, message::reserved_parameter(ident));
    }
    if let Some(span) = impl_keyword(typed.ty.to_token_stream()) {
        mistakes.push(syn::Error::new(span, message::impl_parameter(ident)));
    }
    Some(Parameter { ident: ident.clone(), ty: (*typed.ty).clone() })
}

/// The return type, where it can be named.
fn output(signature: &Signature, mistakes: &mut Mistakes) -> Option<Type> {
    let ReturnType::Type(_, ty) = &signature.output else { return None };
    if let Some(span) = impl_keyword(ty.to_token_stream()) {
        mistakes.push(syn::Error::new(span, message::impl_output()));
    } else if let Type::Never(never) = ungrouped(ty) {
        mistakes.at(never, message::never_output());
    }
    Some((**ty).clone())
}

/// The name of a pattern that is nothing but a name.
fn plain_name(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Some(&name.ident),
        _ => None,
    }
}

/// The type inside parentheses, and inside the invisible delimiters of a macro's `$ty:ty`.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        other => other,
    }
}

/// Where a type says `impl`, at any depth.
fn impl_keyword(tokens: TokenStream) -> Option<Span> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == "impl" => Some(ident.span()),
        TokenTree::Group(group) => impl_keyword(group.stream()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(item: &str) -> Vec<String> {
        let mut mistakes = Mistakes::default();
        read(item.parse().unwrap(), &mut mistakes);
        mistakes.sentences()
    }

    #[test]
    fn every_mistake_of_a_signature_is_told() {
        let found = sentences(
            "const unsafe extern \"C\" fn all<T>(bench: Bencher, (a, b): (u8, u8), c: impl Copy, memory: u8, ...) -> ! {}",
        );
        assert_eq!(found.len(), 10, "{found:#?}");
    }

    #[test]
    fn a_constant_is_not_a_function() {
        assert_eq!(sentences("const SIZE: usize = 1;"), [message::not_a_function(&"const")]);
    }

    #[test]
    fn the_body_is_not_read() {
        assert!(sentences("fn f(bench: &mut Bencher) { not rust }").is_empty());
    }
}
