//! The words about load on the command line. A build without the feature `service` has none of them.

use clap::{Arg, ArgMatches};

use super::options::Answer;
use crate::declare::Price;
use crate::plan::Loads;

#[cfg(not(feature = "service"))]
pub(super) fn arguments() -> [Arg; 0] {
    []
}

#[cfg(not(feature = "service"))]
#[allow(clippy::unnecessary_wraps, reason = "the other build has something to refuse")]
pub(super) fn read(_: &ArgMatches) -> Result<Loads, Answer> {
    Ok(Loads::default())
}

#[cfg(not(feature = "service"))]
pub(super) fn price_of(_: &ArgMatches) -> Option<Price> {
    None
}

#[cfg(feature = "service")]
pub(super) use service::{arguments, price_of, read};

#[cfg(feature = "service")]
mod service {
    use clap::ArgAction;

    use super::{Answer, Arg, ArgMatches, Loads, Price};
    use crate::cli::options::{flag, value};
    use crate::record::{Arrival, LoadPoint, Objective};

    pub(in crate::cli) fn arguments() -> [Arg; 8] {
        [
            value("clients", "N,...", "Send closed loops of so many clients, instead of the declared loads")
                .value_parser(clap::value_parser!(u32).range(1..=100_000))
                .value_delimiter(',')
                .action(ArgAction::Append),
            value("think", "TIME", "Clients wait for this long between two requests (`100ms`)")
                .value_parser(seconds),
            value(
                "rates",
                "R,...",
                "Send open loops of so many requests per second, instead of the declared loads",
            )
            .value_parser(rate)
            .value_delimiter(',')
            .action(ArgAction::Append),
            value("arrivals", "HOW", "constant, poisson, gamma:SHAPE or trace (of the inputs' arrival_ms)")
                .value_parser(arrivals)
                .default_value("poisson"),
            flag("offline", "Send all requests at once, instead of the declared loads"),
            flag("search", "Search for the largest rate that meets the objectives"),
            value(
                "slo",
                "OBJECTIVE",
                "What is asked under load (`p99 <= 800ms`, `ttft p95 <= 300ms`), instead of the declared",
            )
            .value_parser(objective)
            .value_delimiter(',')
            .action(ArgAction::Append),
            value("price", "PRICE", "What the hardware costs (`3.50 USD/GPU-hour x2 2026-11-01 https://...`), instead of `[cost]`")
                .value_parser(price),
        ]
    }

    pub(in crate::cli) fn read(found: &ArgMatches) -> Result<Loads, Answer> {
        let arrivals = found.get_one::<LoadPoint>("arrivals").copied();
        let open = arrivals.unwrap_or(LoadPoint::new(Arrival::Poisson));
        let think_seconds = found.get_one::<f64>("think").copied();
        let clients = found.get_many::<u32>("clients").into_iter().flatten();
        let closed = clients.map(|clients| LoadPoint {
            clients: Some(*clients),
            think_seconds,
            ..LoadPoint::new(Arrival::Closed)
        });
        let rates = found.get_many::<f64>("rates").into_iter().flatten();
        let rates = rates.map(|rate| LoadPoint { rate: Some(*rate), ..open });
        let offline = found.get_flag("offline").then_some(LoadPoint::new(Arrival::Offline));
        let points: Vec<LoadPoint> = closed.chain(rates).chain(offline).collect();
        if think_seconds.is_some() && points.iter().all(|point| point.arrival != Arrival::Closed) {
            return Err(Answer::Usage(
                "error: --think is what a closed loop's clients do, and there is none; add --clients"
                    .to_owned(),
            ));
        }
        Ok(Loads {
            points,
            search: found.get_flag("search").then_some(open),
            objectives: found.get_many::<Objective>("slo").into_iter().flatten().copied().collect(),
        })
    }

    pub(in crate::cli) fn price_of(found: &ArgMatches) -> Option<Price> {
        found.get_one::<Price>("price").cloned()
    }

    fn price(text: &str) -> Result<Price, String> {
        Price::parse(text).map_err(|error| error.to_string())
    }

    fn rate(text: &str) -> Result<f64, String> {
        let rate: Option<f64> = text.parse().ok();
        rate.filter(|rate| rate.is_finite() && *rate > 0.0)
            .ok_or_else(|| "expected requests per second, above 0".to_owned())
    }

    fn seconds(text: &str) -> Result<f64, String> {
        match humantime::parse_duration(text) {
            Ok(time) if !time.is_zero() => Ok(time.as_secs_f64()),
            Ok(_) => Err("expected a time above 0; leave the word out for none".to_owned()),
            Err(error) => Err(format!("{error}; write `100ms`")),
        }
    }

    fn arrivals(text: &str) -> Result<LoadPoint, String> {
        let plain = |arrival| Ok(LoadPoint::new(arrival));
        match text.split_once(':') {
            None if text == "constant" => plain(Arrival::Constant),
            None if text == "poisson" => plain(Arrival::Poisson),
            None if text == "trace" => plain(Arrival::Trace),
            Some(("gamma", shape)) => {
                let shape = rate(shape).map_err(|_| {
                    "the shape of gamma gaps is a number above 0: 1 is Poisson, smaller is burstier"
                        .to_owned()
                })?;
                Ok(LoadPoint { shape: Some(shape), ..LoadPoint::new(Arrival::Gamma) })
            }
            _ => Err("expected constant, poisson, gamma:SHAPE (such as gamma:0.5) or trace".to_owned()),
        }
    }

    fn objective(text: &str) -> Result<Objective, String> {
        text.parse::<Objective>().map_err(|error| format!("failed to {error}"))
    }
}
