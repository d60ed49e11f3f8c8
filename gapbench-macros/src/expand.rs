//! The expansion: the function untouched, and an item that registers it. `docs/expansion.md` shows one.

use std::path::Path;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Type, parse_quote};

use crate::axis::Axis;
use crate::load::{Load, Objective};
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

/// The item that registers the function.
fn declaration(function: &Function, target: &Type, options: &Options) -> TokenStream {
    let Function { conditions, ident, .. } = function;
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
    let memory = options.memory;
    let cold_start = options.cold_start.tokens();
    let load = options.load.as_ref().map_or_else(|| quote!(::core::option::Option::None), Load::tokens);
    let objectives = options.objectives.iter().map(Objective::tokens);
    let noise = &options.noise;
    // A sentence at the author's word where gapbench was built without what it asks for.
    let needing = options.load.iter().map(|load| &load.word).chain(&options.noise_word);
    let words = needing.map(|word| (word.span(), word.unraw().to_string()));
    let disk = options.cold_start.disk.iter().map(|disk| (disk.span(), "cold_start(disk)".to_owned()));
    let needs =
        words.chain(disk).map(|(span, text)| quote_spanned!(span=> ::gapbench::__needs_service!(#text);));
    let run = run(function, target, &options.axes);
    quote! {
        #(#conditions)*
        #(#needs)*
        #(#conditions)*
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
                    load: #load,
                    objectives: &[#(#objectives),*],
                    noise: &[#(#noise),*],
                },
                run: #run,
            }
        }
    }
}

/// Calls the function. A closure, not a function: the compiler checks it together with `kind`, and so answers a wrong
/// first parameter once.
fn run(function: &Function, target: &Type, axes: &[Axis]) -> TokenStream {
    let Function { ident, output, .. } = function;
    // Local names that the author's expressions and function cannot see.
    let [session, index, driver] =
        ["session", "index", "target"].map(|name| Ident::new(name, Span::mixed_site()));
    let values = axes.iter().enumerate().map(|(position, axis)| axis_value(&index, position, axis));
    let arguments = axes.iter().map(local);
    let output = output.clone().unwrap_or_else(|| parse_quote!(()));
    quote! {
        |#session, #index| {
            #(#values)*
            ::gapbench::__private::enter::<#target>(#session, |#driver| {
                <#output as ::gapbench::__private::Finish>::finish(#ident(#driver, #(#arguments),*))
            })
        }
    }
}

/// The local variable that holds an axis's value. The suffix keeps it apart from the other local names: an axis may be
/// called `index`.
fn local(axis: &Axis) -> Ident {
    format_ident!("{}_value", axis.ident.unraw(), span = Span::mixed_site())
}

/// Looks an axis's value up. The index comes from the plan; if the two ever disagree, the case fails with a reason.
fn axis_value(index: &Ident, position: usize, axis: &Axis) -> TokenStream {
    let Axis { ident, ty, values, .. } = axis;
    let local = local(axis);
    let at = Ident::new("at", Span::mixed_site());
    let absent = format!("axis `{}` has no value at the index of this case", ident.unraw());
    // At the type, since that is what is wrong when it is not `Copy`. The constant's name is not hidden from the
    // author's expressions as local names are, hence `__GAPBENCH`.
    let place = Span::mixed_site().located_at(ty.span());
    let value = quote_spanned! {place=>
        ::core::option::Option::<&#ty>::copied({
            const __GAPBENCH_VALUES: &[#ty] = &[#(#values),*];
            #index.get(#position).and_then(|&#at| __GAPBENCH_VALUES.get(#at))
        })
    };
    quote! {
        let ::core::option::Option::Some(#local) = #value else {
            return ::core::result::Result::Err(::core::convert::From::from(#absent));
        };
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
