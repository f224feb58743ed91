//! Chunks: a vector that grows without moving what it holds, so that the old and the new one are never there at once.

use std::ops::{Index, IndexMut};

/// Values of a chunk, as a power of two: enough that the chunks themselves weigh nothing, few enough that a last one which is
/// nearly empty does not either.
const BITS: usize = 8;
const CHUNK: usize = 1 << BITS;

/// A vector in chunks of a fixed size.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    chunks: Vec<Box<[T; CHUNK]>>,
    len: usize,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Chunks<T> {
    /// Holds nothing.
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }

    /// How many values it holds.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The value at `index`, if there are so many.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        (index < self.len).then(|| &self[index])
    }

    /// All values, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).take(self.len)
    }
}

impl<T: Clone> Chunks<T> {
    /// Adds a value at the end.
    pub(super) fn push(&mut self, value: T) {
        if self.len < self.chunks.len() * CHUNK {
            let end = self.len;
            self[end] = value;
        } else {
            let chunk = vec![value; CHUNK].into_boxed_slice();
            self.chunks.push(chunk.try_into().unwrap_or_else(|_| unreachable!("it is as long as a chunk")));
        }
        self.len += 1;
    }
}

impl<T> Index<usize> for Chunks<T> {
    type Output = T;

    #[inline]
    fn index(&self, index: usize) -> &T {
        &self.chunks[index >> BITS][index % CHUNK]
    }
}

impl<T> IndexMut<usize> for Chunks<T> {
    #[inline]
    fn index_mut(&mut self, index: usize) -> &mut T {
        &mut self.chunks[index >> BITS][index % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_hold_what_a_vector_holds() {
        let mut chunks = Chunks::new();
        let values: Vec<usize> = (0..2 * CHUNK + 3).map(|value| value * value).collect();
        for (count, &value) in values.iter().enumerate() {
            assert_eq!(chunks.len(), count);
            assert_eq!(chunks.get(count), None);
            chunks.push(value);
        }
        assert!(chunks.iter().eq(&values));
        for index in [0, CHUNK - 1, CHUNK, 2 * CHUNK, 2 * CHUNK + 2] {
            chunks[index] += 1;
            assert_eq!([chunks[index], *chunks.get(index).expect("it is there")], [values[index] + 1; 2]);
        }
    }
}
