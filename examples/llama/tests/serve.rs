//! Many requests at once: each is answered as if it were alone, on both engines.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;
#[cfg(feature = "cuda")]
mod cuda_support;

use llama::{End, Engine, Error, Generation, Request, Sampler, answer_all, generate};

/// Requests of many lengths, whose ids are below 96.
fn requests() -> Vec<Request> {
    let request = |number: u32| Request {
        prompt: (0..1 + number * 5 % 23).map(|at| (3 + 7 * at + number) % 96).collect(),
        limit: (number as usize * 3) % 8,
    };
    (0..9).map(request).collect()
}

fn one_by_one(engine: &mut impl Engine, requests: &[Request], sampler: &Sampler) -> Vec<Generation> {
    requests
        .iter()
        .map(|request| {
            generate(engine, &request.prompt, request.limit, &mut sampler.clone(), |_| ()).unwrap()
        })
        .collect()
}

/// Answers all with several numbers of clients, and compares with what each gets alone.
fn check(engine: &mut impl Engine, sampler: &Sampler) {
    let (requests, free) = (requests(), engine.free_tokens());
    let expected = one_by_one(engine, &requests, sampler);
    assert!(expected.iter().any(|answer| answer.tokens.len() > 3));
    for most in [1, 3, 50] {
        let mut heard: Vec<Vec<u32>> = vec![Vec::new(); requests.len()];
        let answers =
            answer_all(engine, &requests, most, sampler, |request, token| heard[request].push(token))
                .unwrap();
        assert_eq!(answers, expected, "{most} at once");
        assert!(heard.iter().zip(&answers).all(|(heard, answer)| *heard == answer.tokens));
        assert_eq!(engine.free_tokens(), free, "all room is given back");
    }
}

#[test]
fn answers_do_not_depend_on_the_others() {
    // Room for a few of them only, so that some wait for others.
    let mut engine = common::engine(&common::tiny("serve"), 64);
    check(&mut engine, &Sampler::greedy());
    check(&mut engine, &Sampler::new(0.8, 0.9, 5).unwrap());
}

#[cfg(feature = "cuda")]
#[test]
fn answers_on_cuda_do_not_depend_on_the_others() {
    use cuda_support::{cuda_engine, options, scenario, small};
    use llama::cuda::{Options, kernels::Element};
    scenario("answers_on_cuda_do_not_depend_on_the_others", "", || {
        let folder = small("cuda-serve", llama::Dtype::Bf16);
        let options = Options { element: Some(Element::F32), ..options(64) };
        let mut engine = cuda_engine(&folder, &options);
        check(&mut engine, &Sampler::greedy());
        let answers = answer_all(&mut engine, &requests(), 5, &Sampler::greedy(), |_, _| ()).unwrap();
        let on_cpu =
            answer_all(&mut common::engine(&folder, 64), &requests(), 5, &Sampler::greedy(), |_, _| ())
                .unwrap();
        assert_eq!(answers, on_cpu);
    });
}

#[test]
fn a_request_that_cannot_be_answered_ends_all_and_keeps_nothing() {
    let mut engine = common::engine(&common::tiny("serve-errors"), 64);
    let of = |prompt: Vec<u32>, limit| Request { prompt, limit };
    let error = |engine: &mut llama::CpuEngine, bad| {
        let requests = [of(vec![1, 2], 9), of(vec![3], 1), bad, of(vec![4], 2)];
        let error = answer_all(engine, &requests, 3, &Sampler::greedy(), |_, _| ()).unwrap_err();
        assert_eq!(engine.free_tokens(), 64, "{error}");
        error
    };
    assert!(matches!(error(&mut engine, of(vec![1; 60], 10)), Error::CacheFull { .. }));
    assert!(matches!(error(&mut engine, of(vec![], 10)), Error::EmptyPrompt));
    assert!(matches!(error(&mut engine, of(vec![5000], 10)), Error::TokenOutOfRange { .. }));
    assert_eq!(answer_all(&mut engine, &[], 3, &Sampler::greedy(), |_, _| ()).unwrap(), []);
    // Nothing is asked for: that is an answer.
    let nothing = answer_all(&mut engine, &[of(vec![1], 0)], 3, &Sampler::greedy(), |_, _| ()).unwrap();
    assert_eq!(nothing, [Generation { tokens: vec![], end: End::Limit }]);
}
