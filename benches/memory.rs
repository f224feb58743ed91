//! Bytes for each idle client and each pending retry, as `tests/memory` measures them.

#[path = "../tests/memory/figures.rs"]
mod figures;
mod ratio;

use ratio::Ratios;

fn main() {
    let mut ratios = Ratios::default();
    for (name, bytes, _) in figures::figures() {
        ratios.counted(name, bytes);
    }
    ratios.print();
}
