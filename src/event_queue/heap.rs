//! The events that are near: a 4-ary implicit heap, half as deep as a binary one, and the four children share a cache line or
//! two.

use super::entry::Entry;

const ARITY: usize = 4;

/// Entries of which the first is at hand.
#[derive(Debug, Clone)]
pub(super) struct Heap<P>(Vec<Entry<P>>);

impl<P: Copy> Heap<P> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn first(&self) -> Option<&Entry<P>> {
        self.0.first()
    }

    /// All entries, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<P>> {
        self.0.iter()
    }

    /// Takes all entries out, in no particular order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Entry<P>> {
        self.0.drain(..)
    }

    #[inline]
    pub(super) fn push(&mut self, entry: Entry<P>) {
        self.0.push(entry);
        self.sift_up(self.0.len() - 1);
    }

    /// Takes the first entry out.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Entry<P>> {
        let last = self.0.pop()?;
        if self.0.is_empty() {
            return Some(last);
        }
        let first = std::mem::replace(&mut self.0[0], last);
        self.sift_down();
        Some(first)
    }

    fn sift_up(&mut self, mut position: usize) {
        let entry = self.0[position];
        while position > 0 {
            let parent = (position - 1) / ARITY;
            if self.0[parent].pair() <= entry.pair() {
                break;
            }
            self.0[position] = self.0[parent];
            position = parent;
        }
        self.0[position] = entry;
    }

    fn sift_down(&mut self) {
        let entry = self.0[0];
        let mut position = 0;
        loop {
            let first_child = position * ARITY + 1;
            let children = first_child..(first_child + ARITY).min(self.0.len());
            let Some(least) = children.min_by_key(|&child| self.0[child].pair()) else { break };
            if entry.pair() <= self.0[least].pair() {
                break;
            }
            self.0[position] = self.0[least];
            position = least;
        }
        self.0[position] = entry;
    }
}
