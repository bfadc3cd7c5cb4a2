//! Runs that are killed at random moments, and the run after each.

use std::time::{Duration, Instant};

use crate::user::{Signal, User};
use crate::world::{World, unfinished};

/// How many runs are killed, unless LONGSHORE_KILLS says otherwise.
const KILLS: usize = 12;

#[test]
fn a_run_that_was_killed_at_any_moment_converges() {
    let kills = std::env::var("LONGSHORE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let (expected, whole) = {
        let user = User::new();
        let world = World::new(&user.at("world"));
        let checkout = world.checkout(&user);
        let began = Instant::now();
        world.run(&checkout).run().with_code(0);
        (world.tags(), began.elapsed())
    };
    let mut phases = [0; 4];
    for _ in 0..kills {
        let user = User::new();
        let world = World::new(&user.at("world"));
        let checkout = world.checkout(&user);
        let moment = whole.mul_f64(fastrand::f64());
        let running = world.run(&checkout).start();
        std::thread::sleep(moment);
        running.signal(Signal::KILL);
        let ended = running.end();
        let left = world.tags();
        assert_eq!(unfinished(&left), None, "killed after {moment:?} of {whole:?}\n{}", ended.stderr);
        phases[left.len().min(6) / 2] += 1;
        let again = world.run(&checkout).run().with_code(0);
        assert_eq!(world.tags(), expected, "killed after {moment:?}\n{}", again.stderr);
        // What a killed process made for itself only it could take away; it makes nothing.
        assert_eq!(user.left_behind(), Vec::<String>::new(), "killed after {moment:?}");
        assert!(ended.code != Some(0) || left == expected, "a run that ended in time was whole");
        // Nothing is left to do.
        let nothing = world.run(&checkout).run().with_code(0);
        assert!(!nothing.stderr.contains("built "), "{}", nothing.stderr);
    }
    assert!(whole > Duration::ZERO);
    #[expect(clippy::print_stderr, reason = "the number is a figure that people ask for")]
    {
        eprintln!("{kills} kills within {whole:?}; by the tags that were there (0-1, 2-3, 4-5, all): {phases:?}");
    }
}
