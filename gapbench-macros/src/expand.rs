//! The expansion: the function untouched, and a constant block that registers it. `docs/expansion.md` shows one.

use std::path::Path;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Type, parse_quote};

use crate::axis::Axis;
use crate::mistakes::Mistakes;
use crate::options::{Options, Paper};
use crate::signature::Function;
use crate::{arguments, options, signature};

/// Expands the attribute. The function is kept even after mistakes, so that they do not cause others where it is used.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream, manifest_dir: Option<&Path>) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let arguments = arguments::read(attribute, &mut mistakes);
    let declaration = signature::read(item.clone(), &mut mistakes).and_then(|function| {
        let options = options::read(&arguments, &function, manifest_dir, &mut mistakes);
        let target = function.target.as_ref()?;
        Some(declaration(&function, target, &options))
    });
    let after = mistakes.into_compile_errors().or(declaration);
    quote! { #item #after }
}

/// The block that registers the function.
fn declaration(function: &Function, target: &Type, options: &Options) -> TokenStream {
    let Function { conditions, ident, .. } = function;
    // Local names of the expansion are invisible to the author's expressions. Item names are not, hence `__gapbench`.
    let mixed = Span::mixed_site();
    let session = Ident::new("session", mixed);
    let index = Ident::new("index", mixed);
    let driver = Ident::new("target", mixed);
    let locals: Vec<Ident> = options.axes.iter().map(local).collect();
    let values = options.axes.iter().enumerate().map(|(position, axis)| axis_value(&index, position, axis));
    let output = function.output.clone().unwrap_or_else(|| parse_quote!(()));
    let submission = submission(function, target, options);
    quote! {
        #(#conditions)*
        const _: () = {
            fn __gapbench_run(
                #session: &mut dyn ::core::any::Any,
                #index: &[::core::primitive::usize],
            ) -> ::gapbench::__private::Result<()> {
                #(#values)*
                ::gapbench::__private::enter::<#target>(#session, |#driver| {
                    <#output as ::gapbench::__private::Finish>::finish(#ident(#driver, #(#locals),*))
                })
            }
            #submission
        };
    }
}

/// The local variable that holds the value of an axis.
fn local(axis: &Axis) -> Ident {
    let mut local = axis.ident.clone();
    local.set_span(Span::mixed_site());
    local
}

/// Looks an axis's value up. The index comes from the plan; if the two ever disagree, the case fails with a reason.
fn axis_value(index: &Ident, position: usize, axis: &Axis) -> TokenStream {
    let Axis { ident, ty, values, .. } = axis;
    let local = local(axis);
    let at = Ident::new("at", Span::mixed_site());
    let absent = format!("axis `{}` has no value at the index of this case", ident.unraw());
    quote! {
        let #local = {
            const __GAPBENCH_VALUES: &[#ty] = &[#(#values),*];
            #index.get(#position).and_then(|&#at| __GAPBENCH_VALUES.get(#at))
        };
        let ::core::option::Option::Some(#local) = ::core::option::Option::<&#ty>::copied(#local) else {
            return ::core::result::Result::Err(::core::convert::From::from(#absent));
        };
    }
}

/// Registers the declaration.
fn submission(function: &Function, target: &Type, options: &Options) -> TokenStream {
    let ident = &function.ident;
    let name = match &options.name {
        Some(name) => name.value(),
        None => ident.unraw().to_string(),
    };
    // The function's line, not the attribute's.
    let line = quote_spanned!(ident.span()=> ::core::line!());
    let axes = options.axes.iter().map(axis_entry);
    let papers = options.papers.iter().map(paper_entry);
    let benchmark = optional(options.benchmark.as_ref());
    let inputs = optional(options.inputs.as_ref());
    let Options { cold_start, memory, .. } = options;
    quote! {
        ::gapbench::__private::inventory::submit! {
            ::gapbench::__private::Declaration {
                module: ::core::module_path!(),
                name: #name,
                file: ::core::file!(),
                line: #line,
                manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
                kind: <#target as ::gapbench::__private::Target>::KIND,
                axes: &[#(#axes),*],
                papers: &[#(#papers),*],
                options: ::gapbench::__private::Options {
                    benchmark: #benchmark,
                    inputs: #inputs,
                    cold_start: #cold_start,
                    memory: #memory,
                },
                run: __gapbench_run,
            }
        }
    }
}

fn axis_entry(axis: &Axis) -> TokenStream {
    let name = axis.ident.unraw().to_string();
    let labels = &axis.labels;
    quote! { ::gapbench::__private::Axis { name: #name, labels: &[#(#labels),*] } }
}

fn paper_entry(paper: &Paper) -> TokenStream {
    let Paper { path, id } = paper;
    let id = optional(id.as_ref());
    quote! {
        ::gapbench::__private::PaperRef {
            path: #path,
            id: #id,
            text: ::core::include_bytes!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #path)),
        }
    }
}

fn optional(value: Option<&impl quote::ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The block of Rust below `heading` in the page that shows an expansion.
    fn shown(page: &str, heading: &str) -> TokenStream {
        let below = page.split_once(heading).unwrap().1;
        let block = below.split_once("```rust\n").unwrap().1;
        block.split_once("```").unwrap().0.parse().unwrap()
    }

    /// Text without the spaces and trailing commas that differ between tokens that were written and that were made.
    fn compact(tokens: &TokenStream) -> String {
        let text: String = tokens.to_string().split_whitespace().collect();
        text.replace(",)", ")").replace(",}", "}").replace(",]", "]")
    }

    #[test]
    fn the_documented_expansion_is_what_the_attribute_writes() {
        let page = include_str!("../../docs/expansion.md");
        let written = shown(page, "## Written");
        let attribute: syn::ItemFn = syn::parse2(written).unwrap();
        let list = attribute.attrs.last().unwrap().meta.require_list().unwrap().tokens.clone();
        let mut item = attribute.clone();
        item.attrs.pop();
        let expansion = expand(list, quote!(#item), None);
        assert_eq!(compact(&expansion), compact(&shown(page, "## Expanded")), "{expansion}");
    }

    #[test]
    fn the_function_is_kept_beside_a_mistake() {
        let item: TokenStream = "fn f(bench: &mut Bencher) {}".parse().unwrap();
        let expansion = expand(quote!(nonsense), item, None).to_string();
        assert!(expansion.starts_with("fn f"), "{expansion}");
        assert!(expansion.contains("compile_error"), "{expansion}");
    }
}
