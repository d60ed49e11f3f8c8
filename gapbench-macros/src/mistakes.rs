//! Collects mistakes, so that all of them are answered at once.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes of one attribute, in the order they were found.
#[derive(Default)]
pub(crate) struct Mistakes(Option<syn::Error>);

impl Mistakes {
    /// Adds a sentence about `tokens`.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, sentence: String) {
        self.push(syn::Error::new_spanned(tokens, sentence));
    }

    /// Adds an error that already knows its place.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// One `compile_error!` per mistake, or nothing.
    pub(crate) fn into_compile_errors(self) -> Option<TokenStream> {
        self.0.map(|error| error.into_compile_error())
    }

    /// The sentences.
    #[cfg(test)]
    pub(crate) fn sentences(self) -> Vec<String> {
        self.0.into_iter().flatten().map(|error| error.to_string()).collect()
    }
}
