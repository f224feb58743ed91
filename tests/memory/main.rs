//! Memory: an idle client costs next to nothing, a pending retry a few words, and what is kept of a run does not grow with its requests.

mod figures;

/// One test: the allocator counts for the whole process.
#[test]
fn clients_and_retries_cost_no_more_than_they_may() {
    for (name, bytes, most) in figures::figures() {
        println!("{name}: {bytes:.6}, at most {most}");
        // Whatever waits is an event of 32 bytes at least.
        let least = if name.contains("pending") || name.ends_with("closed") { 32.0 } else { 0.0 };
        assert!((least..=most).contains(&bytes), "{name}: {bytes:.2} instead of {least} to {most}");
    }
}
