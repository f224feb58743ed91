//! Every discipline and option on arrivals that can be followed by hand. Times are in milliseconds unless they say otherwise.

use super::autoscale::Autoscale;
use super::codel::{Codel, Search};
use super::shedding::Shedding;
use super::*;
use crate::service::departure::Departure;
use crate::usage::Usage;

const NEVER: u64 = 1_000_000;

fn config(text: &str) -> CapacityConfig {
    let config: CapacityConfig = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(config.problem(), None, "{text}");
    config
}

fn at(millis: u64) -> Instant {
    Instant::START + Interval::from_millis(millis)
}

/// So many servers are away.
fn away(servers: u32) -> Away {
    Away { servers, ..Away::NONE }
}

/// A station and what it told.
struct Play {
    station: Station,
    calls: u32,
    told: Vec<String>,
    nanos_per_tick: u64,
}

impl Play {
    fn new(text: &str) -> Self {
        Self { station: Station::new(&config(text)), calls: 0, told: Vec::new(), nanos_per_tick: 1_000_000 }
    }

    fn instant(&self, ticks: u64) -> Instant {
        Instant::from_nanos(ticks * self.nanos_per_tick)
    }

    /// All that is due by then happens.
    fn until(&mut self, ticks: u64) {
        while let Some(next) = self.station.next()
            && next <= self.instant(ticks)
        {
            if let Some(Departure { call, at, fate }) = self.station.step() {
                assert_eq!(at, next);
                let ticks = at.as_nanos() as f64 / self.nanos_per_tick as f64;
                self.told.push(format!("{call} {} {ticks}", format!("{fate:?}").to_lowercase()));
            }
        }
    }

    fn offer(&mut self, ticks: u64, work: u64, gives_up: u64, retry: bool) {
        self.until(ticks);
        let job = Job {
            call: self.calls,
            work: Interval::from_nanos(work * self.nanos_per_tick),
            gives_up: self.instant(gives_up),
            retry,
        };
        match self.station.offer(self.instant(ticks), job) {
            Offer::Accepted => {}
            Offer::PushedOut(call) => self.told.push(format!("{call} pushed out {ticks}")),
            Offer::Full => self.told.push(format!("{} full {ticks}", self.calls)),
        }
        self.calls += 1;
    }

    /// What is told when calls with this work come at these instants, up to a distant one.
    fn calls(mut self, arrivals: &[(u64, u64)]) -> String {
        for (ticks, work) in arrivals {
            self.offer(*ticks, *work, NEVER, false);
        }
        self.end()
    }

    fn end(mut self) -> String {
        self.until(NEVER);
        self.told.join(", ")
    }
}

#[test]
fn who_came_first_goes_first_and_who_finds_no_place_is_turned_away() {
    let told =
        Play::new("servers = 1\nqueue = 1").calls(&[(0, 10), (1, 10), (2, 10), (10, 5), (19, 1), (20, 1)]);
    // At 10 the first has left and the second begun, so there is a place; at 20 again.
    assert_eq!(told, "2 full 2, 0 served 10, 4 full 19, 1 served 20, 3 served 25, 5 served 26");
}

#[test]
fn a_loss_system_has_no_queue() {
    let told = Play::new("servers = 2\nqueue = 0").calls(&[(0, 10), (0, 20), (9, 1), (10, 1)]);
    assert_eq!(told, "2 full 9, 0 served 10, 3 served 11, 1 served 20");
}

#[test]
fn servers_without_number_keep_nobody_waiting() {
    assert_eq!(Play::new("").calls(&[(0, 10), (1, 5), (2, 8)]), "1 served 6, 0 served 10, 2 served 10");
}

#[test]
fn who_came_last_goes_first_but_interrupts_nobody() {
    let arrivals = [(0, 10), (1, 10), (2, 10), (3, 10), (20, 10)];
    let told = Play::new("servers = 1\ndiscipline = 'lifo'").calls(&arrivals);
    // At 20 the server takes from the queue before the last one arrives.
    assert_eq!(told, "0 served 10, 3 served 20, 2 served 30, 4 served 40, 1 served 50");
}

#[test]
fn adaptive_lifo_takes_the_newest_only_while_more_wait_than_it_says() {
    let arrivals = [(0, 10), (1, 10), (2, 10), (3, 10)];
    for (above, told) in [
        (0, "0 served 10, 3 served 20, 2 served 30, 1 served 40"),
        (1, "0 served 10, 3 served 20, 2 served 30, 1 served 40"),
        (2, "0 served 10, 3 served 20, 1 served 30, 2 served 40"),
        (3, "0 served 10, 1 served 20, 2 served 30, 3 served 40"),
    ] {
        let text = format!("servers = 1\ndiscipline.adaptive_lifo.above = {above}");
        assert_eq!(Play::new(&text).calls(&arrivals), told, "above {above}");
    }
}

#[test]
fn processor_sharing_gives_all_the_same() {
    let shared = |servers: u32| Play::new(&format!("servers = {servers}\ndiscipline = 'processor_sharing'"));
    assert_eq!(shared(1).calls(&[(0, 10), (0, 10)]), "0 served 20, 1 served 20");
    assert_eq!(shared(1).calls(&[(0, 10), (5, 3)]), "1 served 11, 0 served 13");
    assert_eq!(shared(2).calls(&[(0, 10), (0, 10), (0, 10)]), "0 served 15, 1 served 15, 2 served 15");
    assert_eq!(
        shared(2).calls(&[(0, 10), (0, 4)]),
        "1 served 4, 0 served 10",
        "nobody gets more than one server"
    );
    assert_eq!(shared(1).calls(&[(0, 0), (0, 1)]), "0 served 0, 1 served 1");
    let text = "servers = 1\nqueue = 1\ndiscipline = 'processor_sharing'";
    assert_eq!(
        Play::new(text).calls(&[(0, 2), (0, 2), (3, 1), (4, 1)]),
        "2 full 3, 0 served 4, 1 served 4, 3 served 5"
    );
}

#[test]
fn processor_sharing_is_exact_between_nanoseconds() {
    let shared = || Play { nanos_per_tick: 1, ..Play::new("servers = 1\ndiscipline = 'processor_sharing'") };
    assert_eq!(shared().calls(&[(0, 1), (0, 2), (0, 3)]), "0 served 3, 1 served 5, 2 served 6");
    // The first two end at 29.5; the third then has half a nanosecond left, and all is done after 30 ns of work.
    let told = shared().calls(&[(0, 10), (0, 10), (1, 10)]);
    assert_eq!(told, "0 served 30, 1 served 30, 2 served 30");
    // After 1 ns each of three has a third, which has no end in binary; 100 ns of work still end at 100 ns.
    let told = shared().calls(&[(0, 20), (0, 20), (0, 20), (1, 20), (2, 20)]);
    assert!(told.ends_with("4 served 100"), "{told}");
}

#[test]
fn codel_drops_after_an_interval_above_the_target_and_then_ever_faster() {
    let arrivals: Vec<_> = (0..100).map(|_| (0, 10)).collect();
    let told =
        Play::new("servers = 1\ndiscipline.codel = { target = '5ms', interval = '100ms' }").calls(&arrivals);
    let dropped: Vec<_> = told.split(", ").filter(|line| line.contains("dropped")).take(5).collect();
    // A call begins every 10 ms. First above at 10; then drops from 110, 210, 280.7, 338.4 and 388.4 on: after
    // 100, 100, 100 / sqrt 2, 100 / sqrt 3 and 100 / 2.
    let expected = ["11 dropped 110", "22 dropped 210", "31 dropped 290", "37 dropped 340", "43 dropped 390"];
    assert_eq!(dropped, expected);
    assert!(told.contains("10 served 110, 11 dropped 110") && told.contains("12 served 120"), "{told}");
    let drops = told.matches("dropped").count();
    assert!(told.ends_with(&format!(", 99 served {}", (100 - drops) * 10)), "the server never rests: {told}");
}

#[test]
fn codel_drops_nobody_who_waits_less_than_the_target_or_of_whom_only_one_is_left_behind() {
    let nanosecond = Interval::from_nanos(1);
    let target = Interval::from_millis(5);
    for (waited, behind, drops) in
        [(target, 2, true), (target - nanosecond, 2, false), (target, 1, false), (target + target, 0, false)]
    {
        let mut codel = Codel::new(toml::from_str("").unwrap());
        let mut dropped_at =
            |millis, waited, behind| codel.drops(&mut Search::default(), at(millis), waited, behind);
        assert!(!dropped_at(0, waited, behind) && !dropped_at(99, waited, behind));
        assert_eq!(dropped_at(100, waited, behind), drops, "{waited} {behind}");
        // One short wait, and the interval begins anew.
        assert!(
            !dropped_at(101, Interval::ZERO, 2) && !dropped_at(102, target, 2) && !dropped_at(201, target, 2)
        );
        assert!(dropped_at(202, target, 2));
    }
}

#[test]
fn a_client_that_stops_waiting_takes_its_call_along_if_the_service_knows() {
    let play = |abandoned: &str, calls: &[(u64, u64, u64)]| {
        let mut play = Play::new(&format!("servers = 1\nabandoned = '{abandoned}'"));
        for (ticks, work, gives_up) in calls {
            play.offer(*ticks, *work, *gives_up, false);
        }
        play.end()
    };
    // The second would end, or begin, at the very instant at which its client stops waiting.
    let in_service = [(0, 10, 5), (1, 10, 15), (2, 10, 14), (3, 1, 20)];
    assert_eq!(play("cancelled", &in_service), "0 cancelled 5, 2 cancelled 14, 1 served 15, 3 served 16");
    let waiting = [(0, 10, 5), (1, 10, 10), (2, 10, 19), (3, 10, 21)];
    assert_eq!(play("cancelled_in_queue", &waiting), "0 served 10, 2 cancelled 19, 1 served 20, 3 served 30");
    assert_eq!(play("cancelled", &waiting), "0 cancelled 5, 1 cancelled 10, 2 cancelled 19, 3 cancelled 21");
    assert_eq!(play("served", &waiting), "0 served 10, 1 served 20, 2 served 30, 3 served 40");
    // Who leaves the server lets the next begin who would have stopped waiting at that instant.
    assert_eq!(play("cancelled", &[(0, 10, 5), (1, 0, 5)]), "0 cancelled 5, 1 served 5");
}

#[test]
fn a_place_is_free_again_when_its_call_is_cancelled() {
    let mut play = Play::new("servers = 1\nqueue = 1\nabandoned = 'cancelled'\ndiscipline = 'lifo'");
    for (ticks, gives_up) in [(0, NEVER), (1, 6), (5, NEVER), (6, NEVER)] {
        play.offer(ticks, 10, gives_up, false);
    }
    assert_eq!(play.end(), "2 full 5, 1 cancelled 6, 0 served 10, 3 served 20");
}

#[test]
fn a_call_cancelled_in_processor_sharing_leaves_its_part_to_the_others() {
    let mut play = Play::new("servers = 1\ndiscipline = 'processor_sharing'\nabandoned = 'cancelled'");
    for (work, gives_up) in [(10, 8), (10, NEVER), (3, 9)] {
        play.offer(0, work, gives_up, false);
    }
    // At 8 each has had 8/3, at 9 the third gets its last third of a millisecond of the half that it needs two thirds for.
    assert_eq!(play.told.len(), 0);
    let told = play.end();
    assert_eq!(told, "0 cancelled 8, 2 served 8.666667, 1 served 15.666667");
}

#[test]
fn first_tries_go_before_retries_and_push_out_the_last_of_them() {
    let mut play = Play::new("servers = 1\nqueue = 2\npriority = 'first_tries'");
    for (ticks, retry) in
        [(0, false), (1, true), (2, true), (3, false), (4, true), (5, false), (6, false), (10, true)]
    {
        play.offer(ticks, 10, NEVER, retry);
    }
    let told = "2 pushed out 3, 4 full 4, 1 pushed out 5, 6 full 6, 0 served 10, 3 served 20, 5 served 30, 7 served 40";
    assert_eq!(play.end(), told);
}

#[test]
fn priority_and_discipline_go_together() {
    for (discipline, told) in [
        ("fifo", "0 served 10, 2 served 20, 4 served 30, 1 served 40, 3 served 50"),
        ("lifo", "0 served 10, 4 served 20, 2 served 30, 3 served 40, 1 served 50"),
    ] {
        let mut play =
            Play::new(&format!("servers = 1\npriority = 'first_tries'\ndiscipline = '{discipline}'"));
        for (ticks, retry) in [(0, false), (1, true), (2, false), (3, true), (4, false)] {
            play.offer(ticks, 10, NEVER, retry);
        }
        assert_eq!(play.end(), told, "{discipline}");
    }
}

#[test]
fn service_times_grow_with_the_calls_in_service_when_they_begin() {
    let play = |servers: u32, slowdown: f64, calls: &[(u64, u64)]| {
        Play::new(&format!("servers = {servers}\nslowdown = {slowdown}")).calls(calls)
    };
    let told = play(2, 0.5, &[(0, 10), (1, 10), (2, 10), (3, 10)]);
    assert_eq!(told, "0 served 15, 1 served 21, 2 served 35, 3 served 41");
    // Two end at 30. Both have ended before the next begins, which is alone then.
    let told = play(2, 1.0, &[(0, 15), (0, 10), (1, 10), (2, 10)]);
    assert_eq!(told, "0 served 30, 1 served 30, 2 served 50, 3 served 60");
    assert_eq!(Play::new("slowdown = 0.01").calls(&[(0, 100), (0, 100)]), "0 served 101, 1 served 102");
    let shared = "servers = 1\nslowdown = 1\ndiscipline = 'processor_sharing'";
    assert_eq!(Play::new(shared).calls(&[(0, 1), (0, 1)]), "0 served 4, 1 served 5");
}

#[test]
fn servers_that_are_taken_away_finish_what_they_have_begun() {
    let mut play = Play::new("servers = 2");
    for ticks in [0, 0, 1, 1] {
        play.offer(ticks, 10, NEVER, false);
    }
    play.until(5);
    play.station.take_away(at(5), away(2));
    play.until(24);
    assert_eq!((play.told.len(), play.station.present()), (2, 2));
    play.station.take_away(at(24), away(1));
    assert_eq!(play.end(), "0 served 10, 1 served 10, 2 served 34, 3 served 44");
}

#[test]
fn processor_sharing_stands_still_without_servers() {
    let mut play = Play::new("servers = 2\ndiscipline = 'processor_sharing'");
    play.offer(0, 10, NEVER, false);
    play.station.take_away(at(4), away(2));
    assert_eq!(play.station.next(), None);
    play.offer(5, 6, NEVER, false);
    play.station.take_away(at(20), away(1));
    play.until(26);
    play.station.take_away(at(26), away(0));
    assert_eq!(play.end(), "0 served 29, 1 served 29");
}

#[test]
fn calls_are_shed_while_as_many_are_in_the_system_as_may_be() {
    let text = "servers = 1\nshedding.fixed = 2";
    let told = Play::new(text).calls(&[(0, 10), (1, 10), (2, 10), (10, 1)]);
    assert_eq!(told, "2 full 2, 0 served 10, 1 served 20, 3 served 21");
}

#[test]
fn the_gradient_shrinks_the_limit_when_calls_take_longer_than_they_used_to() {
    let text = "servers = 1\nshedding.gradient = { min = 1, max = 12, initial = 10, smoothing = 0.5, queue = 2, tolerance = 1 }";
    let mut shedding = Shedding::new(&config(text).shedding.unwrap());
    // (time in the system, calls in it, limit then), by hand from the formula.
    for (millis, in_system, expected) in [
        (10, 5, 11.0),             // average 10, gradient 1
        (30, 6, 10.0 + 1.0 / 6.0), // average 20, gradient 2/3: (11 + 22/3 + 2) / 2
        (30, 5, 10.0 + 1.0 / 6.0), // less than half in use
        (200, 9, 8.625),           // average 67.5, gradient not below 1/2
        (10, 5, 9.625),            // average 56, gradient not above 1
        (56, 9, 10.625), // average of six, 336/6 = 56: the cut is forgotten while it is the plain one
        (1, 9, 11.625),
        (1, 9, 12.0), // max
    ] {
        shedding.on_served(Interval::from_millis(millis), in_system);
        let Shedding::Gradient(gradient) = &shedding else { panic!("it is a gradient") };
        assert!(
            (gradient.limit - expected).abs() < 1e-9,
            "{millis}: {} instead of {expected}",
            gradient.limit
        );
    }
}

#[test]
fn the_gradient_counts_only_calls_that_were_served() {
    let text = "servers = 1\nabandoned = 'cancelled'\nshedding.gradient = { min = 1, initial = 2, smoothing = 1, queue = 3 }";
    let mut play = Play::new(text);
    play.offer(0, 10, 5, false);
    play.offer(5, 10, NEVER, false);
    play.offer(6, 10, NEVER, false);
    play.offer(7, 10, NEVER, false);
    // At 15 the limit becomes 5.
    for ticks in 15..20 {
        play.offer(ticks, 10, NEVER, false);
    }
    let told = play.end();
    assert!(told.starts_with("0 cancelled 5, 3 full 7, 1 served 15, 8 full 19, 2 served 25"), "{told}");
}

#[test]
fn servers_follow_the_load_after_a_lag() {
    let text = "autoscale = { min = 1, max = 10, target = 0.5, every = '10s', lag = '5s' }";
    let mut play = Play::new(text);
    for _ in 0..20 {
        play.offer(0, 100_000, NEVER, false);
    }
    let servers: Vec<_> = [9_999, 10_000, 14_999, 15_000, 25_000, 35_000, 44_999, 45_000, 60_000]
        .map(|ticks| {
            play.until(ticks);
            play.station.servers()
        })
        .to_vec();
    assert_eq!(servers, [1, 1, 1, 2, 4, 8, 8, 10, 10]);
    play.until(400_000);
    assert_eq!(
        (play.station.present(), play.station.servers()),
        (0, 1),
        "all is done, and the fewest are left"
    );
    assert_eq!(play.told[1], "1 served 115000", "the second began when the second server came");
}

#[test]
fn the_autoscaler_wants_what_its_formula_says() {
    let text = "min = 1\nmax = 40\ntarget = 0.5\nevery = '1s'\nlag = '10s'";
    // (servers, busy in tenths of a server, servers that stay, servers that come)
    for (servers, busy, stay, come) in [
        (10, 50, 10, 0),
        (10, 55, 10, 0), // 1.1, within the tolerance
        (10, 56, 10, 2), // ceil(10 * 0.56 / 0.5) = 12
        (10, 100, 10, 10),
        (10, 45, 10, 0),
        (10, 44, 9, 0),
        (10, 0, 1, 0),
        (30, 300, 30, 10), // not above max
        (0, 0, 0, 0),      // nothing can be said of none
    ] {
        let mut autoscale = Autoscale::new(toml::from_str(text).unwrap());
        autoscale.observe(Interval::from_millis(100), busy, servers * 10);
        assert_eq!(autoscale.judge(servers), stay, "{servers} {busy}");
        let arrival = autoscale.arrival();
        assert_eq!(arrival.is_some(), come > 0, "{servers} {busy}");
        if come > 0 {
            assert_eq!((arrival, autoscale.take_arrived()), (Some(at(11_000)), come));
        }
    }
}

#[test]
fn servers_on_their_way_are_neither_ordered_twice_nor_kept_when_they_are_not_wanted() {
    let mut autoscale =
        Autoscale::new(toml::from_str("min = 1\nmax = 40\ntarget = 0.5\nevery = '1s'\nlag = '10s'").unwrap());
    let second = Interval::from_secs(1);
    let mut judge = |busy| {
        autoscale.observe(second, busy, 10);
        let stay = autoscale.judge(10);
        (stay, autoscale.coming_in_all())
    };
    assert_eq!(judge(10), (10, 10));
    assert_eq!(judge(10), (10, 10));
    assert_eq!(judge(6), (10, 10), "12 are wanted, which is more than there are: nobody is called off");
    assert_eq!(judge(3), (6, 0), "fewer are wanted than there are");
}

#[test]
fn usage_adds_up_to_the_horizon() {
    let mut play = Play::new("servers = 2\nqueue = 1\nabandoned = 'cancelled'");
    for (ticks, work, gives_up) in
        [(0, 10, NEVER), (0, 30, 25), (5, 10, NEVER), (6, 1, NEVER), (12, 5, 15), (16, 50, NEVER)]
    {
        play.offer(ticks, work, gives_up, false);
    }
    play.until(30);
    // 0: 0-10. 1: 0-25, cancelled. 2: waits 5-10, 10-20. 3: full. 4: waits 12-15, cancelled. 5: waits 16-20, 20-70.
    let millis = |millis: u128| millis * 1_000_000;
    let expected = Usage {
        offered: 6,
        served: 2,
        turned_away: 1,
        cancelled: 2,
        left: 1,
        begun: 4,
        busy: millis(10 + 25 + 10 + 10),
        waiting: millis(5 + 3 + 4),
        waits: millis(5 + 4),
        longest_wait: Interval::from_millis(5),
        longest_queue: 1,
        provided: Some(millis(60)),
        ..Usage::default()
    };
    assert_eq!(play.station.usage(at(30)), expected);

    let mut servers = Servers::new(&config("servers = 2\nqueue = 1\nabandoned = 'cancelled'"));
    for (ticks, work, gives_up) in
        [(0, 10, NEVER), (0, 30, 25), (5, 10, NEVER), (6, 1, NEVER), (12, 5, 15), (16, 50, NEVER)]
    {
        let offered = servers.offer(at(ticks), Interval::from_millis(work), at(gives_up));
        assert_eq!(offered.is_err(), ticks == 6);
    }
    assert_eq!(servers.usage(at(30)), expected);
}

#[test]
fn no_work_however_long_breaks_the_clock() {
    let century = Interval::MAX;
    for text in [
        "servers = 1",
        "servers = 1\ndiscipline = 'processor_sharing'\nslowdown = 100",
        "servers = 1\nslowdown = 100",
    ] {
        let mut station = Station::new(&config(text));
        let mut servers = Servers::new(&config("servers = 1\nslowdown = 100"));
        for call in 0..1000 {
            let job = Job { call, work: century, gives_up: at(0), retry: false };
            assert_eq!(station.offer(at(0), job), Offer::Accepted);
            let served = servers.offer(at(0), century, at(0)).unwrap();
            assert!(served.begins <= served.ends);
        }
        station.usage(Instant::START + century);
        servers.usage(Instant::START + century);
    }
}

#[test]
fn a_capacity_is_read_in_every_form() {
    for text in [
        "",
        "servers = 10\nqueue = 100\ndiscipline = 'fifo'\nstatus = 429\nretry_after = '2s'\nabandoned = 'cancelled'",
        "servers = 10\nstatus = 'connection_error'\ndiscipline = { codel = {} }",
        "servers = 4\nshedding = { gradient = { min = 5, max = 10, smoothing = 0.1, tolerance = 2, window = 100 } }",
        "servers = 2\nautoscale = { min = 2, max = 8, target = 0.6, every = '15s', lag = '1m', tolerance = 0.2 }",
        "slowdown = 0.01",
    ] {
        config(text);
    }
    for (text, station) in [
        ("servers = 3\nqueue = 2\nslowdown = 1\nabandoned = 'cancelled'\nshedding.fixed = 4", false),
        ("servers = 3\ndiscipline = 'lifo'", true),
        ("servers = 3\npriority = 'first_tries'", true),
        ("servers = 3\nshedding.gradient = {}", true),
        ("autoscale = { min = 1, max = 2, target = 0.5 }", true),
    ] {
        assert_eq!(config(text).needs_station(), station, "{text}");
    }
    assert_eq!(config("").outcome().to_string(), "503");
    assert_eq!(config("status = 429").outcome().to_string(), "429");
}

#[test]
fn contradictions_are_explained_with_their_remedy() {
    for (text, path, remedy) in [
        ("queue = 5", "queue", "give `servers`"),
        ("status = 200", "status", "503"),
        ("discipline = 'lifo'", "discipline", "give `servers`"),
        ("discipline = 'processor_sharing'", "discipline", "give `servers`"),
        ("servers = 1\nqueue = 0\ndiscipline.adaptive_lifo.above = 1", "discipline", "give `queue` more"),
        ("servers = 1\ndiscipline.codel = { target = '0s' }", "discipline", "5ms"),
        ("servers = 1\ndiscipline.codel = { target = '1s' }", "discipline", "twenty times"),
        (
            "servers = 1\nabandoned = 'cancelled_in_queue'\ndiscipline = 'processor_sharing'",
            "abandoned",
            "\"cancelled\"",
        ),
        ("servers = 1\npriority = 'first_tries'\ndiscipline = 'processor_sharing'", "priority", "\"fifo\""),
        ("servers = 1\nqueue = 0\npriority = 'first_tries'", "priority", "leave out `priority`"),
        ("servers = 1\nshedding.gradient = { min = 300 }", "shedding", "raise max"),
        ("servers = 1\nshedding.gradient = { initial = 3 }", "shedding", "between them"),
        ("autoscale = { min = 3, max = 2, target = 0.5 }", "autoscale", "swap them"),
        ("autoscale = { min = 1, max = 2, target = 0 }", "autoscale", "0.6"),
        ("autoscale = { min = 1, max = 2, target = 0.5, every = '0s' }", "autoscale", "15s"),
        ("servers = 9\nautoscale = { min = 1, max = 2, target = 0.5 }", "servers", "move one"),
    ] {
        let problems = toml::from_str::<CapacityConfig>(text).unwrap().problems();
        let [(found, message)] = &problems[..] else { panic!("{text}: {problems:?}") };
        assert_eq!(found, path, "{text}");
        assert!(message.contains(remedy), "{text}: {message}");
    }
    for text in [
        "servers = 0",
        "discipline = { codel = {}, lifo = {} }",
        "discipline = { processor_sharing = {}, codel = {} }",
        "discipline = 'random'",
        "slowdown = -1",
        "shedding = { fixed = 1, gradient = {} }",
        "shedding.fixed = 0",
        "workers = 3",
    ] {
        assert!(toml::from_str::<CapacityConfig>(text).is_err(), "{text}");
    }
}
