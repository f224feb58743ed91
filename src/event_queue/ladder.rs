//! The far future: a radix ladder.
//!
//! Each rung spans a digit of the keys. An entry waits on the rung of the highest digit in which its key differs from the
//! floor, in the bucket of its own digit there: what lies far ahead shares a wide bucket, what is near has a narrow one. When
//! a bucket's time comes, its least key is the new floor, and its entries fall to lower rungs, all in one go: memory is
//! read and written in sequence, and no two events are compared. The digits of the rank follow those of the instant, so events
//! at one instant are told apart like any others.
//!
//! The ladder of Tang, Goh and Thng, "Ladder queue: An O(1) priority queue structure for large-scale discrete event
//! simulation" (2005), with the fixed buckets of Ahuja, Mehlhorn, Orlin and Tarjan's radix heap, "Faster algorithms for
//! the shortest path problem" (1990).

use std::mem;

use super::entry::Entry;

/// Bits of a digit. Fewer make more rungs to fall through, more leave buckets nearly empty.
const BITS: u32 = 5;
const DIGITS: usize = 1 << BITS;
const RUNGS: usize = u128::BITS.div_ceil(BITS) as usize;

/// Entries of a chunk: what is sorted rather than spread further.
pub(super) const CHUNK: usize = 64;

/// Entries at or after a floor, in buckets that are the finer the closer they are to it.
#[derive(Debug, Clone)]
pub(super) struct Ladder<P> {
    /// No key is less, and it never falls while the ladder holds something.
    floor: u128,
    len: usize,
    /// The rungs that hold something, as bits; and for each rung, the buckets.
    rungs: u32,
    occupied: [u32; RUNGS],
    /// By rung, then by digit; none until the first entry comes.
    buckets: Vec<Bucket<P>>,
    /// Empty chunks. All buckets share them, so that memory follows the number of entries and not what each bucket once held.
    spare: Vec<Vec<Entry<P>>>,
}

/// Entries in no order, in chunks.
#[derive(Debug, Clone)]
struct Bucket<P> {
    least: u128,
    /// The chunk that is being filled.
    open: Vec<Entry<P>>,
    full: Vec<Vec<Entry<P>>>,
}

impl<P> Bucket<P> {
    const EMPTY: Self = Self { least: u128::MAX, open: Vec::new(), full: Vec::new() };

    fn into_chunks(self) -> impl Iterator<Item = Vec<Entry<P>>> {
        self.full.into_iter().chain([self.open])
    }
}

impl<P: Copy> Ladder<P> {
    pub(super) const fn new() -> Self {
        Self { floor: 0, len: 0, rungs: 0, occupied: [0; RUNGS], buckets: Vec::new(), spare: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn floor(&self) -> u128 {
        self.floor
    }

    /// Gives an empty ladder another floor.
    pub(super) fn stand_on(&mut self, floor: u128) {
        debug_assert_eq!(self.len, 0, "what is on the ladder has been placed by its floor");
        self.floor = floor;
    }

    /// The least key.
    pub(super) fn first(&self) -> Option<u128> {
        self.lowest().map(|(rung, digit)| self.buckets[rung * DIGITS + digit].least)
    }

    /// All entries, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<P>> {
        self.buckets.iter().flat_map(|bucket| bucket.full.iter().flatten().chain(&bucket.open))
    }

    /// Takes an entry up whose key is not below the floor.
    pub(super) fn push(&mut self, entry: Entry<P>) {
        if self.buckets.is_empty() {
            self.buckets.resize_with(RUNGS * DIGITS, || Bucket::EMPTY);
        }
        self.len += 1;
        self.place(entry);
    }

    /// Moves the first entries to `run`, which is empty, in no order. Returns the first key that may still be on the ladder:
    /// all below it is in the run.
    pub(super) fn take_first(&mut self, run: &mut Vec<Entry<P>>) -> u128 {
        if self.len <= CHUNK {
            return self.take_all(run);
        }
        while let Some((rung, digit)) = self.lowest() {
            let bucket = self.take(rung, digit);
            self.floor = bucket.least;
            // Keys of one bucket on the lowest rung are equal: there is nothing to spread.
            if bucket.full.is_empty() || rung == 0 {
                let last = bucket.least | ((1 << (rung as u32 * BITS)) - 1);
                self.move_to(run, bucket);
                self.len -= run.len();
                return last.saturating_add(1);
            }
            for chunk in bucket.into_chunks() {
                for &entry in &chunk {
                    self.place(entry);
                }
                self.recycle(chunk);
            }
        }
        u128::MAX
    }

    fn take_all(&mut self, run: &mut Vec<Entry<P>>) -> u128 {
        while let Some((rung, digit)) = self.lowest() {
            let bucket = self.take(rung, digit);
            self.move_to(run, bucket);
        }
        self.len = 0;
        u128::MAX
    }

    fn place(&mut self, entry: Entry<P>) {
        let key = entry.key();
        let rung = ((key ^ self.floor) | 1).ilog2() / BITS;
        let digit = (key >> (rung * BITS)) as usize % DIGITS;
        let rung = rung as usize;
        self.rungs |= 1 << rung;
        self.occupied[rung] |= 1 << digit;
        let bucket = &mut self.buckets[rung * DIGITS + digit];
        bucket.least = bucket.least.min(key);
        if bucket.open.len() == bucket.open.capacity() {
            let fresh = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(CHUNK));
            let full = mem::replace(&mut bucket.open, fresh);
            if !full.is_empty() {
                bucket.full.push(full);
            }
        }
        bucket.open.push(entry);
    }

    /// The rung and the digit of the first bucket that holds something.
    fn lowest(&self) -> Option<(usize, usize)> {
        let rung = self.rungs.trailing_zeros() as usize;
        self.occupied.get(rung).map(|digits| (rung, digits.trailing_zeros() as usize))
    }

    fn take(&mut self, rung: usize, digit: usize) -> Bucket<P> {
        self.occupied[rung] &= !(1 << digit);
        if self.occupied[rung] == 0 {
            self.rungs &= !(1 << rung);
        }
        mem::replace(&mut self.buckets[rung * DIGITS + digit], Bucket::EMPTY)
    }

    /// Appends a bucket to the run; to an empty one without copying its first chunk.
    fn move_to(&mut self, run: &mut Vec<Entry<P>>, bucket: Bucket<P>) {
        for mut chunk in bucket.into_chunks() {
            if run.is_empty() {
                mem::swap(run, &mut chunk);
            } else {
                run.extend_from_slice(&chunk);
            }
            self.recycle(chunk);
        }
    }

    fn recycle(&mut self, mut chunk: Vec<Entry<P>>) {
        chunk.clear();
        if chunk.capacity() == CHUNK {
            self.spare.push(chunk);
        }
    }
}
