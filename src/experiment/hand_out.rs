//! Handing out: which task is begun when, and in what order what they come to is taken in.
//!
//! Each task is handed out by itself to whichever thread is free, the largest first: a large one that is begun last would be waited
//! for by all others, and one that shares a thread with small ones would keep them waiting. Their results are counted in the order
//! in which the tasks were handed out, whoever is done first, so that nothing depends on threads.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use rayon::Scope;

/// Replications of arms in the order in which they are begun: the largest arms first, of equal ones the first; all of one arm in their
/// own order. `had` is how many an arm has had, `size` what one of its replications takes, in any unit.
pub(super) fn order(
    arms: &[usize],
    replications: u32,
    had: impl Fn(usize) -> u32,
    size: impl Fn(usize) -> f64,
) -> Vec<(usize, u32)> {
    let mut arms: Vec<(usize, f64)> = arms.iter().map(|&arm| (arm, size(arm))).collect();
    arms.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    arms.into_iter().flat_map(|(arm, _)| (had(arm)..replications).map(move |next| (arm, next))).collect()
}

/// Does the `work` of every task, on the threads that it is called on, and has what each comes to taken in by `take`, in the order of
/// the tasks. At most `alive` tasks are under way or wait to be taken in at once.
pub(super) fn in_turn<T: Sync, R: Send>(
    tasks: &[T],
    alive: usize,
    work: impl Fn(&T) -> R + Sync,
    take: impl FnMut(&T, R) + Send,
) {
    let counter = Mutex::new(Counter { begun: 0, allowed: 0, taken: 0, done: VecDeque::new(), take });
    let desk = Desk { tasks, work, counter };
    rayon::scope(|scope| {
        let mut counter = desk.counter();
        desk.allow(alive, &mut counter, scope);
    });
}

/// Where tasks are handed out and what they come to is handed in.
struct Desk<'t, T, W, C> {
    tasks: &'t [T],
    work: W,
    counter: Mutex<C>,
}

/// How far the tasks are.
struct Counter<R, F> {
    /// How many have been begun.
    begun: usize,
    /// How many may be begun.
    allowed: usize,
    /// How many have been taken in.
    taken: usize,
    /// What the tasks came to that follow those, as far as they are done.
    done: VecDeque<Option<R>>,
    take: F,
}

impl<T: Sync, R: Send, W: Fn(&T) -> R + Sync, F: FnMut(&T, R) + Send> Desk<'_, T, W, Counter<R, F>> {
    fn counter(&self) -> MutexGuard<'_, Counter<R, F>> {
        self.counter.lock().expect("no task is taken in halfway")
    }

    /// So many more tasks may be begun. Nobody waits for leave: there is a step for each task that may be, and a step takes the next
    /// task of all, so it does not matter which thread gets to which step.
    fn allow<'s>(&'s self, more: usize, counter: &mut Counter<R, F>, scope: &Scope<'s>) {
        let more = more.min(self.tasks.len() - counter.allowed);
        counter.allowed += more;
        for _ in 0..more {
            scope.spawn(|scope| self.step(scope));
        }
    }

    fn step<'s>(&'s self, scope: &Scope<'s>) {
        let number = {
            let mut counter = self.counter();
            counter.begun += 1;
            counter.begun - 1
        };
        let result = (self.work)(&self.tasks[number]);
        let mut counter = self.counter();
        let taken = counter.hand_in(self.tasks, number, result);
        self.allow(taken, &mut counter, scope);
    }
}

impl<R, F> Counter<R, F> {
    /// Task `number` is done: takes in all whose turn it is now, and says how many those are.
    fn hand_in<T>(&mut self, tasks: &[T], number: usize, result: R) -> usize
    where
        F: FnMut(&T, R),
    {
        let place = number - self.taken;
        if self.done.len() <= place {
            self.done.resize_with(place + 1, || None);
        }
        self.done[place] = Some(result);
        let before = self.taken;
        while let Some(result) = self.done.front_mut().and_then(Option::take) {
            self.done.pop_front();
            (self.take)(&tasks[self.taken], result);
            self.taken += 1;
        }
        self.taken - before
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Barrier, Mutex, mpsc};
    use std::time::Duration;

    use super::super::threads;
    use super::*;

    #[test]
    fn the_largest_are_begun_first_and_those_of_one_arm_in_order() {
        let size = |arm: usize| [1.0, f64::INFINITY, 3.0, 1.0][arm];
        let had = |arm: usize| [0, 2, 1, 2][arm];
        assert_eq!(
            order(&[0, 1, 2, 3], 3, had, size),
            [(1, 2), (2, 1), (2, 2), (0, 0), (0, 1), (0, 2), (3, 2)]
        );
        assert_eq!(order(&[3, 0], 1, |_| 0, size), [(3, 0), (0, 0)], "equal ones as they are given");
        assert_eq!(order(&[0], 2, |_| 2, size), [], "it has had all");
    }

    #[test]
    fn tasks_are_begun_and_taken_in_in_their_order() {
        let (begun, mut taken) = (Mutex::new(Vec::new()), Vec::new());
        let tasks: Vec<u32> = (0..100).rev().collect();
        let work = |&task: &u32| {
            begun.lock().unwrap().push(task);
            task * 2
        };
        threads(1).install(|| in_turn(&tasks, 7, work, |&task, result| taken.push((task, result))));
        assert_eq!(begun.into_inner().unwrap(), tasks);
        assert_eq!(taken, tasks.iter().map(|&task| (task, task * 2)).collect::<Vec<_>>());
        in_turn(&[], 7, |task: &u32| *task, |_, _| unreachable!("there are no tasks"));
    }

    #[test]
    fn a_large_task_keeps_none_of_the_small_ones_waiting() {
        // The large one ends when all others have: it could not if one of them had to be done by its thread.
        let others = 63;
        let (says, hears) = mpsc::channel();
        let (says, hears) = (Mutex::new(says), Mutex::new(hears));
        let work = |&task: &usize| {
            if task > 0 {
                return says.lock().unwrap().send(task).unwrap();
            }
            for _ in 0..others {
                let other = hears.lock().unwrap().recv_timeout(Duration::from_secs(20));
                other.expect("the others are done by the other thread");
            }
        };
        let tasks: Vec<usize> = (0..=others).collect();
        let mut taken = Vec::new();
        threads(2).install(|| in_turn(&tasks, tasks.len(), work, |&task, ()| taken.push(task)));
        assert_eq!(taken, tasks);
    }

    #[test]
    fn no_more_are_alive_than_may_be() {
        let (begun, alive) = (AtomicUsize::new(0), 5);
        let ready = Barrier::new(2);
        let work = |&task: &usize| {
            begun.fetch_add(1, Ordering::SeqCst);
            // The first holds everything up until the other thread has done what it may.
            if task == 0 || task == alive - 1 {
                ready.wait();
            }
            if task == 0 {
                std::thread::sleep(Duration::from_millis(50));
                assert_eq!(begun.load(Ordering::SeqCst), alive, "the others wait for the first");
            }
        };
        let tasks: Vec<usize> = (0..40).collect();
        let mut taken = 0;
        threads(2).install(|| in_turn(&tasks, alive, work, |_, ()| taken += 1));
        assert_eq!(taken, tasks.len());
    }
}
