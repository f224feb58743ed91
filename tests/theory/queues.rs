//! Servers and queues against queueing theory: the parts themselves, driven by arrivals at random.
//!
//! A mean service time is 1 s. A run is left to itself for 50 / (1 - load)^2 services, which is more than ten times what an
//! M/M/c queue needs to forget that it was empty; then averages over time are taken over a window, and averages over calls over
//! those that arrive in it, to their end. Arrivals go on until the last of those has left.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rayon::prelude::*;
use retrysim::distribution::{Distribution, standard_exponential};
use retrysim::random::{Block, Key, Purpose, fork, unit};
use retrysim::service::{CapacityConfig, Fate, Job, Offer, Served, Servers, Station};
use retrysim::time::{Instant, Interval};

use crate::judge::{Judge, Pairs};
use crate::oracle::{Case, Row, cases, seed};

const REPLICATIONS: u32 = 40;
const SECOND: f64 = 1e9;
const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// A call, in seconds.
#[derive(Debug, Clone, Copy)]
struct Call {
    arrived: f64,
    begins: f64,
    ends: f64,
    /// In the system when it arrived.
    present: f64,
    retry: bool,
    fate: Seen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Served,
    Cancelled,
    TurnedAway,
}

/// The calls of a replication, and the window in which they are looked at.
struct Run {
    from: f64,
    to: f64,
    calls: Vec<Call>,
}

impl Run {
    fn born(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| (self.from..self.to).contains(&call.arrived))
    }

    /// Sum and number over calls that were let in and arrived in the window.
    fn mean(&self, of: impl Fn(&Call) -> f64) -> (f64, f64) {
        let accepted = self.born().filter(|call| call.fate != Seen::TurnedAway);
        accepted.fold((0.0, 0.0), |sum, call| (sum.0 + of(call), sum.1 + 1.0))
    }

    /// The number of calls that arrived in the window and are so, and of all that did.
    fn share(&self, so: impl Fn(&Call) -> bool) -> (f64, f64) {
        self.born().fold((0.0, 0.0), |sum, call| (sum.0 + f64::from(u8::from(so(call))), sum.1 + 1.0))
    }

    /// How many calls are between two instants of their lives, summed over the window.
    fn number(&self, from: impl Fn(&Call) -> f64, to: impl Fn(&Call) -> f64) -> (f64, f64) {
        let within = |call: &Call| (to(call).min(self.to) - from(call).max(self.from)).max(0.0);
        let accepted = self.calls.iter().filter(|call| call.fate != Seen::TurnedAway);
        (accepted.map(within).sum(), self.to - self.from)
    }

    fn busy(&self) -> (f64, f64) {
        self.number(|call| call.begins, |call| call.ends)
    }

    fn throughput(&self) -> (f64, f64) {
        let served = self.calls.iter().filter(|call| call.fate == Seen::Served);
        let ended = served.filter(|call| (self.from..self.to).contains(&call.ends));
        (ended.count() as f64, self.to - self.from)
    }
}

fn wait(call: &Call) -> f64 {
    call.begins - call.arrived
}

fn sojourn(call: &Call) -> f64 {
    call.ends - call.arrived
}

/// A way to draw service times with mean 1 s.
type Law = fn(Block) -> f64;

fn law(name: &str) -> Law {
    match name {
        "D(1)" => |_| 1.0,
        "Exp(mean1)" => |bits| standard_exponential(bits[1]),
        "Uniform(0,2)" => |bits| 2.0 * unit(bits[1]),
        "Erlang-2(mean1)" => |bits| {
            f64::midpoint(standard_exponential(fork(bits[1], 1)), standard_exponential(fork(bits[1], 2)))
        },
        h2 if h2.starts_with("H2 balanced scv=4") => |bits| {
            let mean =
                if unit(fork(bits[1], 1)) < 0.887_298_334_6 { 0.563_508_326_9 } else { 4.436_491_673_1 };
            mean * standard_exponential(fork(bits[1], 2))
        },
        lognormal if lognormal.starts_with("Lognormal(mean1,scv1)") => |bits| {
            // Median exp(-0.3465735903); the normal quantile of 0.99 is 2.3263478740.
            let median = Interval::from_nanos(707_106_781);
            let p99 = Interval::from_nanos_f64(
                SECOND * libm::exp(-0.346_573_590_3 + 0.832_554_611_2 * 2.326_347_874),
            );
            Distribution::Lognormal { median, p99 }.sampler().sample(bits[1]).as_secs_f64()
        },
        other => panic!("there is no law {other}"),
    }
}

/// What arrives, and for how long it is looked at.
#[derive(Clone, Copy)]
struct Traffic {
    /// Arrivals per second.
    rate: f64,
    law: Law,
    /// Seconds that a client waits.
    patience: Option<f64>,
    warm_up: f64,
    window: f64,
}

impl Traffic {
    /// Arrivals at this rate to so many servers. A finite queue may be overloaded: then its free places are the queue, in
    /// which the roles of arrivals and services are exchanged.
    fn new(rate: f64, law: Law, servers: f64) -> Self {
        let load = (rate / servers).min(servers / rate).min(0.95);
        let warm_up = 50.0 / ((1.0 - load) * (1.0 - load)) / servers + 20.0;
        Self { rate, law, patience: None, warm_up, window: (2.0 * warm_up).max(5000.0 / rate) }
    }

    fn call(&self, key: Key, now: Instant, number: u32) -> (Instant, Job) {
        let bits = key.block(u64::from(number), 0);
        let arrival = now + nanos(standard_exponential(bits[0]) / self.rate);
        let gives_up = self.patience.map_or(NEVER, |patience| arrival + nanos(patience));
        // Half of the calls are retries, which only priority looks at.
        let retry = key.block(u64::from(number), 1)[0] >> 63 == 1;
        (arrival, Job { call: number, work: nanos((self.law)(bits)), gives_up, retry })
    }

    fn run(&self) -> Run {
        Run { from: self.warm_up, to: self.warm_up + self.window, calls: Vec::new() }
    }

    /// A replication by [`Servers`].
    fn through_servers(&self, config: &CapacityConfig, key: Key) -> Run {
        let (mut run, mut servers, mut now) = (self.run(), Servers::new(config), Instant::START);
        for number in 0.. {
            let (arrival, job) = self.call(key, now, number);
            now = arrival;
            if now.as_secs_f64() >= run.to {
                break;
            }
            run.calls.push(serve(&mut servers, now, job));
        }
        run
    }

    /// A replication by [`Station`].
    fn through_station(&self, config: &CapacityConfig, key: Key) -> Run {
        let (mut run, mut station, mut now) = (self.run(), Station::new(config), Instant::START);
        let mut looked_at = 0;
        let shared =
            config.needs_station() && config.discipline == retrysim::service::Discipline::ProcessorSharing;
        for number in 0.. {
            let (arrival, job) = self.call(key, now, number);
            now = arrival;
            let mut over = now.as_secs_f64() >= run.to && looked_at == 0;
            while !over && station.next().is_some_and(|next| next <= now) {
                if let Some(departure) = station.step() {
                    let call = &mut run.calls[departure.call as usize];
                    call.ends = departure.at.as_secs_f64();
                    // Until here `begins` is the work. In processor sharing all begin at once.
                    call.begins = if shared { call.arrived } else { call.ends - call.begins };
                    call.fate = if departure.fate == Fate::Served { Seen::Served } else { Seen::Cancelled };
                    looked_at -= u64::from((run.from..run.to).contains(&call.arrived));
                    over = now.as_secs_f64() >= run.to && looked_at == 0;
                }
            }
            if over {
                break;
            }
            let (arrived, work) = (now.as_secs_f64(), job.work.as_secs_f64());
            let present = station.present() as f64;
            let accepted = station.offer(now, job) == Offer::Accepted;
            looked_at += u64::from(accepted && (run.from..run.to).contains(&arrived));
            let fate = if accepted { Seen::Cancelled } else { Seen::TurnedAway };
            run.calls.push(Call {
                arrived,
                begins: work,
                ends: f64::INFINITY,
                present,
                retry: job.retry,
                fate,
            });
        }
        run
    }
}

fn nanos(seconds: f64) -> Interval {
    Interval::from_nanos_f64(seconds * SECOND)
}

fn serve(servers: &mut Servers, now: Instant, job: Job) -> Call {
    let arrived = now.as_secs_f64();
    let present = servers.present(now) as f64;
    let (begins, ends, fate) = match servers.offer(now, job.work, job.gives_up) {
        Ok(Served { begins, ends, done }) => {
            let fate = if done { Seen::Served } else { Seen::Cancelled };
            (begins.as_secs_f64(), ends.as_secs_f64(), fate)
        }
        Err(_) => (arrived, arrived, Seen::TurnedAway),
    };
    Call { arrived, begins, ends, present, retry: job.retry, fate }
}

fn config(text: &str) -> CapacityConfig {
    let config: CapacityConfig = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(config.problems(), [], "{text}");
    config
}

/// What is found for each row, in all replications.
fn measure<'a>(
    case: &Case,
    rows: &[&'a Row],
    run: impl Fn(Key) -> Run + Sync,
    look: impl Fn(&Row, &Run) -> (f64, f64) + Sync,
) -> Vec<(&'a Row, Pairs)> {
    let replicate = |replication| {
        let run = run(Key::derive(seed(&case.id), replication, Purpose::Service, "queue"));
        rows.iter().map(|row| look(row, &run)).collect::<Vec<_>>()
    };
    let found: Vec<_> = (0..REPLICATIONS).into_par_iter().map(replicate).collect();
    let of_row = |(index, row): (usize, &&'a Row)| (*row, found.iter().map(|pairs| pairs[index]).collect());
    rows.iter().enumerate().map(of_row).collect()
}

/// What most families have in common: averages, chances and variances of one queue.
fn look(case: &Case, row: &Row, run: &Run) -> (f64, f64) {
    let known = |metric: &str| case.row(metric).number();
    let beyond = |text: &str| text.trim_end_matches(')').parse::<f64>().expect("a number follows");
    match row.metric.as_str() {
        "mean number in system L" | "L" | "mean in flight (time avg)" => {
            run.number(|call| call.arrived, |call| call.ends)
        }
        "mean queue Lq" | "Lq" => run.number(|call| call.arrived, |call| call.begins),
        "mean wait Wq" | "mean wait of accepted" => run.mean(wait),
        "mean sojourn W" | "mean response R=L/X" => run.mean(sojourn),
        "utilisation = P(wait>0)" | "P(wait>0)=rho" | "P(wait>0)" | "P(arrival waits)" => {
            run.share(|call| wait(call) > 0.0)
        }
        "variance of wait" | "variance of wait FIFO" => {
            let mean = known("mean wait Wq");
            run.mean(|call| (wait(call) - mean) * (wait(call) - mean))
        }
        "variance of in flight" => {
            let mean = known("mean in flight");
            run.mean(|call| (call.present - mean) * (call.present - mean))
        }
        "P(sojourn > 4/(1-rho))" => {
            let late = 4.0 / (1.0 - case.number("lambda"));
            run.share(|call| sojourn(call) > late)
        }
        "fraction rejected" => run.share(|call| call.fate == Seen::TurnedAway),
        "fraction timed out" => run.share(|call| call.fate == Seen::Cancelled),
        "mean busy servers" => run.busy(),
        "P(server idle)" => {
            let (busy, time) = run.busy();
            (time - busy, time)
        }
        "goodput" | "throughput" => run.throughput(),
        other => {
            if other.starts_with("sojourn quantile ") {
                run.share(|call| sojourn(call) <= row.number())
            } else if other.starts_with("wait quantile ") {
                run.share(|call| wait(call) <= row.number())
            } else if let Some(bound) = other.strip_prefix("P(wait>") {
                run.share(|call| wait(call) > beyond(bound))
            } else if let Some(bound) = other.strip_prefix("P(wait<=") {
                run.share(|call| wait(call) <= beyond(bound))
            } else {
                panic!("there is no metric {other}")
            }
        }
    }
}

/// Judges what was found, each row by what it is.
fn judge_all(judge: &mut Judge, rate: f64, found: Vec<(&Row, Pairs)>) {
    judge.new_runs();
    for (row, pairs) in found {
        if let Some((_, share)) = row.metric.split_once("quantile ") {
            // The share of calls below the quantile is known, and has no bias.
            let share_row = Row { metric: row.metric.clone(), value: share.to_owned(), ..row.clone() };
            let below =
                pairs.iter().map(|pair| pair.0).sum::<f64>() / pairs.iter().map(|pair| pair.1).sum::<f64>();
            if row.number() == 0.0 {
                // More calls than the share do not wait at all.
                judge.equal(row, if below > share_row.number() { 0.0 } else { 1.0 });
            } else {
                judge.share(&share_row, &pairs);
            }
        } else if row.metric == "P(server idle)" {
            // An idle time is an event; on average it lasts until the next arrival.
            let arrivals = rate * pairs.iter().map(|pair| pair.1).sum::<f64>();
            judge.events(row, &pairs, row.number() * arrivals, arrivals);
        } else if row.metric.starts_with("P(") || row.metric.starts_with("fraction") {
            judge.share(row, &pairs);
        } else {
            judge.ratio(row, &pairs);
        }
    }
}

/// Runs every row of a case through [`Servers`].
fn through_servers(judge: &mut Judge, case: &Case, capacity: &str, traffic: Traffic) {
    let config = config(capacity);
    let rows: Vec<&Row> = case.rows.iter().collect();
    let found =
        measure(case, &rows, |key| traffic.through_servers(&config, key), |row, run| look(case, row, run));
    judge_all(judge, traffic.rate, found);
}

#[test]
fn one_server_is_the_markov_queue() {
    let mut judge = Judge::new("MM1");
    for case in cases("MM1-", 5, 50) {
        let traffic = Traffic::new(case.number("lambda"), law("Exp(mean1)"), 1.0);
        through_servers(&mut judge, &case, "servers = 1", traffic);
    }
    judge.verdict(50);
}

#[test]
fn one_server_waits_as_pollaczek_and_khinchine_say() {
    let mut judge = Judge::new("MG1");
    for case in cases("MG1-", 9, 45) {
        let traffic = Traffic::new(case.number("lambda"), law(case.text("service")), 1.0);
        through_servers(&mut judge, &case, "servers = 1", traffic);
    }
    judge.verdict(45);
}

#[test]
fn waits_for_equal_service_times_have_the_distribution_of_erlang() {
    let mut judge = Judge::new("MD1cdf");
    for case in cases("MD1cdf-", 3, 18) {
        let traffic = Traffic::new(case.number("lambda"), law("D(1)"), 1.0);
        through_servers(&mut judge, &case, "servers = 1", traffic);
    }
    judge.verdict(18);
}

#[test]
fn clients_that_leave_the_queue_leave_what_barrer_says() {
    let mut judge = Judge::new("MM1+D");
    for case in cases("MM1+D-", 15, 30) {
        let traffic = Traffic::new(case.number("lambda"), law("Exp(mean1)"), 1.0);
        let traffic = Traffic { patience: Some(case.number("tau")), ..traffic };
        through_servers(&mut judge, &case, "servers = 1\nabandoned = 'cancelled_in_queue'", traffic);
    }
    judge.verdict(30);
}

#[test]
fn a_loss_system_turns_away_what_erlang_says_whatever_the_service_times() {
    for name in ["Exp(mean1)", "D(1)"] {
        let mut judge = Judge::new("ErlB");
        for case in cases("ErlB-", 17, 34) {
            let rate = case.number("lambda");
            let traffic =
                Traffic { rate, law: law(name), patience: None, warm_up: 50.0, window: 10_000.0 / rate };
            through_servers(&mut judge, &case, &format!("servers = {}\nqueue = 0", case.count("c")), traffic);
        }
        judge.verdict(34);
    }
}

#[test]
fn several_servers_wait_as_erlang_says() {
    let mut judge = Judge::new("ErlC");
    for case in cases("ErlC-", 7, 49) {
        let traffic = Traffic::new(case.number("lambda"), law("Exp(mean1)"), case.number("c"));
        through_servers(&mut judge, &case, &format!("servers = {}", case.count("c")), traffic);
    }
    judge.verdict(49);
}

#[test]
fn a_finite_queue_is_the_chain_of_birth_and_death() {
    let mut judge = Judge::new("MMcK");
    for case in cases("MMcK-", 7, 35) {
        let traffic = Traffic::new(case.number("lambda"), law("Exp(mean1)"), case.number("c"));
        let (servers, places) = (case.count("c"), case.count("K"));
        let capacity = format!("servers = {servers}\nqueue = {}", places - servers);
        through_servers(&mut judge, &case, &capacity, traffic);
    }
    judge.verdict(35);
}

#[test]
fn servers_without_number_hold_a_poisson_number_of_calls() {
    let mut judge = Judge::new("MGinf");
    for (case, name) in cases("MGinf-", 3, 6).iter().zip(["Exp(mean1)", "D(1)", "Uniform(0,2)"]) {
        let rate = case.number("lambda");
        let traffic =
            Traffic { rate, law: law(name), patience: None, warm_up: 50.0, window: 10_000.0 / rate };
        through_servers(&mut judge, case, "", traffic);
    }
    judge.verdict(6);
}

#[test]
fn a_batch_of_equal_calls_is_served_in_rows() {
    let mut judge = Judge::new("DDc-batch");
    for case in cases("DDc-batch-", 4, 16) {
        let mut servers = Servers::new(&config(&format!("servers = {}", case.count("c"))));
        let work = nanos(case.number("s"));
        let calls: Vec<Served> = (0..case.count("n"))
            .map(|_| servers.offer(Instant::START, work, NEVER).expect("the queue has no end"))
            .collect();
        let waits: Vec<f64> = calls.iter().map(|call| call.begins.as_secs_f64()).collect();
        let n = waits.len() as f64;
        let mean = waits.iter().sum::<f64>() / n;
        let usage = servers.usage(Instant::START + Interval::from_secs(1000));
        judge.equal(case.row("mean wait"), usage.waits as f64 / SECOND / usage.begun as f64);
        judge.equal(case.row("max wait"), usage.longest_wait.as_secs_f64());
        judge.equal(
            case.row("makespan"),
            calls.iter().map(|call| call.ends.as_secs_f64()).fold(0.0, f64::max),
        );
        judge.equal(
            case.row("variance of wait"),
            waits.iter().map(|wait| (wait - mean) * (wait - mean)).sum::<f64>() / n,
        );
    }
    judge.verdict(16);
}

/// N clients, each of which thinks, calls, and waits for its answer.
fn closed(case: &Case, key: Key) -> Run {
    let think = case.number("think_mean");
    let mut servers = Servers::new(&config(&format!("servers = {}", case.count("c"))));
    let mut run = Run { from: 2000.0, to: 12_000.0, calls: Vec::new() };
    let mut thinking: BinaryHeap<Reverse<(Instant, u64, u64)>> = BinaryHeap::new();
    let thought = |client, round| nanos(think * standard_exponential(key.block(client, round)[0]));
    for client in 0..case.count("clients") {
        thinking.push(Reverse((Instant::START + thought(client, 0), client, 0)));
    }
    while let Some(Reverse((now, client, round))) = thinking.pop()
        && now.as_secs_f64() < run.to
    {
        let work = nanos(standard_exponential(key.block(client, round)[1]));
        let job = Job { call: client as u32, work, gives_up: NEVER, retry: false };
        let call = serve(&mut servers, now, job);
        run.calls.push(call);
        let answered = now + nanos(call.ends - call.arrived);
        thinking.push(Reverse((answered + thought(client, round + 1), client, round + 1)));
    }
    run
}

#[test]
fn clients_that_wait_for_their_answers_are_the_machine_repair_model() {
    let mut judge = Judge::new("Closed");
    for case in cases("Closed-", 6, 36) {
        let rows: Vec<&Row> = case.rows.iter().collect();
        let look = |row: &Row, run: &Run| match row.metric.as_str() {
            "N/X - z" => run.throughput(),
            "utilisation" => {
                let (busy, time) = run.busy();
                (busy, time * case.number("c"))
            }
            _ => look(&case, row, run),
        };
        let found = measure(&case, &rows, |key| closed(&case, key), look);
        let law: Vec<Row> = rows
            .iter()
            .map(|row| match row.metric.as_str() {
                // The response-time law, solved for the throughput, which has no bias.
                "N/X - z" => {
                    let value = case.number("clients") / (row.number() + case.number("think_mean"));
                    Row { value: value.to_string(), ..(*row).clone() }
                }
                _ => (*row).clone(),
            })
            .collect();
        judge_all(&mut judge, 0.0, law.iter().zip(found).map(|(row, (_, pairs))| (row, pairs)).collect());
    }
    judge.verdict(36);
}

/// Runs one row of a case through [`Station`].
fn through_station(judge: &mut Judge, case: &Case, metric: &str, capacity: &str, traffic: Traffic) {
    let config = config(capacity);
    let rows = [case.row(metric)];
    let found =
        measure(case, &rows, |key| traffic.through_station(&config, key), |row, run| look(case, row, run));
    judge_all(judge, traffic.rate, found);
}

#[test]
fn processor_sharing_does_not_feel_the_distribution_of_service_times() {
    let mut judge = Judge::new("MG1PS");
    for case in cases("MG1PS-", 13, 13) {
        let traffic = Traffic::new(case.number("lambda"), law(case.text("service")), 1.0);
        let capacity = "servers = 1\ndiscipline = 'processor_sharing'";
        through_station(&mut judge, &case, "mean sojourn W", capacity, traffic);
    }
    judge.verdict(13);
}

/// Exponential service times make the number in the system the same as in the order of arrival, and Little's law the time.
#[test]
fn several_servers_that_are_shared_keep_calls_as_long_as_if_they_were_not() {
    let mut judge = Judge::new("ErlC shared");
    for case in cases("ErlC-", 7, 49) {
        let traffic = Traffic::new(case.number("lambda"), law("Exp(mean1)"), case.number("c"));
        let capacity = format!("servers = {}\ndiscipline = 'processor_sharing'", case.count("c"));
        through_station(&mut judge, &case, "mean sojourn W", &capacity, traffic);
    }
    for case in cases("MMcK-", 7, 35) {
        let traffic = Traffic::new(case.number("lambda"), law("Exp(mean1)"), case.number("c"));
        let (servers, places) = (case.count("c"), case.count("K"));
        let capacity =
            format!("servers = {servers}\nqueue = {}\ndiscipline = 'processor_sharing'", places - servers);
        through_station(&mut judge, &case, "fraction rejected", &capacity, traffic);
    }
    judge.verdict(14);
}

/// The mean wait does not depend on the order; its second moment is 1 / (1 - load) times that of the order of arrival.
///
/// Source: H. Takagi, "Queueing Analysis", volume 1 (1991), section 1.3.
#[test]
fn the_newest_first_waits_as_long_on_average_but_more_unevenly() {
    let mut judge = Judge::new("MG1 LIFO");
    for case in cases("MG1-", 9, 45) {
        let load = case.number("lambda");
        let traffic = Traffic::new(load, law(case.text("service")), 1.0);
        let config = config("servers = 1\ndiscipline = 'lifo'");
        let (mean, variance) = (case.row("mean wait Wq"), case.row("variance of wait FIFO"));
        let second = (variance.number() + mean.number() * mean.number()) / (1.0 - load);
        let second =
            Row { metric: "second moment of wait LIFO".into(), value: second.to_string(), ..mean.clone() };
        let found = measure(
            &case,
            &[mean, &second],
            |key| traffic.through_station(&config, key),
            |row, run| {
                if row.metric == second.metric {
                    run.mean(|call| wait(call) * wait(call))
                } else {
                    run.mean(wait)
                }
            },
        );
        judge_all(&mut judge, traffic.rate, found);
    }
    judge.verdict(18);
}

/// With load a of those who go first and load b in all, and W0 the mean rest of the call in service: W0 / (1 - a) and
/// W0 / ((1 - a) (1 - b)).
///
/// Source: A. Cobham, "Priority assignment in waiting line problems", Operations Research 2 (1954).
#[test]
fn first_tries_and_retries_wait_as_cobham_says() {
    let mut judge = Judge::new("MG1 priority");
    for case in cases("MG1-", 9, 45) {
        let load = case.number("lambda");
        let traffic = Traffic::new(load, law(case.text("service")), 1.0);
        let config = config("servers = 1\npriority = 'first_tries'");
        // W0 follows from the wait in the order of arrival, W0 / (1 - load).
        let rest = case.row("mean wait Wq").number() * (1.0 - load);
        let first = rest / (1.0 - load / 2.0);
        let row = |metric: &str, value: f64| Row {
            metric: metric.into(),
            value: value.to_string(),
            ..case.row("mean wait Wq").clone()
        };
        let rows = [row("first tries", first), row("retries", first / (1.0 - load))];
        let found = measure(
            &case,
            &[&rows[0], &rows[1]],
            |key| traffic.through_station(&config, key),
            |row, run| {
                let retries = row.metric == "retries";
                let of_kind = run.born().filter(|call| call.retry == retries);
                of_kind.fold((0.0, 0.0), |sum, call| (sum.0 + wait(call), sum.1 + 1.0))
            },
        );
        judge_all(&mut judge, traffic.rate, found);
    }
    judge.verdict(18);
}
