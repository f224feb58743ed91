//! Memory: an idle client costs next to nothing, a pending retry a few words, and what is kept of a run does not grow with its requests.

mod figures;

/// One test: the allocator counts for the whole process.
#[test]
fn clients_and_retries_cost_no_more_than_they_may() {
    for (name, bytes, most) in figures::figures() {
        println!("{name}: {bytes:.2}, at most {most}");
        assert!(bytes <= most, "{name}: {bytes:.2} instead of at most {most}");
    }
}
