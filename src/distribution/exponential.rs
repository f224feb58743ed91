//! The standard exponential law, by inversion: -ln(1 - u).
//!
//! Every arrival of a Poisson process takes a logarithm, and one that is good for every number costs more than the rest of the
//! arrival. Of a multiple of 2^-53 in (0, 1] a table and a short series give it as well.

use crate::random::unit;

/// How many cells the table has per octave: their halves are no wider than 2^-8 of a number in them.
const CELLS: usize = 128;

/// Of the middle of each cell of [1, 2]: 1 over it, and its logarithm.
static MIDDLES: [(f64, f64); CELLS] = middles();

const fn middle(cell: usize) -> f64 {
    1.0 + (cell as f64 + 0.5) / CELLS as f64
}

const fn middles() -> [(f64, f64); CELLS] {
    let (mut middles, mut cell) = ([(0.0, 0.0); CELLS], 0);
    while cell < CELLS {
        let at = middle(cell);
        // ln(at) = 2 artanh(z), from the smallest term up: z is at most 1/3, and 3^-42 is less than 2^-66.
        let z = (at - 1.0) / (at + 1.0);
        let (mut sum, mut term) = (0.0, 20);
        while term > 0 {
            term -= 1;
            sum = sum * z * z + 1.0 / (2 * term + 1) as f64;
        }
        middles[cell] = (1.0 / at, 2.0 * z * sum);
        cell += 1;
    }
    middles
}

/// An exponential variate of mean 1. It is off by less than 2^-51 of itself, or of 1 if it is between 2^-8 and 1.
#[inline]
pub fn standard_exponential(bits: u64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    const ONE: u64 = 1023 << 52;
    const THIRD: f64 = 1.0 / 3.0;
    const SIXTH: f64 = 1.0 / 6.0;
    let u = unit(bits);
    if u < 1.0 / 256.0 {
        // The next term is less than 2^-59 of the first.
        return u * (1.0 + u * (0.5 + u * (THIRD + u * (0.25 + u * (0.2 + u * (SIXTH + u * (1.0 / 7.0)))))));
    }
    // 1 - u = (middle + difference) / 2^octaves, and the difference is exact.
    let survival = (1.0 - u).to_bits();
    let octaves = 1023 - (survival >> 52) as i32;
    let cell = (survival >> 45) as usize % CELLS;
    let (inverse, logarithm) = MIDDLES[cell];
    let x = (f64::from_bits(survival & MANTISSA | ONE) - middle(cell)) * inverse;
    // ln(1 + x): the next term is less than 2^-58.
    let square = x * x;
    let series = x - square * (0.5 - x * THIRD + square * (0.25 - x * 0.2 + square * SIXTH));
    f64::from(octaves) * std::f64::consts::LN_2 - (logarithm + series)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Key, Purpose};

    #[test]
    fn it_is_the_logarithm_of_a_library() {
        let key = Key::derive(1, 0, Purpose::Trace, "exponential");
        let drawn = (0..1_000_000).map(|entity| key.block(entity, 0)[0]);
        // The ends, the borders of octaves and cells, and small ones of all sizes.
        let borders = (0..=8 * CELLS as u64).map(|cell| cell << 54);
        let small = (0..64).map(|shift| u64::MAX >> shift);
        let edges = borders.chain(small).flat_map(|bits| [bits, bits.wrapping_sub(1 << 11), bits | 0x7ff]);
        for bits in drawn.chain(edges) {
            let (ours, theirs) = (standard_exponential(bits), -libm::log1p(-unit(bits)));
            let scale = if theirs < 1.0 / 256.0 { theirs } else { theirs.max(1.0) };
            assert!((ours - theirs).abs() <= scale * f64::EPSILON * 2.0, "{bits}: {ours} {theirs}");
        }
    }

    #[test]
    fn it_grows_with_the_bits_but_for_its_last_digit() {
        // Everywhere, and from neighbour to neighbour where one cell of the table ends and the next begins.
        let mut last = -1.0;
        for bits in (0..=u64::MAX >> 11).step_by(1 << 33).map(|high| high << 11) {
            let value = standard_exponential(bits);
            assert!(value >= last, "{bits}");
            last = value;
        }
        for octave in 1..=8 {
            for cell in 0..CELLS as u64 {
                let border = ((CELLS as u64 + cell) << (57 - octave)).wrapping_neg();
                let around =
                    (border - (4 << 11)..border + (4 << 11)).step_by(1 << 11).map(standard_exponential);
                let around: Vec<f64> = around.collect();
                assert!(
                    around.is_sorted_by(|a, b| *b >= a - f64::EPSILON * a.max(1.0)),
                    "{border}: {around:?}"
                );
            }
        }
    }
}
