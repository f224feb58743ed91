//! An idealised loop: the retry workload with nothing but what it cannot do without. What a simulator of this shape could reach.
//!
//! One event per attempt, arrivals streamed, a sequential generator of a few instructions, the logarithm of the platform, a bucket
//! in floating point, four counters; no policy to ask, no series, no histogram, nothing that could be configured. Its queue is the
//! one that ships, so that the ratio to it is that of the engine alone.

#![expect(
    clippy::disallowed_methods,
    reason = "no result comes from here, and the logarithm of the platform is the fastest"
)]

use retrysim::event_queue::EventQueue;
use retrysim::time::Instant;

/// Wang Yi's wyrand (wyhash 4, 2021): one multiplication for each draw.
struct Wyrand(u64);

impl Wyrand {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0xa076_1d64_78bd_642f);
        let product = u128::from(self.0) * u128::from(self.0 ^ 0xe703_7ed1_a0b4_28db);
        let bits = (product >> 64) as u64 ^ product as u64;
        (bits >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// What a run came to.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) attempts: u64,
    pub(crate) succeeded: u64,
    pub(crate) limited: u64,
}

/// Runs for so many seconds: requests per second, tokens per second (the bucket holds a second's worth), seed.
pub(crate) fn run(seconds: u64, rate: f64, tokens_per_second: f64, seed: u64) -> Counts {
    let mut luck = Wyrand(seed);
    let mut queue = EventQueue::<u32>::new();
    let (horizon, mean) = (seconds * 1_000_000_000, 1e9 / rate);
    let (mut tokens, mut filled) = (tokens_per_second, 0);
    let mut counts = Counts::default();
    let mut arrives = (-mean * (1.0 - luck.unit()).ln()) as u64;
    loop {
        let retry = queue.peek().filter(|(at, _)| at.as_nanos() < arrives);
        let (now, tries) = if retry.is_some() {
            let (at, tries) = queue.pop().expect("it was seen a moment ago");
            (at.as_nanos(), tries)
        } else {
            let now = arrives;
            arrives += (-mean * (1.0 - luck.unit()).ln()) as u64;
            counts.requests += u64::from(now < horizon);
            (now, 0)
        };
        if now >= horizon {
            return counts;
        }
        counts.attempts += 1;
        tokens = (tokens + (now - filled) as f64 * 1e-9 * tokens_per_second).min(tokens_per_second);
        filled = now;
        let admitted = tokens >= 1.0;
        if admitted {
            tokens -= 1.0;
            if luck.unit() >= 0.1 {
                counts.succeeded += 1;
                continue;
            }
        } else {
            counts.limited += 1;
        }
        if tries < 5 {
            let longest = f64::from(1 << tries) * 1e9;
            let at = now + 50_000_000 + (luck.unit() * longest.min(60e9)) as u64;
            queue.push(Instant::from_nanos(at), counts.attempts, tries + 1);
        }
    }
}
