//! From one moment to a forest: roots that do not wait, below each who waits for it. Pure.
//!
//! Edges are what the server's `pg_blocking_pids` says. An edge that follows from others is left out;
//! a queue for one thing in one mode stands side by side instead of one below the other.

use std::collections::{BTreeMap, BTreeSet};

use super::sample::{Lock, Sample};

/// Members of a queue that are shown before the rest is counted.
const SHOWN: usize = 2;

/// Who waits or is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A session, parallel workers being part of their leader's.
    Session(i32),
    /// A prepared transaction by its number; 0 when it could not be told which.
    Prepared(i64),
}

/// A place in the forest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// Who.
    pub who: Who,
    /// It stands in full elsewhere.
    pub repeated: bool,
    /// Who waits for it.
    pub waiters: Vec<Tree>,
    /// Who waits for the same as its last neighbour above in a queue, and is only counted.
    pub more: Vec<Who>,
}

/// Everything that is to be known of waits.
#[derive(Debug, Default)]
pub struct Forest {
    /// The trees, the one that keeps most sessions waiting first.
    pub roots: Vec<Tree>,
    /// For each waiter all who are in its way, as the server says, and whether each holds the lock
    /// (instead of being ahead in the queue).
    pub blockers: BTreeMap<Who, BTreeMap<Who, bool>>,
    /// The same without what follows from the rest.
    pub reduced: BTreeMap<Who, BTreeSet<Who>>,
    /// What each waiter waits for: positions in the sample's locks.
    pub wanted: BTreeMap<Who, usize>,
    /// Rings of waiters: deadlocks that the server has not ended yet.
    pub rings: Vec<Vec<Who>>,
    victims: BTreeMap<Who, (usize, usize)>,
}

impl Forest {
    /// How many wait for it directly, and in all.
    pub fn victims(&self, who: Who) -> (usize, usize) {
        self.victims.get(&who).copied().unwrap_or_default()
    }

    /// Those at the top.
    pub fn tops(&self) -> Vec<Who> {
        self.roots.iter().map(|tree| tree.who).collect()
    }
}

/// Grows the forest of a moment.
pub fn grow(sample: &Sample) -> Forest {
    let mut forest = Forest::default();
    let waits: Vec<usize> = (0..sample.locks.len()).filter(|at| !sample.locks[*at].granted).collect();
    for at in waits {
        let lock = &sample.locks[at];
        let Some(pid) = lock.pid else { continue };
        let waiter = session(sample, pid);
        let edges = forest.blockers.entry(waiter).or_default();
        let holders: BTreeSet<Who> = sample
            .locks
            .iter()
            .filter(|held| in_conflict(held, lock))
            .filter_map(|held| held.pid)
            .map(|pid| session(sample, pid))
            .collect();
        for blocker in lock.blockers.iter().flat_map(|pid| in_the_way(sample, lock, *pid)) {
            if blocker != waiter {
                let holds = matches!(blocker, Who::Prepared(_)) || holders.contains(&blocker);
                edges.entry(blocker).and_modify(|known| *known |= holds).or_insert(holds);
            }
        }
        let longer = |known: &usize| sample.locks[*known].wait_seconds >= lock.wait_seconds;
        if !forest.wanted.get(&waiter).is_some_and(longer) {
            forest.wanted.insert(waiter, at);
        }
    }
    // A lock that was granted in the moment of the look has nobody in its way.
    forest.blockers.retain(|_, blockers| !blockers.is_empty());
    let waiting: BTreeSet<Who> = forest.blockers.keys().copied().collect();
    forest.wanted.retain(|who, _| waiting.contains(who));
    for blockers in forest.blockers.values_mut() {
        for (blocker, holds) in blockers {
            // Whoever does not wait is not in a queue.
            *holds |= !waiting.contains(blocker);
        }
    }
    let reach = Reach::of(&forest.blockers);
    forest.reduced = reach.reduced(&forest.blockers);
    forest.rings = reach.rings.clone();
    for blockers in forest.blockers.values() {
        for blocker in blockers.keys() {
            forest.victims.entry(*blocker).or_default().0 += 1;
        }
    }
    for waiter in forest.blockers.keys() {
        for above in reach.above(*waiter) {
            forest.victims.entry(above).or_default().1 += 1;
        }
    }
    plant(sample, &mut forest, &waiting);
    forest
}

fn plant(sample: &Sample, forest: &mut Forest, waiting: &BTreeSet<Who>) {
    let mut tops: BTreeSet<Who> = forest.blockers.values().flat_map(BTreeMap::keys).copied().collect();
    tops.retain(|who| !waiting.contains(who));
    let mut tops: Vec<Who> = tops.into_iter().collect();
    // A ring that waits for nobody else is a root too: the one in it that waits longest stands for it.
    for ring in &forest.rings {
        let outside = |who: &Who| forest.blockers[who].keys().any(|blocker| !ring.contains(blocker));
        if !ring.iter().any(outside) {
            tops.extend(
                ring.iter().copied().max_by(|a, b| waited(sample, forest, *a).total_cmp(&waited(sample, forest, *b))),
            );
        }
    }
    let age = |who: Who| match who {
        Who::Session(pid) => sample.backend(pid).and_then(|backend| backend.transaction_seconds).unwrap_or_default(),
        Who::Prepared(number) => sample.prepared(number).and_then(|prepared| prepared.seconds).unwrap_or_default(),
    };
    tops.sort_by(|a, b| {
        let by_victims = forest.victims(*b).1.cmp(&forest.victims(*a).1);
        by_victims.then(age(*b).total_cmp(&age(*a))).then(a.cmp(b))
    });
    let mut below: BTreeMap<Who, Vec<Who>> = BTreeMap::new();
    for (waiter, blockers) in &forest.reduced {
        for blocker in blockers {
            below.entry(*blocker).or_default().push(*waiter);
        }
    }
    let mut seen: BTreeSet<Who> = tops.iter().copied().collect();
    let roots: Vec<Tree> = tops
        .iter()
        .map(|who| tree(sample, forest, &below, &mut seen, *who, below.get(who).cloned().unwrap_or_default()))
        .collect();
    forest.roots = roots;
}

fn waited(sample: &Sample, forest: &Forest, who: Who) -> f64 {
    forest.wanted.get(&who).and_then(|at| sample.locks[*at].wait_seconds).unwrap_or_default()
}

/// A thing and a mode.
type Wanted<'a> = Option<(&'a String, &'a String)>;

fn tree(
    sample: &Sample,
    forest: &Forest,
    below: &BTreeMap<Who, Vec<Who>>,
    seen: &mut BTreeSet<Who>,
    who: Who,
    mut open: Vec<Who>,
) -> Tree {
    let wants = |who: Who| forest.wanted.get(&who).map(|at| (&sample.locks[*at].thing, &sample.locks[*at].mode));
    let (mut members, mut repeated) = (Vec::new(), Vec::new());
    let mut queue_of: BTreeSet<Who> = BTreeSet::new();
    while let Some(next) = open.pop() {
        if !seen.insert(next) {
            if !queue_of.contains(&next) {
                repeated.push(next);
            }
            continue;
        }
        queue_of.insert(next);
        members.push(next);
        let same = |other: &&Who| wants(**other) == wants(next);
        open.extend(below.get(&next).into_iter().flatten().filter(same));
    }
    let longest = |a: &Who, b: &Who| waited(sample, forest, *b).total_cmp(&waited(sample, forest, *a)).then(a.cmp(b));
    members.sort_by(longest);
    let mut grown: Vec<Tree> = Vec::new();
    let mut queues: Vec<(Wanted<'_>, Vec<Who>)> = Vec::new();
    for member in members {
        match queues.iter_mut().find(|(wanted, _)| *wanted == wants(member)) {
            Some((_, queue)) => queue.push(member),
            None => queues.push((wants(member), vec![member])),
        }
    }
    for (_, queue) in queues {
        let own = |member: Who| {
            let others = below.get(&member).into_iter().flatten();
            others.filter(|other| !queue.contains(other)).copied().collect::<Vec<_>>()
        };
        let mut shown: Vec<Tree> = Vec::new();
        let mut more = Vec::new();
        for member in &queue {
            let others = own(*member);
            if others.is_empty() && shown.len() >= SHOWN && queue.len() > SHOWN + 1 {
                more.push(*member);
            } else {
                shown.push(tree(sample, forest, below, seen, *member, others));
            }
        }
        if let Some(last) = shown.last_mut() {
            last.more = more;
        }
        grown.extend(shown);
    }
    repeated.sort_by(longest);
    repeated.dedup();
    let again = |who| Tree { who, repeated: true, waiters: Vec::new(), more: Vec::new() };
    grown.extend(repeated.into_iter().map(again));
    Tree { who, repeated: false, waiters: grown, more: Vec::new() }
}

fn session(sample: &Sample, pid: i32) -> Who {
    Who::Session(sample.backend(pid).and_then(|backend| backend.leader).unwrap_or(pid))
}

/// Whom the server means: 0 is any prepared transaction that holds what is wanted.
fn in_the_way(sample: &Sample, wanted: &Lock, pid: i32) -> Vec<Who> {
    if pid != 0 {
        return vec![session(sample, pid)];
    }
    let number = |lock: &&Lock| {
        let own = |other: &&Lock| {
            other.pid.is_none()
                && other.locktype == "transactionid"
                && other.virtualtransaction == lock.virtualtransaction
                && other.granted
        };
        sample.locks.iter().find(own).and_then(|own| own.transaction).unwrap_or_default()
    };
    let holders = sample.locks.iter().filter(|lock| lock.pid.is_none() && in_conflict(lock, wanted));
    let found: BTreeSet<Who> = holders.map(|lock| Who::Prepared(number(&lock))).collect();
    if found.is_empty() { vec![Who::Prepared(0)] } else { found.into_iter().collect() }
}

/// The lock of a session on a thing that keeps a waiter from its own.
pub fn held<'a>(sample: &'a Sample, who: Who, wanted: &Lock) -> Option<&'a Lock> {
    sample.locks.iter().find(|lock| {
        in_conflict(lock, wanted)
            && match who {
                Who::Session(_) => lock.pid.is_some_and(|pid| session(sample, pid) == who),
                Who::Prepared(_) => lock.pid.is_none(),
            }
    })
}

fn in_conflict(held: &Lock, wanted: &Lock) -> bool {
    held.granted && held.thing == wanted.thing && conflict(&held.mode, &wanted.mode)
}

/// <https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES>
pub fn conflict(held: &str, wanted: &str) -> bool {
    const MODES: [(&str, u8); 8] = [
        ("AccessShareLock", 0b1000_0000),
        ("RowShareLock", 0b1100_0000),
        ("RowExclusiveLock", 0b1111_0000),
        ("ShareUpdateExclusiveLock", 0b1111_1000),
        ("ShareLock", 0b1110_1100),
        ("ShareRowExclusiveLock", 0b1111_1100),
        ("ExclusiveLock", 0b1111_1110),
        ("AccessExclusiveLock", 0b1111_1111),
    ];
    let place = |mode: &str| MODES.iter().position(|(name, _)| *name == mode);
    place(held).zip(place(wanted)).is_some_and(|(held, wanted)| MODES[held].1 & (1 << wanted) != 0)
}

/// Who is reached from whom, ring by ring.
struct Reach {
    ring_of: BTreeMap<Who, usize>,
    members: Vec<Vec<Who>>,
    above: Vec<BTreeSet<Who>>,
    rings: Vec<Vec<Who>>,
}

impl Reach {
    /// Tarjan's rings without recursion; a ring comes after all that it waits for.
    fn of(edges: &BTreeMap<Who, BTreeMap<Who, bool>>) -> Reach {
        let mut reach = Reach { ring_of: BTreeMap::new(), members: Vec::new(), above: Vec::new(), rings: Vec::new() };
        let next = |who: &Who| -> Vec<Who> { edges.get(who).into_iter().flat_map(BTreeMap::keys).copied().collect() };
        let (mut index, mut low): (BTreeMap<Who, usize>, BTreeMap<Who, usize>) = Default::default();
        let mut stack: Vec<Who> = Vec::new();
        for start in edges.keys() {
            if index.contains_key(start) {
                continue;
            }
            let number = index.len();
            index.insert(*start, number);
            low.insert(*start, number);
            stack.push(*start);
            let mut work: Vec<(Who, Vec<Who>)> = vec![(*start, next(start))];
            while let Some((who, left)) = work.last_mut() {
                let who = *who;
                if let Some(to) = left.pop() {
                    if !index.contains_key(&to) {
                        let number = index.len();
                        index.insert(to, number);
                        low.insert(to, number);
                        stack.push(to);
                        work.push((to, next(&to)));
                    } else if !reach.ring_of.contains_key(&to) {
                        let least = low[&who].min(index[&to]);
                        low.insert(who, least);
                    }
                    continue;
                }
                work.pop();
                if let Some((parent, _)) = work.last() {
                    let least = low[parent].min(low[&who]);
                    low.insert(*parent, least);
                }
                if low[&who] == index[&who] {
                    reach.close(&mut stack, who, edges);
                }
            }
        }
        reach
    }

    fn close(&mut self, stack: &mut Vec<Who>, first: Who, edges: &BTreeMap<Who, BTreeMap<Who, bool>>) {
        let number = self.members.len();
        let mut members = Vec::new();
        while let Some(member) = stack.pop() {
            self.ring_of.insert(member, number);
            members.push(member);
            if member == first {
                break;
            }
        }
        let mut above: BTreeSet<Who> = BTreeSet::new();
        let blockers = members.iter().filter_map(|who| edges.get(who)).flat_map(BTreeMap::keys);
        let rings: BTreeSet<usize> = blockers.filter_map(|who| self.ring_of.get(who)).copied().collect();
        for ring in rings.into_iter().rev().filter(|ring| *ring != number) {
            if !self.members[ring].iter().all(|member| above.contains(member)) {
                above.extend(&self.members[ring]);
                above.extend(&self.above[ring]);
            }
        }
        if members.len() > 1 {
            self.rings.push(members.clone());
        }
        self.members.push(members);
        self.above.push(above);
    }

    /// All that a waiter waits for, directly or not; itself left out.
    fn above(&self, who: Who) -> BTreeSet<Who> {
        let ring = self.ring_of[&who];
        let mut above = self.above[ring].clone();
        above.extend(self.members[ring].iter().filter(|member| **member != who));
        above
    }

    fn reduced(&self, edges: &BTreeMap<Who, BTreeMap<Who, bool>>) -> BTreeMap<Who, BTreeSet<Who>> {
        let one = |(waiter, blockers): (&Who, &BTreeMap<Who, bool>)| {
            let own = self.ring_of[waiter];
            let rings: BTreeSet<usize> = blockers.keys().map(|who| self.ring_of[who]).filter(|r| *r != own).collect();
            let mut covered: BTreeSet<Who> = BTreeSet::new();
            // The nearest first: what it covers covers the rest of a queue.
            for ring in rings.into_iter().rev() {
                if !self.members[ring].iter().all(|member| covered.contains(member)) {
                    covered.extend(&self.above[ring]);
                }
            }
            (*waiter, blockers.keys().filter(|who| !covered.contains(who)).copied().collect())
        };
        edges.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits: who, for what, in which mode, behind whom. Locks that are held: who, what, mode.
    fn moment(waits: &[(i32, &str, &str, &[i32])], held: &[(i32, &str, &str)]) -> Sample {
        let lock = |pid: i32, thing: &str, mode: &str, blockers: Option<&[i32]>| Lock {
            pid: Some(pid).filter(|pid| *pid != 0),
            locktype: "relation".to_owned(),
            mode: mode.to_owned(),
            granted: blockers.is_none(),
            thing: thing.to_owned(),
            key: None,
            database: None,
            relation: None,
            transaction: None,
            virtualtransaction: String::new(),
            wait_seconds: blockers.map(|_| f64::from(1000 - pid)),
            blockers: blockers.unwrap_or_default().to_vec(),
        };
        let waits = waits.iter().map(|(pid, thing, mode, blockers)| lock(*pid, thing, mode, Some(blockers)));
        let held = held.iter().map(|(pid, thing, mode)| lock(*pid, thing, mode, None));
        Sample {
            version: 1,
            at: chrono::DateTime::UNIX_EPOCH,
            locks: waits.chain(held).collect(),
            backends: Vec::new(),
            prepared: Vec::new(),
            relations: BTreeMap::new(),
            databases: BTreeMap::new(),
            here: None,
            unknown: Vec::new(),
        }
    }

    const S: fn(i32) -> Who = Who::Session;

    #[test]
    fn a_ring_ends_and_its_longest_waiter_stands_for_it() {
        let x = "ExclusiveLock";
        let sample = moment(&[(1, "a", x, &[2]), (2, "b", x, &[1]), (3, "a", x, &[2, 1])], &[(2, "a", x), (1, "b", x)]);
        let forest = grow(&sample);
        assert_eq!(forest.tops(), [S(1)]);
        assert_eq!(forest.rings.len(), 1);
        assert_eq!(forest.victims(S(2)), (2, 2));
        assert_eq!(forest.blockers[&S(3)], BTreeMap::from([(S(1), false), (S(2), true)]));
    }

    #[test]
    fn what_follows_from_other_edges_is_left_out() {
        let x = "ExclusiveLock";
        let sample = moment(&[(2, "a", x, &[1]), (3, "a", x, &[1, 2]), (4, "a", x, &[1, 2, 3])], &[(1, "a", x)]);
        let forest = grow(&sample);
        assert_eq!(forest.reduced[&S(4)], BTreeSet::from([S(3)]));
        assert_eq!(forest.victims(S(1)), (3, 3));
        let names: Vec<Who> = forest.roots[0].waiters.iter().map(|tree| tree.who).collect();
        assert_eq!(names, [S(2), S(3), S(4)]);
    }

    #[test]
    fn parallel_workers_are_part_of_their_leader() {
        let mut sample = moment(&[(11, "a", "AccessShareLock", &[1])], &[(1, "a", "AccessExclusiveLock")]);
        sample.backends.push(crate::inspect::backend::Backend { pid: 11, leader: Some(10), ..Default::default() });
        let forest = grow(&sample);
        assert_eq!(forest.roots[0].waiters[0].who, S(10));
    }

    #[test]
    fn a_thousand_waiters_are_one_queue() {
        let ahead: Vec<i32> = (1..=1000).collect();
        let waits: Vec<(i32, &str, &str, &[i32])> = (2..=1000_i32)
            .map(|pid| (pid, "a", "ExclusiveLock", &ahead[..usize::try_from(pid).unwrap() - 1]))
            .collect();
        let forest = grow(&moment(&waits, &[(1, "a", "ExclusiveLock")]));
        assert_eq!(forest.victims(S(1)), (999, 999));
        assert_eq!(forest.roots[0].waiters.len(), SHOWN);
        assert_eq!(forest.roots[0].waiters[SHOWN - 1].more.len(), 997);
    }

    #[test]
    fn modes_conflict_as_the_documentation_says() {
        assert!(conflict("AccessShareLock", "AccessExclusiveLock") && !conflict("AccessShareLock", "ExclusiveLock"));
        assert!(!conflict("RowExclusiveLock", "RowExclusiveLock") && conflict("RowExclusiveLock", "ShareLock"));
        assert!(
            conflict("ShareUpdateExclusiveLock", "ShareUpdateExclusiveLock") && !conflict("ShareLock", "ShareLock")
        );
    }
}
