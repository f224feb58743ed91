//! The retry workload that the benches share: clients with Poisson arrivals of 0.1/s each, a token bucket of `load` times that with
//! a burst of one second, 10 % failures, answers after 50 ms, and five retries with full jitter on 1 s, doubling, up to 60 s.

use retrysim::scenario::Scenario;

/// The workload of so many clients, with capacity for `load` times what they ask for.
pub(crate) fn scenario(clients: u64, seconds: u64, load: f64) -> Scenario {
    let text = format!(
        "horizon = '{seconds}s'\n\
         [services.api]\n\
         latency.constant = '50ms'\n\
         rate_limit.token_bucket = {{ rate = '{tokens}/s', burst = {tokens} }}\n\
         faults = [{{ random = {{ status = 503, probability = 0.1 }} }}]\n\
         [workloads.calls]\n\
         service = 'api'\n\
         clients = {clients}\n\
         arrivals.poisson = {{ rate = '{rate}/s' }}\n\
         [policies.retry]\n\
         retries = 5\n\
         backoff.exponential = {{ base = '1s' }}\n\
         cap_before_jitter = '60s'\n\
         jitter = 'full'\n",
        tokens = (clients as f64 * 0.1 * load) as u64,
        rate = clients / 10,
    );
    Scenario::parse("engine", "engine.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"))
}
