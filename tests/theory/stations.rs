//! Stations against servers, against exact fractions, against the pseudocode of an RFC, and against what holds in any queue.
//!
//! Times are few nanoseconds, so that much happens at one instant: ends, arrivals and clients that stop waiting.

use std::collections::{BTreeMap, VecDeque};

use retrysim::random::{Key, Purpose, up_to};
use retrysim::service::{CapacityConfig, Fate, Job, Offer, Servers, Station};
use retrysim::time::{Instant, Interval};
use retrysim::usage::Usage;

const CALLS: u32 = 200;

fn key(name: &str) -> Key {
    Key::derive(1, 0, Purpose::Service, name)
}

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

fn config(text: &str) -> CapacityConfig {
    let config: CapacityConfig = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(config.problems(), [], "{text}");
    config
}

/// One of the lines at random.
fn pick<'a>(bits: u64, lines: &[&'a str]) -> &'a str {
    lines[up_to(bits, lines.len() as u64 - 1) as usize]
}

/// Calls with gaps, work and patience of a few nanoseconds, for which `load` servers are about enough.
fn arrivals(key: Key, run: u64, load: u64) -> Vec<(Instant, Job)> {
    let mut now = 0;
    let call = |call: u32| {
        let [gap, work] = key.block(run, u64::from(call));
        let [patience, retry] = key.block(run, u64::from(call) + (1 << 32));
        now += up_to(gap, 8 / load);
        let patience = [0, 1, 5, 9, 12, 20, 40, 1_000_000][up_to(patience, 7) as usize];
        let work = Interval::from_nanos(up_to(work, 8));
        (at(now), Job { call, work, gives_up: at(now + patience), retry: retry >> 63 == 1 })
    };
    (0..CALLS).map(call).collect()
}

/// What became of each call, by its number.
struct Told {
    station: Station,
    left: BTreeMap<u32, (Instant, Fate)>,
    full: Vec<u32>,
    pushed_out: BTreeMap<u32, Instant>,
    /// When nobody was left.
    empty: Vec<Instant>,
}

impl Told {
    fn new(config: &CapacityConfig) -> Self {
        let (left, pushed_out) = (BTreeMap::new(), BTreeMap::new());
        Self { station: Station::new(config), left, full: Vec::new(), pushed_out, empty: Vec::new() }
    }

    fn until(&mut self, now: Instant) {
        while let Some(next) = self.station.next()
            && next <= now
        {
            if let Some(departure) = self.station.step() {
                assert_eq!(departure.at, next, "a call leaves when it was said");
                let before = self.left.insert(departure.call, (departure.at, departure.fate));
                assert_eq!(before, None, "a call leaves once");
                if self.station.present() == 0 && self.empty.last() != Some(&next) {
                    self.empty.push(next);
                }
            }
        }
    }

    fn offer(&mut self, now: Instant, job: Job) {
        self.until(now);
        // It begins anew at the instant at which it ends: it was never empty.
        if self.empty.last() == Some(&now) {
            self.empty.pop();
        }
        match self.station.offer(now, job) {
            Offer::Accepted => {}
            Offer::Full => self.full.push(job.call),
            Offer::PushedOut(call) => assert_eq!(self.pushed_out.insert(call, now), None),
        }
    }

    fn all(config: &CapacityConfig, arrivals: &[(Instant, Job)]) -> Self {
        let mut told = Self::new(config);
        for (now, job) in arrivals {
            told.offer(*now, *job);
        }
        told.until(at(1_000_000));
        told
    }
}

#[test]
fn a_station_in_the_order_of_arrival_is_the_servers_call_for_call() {
    let key = key("servers");
    for run in 0..3000 {
        let [first, second] = key.block(run, 1 << 40);
        let [third, fourth] = key.block(run, 1 << 41);
        let limited = ["servers = 1\n", "servers = 2\n", "servers = 3\n", "servers = 5\n"];
        let mut text = pick(first, &limited).to_owned();
        text += pick(second, &["", "queue = 0\n", "queue = 1\n", "queue = 4\n"]);
        if first % 5 == 0 {
            text.clear();
        }
        text += pick(third, &["", "abandoned = 'cancelled'\n", "abandoned = 'cancelled_in_queue'\n"]);
        text += pick(fourth, &["", "slowdown = 0.1\n", "slowdown = 1\n"]);
        text += pick(fourth << 8, &["", "", "", "shedding.fixed = 4\n"]);
        let config = config(&text);
        assert!(!config.needs_station());

        let arrivals = arrivals(key, run, 1 + second % 3);
        let half = arrivals[arrivals.len() / 2].0;
        let mut servers = Servers::new(&config);
        let mut told = Told::new(&config);
        for (now, job) in &arrivals {
            told.until(*now);
            assert_eq!(servers.present(*now), told.station.present(), "{text} {run}: present at {now:?}");
            if *now >= half && job.call <= CALLS / 2 {
                assert_eq!(servers.usage(half), told.station.usage(half), "{text} {run}: usage by {half:?}");
            }
            let full = told.full.len();
            told.offer(*now, *job);
            match servers.offer(*now, job.work, job.gives_up) {
                Err(_) => assert_eq!(told.full.len(), full + 1, "{text} {run} {job:?}"),
                Ok(served) => {
                    assert_eq!(told.full.len(), full, "{text} {run} {job:?}");
                    told.until(*now);
                    // Nothing that comes later changes it.
                    let mut alone = Told { station: told.station.clone(), ..Told::new(&config) };
                    alone.left.clone_from(&told.left);
                    alone.until(at(1_000_000));
                    let fate = if served.done { Fate::Served } else { Fate::Cancelled };
                    assert_eq!(alone.left[&job.call], (served.ends, fate), "{text} {run} {job:?}");
                }
            }
            if job.call > 60 {
                break;
            }
        }
        let told = Told::all(&config, &arrivals);
        let mut servers = Servers::new(&config);
        for (now, job) in &arrivals {
            if let Ok(served) = servers.offer(*now, job.work, job.gives_up) {
                assert_eq!(told.left[&job.call].0, served.ends, "{text} {run} {job:?}");
            }
        }
        assert_eq!(servers.usage(at(1_000_000)), told.station.usage(at(1_000_000)), "{text} {run}");
    }
}

const DISCIPLINES: [&str; 6] = [
    "",
    "discipline = 'lifo'\n",
    "discipline.adaptive_lifo.above = 2\n",
    "discipline = 'processor_sharing'\n",
    "discipline.codel = { target = '5ns', interval = '20ns' }\n",
    "priority = 'first_tries'\n",
];

#[test]
fn calls_and_times_add_up_in_every_discipline() {
    let key = key("identities");
    for run in 0..3000 {
        let [first, second] = key.block(run, 1 << 40);
        let [third, fourth] = key.block(run, 1 << 41);
        let mut text = format!("servers = {}\n{}", 1 + first % 3, pick(first, &DISCIPLINES));
        text += pick(second, &["", "queue = 3\n"]);
        let cancels = ["", "abandoned = 'cancelled'\n", "abandoned = 'cancelled_in_queue'\n"];
        text += pick(third, if text.contains("sharing") { &cancels[..2] } else { &cancels });
        text += pick(
            fourth,
            &["", "shedding.fixed = 4\n", "shedding.gradient = { min = 1, max = 9, queue = 1 }\n"],
        );
        let config = config(&text);
        let arrivals = arrivals(key, run, 1 + first % 3);
        let cut = arrivals[arrivals.len() / 3].0;

        let mut told = Told::new(&config);
        for (now, job) in &arrivals {
            if *now > cut && job.call <= CALLS / 3 + 9 {
                told.until(cut);
            }
            told.offer(*now, *job);
        }
        told.until(at(1_000_000));
        let usage = told.station.usage(at(1_000_000));
        check_counts(&usage, &told, &arrivals, &text);

        // I9: time in the system. I10: work that was done.
        let system: u64 =
            arrivals.iter().map(|(came, job)| stay(&told, job.call, *came, at(1_000_000))).sum();
        assert_eq!(usage.busy + usage.waiting, u128::from(system), "{text} {run}");
        if !text.contains("'cancelled'") {
            let served = arrivals.iter().filter(|(_, job)| served(&told, job.call));
            let work: u64 = served.map(|(_, job)| job.work.as_nanos()).sum();
            assert_eq!(usage.busy, u128::from(work), "{text} {run}");
        }

        // The same, cut while calls are in the system.
        let before: Vec<_> = arrivals.iter().copied().filter(|(now, _)| *now <= cut).collect();
        let mut until = Told::new(&config);
        for (now, job) in &before {
            until.offer(*now, *job);
        }
        until.until(cut);
        let (usage, present) = (until.station.usage(cut), until.station.present());
        assert_eq!(usage.left, present);
        let system: u64 = before.iter().map(|(came, job)| stay(&told, job.call, *came, cut)).sum();
        assert_eq!(usage.busy + usage.waiting, u128::from(system), "{text} {run} cut");
        assert_eq!(usage.provided, Some(u128::from((1 + first % 3) * cut.as_nanos())));
        assert!(
            usage.busy <= usage.provided.unwrap_or(0) + 200,
            "{text} {run}: nobody is given more than there is"
        );
    }
}

fn check_counts(usage: &Usage, told: &Told, arrivals: &[(Instant, Job)], text: &str) {
    let of = |fate| told.left.values().filter(|(_, other)| *other == fate).count() as u64;
    assert_eq!(usage.offered, arrivals.len() as u64);
    assert_eq!(
        (usage.served, usage.cancelled, usage.dropped, usage.left),
        (of(Fate::Served), of(Fate::Cancelled), of(Fate::Dropped), 0)
    );
    assert_eq!(
        (usage.turned_away + usage.shed, usage.pushed_out),
        (told.full.len() as u64, told.pushed_out.len() as u64)
    );
    let all =
        usage.served + usage.cancelled + usage.dropped + usage.turned_away + usage.shed + usage.pushed_out;
    assert_eq!(usage.offered, all, "{text}");
}

fn served(told: &Told, call: u32) -> bool {
    told.left.get(&call).is_some_and(|(_, fate)| *fate == Fate::Served)
}

/// How long a call was in the system until `cut`.
fn stay(told: &Told, call: u32, came: Instant, cut: Instant) -> u64 {
    let left = told.left.get(&call).map(|(left, _)| *left).or_else(|| told.pushed_out.get(&call).copied());
    left.map_or(0, |left| left.min(cut).since(came).as_nanos())
}

#[test]
fn one_server_is_idle_at_the_same_times_in_every_discipline() {
    let key = key("conservation");
    for run in 0..2000 {
        let arrivals = arrivals(key, run, 1);
        let idle = |discipline: &str| {
            let told = Told::all(&config(&format!("servers = 1\n{discipline}")), &arrivals);
            assert_eq!(told.left.len(), arrivals.len());
            told.empty
        };
        let expected = idle("");
        for discipline in DISCIPLINES.into_iter().filter(|discipline| !discipline.contains("codel")) {
            assert_eq!(idle(discipline), expected, "{discipline} {run}");
        }
    }
}

/// A fraction in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fraction(i128, i128);

impl Fraction {
    fn new(above: i128, below: i128) -> Self {
        let (mut a, mut b) = (above.abs(), below.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Self(above / a.max(1), below / a.max(1))
    }
    fn plus(self, other: Self) -> Self {
        Self::new(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }
    fn minus(self, other: Self) -> Self {
        self.plus(Self(-other.0, other.1))
    }
    fn times(self, above: i128, below: i128) -> Self {
        Self::new(self.0 * above, self.1 * below)
    }
    fn is_below(self, other: Self) -> bool {
        self.0 * other.1 < other.0 * self.1
    }
}

/// When calls end that share servers: every remaining work is kept as a fraction.
fn shared_exactly(servers: i128, arrivals: &[(Instant, Job)]) -> BTreeMap<u32, Instant> {
    let mut ends = BTreeMap::new();
    let mut rest: Vec<(u32, Fraction)> = Vec::new();
    let mut now = Fraction(0, 1);
    let mut coming: VecDeque<_> = arrivals.iter().collect();
    while !rest.is_empty() || !coming.is_empty() {
        let calls = (rest.len() as i128).max(servers);
        let least = rest.iter().map(|(_, work)| *work).reduce(|a, b| if b.is_below(a) { b } else { a });
        let end = least.map(|least| now.plus(least.times(calls, servers)));
        let arrival = coming.front().map(|(at, _)| Fraction(i128::from(at.as_nanos()), 1));
        let ends_first = match (end, arrival) {
            (Some(end), Some(arrival)) => !arrival.is_below(end),
            (end, _) => end.is_some(),
        };
        let next = if ends_first { end } else { arrival }.expect("something is left");
        for (_, work) in &mut rest {
            *work = work.minus(next.minus(now).times(servers, calls));
        }
        now = next;
        if ends_first {
            let nanos = now.0.div_euclid(now.1) + i128::from(now.0.rem_euclid(now.1) > 0);
            for (call, _) in rest.extract_if(.., |(_, work)| work.0 == 0) {
                ends.insert(call, at(nanos as u64));
            }
        } else if let Some((_, job)) = coming.pop_front() {
            rest.push((job.call, Fraction(i128::from(job.work.as_nanos()), 1)));
        }
    }
    ends
}

#[test]
fn processor_sharing_is_that_of_exact_fractions() {
    let key = key("fractions");
    for run in 0..4000 {
        let servers = 1 + run % 3;
        let mut arrivals = arrivals(key, run, servers + 1);
        // Fractions stay small enough for 14 calls.
        arrivals.truncate(14);
        let told =
            Told::all(&config(&format!("servers = {servers}\ndiscipline = 'processor_sharing'")), &arrivals);
        let found: BTreeMap<_, _> = told.left.iter().map(|(call, (left, _))| (*call, *left)).collect();
        assert_eq!(found, shared_exactly(i128::from(servers), &arrivals), "{run}: {arrivals:?}");
    }
}

/// The queue of RFC 8289, sections 5.3 to 5.6, with calls for packets: written as there, loops and all.
struct Rfc {
    queue: VecDeque<(u32, u64)>,
    target: u64,
    interval: u64,
    first_above_time: u64,
    drop_next: u64,
    count: u64,
    lastcount: u64,
    dropping: bool,
    dropped: Vec<(u32, u64)>,
}

impl Rfc {
    fn do_dequeue(&mut self, now: u64) -> (Option<u32>, bool) {
        let Some((call, came)) = self.queue.pop_front() else {
            self.first_above_time = 0;
            return (None, false);
        };
        let mut ok_to_drop = false;
        if now - came < self.target || self.queue.len() <= 1 {
            self.first_above_time = 0;
        } else if self.first_above_time == 0 {
            self.first_above_time = now + self.interval;
        } else if now >= self.first_above_time {
            ok_to_drop = true;
        }
        (Some(call), ok_to_drop)
    }

    fn control_law(&self, t: u64) -> u64 {
        t + (self.interval as f64 / (self.count as f64).sqrt()) as u64
    }

    fn dequeue(&mut self, now: u64) -> Option<u32> {
        let (mut call, mut ok_to_drop) = self.do_dequeue(now);
        if self.dropping {
            if !ok_to_drop {
                self.dropping = false;
            }
            while now >= self.drop_next && self.dropping {
                self.dropped.push((call.expect("it is there"), now));
                self.count += 1;
                (call, ok_to_drop) = self.do_dequeue(now);
                if ok_to_drop {
                    self.drop_next = self.control_law(self.drop_next);
                } else {
                    self.dropping = false;
                }
            }
        } else if ok_to_drop {
            self.dropped.push((call.expect("it is there"), now));
            (call, _) = self.do_dequeue(now);
            self.dropping = true;
            let delta = self.count - self.lastcount;
            let recent = now < self.drop_next + 16 * self.interval;
            self.count = if delta > 1 && recent { delta } else { 1 };
            self.drop_next = self.control_law(now);
            self.lastcount = self.count;
        }
        call
    }

    /// One server that dequeues when it is free.
    fn serve(&mut self, arrivals: &[(Instant, Job)]) {
        let mut free_at = Some(0);
        for (now, job) in arrivals {
            let now = now.as_nanos();
            while let Some(free) = free_at
                && free <= now
            {
                free_at = self.dequeue(free).map(|call| free + arrivals[call as usize].1.work.as_nanos());
            }
            self.queue.push_back((job.call, now));
            if free_at.is_none() {
                free_at = self.dequeue(now).map(|call| now + arrivals[call as usize].1.work.as_nanos());
            }
        }
        while let Some(free) = free_at {
            free_at = self.dequeue(free).map(|call| free + arrivals[call as usize].1.work.as_nanos());
        }
    }
}

#[test]
fn codel_drops_whom_the_pseudocode_of_the_rfc_drops() {
    let key = key("codel");
    let mut drops = 0;
    for run in 0..3000 {
        let (target, interval) = (1 + run % 12, 12 + run % 90);
        // An arrival at 0 would be above the target since 0, which the pseudocode takes for never.
        let arrivals: Vec<_> = arrivals(key, run, 1 + run % 3)
            .into_iter()
            .map(|(now, job)| (now + Interval::from_nanos(1), job))
            .collect();
        let text =
            format!("servers = 1\ndiscipline.codel = {{ target = '{target}ns', interval = '{interval}ns' }}");
        let told = Told::all(&config(&text), &arrivals);
        let mut rfc = Rfc {
            queue: VecDeque::new(),
            target,
            interval,
            first_above_time: 0,
            drop_next: 0,
            count: 0,
            lastcount: 0,
            dropping: false,
            dropped: Vec::new(),
        };
        rfc.serve(&arrivals);
        let dropped = told.left.iter().filter(|(_, (_, fate))| *fate == Fate::Dropped);
        let dropped: Vec<_> = dropped.map(|(call, (left, _))| (*call, left.as_nanos())).collect();
        assert_eq!(dropped, rfc.dropped, "{text} {run}");
        drops += dropped.len();
    }
    assert!(drops > 10_000, "the test sees drops: {drops}");
}
