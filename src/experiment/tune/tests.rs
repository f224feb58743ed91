//! What tuning promises, over many seeds and with stated error rates.

use std::sync::LazyLock;

use super::race::{LEVEL, Track};
use super::*;
use crate::experiment::observe::observe;
use crate::experiment::threads;
use crate::random::fork;
use crate::scenario::Objective;
use crate::statistics::Estimate;

/// Candidates whose one figure is luck that all share, luck of their own, and a lead that each has.
struct Synthetic {
    seed: u64,
    leads: Vec<f64>,
    law: fn(f64) -> f64,
}

impl Track for Synthetic {
    fn run(&mut self, tasks: &[(usize, u32)]) -> Vec<Row> {
        let value = |&(candidate, replication): &(usize, u32)| {
            let draw = |entity: u64| {
                let bits = fork(fork(self.seed, entity), u64::from(replication) + 1);
                (self.law)(crate::random::unit(bits))
            };
            vec![Some(0.5 + 5.0 * draw(1) + draw(2 + candidate as u64) + self.leads[candidate])]
        };
        tasks.iter().map(value).collect()
    }
}

/// Logistic noise by inversion: mean 0, standard deviation 1.81.
fn symmetric(u: f64) -> f64 {
    libm::log((u + 1e-12) / (1.0 - u))
}

/// Exponential noise, as skewed as load: standard deviation 1.
fn skewed(u: f64) -> f64 {
    -libm::log(1.0 - u)
}

/// A scenario for aims that ask it nothing.
static ANY: LazyLock<Scenario> = LazyLock::new(|| known_optimum(1));

/// A figure to be maximised.
fn more() -> Aims {
    let figure = Figure { metric: Metric::named("success_rate").unwrap(), subject: 0 };
    let objective = Objective { figure, better: Better::More, text: String::new() };
    Aims::new(&ANY, (&[objective], &[]), &[figure])
}

fn field(seed: u64, leads: Vec<f64>, law: fn(f64) -> f64) -> Field<Synthetic> {
    let count = leads.len();
    let track = Synthetic { seed, leads, law };
    let mut field = Field { track, aims: more(), rows: Vec::new(), stages: Vec::new(), left: 1_000_000 };
    for _ in 0..count {
        field.enter();
    }
    field
}

#[test]
fn a_race_seldom_drops_the_best_even_if_nothing_is_better() {
    const RACES: u32 = 300;
    let candidates: Vec<usize> = (0..20).collect();
    for law in [symmetric as fn(f64) -> f64, skewed] {
        let dropped = |level: f64| {
            let drops = |seed: u32| {
                let mut field = field(u64::from(seed), vec![0.0; 20], law);
                field.race_at(&candidates, 4, 1_000_000, level);
                // With no difference each is as good as the best: the first one stands for it.
                u32::from(matches!(field.stages[0], Stage::Dropped(_)))
            };
            (0..RACES).map(drops).sum::<u32>()
        };
        let share = f64::from(dropped(LEVEL)) / f64::from(RACES);
        let error = (LEVEL * (1.0 - LEVEL) / f64::from(RACES)).sqrt();
        assert!(share <= LEVEL + 3.0 * error, "dropped in {share} of the races");
        // Without the division by the number of tests it would be dropped all the time: the test can fail.
        assert!(f64::from(dropped(LEVEL * 400.0)) > 0.5 * f64::from(RACES));
    }
}

/// Attempts fail independently with probability 0.97, and the service takes any number: 1 - 0.97^(R + 1) of the requests succeed,
/// which takes 1 / 0.03 of that in attempts. So three retries are the best of none to three in the first objective, and the worst
/// in the second.
fn two_objectives(seed: u64) -> Scenario {
    let text = format!(
        "horizon = '10m'\nseed = {seed}\n[services.api]\nfaults = [{{ random = {{ status = 503, probability = 0.97 }} }}]\n\
         [workloads.calls]\nservice = 'api'\narrivals.even = {{ rate = '1/s', requests = 10 }}\n\
         [policies.start]\nretries = 1\nbackoff.fixed = '1s'\n\
         [tune.calls]\nretries = '0..3'\nobjective = ['maximise success_rate', 'minimise attempts_per_request']\n"
    );
    Scenario::parse("two", "two.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_race_on_two_objectives_seldom_drops_the_best_in_the_first() {
    // The third retry saves 0.97^3 - 0.97^4 = 2.7 % of the requests: none of forty, which are four replications, in 33 % of all
    // races. Its attempts, 0.91 more for each request, are clear by then.
    const RACES: u64 = 300;
    let (mut dropped, mut chosen) = (0, 0);
    for seed in 0..RACES {
        let scenario = two_objectives(seed);
        let tune = &scenario.tunings[0];
        let figures = figures(&scenario, tune);
        let mut track = Trials::new(&scenario, tune, "p", &figures, &|| ());
        (0..4).for_each(|retries| track.enter(tune.policy(&tune.values(&[retries])).unwrap().config));
        let aims = Aims::new(&scenario, (&tune.objectives, &[]), &figures);
        let mut field = Field { track, aims, rows: Vec::new(), stages: Vec::new(), left: 1_000_000 };
        let candidates: Vec<usize> = (0..4).map(|_| field.enter()).collect();
        let left = field.race(&candidates, 4, 1_000_000);
        dropped += u32::from(matches!(field.stages[3], Stage::Dropped(_)));
        chosen += u32::from(field.choose(&left, |candidate| (candidate as u64, candidate)) == Some(3));
    }
    let share = |count: u32| f64::from(count) / RACES as f64;
    let error = (LEVEL * (1.0 - LEVEL) / RACES as f64).sqrt();
    assert!(share(dropped) <= LEVEL + 3.0 * error, "dropped in {} of the races", share(dropped));
    assert!(share(chosen) >= 1.0 - LEVEL - 3.0 * error, "chosen in {} of the races", share(chosen));
}

#[test]
fn a_race_drops_what_is_worse_and_pays_for_it_with_few_replications() {
    for seed in 0..20 {
        let leads: Vec<f64> = (0..20).map(|candidate| if candidate == 7 { 0.0 } else { -12.0 }).collect();
        let mut field = field(seed, leads, symmetric);
        assert_eq!(field.race(&(0..20).collect::<Vec<_>>(), 4, 1_000_000), [7]);
        assert!(1_000_000 - field.left < 20 * 17, "{}", field.left);
    }
    // What the budget cannot pay for is set aside, the worst first, and that is no verdict.
    let mut field = field(3, (0..20).map(|rank| f64::from(rank) * 3.0).collect(), symmetric);
    let left = field.race(&(0..20).collect::<Vec<_>>(), 4, 100);
    assert!(left.contains(&19) && left.len() < 20 && field.left >= 1_000_000 - 100);
    assert!(field.stages.iter().any(|stage| matches!(stage, Stage::SetAside(_))));
}

#[test]
fn constraints_are_met_for_sure_only_beyond_the_interval() {
    let figure = Figure { metric: Metric::named("success_rate").unwrap(), subject: 0 };
    let scenario = known_optimum(1);
    let bound = scenario.condition("success_rate >= 0.5").unwrap();
    let aims = Aims::new(&scenario, (&[], &[bound]), &[figure]);
    let rows = |values: &[f64]| values.iter().map(|&value| vec![Some(value)]).collect::<Vec<Row>>();
    for (values, met) in [
        (&[0.9, 0.91, 0.92, 0.9][..], Met::Yes),
        (&[0.9, 0.2, 0.8, 0.3], Met::Perhaps),
        (&[0.8, 0.1, 0.7, 0.2], Met::PerhapsNot),
        (&[0.1, 0.11, 0.12, 0.1], Met::No),
        // Six that are the same may be chance with probability 1/32; three may well be.
        (&[0.9; 6], Met::Yes),
        (&[0.9; 3], Met::Perhaps),
        (&[0.9], Met::Perhaps),
    ] {
        assert_eq!(aims.met(&rows(values)), met, "{values:?}");
    }
    // Requests that were all alike must be many to show that failures are rare: six times 20 are not.
    let rare = scenario.condition("success_rate >= 0.999").unwrap();
    let figures = [rare.figure, Whole::of(&scenario, rare.figure).unwrap().counts];
    let aims = Aims::new(&scenario, (&[], std::slice::from_ref(&rare)), &figures);
    let all = |requests| vec![vec![Some(1.0), Some(requests)]; 6];
    assert_eq!((aims.met(&all(20.0)), aims.each_confirmed(&all(20.0))[0]), (Met::Yes, Met::Perhaps));
    assert_eq!(aims.each_confirmed(&all(700.0))[0], Met::Yes);
    // Of what was not observed it is not known; but a success that never came takes for ever.
    let late = scenario.condition("time_to_success_p99 <= 10s").unwrap();
    let give_up = scenario.condition("time_to_give_up_max <= 10s").unwrap();
    for (condition, met) in [(late, Met::No), (give_up, Met::Unobserved)] {
        let figures = [condition.figure, crate::experiment::expect::goodput(0)];
        let aims = Aims::new(&scenario, (&[], std::slice::from_ref(&condition)), &figures);
        let rows = [vec![None, Some(0.0)], vec![None, Some(0.0)]];
        assert_eq!(aims.met(&rows), met, "{}", condition.text);
        // It speaks neither for a candidate nor against it.
        let speaks = if met == Met::Unobserved { Met::Yes } else { met };
        assert_eq!(aims.met_where_seen(&rows), speaks, "{}", condition.text);
    }
}

#[test]
fn figures_are_compared_where_both_were_observed_and_nowhere_else() {
    let figure = Figure { metric: Metric::named("time_to_give_up_mean").unwrap(), subject: 0 };
    let objective = Objective { figure, better: Better::Less, text: String::new() };
    let aims = Aims::new(&known_optimum(1), (&[objective], &[]), &[figure]);
    let rows = |values: [Option<f64>; 12]| values.map(|value| vec![value]).to_vec();
    let (late, soon, none) = (rows([Some(9.0); 12]), rows([Some(2.0); 12]), rows([None; 12]));
    let mut rare = none.clone();
    rare[0] = vec![Some(1.0)];
    let worse = |a: &[Row], b: &[Row]| aims.worse_in(a, b, aims.objectives[0], 0.05);
    assert!(worse(&late, &soon) && !worse(&soon, &late));
    // Nobody gave up: that is neither soon nor late. Nor does one replication tell.
    assert!(!worse(&late, &none) && !worse(&none, &late) && !worse(&late, &rare));
    let cost = |rows: &[Row]| aims.cost(rows, aims.objectives[0]);
    assert_eq!([cost(&rare), cost(&soon), cost(&none)], [1.0, 2.0, f64::INFINITY]);
}

/// Attempts fail independently with probability 0.3, and the service takes any number: success is 1 - 0.3^(R + 1).
fn known_optimum(seed: u64) -> Scenario {
    let text = format!(
        "horizon = '10m'\nseed = {seed}\n[services.api]\nfaults = [{{ random = {{ status = 503, probability = 0.3 }} }}]\n\
         [workloads.calls]\nservice = 'api'\narrivals.even = {{ rate = '10/s', requests = 1000 }}\n\
         [policies.start]\nretries = 1\nbackoff.fixed = '1s'\n\
         [tune.calls]\nretries = '0..8'\njitter = ['none', 'full']\nobjective = 'minimise attempts_per_request'\n\
         constraints = 'success_rate >= 0.98'\n"
    );
    Scenario::parse("known", "known.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_smallest_sufficient_number_of_retries_is_found() {
    // 1 - 0.3^3 = 0.973 and 1 - 0.3^4 = 0.9919: three retries, under every seed. The bound is 3 standard errors of one replication
    // away from both.
    for seed in 0..12 {
        let scenario = known_optimum(seed);
        let tuning = threads(2).install(|| tune(&scenario, LEAST_EVALUATIONS, &|| ()));
        let found = &tuning.workloads[0];
        let chosen = &found.candidates[found.chosen];
        assert_eq!(chosen.policy.config.counted_retries(), Some(3), "seed {seed}");
        assert!(found.is_met(), "{:?}", found.confirmed(found.chosen).constraints);
        let success = found.confirmed(found.chosen).estimate(found.column("success_rate").unwrap()).unwrap();
        assert!((success.mean - 0.9919).abs() < 4.0 * (0.0081 * 0.9919 / 1e4_f64).sqrt(), "{success:?}");
        // Without the third retry 0.973 are left, and that is what the sentence would say.
        let fewer = found.variants.iter().position(|variant| variant.other == "2").unwrap();
        let effect = found.effects.iter().find(|effect| effect.variant == fewer && effect.p < 0.001);
        assert!(effect.is_some(), "{:?}", found.effects);
    }
}

#[test]
fn an_impossible_constraint_is_said_and_violated_least() {
    let scenario = known_optimum(1);
    let text = scenario.text.replace("success_rate >= 0.98", "attempts_per_request <= 0.5");
    let scenario = Scenario::parse("known", "known.toml", &text, &[]).unwrap();
    let tuning = threads(2).install(|| tune(&scenario, LEAST_EVALUATIONS, &|| ()));
    let found = &tuning.workloads[0];
    assert!(!found.is_met());
    assert_eq!(found.candidates[found.chosen].policy.config.counted_retries(), Some(0));
}

/// A service that goes up and down every ten seconds or so: two to five minutes later it is up or down whatever it was, so that
/// every delay succeeds with probability 1 - 1/2 * 1/2.
fn no_difference(seed: u64) -> Scenario {
    let text = format!(
        "horizon = '1h'\nseed = {seed}\n[services.api]\n\
         faults = [{{ bursts = {{ status = 503, good = '10s', bad = '10s', probability = 1.0 }} }}]\n\
         [workloads.calls]\nservice = 'api'\narrivals.even = {{ rate = '1/40s', from = '10m', requests = 50 }}\n\
         [policies.start]\nretries = 1\nbackoff.fixed = '2m'\n\
         [tune.calls]\ndelay = '2m..5m:10s'\nobjective = 'maximise success_rate'\n"
    );
    Scenario::parse("same", "same.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_was_chosen_for_its_figure_is_confirmed_without_flattery() {
    const TUNINGS: u64 = 60;
    const TRUE: f64 = 0.75;
    let (mut searched, mut held_out) = (Vec::new(), Vec::new());
    for seed in 0..TUNINGS {
        let scenario = no_difference(seed);
        let tuning = threads(2).install(|| tune(&scenario, LEAST_EVALUATIONS, &|| ()));
        let found = &tuning.workloads[0];
        // The front for one objective is what the search saw succeed most.
        let column = found.column("success_rate").unwrap();
        let mean = |candidate: usize| {
            estimate(&found.searched[candidate], column).map_or(0.0, |estimate| estimate.mean)
        };
        let (best, seen) =
            found.confirmed.iter().skip(1).max_by(|a, b| mean(a.0).total_cmp(&mean(b.0))).unwrap();
        searched.push(estimate(&found.searched[*best], column).unwrap());
        held_out.push(seen.estimate(column).unwrap());
    }
    let covered = |estimates: &[Estimate]| {
        let inside = |e: &&Estimate| e.low().unwrap() <= TRUE && TRUE <= e.high().unwrap();
        estimates.iter().filter(inside).count() as f64 / TUNINGS as f64
    };
    let means =
        |estimates: &[Estimate]| Estimate::of(estimates.iter().map(|estimate| estimate.mean)).unwrap();
    let (flattered, honest) = (means(&searched), means(&held_out));
    let error = (0.05 * 0.95 / TUNINGS as f64).sqrt();
    assert!(covered(&held_out) >= 0.95 - 3.0 * error, "{}", covered(&held_out));
    assert!((honest.mean - TRUE).abs() < 2.0 * honest.half_width.unwrap(), "{honest:?}");
    // The winner's curse: what won by its figure has had luck with it.
    assert!(flattered.low().unwrap() > TRUE + 0.01, "{flattered:?}");
    assert!(covered(&searched) < covered(&held_out), "{} {}", covered(&searched), covered(&held_out));
}

#[test]
fn the_confirmation_uses_no_seed_of_the_search() {
    let seeds: Vec<u64> = (0..100).map(confirm::held_out_seed).collect();
    assert!(seeds.iter().all(|seed| *seed > 100 && i64::try_from(*seed).is_ok()));
}

#[test]
fn leaving_out_what_cannot_be_noticed_changes_nothing() {
    let text = "horizon = '5m'\n\
        [services.a]\nrate_limit.token_bucket = { rate = '2/s', burst = 5 }\nfaults = [{ random = { status = 503, probability = 0.2 } }]\n\
        [services.b]\ncapacity = { servers = 2 }\nlatency.exponential = { mean = '200ms' }\n\
        [services.c]\nlatency.exponential = { mean = '50ms' }\n\
        [workloads.other]\nservice = 'c'\npolicy = 'p'\narrivals.poisson = { rate = '5/s' }\n\
        [workloads.tuned]\nservice = 'a'\npolicy = 'p'\nclients = 50\narrivals.burst = { at = '10s' }\n\
        [workloads.beside]\nservice = 'a'\npolicy = 'p'\narrivals.poisson = { rate = '1/s' }\n\
        [workloads.called]\nservice = 'b'\npolicy = 'p'\narrivals.calls_of = { service = 'a' }\n\
        [policies.p]\nretries = 2\nbackoff.fixed = '5s'\njitter = 'full'\n\
        [tune.tuned]\ndelay = '1s..10s'\nobjective = ['maximise success_rate', 'minimise b.queue_max']\n";
    let scenario =
        Scenario::parse("parts", "parts.toml", text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let tune = &scenario.tunings[0];
    let figures = figures(&scenario, tune);
    let mut trials = Trials::new(&scenario, tune, "p", &figures, &|| ());
    trials.enter(tune.started().config);
    assert_eq!(trials.workloads(), 3, "only the workload of service c is left out");
    let tasks: Vec<(usize, u32)> = (0..6).map(|replication| (0, replication)).collect();
    assert_eq!(trials.run(&tasks), observe(&scenario, &tasks, &figures, &|| ()));
}
