//! The options `load(...)` and `slo(...)`: which requests are sent to a served model, and what is asked of its answers.

use proc_macro2::{Group, TokenStream};
use quote::quote;
use syn::{Expr, ExprArray, Ident, Lit};

use crate::arguments::{self, Argument, Value};
use crate::message;
use crate::mistakes::Mistakes;

/// The words inside `load(...)`.
pub(crate) const WORDS: [&str; 7] = ["clients", "rates", "arrivals", "think", "timeout", "offline", "search"];

/// The arrivals of an open loop, as they are written.
pub(crate) const ARRIVALS: [&str; 4] = ["constant", "poisson", "gamma", "trace"];

/// The times that an objective can bound, as they begin in `slo(...)`, each with the variant that the declaration names.
/// A percentile alone bounds the whole answer.
pub(crate) const TIMES: [(&str, &str); 6] = [
    ("ttft", "Ttft"),
    ("tpot_excl_first", "TpotExclFirst"),
    ("tpot_incl_first", "TpotInclFirst"),
    ("tpot", "TpotExclFirst"),
    ("itl", "Itl"),
    ("e2e", "E2e"),
];

/// Units of time, with their nanoseconds.
const UNITS: [(&str, f64); 6] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("min", 60e9)];

/// `load(...)`.
pub(crate) struct Load {
    /// Where the option stands, for what only the compiler can answer.
    pub(crate) word: Ident,
    clients: Vec<u32>,
    rates: Vec<f64>,
    arrivals: Arrivals,
    think_seconds: Option<f64>,
    timeout_seconds: Option<f64>,
    offline: bool,
    search: bool,
}

/// How the gaps of an open loop vary.
#[derive(Clone, Copy)]
struct Arrivals {
    variant: &'static str,
    shape: Option<f64>,
}

/// Many independent users, unless somebody says otherwise.
const POISSON: Arrivals = Arrivals { variant: "Poisson", shape: None };

/// One bound of `slo(...)`.
pub(crate) struct Objective {
    variant: &'static str,
    quantile: f64,
    at_most_ns: u64,
}

/// Reads `load(...)`.
pub(crate) fn load(word: &Ident, value: &Value, mistakes: &mut Mistakes) -> Option<Load> {
    let group = parentheses(word, value, mistakes)?;
    let arguments = arguments::read(group.stream(), mistakes);
    let mut load = Load {
        word: word.clone(),
        clients: Vec::new(),
        rates: Vec::new(),
        arrivals: POISSON,
        think_seconds: None,
        timeout_seconds: None,
        offline: false,
        search: false,
    };
    let mut seen: Vec<String> = Vec::new();
    for argument in &arguments {
        let Argument { word, value } = argument;
        let text = argument.text();
        if seen.contains(&text) {
            mistakes.at(word, message::given_twice(word));
            continue;
        }
        match text.as_str() {
            "clients" => load.clients = numbers(word, value, client_count, mistakes),
            "rates" => load.rates = numbers(word, value, rate, mistakes),
            "arrivals" => load.arrivals = arrivals(word, value, mistakes).unwrap_or(POISSON),
            "think" => load.think_seconds = seconds(word, value, mistakes),
            "timeout" => load.timeout_seconds = seconds(word, value, mistakes),
            "offline" => load.offline = flag(word, value, mistakes),
            "search" => load.search = flag(word, value, mistakes),
            _ => mistakes.at(word, message::unknown_inside("load", word, &WORDS)),
        }
        seen.push(text);
    }
    let given = |name: &str| seen.iter().any(|word| word == name);
    let at = |name: &str| arguments.iter().find(|argument| argument.text() == name).map(|found| &found.word);
    let open = given("rates") || given("search") || load.arrivals.variant == "Trace";
    if let (Some(word), false) = (at("arrivals"), open) {
        mistakes.at(word, message::arrivals_of_nothing());
    }
    if let (Some(word), false) = (at("think"), given("clients")) {
        mistakes.at(word, message::nobody_thinks());
    }
    let sends = ["clients", "rates", "offline", "search"].iter().any(|name| given(name)) || open;
    if !sends && arguments.iter().all(|argument| argument.text() == "timeout") {
        mistakes.at(word, message::no_load());
    }
    Some(load)
}

/// Reads `slo(...)`.
pub(crate) fn objectives(word: &Ident, value: &Value, mistakes: &mut Mistakes) -> Vec<Objective> {
    let Some(group) = parentheses(word, value, mistakes) else { return Vec::new() };
    let arguments = arguments::read(group.stream(), mistakes);
    if arguments.is_empty() && group.stream().is_empty() {
        mistakes.at(word, message::no_objective());
    }
    let mut seen: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for argument in &arguments {
        let (word, text) = (&argument.word, argument.text());
        if seen.contains(&text) {
            mistakes.at(word, message::given_twice(word));
        }
        let Some((variant, quantile)) = objective_name(&text) else {
            mistakes.at(word, message::no_such_objective(word));
            continue;
        };
        if let Some(at_most_ns) = duration(word, &argument.value, mistakes) {
            found.push(Objective { variant, quantile, at_most_ns });
        }
        seen.push(text);
    }
    found
}

/// `p99`, `ttft_p95`, `itl_p99_9`: which time, and the share of requests.
fn objective_name(text: &str) -> Option<(&'static str, f64)> {
    let (variant, percentile) = TIMES
        .iter()
        .find_map(|(name, variant)| Some((*variant, text.strip_prefix(name)?.strip_prefix('_')?)))
        .unwrap_or(("E2e", text));
    let digits = percentile.strip_prefix('p')?;
    let fits = digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.chars().all(|digit| digit.is_ascii_digit() || digit == '_');
    let percent: f64 = digits.replacen('_', ".", 1).parse().ok().filter(|_| fits)?;
    (percent > 0.0 && percent <= 100.0).then_some((variant, percent / 100.0))
}

fn parentheses<'a>(word: &Ident, value: &'a Value, mistakes: &mut Mistakes) -> Option<&'a Group> {
    match value {
        Value::Parenthesized(group) => return Some(group),
        Value::Assigned(value) => mistakes.at(value, message::needs_parentheses(word)),
        Value::Absent => mistakes.at(word, message::needs_parentheses(word)),
        Value::Mistaken => {}
    }
    None
}

fn flag(word: &Ident, value: &Value, mistakes: &mut Mistakes) -> bool {
    match value {
        Value::Absent | Value::Mistaken => {}
        Value::Assigned(value) => mistakes.at(value, message::flag_value(word)),
        Value::Parenthesized(group) => mistakes.at(group, message::flag_value(word)),
    }
    true
}

/// The numbers of `word = [...]`, each read by `one`, which says what is wrong with it.
fn numbers<T: PartialEq>(
    word: &Ident,
    value: &Value,
    one: impl Fn(&Lit) -> Result<T, &'static str>,
    mistakes: &mut Mistakes,
) -> Vec<T> {
    let Some(list) = list(word, value, mistakes) else { return Vec::new() };
    if list.elems.is_empty() {
        mistakes.at(list, message::empty_load_list(word));
    }
    let mut found = Vec::new();
    for element in &list.elems {
        let number = match element {
            Expr::Lit(literal) => one(&literal.lit),
            _ => Err("write it as a plain number"),
        };
        match number {
            Ok(number) if found.contains(&number) => mistakes.at(element, message::load_twice(word)),
            Ok(number) => found.push(number),
            Err(why) => mistakes.at(element, message::load_number(word, why)),
        }
    }
    found
}

fn list<'a>(word: &Ident, value: &'a Value, mistakes: &mut Mistakes) -> Option<&'a ExprArray> {
    match value {
        Value::Assigned(Expr::Array(list)) => return Some(list),
        Value::Assigned(other) => mistakes.at(other, message::load_list(word)),
        Value::Absent | Value::Parenthesized(_) => mistakes.at(word, message::load_list(word)),
        Value::Mistaken => {}
    }
    None
}

/// More clients than this are no closed loop that one machine plays.
const MOST_CLIENTS: u32 = 100_000;

fn client_count(literal: &Lit) -> Result<u32, &'static str> {
    let Lit::Int(number) = literal else { return Err("clients are a whole number") };
    match number.base10_parse::<u32>() {
        Ok(0) => Err("0 clients send nothing, so give at least 1"),
        Ok(count) if count <= MOST_CLIENTS => Ok(count),
        _ => Err("at most 100000 clients can be played"),
    }
}

fn rate(literal: &Lit) -> Result<f64, &'static str> {
    let number = match literal {
        Lit::Int(number) => number.base10_parse::<f64>().ok(),
        Lit::Float(number) => number.base10_parse::<f64>().ok(),
        _ => None,
    };
    number.filter(|rate| rate.is_finite() && *rate > 0.0).ok_or("a rate is requests per second, above 0")
}

fn arrivals(word: &Ident, value: &Value, mistakes: &mut Mistakes) -> Option<Arrivals> {
    let expression = match value {
        Value::Assigned(expression) => expression,
        Value::Absent | Value::Parenthesized(_) => {
            mistakes.at(word, message::arrivals(word));
            return None;
        }
        Value::Mistaken => return None,
    };
    let plain = |variant| Some(Arrivals { variant, shape: None });
    match expression {
        Expr::Path(path) if path.path.is_ident("constant") => return plain("Constant"),
        Expr::Path(path) if path.path.is_ident("poisson") => return plain("Poisson"),
        Expr::Path(path) if path.path.is_ident("trace") => return plain("Trace"),
        Expr::Call(call) => {
            let gamma = matches!(&*call.func, Expr::Path(path) if path.path.is_ident("gamma"));
            if let (true, [Expr::Lit(shape)]) = (gamma, call.args.iter().collect::<Vec<_>>().as_slice()) {
                match rate(&shape.lit) {
                    Ok(shape) => return Some(Arrivals { variant: "Gamma", shape: Some(shape) }),
                    Err(_) => mistakes.at(shape, message::gamma_shape()),
                }
                return None;
            }
        }
        _ => {}
    }
    mistakes.at(expression, message::arrivals(word));
    None
}

fn seconds(word: &Ident, value: &Value, mistakes: &mut Mistakes) -> Option<f64> {
    duration(word, value, mistakes).map(|nanoseconds| nanoseconds as f64 * 1e-9)
}

/// The nanoseconds of `word = "800ms"`.
fn duration(word: &Ident, value: &Value, mistakes: &mut Mistakes) -> Option<u64> {
    let expression = match value {
        Value::Assigned(expression) => expression,
        Value::Absent | Value::Parenthesized(_) => {
            mistakes.at(word, message::duration(word));
            return None;
        }
        Value::Mistaken => return None,
    };
    let nanoseconds = match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => nanoseconds(&text.value()),
            _ => None,
        },
        _ => None,
    };
    if nanoseconds.is_none() {
        mistakes.at(expression, message::duration(word));
    }
    nanoseconds
}

fn nanoseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))?;
    let (number, unit) = text.split_at(end);
    let factor = UNITS.iter().find(|(name, _)| *name == unit.trim())?.1;
    let bound = (number.parse::<f64>().ok()? * factor).round();
    // At least 1 ns and below 2^63 ns.
    (1.0..9.2e18).contains(&bound).then_some(bound as u64)
}

impl Load {
    /// The declaration's value.
    pub(crate) fn tokens(&self) -> TokenStream {
        let closed = self.clients.iter().map(|clients| {
            let think = optional(self.think_seconds);
            point("Closed", quote!(::core::option::Option::Some(#clients)), think, none(), none())
        });
        let Arrivals { variant, shape } = self.arrivals;
        let open = |rate| point(variant, none(), none(), rate, optional(shape));
        let own_rate = variant == "Trace" && self.rates.is_empty() && !self.search;
        let rates: Vec<TokenStream> = match own_rate {
            true => vec![open(none())],
            false => self.rates.iter().map(|rate| open(optional(Some(*rate)))).collect(),
        };
        let offline = self.offline.then(|| point("Offline", none(), none(), none(), none()));
        let points = closed.chain(rates).chain(offline);
        let search = match self.search {
            true => {
                let arrivals = open(none());
                quote!(::core::option::Option::Some(#arrivals))
            }
            false => none(),
        };
        let timeout = optional(self.timeout_seconds);
        quote! {
            ::core::option::Option::Some(::gapbench::__private::Load {
                points: &[#(#points),*],
                search: #search,
                timeout_seconds: #timeout,
            })
        }
    }

    /// Whether the largest rate is searched.
    pub(crate) fn searches(&self) -> bool {
        self.search
    }
}

impl Objective {
    /// The declaration's value.
    pub(crate) fn tokens(&self) -> TokenStream {
        let Objective { variant, quantile, at_most_ns } = self;
        let variant = quote::format_ident!("{}", variant);
        quote! {
            ::gapbench::__private::Objective {
                metric: ::gapbench::__private::ObjectiveMetric::#variant,
                quantile: #quantile,
                at_most_ns: #at_most_ns,
            }
        }
    }
}

fn none() -> TokenStream {
    quote!(::core::option::Option::None)
}

fn optional(number: Option<f64>) -> TokenStream {
    match number {
        Some(number) => quote!(::core::option::Option::Some(#number)),
        None => none(),
    }
}

fn point(
    arrival: &str,
    clients: TokenStream,
    think: TokenStream,
    rate: TokenStream,
    shape: TokenStream,
) -> TokenStream {
    let arrival = quote::format_ident!("{}", arrival);
    quote! {
        ::gapbench::__private::LoadPoint {
            arrival: ::gapbench::__private::Arrival::#arrival,
            clients: #clients,
            think_seconds: #think,
            rate: #rate,
            shape: #shape,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_have_a_time_and_a_share() {
        for (text, expected) in [
            ("p99", Some(("E2e", 0.99))),
            ("ttft_p95", Some(("Ttft", 0.95))),
            ("tpot_p50", Some(("TpotExclFirst", 0.5))),
            ("tpot_incl_first_p90", Some(("TpotInclFirst", 0.9))),
            ("itl_p99_9", Some(("Itl", 0.999))),
            ("p100", Some(("E2e", 1.0))),
            ("p0", None),
            ("p101", None),
            ("p", None),
            ("99", None),
            ("latency_p99", None),
            ("p9_9_9", None),
        ] {
            let found = objective_name(text);
            let same = match (found, expected) {
                (Some((time, share)), Some((variant, wanted))) => {
                    time == variant && f64::abs(share - wanted) < 1e-12
                }
                (None, None) => true,
                _ => false,
            };
            assert!(same, "{text}: {found:?}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, expected) in [
            ("800ms", Some(800_000_000)),
            ("0.2 s", Some(200_000_000)),
            ("15us", Some(15_000)),
            ("1min", Some(60_000_000_000)),
            ("800", None),
            ("0ms", None),
            ("-1s", None),
            ("ms", None),
            ("800 parsecs", None),
            ("", None),
        ] {
            assert_eq!(nanoseconds(text), expected, "{text}");
        }
    }
}
