//! The figures of memory: what one more client, one more pending retry and one more request cost, counted by the allocator.
//!
//! A figure is the difference of two runs divided by how many more there were in the second, at the moment when most was held: setting
//! up and running, with what vectors and the event queue have in reserve. So it is exact, and what does not grow is not in it. The
//! allocator that counts takes memory anew and copies where a vector grows, so that the old and the new one are both counted for
//! a moment; that of the system need not.

use peak_alloc::PeakAlloc;
use retrysim::scenario::Scenario;
use retrysim::simulation::Simulation;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// A figure: its name, the bytes, and the most that they shall be.
pub(crate) type Figure = (&'static str, f64, f64);

fn parse(text: &str) -> Scenario {
    Scenario::parse("memory", "memory.toml", text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The most bytes held while the scenario is set up and run, and those that its record holds when it has ended.
fn held(scenario: &Scenario) -> (f64, f64) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let record = Simulation::new(scenario, 0, 0, 0).run();
    let (most, after) = (ALLOCATOR.peak_usage() - before, ALLOCATOR.current_usage() - before);
    drop(record);
    (most as f64, after as f64)
}

/// Bytes for each of `many` that are more than `few`.
fn each(few: u64, many: u64, scenario: impl Fn(u64) -> String) -> f64 {
    let [few_bytes, many_bytes] = [few, many].map(|count| held(&parse(&scenario(count))).0);
    (many_bytes - few_bytes) / (many - few) as f64
}

/// Bytes of each idle client: the same requests from a thousand clients and from a million.
fn client(arrivals: &str, policy: &str) -> f64 {
    each(1_000, 1_000_000, |clients| {
        format!(
            "horizon = '10s'\n\
             [services.api]\n\
             [workloads.calls]\n\
             service = 'api'\n\
             clients = {clients}\n\
             arrivals.{arrivals}\n\
             [policies.one]\n\
             {policy}\n"
        )
    })
}

/// Bytes of each request that waits for a retry: of a thousand at once, and of a hundred thousand.
fn pending(policy: &str) -> f64 {
    each(1_000, 100_000, |requests| {
        format!(
            "horizon = '1h'\n\
             [services.api]\n\
             faults = [{{ random = {{ status = 503, probability = 1.0 }} }}]\n\
             [workloads.calls]\n\
             service = 'api'\n\
             arrivals.even = {{ rate = '{requests}/s', until = '1s' }}\n\
             [policies.one]\n\
             retries = 1\n\
             backoff.fixed = '30m'\n\
             {policy}\n"
        )
    })
}

/// Bytes that the record of a run holds, by how many requests a second there were.
fn kept(rate: u64) -> f64 {
    let text = format!(
        "horizon = '10m'\n\
         [services.api]\n\
         latency.uniform = {{ min = '10ms', max = '500ms' }}\n\
         faults = [{{ random = {{ status = 503, probability = 0.1 }} }}]\n\
         [workloads.calls]\n\
         service = 'api'\n\
         arrivals.poisson = {{ rate = '{rate}/s' }}\n\
         [policies.one]\n\
         retries = 3\n\
         backoff.fixed = '1s'\n"
    );
    held(&parse(&text)).1
}

/// All figures: of idle clients, of pending retries, and how many times as much is kept of ten times as many requests.
///
/// An event takes 32 bytes, in chunks that the event queue fills one after the other.
pub(crate) fn figures() -> Vec<Figure> {
    let none = "retries = 0";
    let breaker = "retries = 0\nbreaker = { trip.consecutive = 5, open_for = '30s', scope = 'client' }";
    let budget = "retries = 1\nbackoff.fixed = '1s'\n\
                  budget = { tokens = { capacity = 500, cost = 14, refund = 'last', reward = 1 }, scope = 'client' }";
    let guards = "breaker = { trip.consecutive = 1000000000, open_for = '30s' }";
    vec![
        ("memory/client/poisson", client("poisson = { rate = '100/s' }", none), 16.0),
        ("memory/client/even", client("even = { rate = '100/s' }", none), 16.0),
        ("memory/client/renewal", client("renewal = { gap.constant = '10ms' }", none), 16.0),
        (
            "memory/client/diurnal",
            client("diurnal = { mean = '100/s', peak_to_trough = 3, peak_at = '14h' }", none),
            16.0,
        ),
        // 4 for its round; the rest is its event.
        ("memory/client/closed", client("closed = { think.constant = '8s' }", none), 40.0),
        // 4 until it calls: the rest is the breakers and budgets of those thousand at most who do.
        ("memory/client/own-breaker", client("poisson = { rate = '100/s' }", breaker), 16.0),
        ("memory/client/own-budget", client("poisson = { rate = '100/s' }", budget), 16.0),
        // An event and nothing else.
        ("memory/pending/plain", pending(""), 64.0),
        // Short of its goal of 64: beside its event the request with its 72 bytes, and 16 for what its guard gave it.
        ("memory/pending/guarded", pending(guards), 128.0),
        ("memory/kept/ten-times-the-requests", kept(1_000) / kept(100), 1.0),
    ]
}
