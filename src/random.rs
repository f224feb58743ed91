//! Addressed randomness: a draw is looked up, not consumed.
//!
//! Every draw is a pure function of (seed, replication, purpose, name, entity, index). The luck of request 17's second
//! attempt is therefore the same in every arm, whatever was drawn before it, and on any number of threads: common random
//! numbers come for free, and adding an arm or a workload changes no other number.
//!
//! `ChaCha20` derives one [`Key`] per (seed, replication, purpose, name); under that key Philox4x32-10 turns an address
//! into 128 random bits. Seeking a `ChaCha` stream for each draw would cost more than the attempt it serves.
//!
//! Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4.3 (Philox), and
//! the known-answer vectors of its Random123 library.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// What a draw is for. Numbers are part of the results: they are never reused for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Gaps between arrivals, and which client a request belongs to. Named by workload, entity = request.
    Arrivals = 1,
    /// The input key of a request, and where the inputs of a workload begin. Named by workload; of requests entity = request, index =
    /// 0; of the begin entity = 0, index = 1.
    InputKeys = 2,
    /// Fault and latency of an attempt. Named by workload, entity = request, index = attempt.
    Service = 3,
    /// Jitter of a delay. Named by workload, entity = request, index = retry.
    Backoff = 4,
    /// Which requests are traced. Named by workload, entity = request.
    Trace = 5,
    /// How long a breaker stays open. Named by workload, entity = breaker, index = 4 * opening + part of its condition.
    BreakerOpen = 6,
    /// How long the ways through the network take. Named by workload, entity = request, index = 2 * attempt + half.
    Network = 8,
    /// Whether a client's own limiter sheds an attempt. Named by workload, entity = request, index = attempt and layer.
    Limiter = 7,
    /// The numbers of requests that a service issues for the sake of an attempt. Named by the workload of the attempt, entity =
    /// request, index = attempt and place among those at once.
    Asks = 9,
    /// The paths of bursts, and which inputs are poisoned. Named by service; of bursts entity = fault, index = stay; of inputs
    /// entity = input, index = 2^63 + fault.
    Faults = 20,
    /// When incidents at random happen. Named by service, entity = incident, index = window.
    Incidents = 21,
    /// How long a modulated rate stays in a state, and in which it begins. Named by workload, entity = stay.
    Modulation = 30,
    /// The operation of a request. Named by workload, entity = request.
    Operations = 31,
    /// How long a client thinks before a request. Named by workload, entity = request.
    Think = 32,
    /// Where the points of a sweep lie on an axis. Named by the path of the axis, entity = point.
    Sweep = 50,
    /// Which policies tuning tries, and the seed that it confirms them under. Named by workload; of policies entity = policy, index
    /// = knob; of the seed no name, entity = 0, index = 0.
    Tuning = 60,
}

/// The key of one family of draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(u64);

/// 128 random bits at one address, as two independent words.
pub type Block = [u64; 2];

impl Key {
    /// The key for `purpose` of the part called `name` in one replication of a scenario with `seed`.
    pub fn derive(seed: u64, replication: u32, purpose: Purpose, name: &str) -> Self {
        let mut material = [0; 32];
        material[..8].copy_from_slice(&seed.to_le_bytes());
        material[8..12].copy_from_slice(&replication.to_le_bytes());
        material[12..16].copy_from_slice(&(purpose as u32).to_le_bytes());
        material[16..].copy_from_slice(&fnv1a_128(name).to_le_bytes());
        let mut rng = ChaCha20Rng::from_seed(material);
        Self(rng.next_u64())
    }

    /// The bits at address (`entity`, `index`).
    #[inline]
    pub fn block(self, entity: u64, index: u64) -> Block {
        let ([a, b], [c, d]) = (halves(entity), halves(index));
        let [a, b, c, d] = philox4x32([a, b, c, d], halves(self.0));
        [u64::from(b) << 32 | u64::from(a), u64::from(d) << 32 | u64::from(c)]
    }

    /// The bits of entities that follow each other from `first` on, at one index: each as [`block`](Self::block) gives them.
    #[inline]
    pub fn blocks(self, first: u64, index: u64) -> Blocks {
        philox4x32_side_by_side(first, index, halves(self.0))
    }
}

/// The bits at one address, drawn already or when somebody asks for them: who is turned away at the door may not need any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Luck {
    /// The bits.
    Drawn(Block),
    /// Where they are.
    At {
        /// Under this key,
        key: Key,
        /// of this entity,
        entity: u64,
        /// at this index.
        index: u64,
    },
}

impl Luck {
    /// The bits.
    #[inline]
    pub fn bits(self) -> Block {
        match self {
            Self::Drawn(bits) => bits,
            Self::At { key, entity, index } => key.block(entity, index),
        }
    }
}

/// How many draws are made at a time where many are made: none waits for another, and vector units make several at once.
pub const AT_ONCE: usize = 16;

/// The blocks of [`AT_ONCE`] entities: the first words, and the second ones.
pub type Blocks = [[u64; AT_ONCE]; 2];

/// The draws of entities at one index, looked up mostly in the order of the entities. No draw waits for another, so that a
/// processor works on several at once if it is asked for several: once entities follow each other, those next in turn are drawn
/// together.
#[derive(Debug, Clone)]
pub struct Consecutive {
    key: Key,
    index: u64,
    /// The entities drawn together: the first, and how many.
    first: u64,
    drawn: u64,
    /// The entity that would follow.
    next: u64,
    blocks: Blocks,
}

impl Consecutive {
    /// The draws under `key` at `index`.
    pub fn new(key: Key, index: u64) -> Self {
        Self { key, index, first: 0, drawn: 0, next: 0, blocks: [[0; AT_ONCE]; 2] }
    }

    /// The bits at the address (`entity`, index), as [`Key::block`] gives them.
    #[inline]
    pub fn at(&mut self, entity: u64) -> Block {
        let ahead = entity.wrapping_sub(self.first);
        if ahead < self.drawn { self.drawn_at(ahead as usize) } else { self.draw(entity) }
    }

    #[inline]
    fn drawn_at(&self, ahead: usize) -> Block {
        let [first, second] = &self.blocks;
        [first[ahead], second[ahead]]
    }

    fn draw(&mut self, entity: u64) -> Block {
        if entity != self.next {
            (self.drawn, self.next) = (0, entity.wrapping_add(1));
            return self.key.block(entity, self.index);
        }
        self.blocks = self.key.blocks(entity, self.index);
        (self.first, self.drawn) = (entity, AT_ONCE as u64);
        self.next = entity.wrapping_add(AT_ONCE as u64);
        self.drawn_at(0)
    }
}

/// A number in [0, 1) from 53 of the bits.
#[inline]
pub fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A whole number in `0..=max`, uniform up to a bias below `max` / 2^64.
#[inline]
pub fn up_to(bits: u64, max: u64) -> u64 {
    ((u128::from(bits) * (u128::from(max) + 1)) >> 64) as u64
}

/// Bits for the `index`-th of several draws that share one address: the finaliser of `SplitMix64` over a Weyl sequence that
/// starts at `bits`. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, figure 17.
#[inline]
pub const fn fork(bits: u64, index: u64) -> u64 {
    let z = bits.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// FNV-1a with 128 bits: names address draws, so their hash must never change (std's hasher may).
fn fnv1a_128(name: &str) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    name.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// The lower half, and the upper one.
const fn halves(word: u64) -> [u32; 2] {
    [word as u32, (word >> 32) as u32]
}

/// Philox4x32 with ten rounds.
#[inline]
fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let left = u64::from(MULTIPLIERS[0]) * u64::from(counter[0]);
        let right = u64::from(MULTIPLIERS[1]) * u64::from(counter[2]);
        counter = [
            (right >> 32) as u32 ^ counter[1] ^ key[0],
            right as u32,
            (left >> 32) as u32 ^ counter[3] ^ key[1],
            left as u32,
        ];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// The same of counters that follow each other in their first half. Each number stands in the lower half of 64 bits, as vector units
/// multiply it; what is above is left over from the round before, and is never looked at.
fn philox4x32_side_by_side(first: u64, index: u64, key: [u32; 2]) -> Blocks {
    const LOWER: u64 = u32::MAX as u64;
    let mut keys = [key; 10];
    for round in 1..10 {
        keys[round] = [0, 1].map(|half| keys[round - 1][half].wrapping_add(WEYL[half]));
    }
    let (mut firsts, mut seconds) = ([0; AT_ONCE], [0; AT_ONCE]);
    for ((first_word, second_word), ahead) in firsts.iter_mut().zip(&mut seconds).zip(0..) {
        let entity = first.wrapping_add(ahead);
        let [mut a, mut b, mut c, mut d] = [entity, entity >> 32, index, index >> 32];
        for [above, below] in keys {
            let left = u64::from(MULTIPLIERS[0]) * (a & LOWER);
            let right = u64::from(MULTIPLIERS[1]) * (c & LOWER);
            (a, b) = ((right >> 32) ^ b ^ u64::from(above), right);
            (c, d) = ((left >> 32) ^ d ^ u64::from(below), left);
        }
        *first_word = b << 32 | (a & LOWER);
        *second_word = d << 32 | (c & LOWER);
    }
    [firsts, seconds]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_that_follow_each_other_are_those_of_their_addresses() {
        let key = Key::derive(3, 0, Purpose::Service, "api");
        let mut consecutive = Consecutive::new(key, 1);
        let forwards = 0..40;
        let jumps = [7, 8, 9, 3, u64::MAX - 1, u64::MAX, 0, 1, 100, 101, 120, 102];
        for entity in forwards.chain(jumps) {
            assert_eq!(consecutive.at(entity), key.block(entity, 1), "{entity}");
        }
    }

    #[test]
    fn philox_gives_the_published_known_answers() {
        // Random123 1.14, tests/kat_vectors, lines "philox4x32 10".
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox4x32(counter, key), expected);
        }
    }

    #[test]
    fn forks_are_the_published_splitmix_stream() {
        // The first outputs of SplitMix64 with seed 1234567, as in the reference implementation's test vector.
        let stream = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([1, 2, 3].map(|index| fork(1_234_567, index)), stream);
    }

    #[test]
    fn fnv_gives_the_published_hash() {
        // draft-eastlake-fnv-17, section 8.2: FNV-1a 128 of "a" and of "foobar".
        assert_eq!(fnv1a_128("a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
        assert_eq!(fnv1a_128("foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }

    #[test]
    fn every_part_of_the_address_matters() {
        let base = Key::derive(7, 0, Purpose::Arrivals, "campaign");
        let others = [
            Key::derive(8, 0, Purpose::Arrivals, "campaign"),
            Key::derive(7, 1, Purpose::Arrivals, "campaign"),
            Key::derive(7, 0, Purpose::Service, "campaign"),
            Key::derive(7, 0, Purpose::Arrivals, "other"),
        ];
        for other in others {
            assert_ne!(base, other);
        }
        assert_ne!(base.block(1, 0), base.block(0, 1));
        assert_ne!(base.block(1 << 32, 0), base.block(1, 0));
        assert_eq!(base.block(17, 2), base.block(17, 2));
    }

    #[test]
    fn the_stream_is_pinned() {
        // A change here changes every result ever published: it needs a new results version.
        let key = Key::derive(7, 3, Purpose::Backoff, "campaign");
        assert_eq!((key, key.block(1, 2)), PINNED);
    }

    const PINNED: (Key, Block) =
        (Key(0xA5CE_66DA_EF38_375C), [9_681_777_807_224_395_846, 5_768_428_054_212_989_541]);

    #[test]
    fn units_fill_the_interval_evenly() {
        // Chi-square over 100 cells, two words per block; 99 degrees of freedom, alpha = 1e-4 each side.
        let key = Key::derive(1, 0, Purpose::Service, "uniformity");
        for word in 0..2 {
            let mut cells = [0u32; 100];
            let draws = 200_000;
            for entity in 0..draws {
                let u = unit(key.block(entity, 5)[word]);
                assert!((0.0..1.0).contains(&u));
                cells[(u * 100.0) as usize] += 1;
            }
            let expected = draws as f64 / 100.0;
            let chi2: f64 =
                cells.iter().map(|&n| (f64::from(n) - expected) * (f64::from(n) - expected) / expected).sum();
            assert!((52.0..164.0).contains(&chi2), "word {word}: chi2 = {chi2}");
        }
    }

    #[test]
    fn neighbouring_addresses_are_uncorrelated() {
        let key = Key::derive(1, 0, Purpose::Service, "correlation");
        let n = 100_000u64;
        let centred = |entity, index, word: usize| unit(key.block(entity, index)[word]) - 0.5;
        for (name, pair) in [
            ("next entity", [(1u64, 0u64, 0usize), (0, 0, 0)]),
            ("next index", [(0, 1, 0), (0, 0, 0)]),
            ("other word", [(0, 0, 1), (0, 0, 0)]),
        ] {
            let [(e1, i1, w1), (e2, i2, w2)] = pair;
            let sum: f64 = (0..n).map(|e| centred(e + e1, i1, w1) * centred(e + e2, i2, w2)).sum();
            // The correlation of n independent pairs has standard error 1/sqrt(n).
            let z = sum * 12.0 / n as f64 * (n as f64).sqrt();
            assert!(z.abs() < 4.5, "{name}: z = {z}");
        }
    }

    #[test]
    fn whole_numbers_reach_both_ends() {
        assert_eq!(up_to(0, 9), 0);
        assert_eq!(up_to(u64::MAX, 9), 9);
        assert_eq!(up_to(u64::MAX, u64::MAX), u64::MAX);
        assert_eq!(up_to(u64::MAX, 0), 0);
    }
}
