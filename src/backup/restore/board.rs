//! What of a restore's rows is still to be done: a table is read again as soon as all of it went in, by whoever has
//! nothing left to load. Does not work. Pure.

use std::collections::{BTreeMap, VecDeque};

use super::plan;
use crate::backup::manifest::Table;
use crate::backup::pages::Pages;

/// A piece of work; tables are indices into the manifest's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// All chunks of a table go in, in one transaction, frozen.
    Whole(usize),
    /// One goes in, beside others.
    Chunk(usize, usize),
    /// The tables of extensions go in, by one job: their foreign keys are there before their rows are.
    Together,
    /// A table is read again, or these pages of it.
    Again(usize, Option<Pages>),
}

/// What somebody does who asks for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// This.
    Do(Piece),
    /// Waits: others still load what is then to be read.
    Wait,
    /// Nothing, ever.
    Done,
}

/// The pieces that are left.
#[derive(Debug, Default)]
pub struct Board {
    loads: VecDeque<Piece>,
    /// Tables of extensions that have rows.
    pub together: Vec<usize>,
    reads: VecDeque<Piece>,
    /// Of each table that is not all there yet, how many pieces are to go in.
    unloaded: BTreeMap<usize, usize>,
    /// Rows of these went in through a root, and may yet come through it with those of others.
    rooted: Vec<usize>,
}

impl Board {
    /// These of all tables, the largest part first. One that alone would keep one job longer than the others is loaded
    /// by several, chunk by chunk; `size` knows the bytes in a file.
    pub fn of(all: &[Table], tables: &[usize], jobs: usize, size: impl Fn(&str) -> u64) -> Board {
        let total: u64 = tables.iter().map(|&table| all[table].plain_bytes).sum();
        let (mut board, mut loads) = (Board::default(), Vec::new());
        for &table in tables {
            let told = &all[table];
            let fits = told.chunks.len() < 2 || plan::is_fair_share(told.plain_bytes, total, jobs);
            let before = loads.len();
            if told.chunks.is_empty() {
                board.reads.extend(told.root.is_none().then_some(Piece::Again(table, None)));
            } else if told.condition.is_some() {
                board.together.push(table);
                board.unloaded.insert(table, 1);
            } else if fits && plan::freezes(told) {
                loads.push((told.plain_bytes, Piece::Whole(table)));
            } else {
                let chunks = told.chunks.iter().enumerate();
                loads.extend(chunks.map(|(at, chunk)| (size(&chunk.path), Piece::Chunk(table, at))));
            }
            board.unloaded.extend((loads.len() > before).then(|| (table, loads.len() - before)));
            board.rooted.extend(told.root.is_some().then_some(table));
        }
        loads.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        board.loads = loads.into_iter().map(|(_, piece)| piece).collect();
        if !board.together.is_empty() {
            board.loads.push_front(Piece::Together);
        }
        board.read_rooted();
        board
    }

    /// How many can work at once.
    pub fn len(&self) -> usize {
        self.loads.len() + self.reads.len()
    }

    /// What is next.
    pub fn next(&mut self) -> Next {
        match self.loads.pop_front().or_else(|| self.reads.pop_front()) {
            Some(piece) => Next::Do(piece),
            None if self.unloaded.is_empty() => Next::Done,
            None => Next::Wait,
        }
    }

    /// A piece of a table went in; whether that was the last, of which [`Board::loaded`] is to be told.
    pub fn went_in(&mut self, table: usize) -> bool {
        let Some(left) = self.unloaded.get_mut(&table) else { return false };
        *left = left.saturating_sub(1);
        *left == 0
    }

    /// All of a table went in: it is read again, in these ranges.
    pub fn loaded(&mut self, table: usize, ranges: Vec<Option<Pages>>) {
        self.unloaded.remove(&table);
        if !self.rooted.contains(&table) {
            self.reads.extend(ranges.into_iter().map(|pages| Piece::Again(table, pages)));
        }
        self.read_rooted();
    }

    fn read_rooted(&mut self) {
        if self.unloaded.is_empty() {
            self.reads.extend(self.rooted.drain(..).map(|table| Piece::Again(table, None)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::manifest::{Chunk, Root};
    use crate::backup::rows::Form;

    fn table(plain_bytes: u64, chunks: usize, root: Option<&str>) -> Table {
        let chunk = |at| Chunk { path: format!("data/{at}"), rows: 1, content: String::new() };
        Table {
            schema: "public".to_owned(),
            name: "t".to_owned(),
            columns: Vec::new(),
            form: Form::Text,
            condition: None,
            root: root.map(|name| Root { schema: "public".to_owned(), name: name.to_owned() }),
            rows: 1,
            content: String::new(),
            plain_bytes,
            heap_bytes: plain_bytes,
            chunks: (0..chunks).map(chunk).collect(),
        }
    }

    fn board(tables: &[Table]) -> Board {
        let all: Vec<usize> = (0..tables.len()).collect();
        Board::of(tables, &all, 2, |_| 10)
    }

    /// What is there to be done, until somebody has to wait.
    fn offered(board: &mut Board) -> Vec<Piece> {
        std::iter::from_fn(|| match board.next() {
            Next::Do(piece) => Some(piece),
            Next::Wait | Next::Done => None,
        })
        .collect()
    }

    #[test]
    fn a_table_is_read_when_all_of_it_went_in() {
        let mut board = board(&[table(50, 1, None), table(1000, 2, None), table(0, 0, None)]);
        let chunks = [Piece::Chunk(1, 0), Piece::Chunk(1, 1)];
        assert_eq!(board.len(), 4);
        assert_eq!(offered(&mut board), [Piece::Whole(0), chunks[0], chunks[1], Piece::Again(2, None)]);
        assert_eq!(board.next(), Next::Wait);
        assert!(!board.went_in(1), "the other chunk is under way");
        assert!(board.went_in(0));
        assert_eq!(board.next(), Next::Wait, "nobody has told how it is read");
        board.loaded(0, vec![None]);
        assert_eq!(offered(&mut board), [Piece::Again(0, None)]);
        assert!(board.went_in(1));
        let ranges = [Some(Pages { first: 0, end: Some(7) }), Some(Pages { first: 7, end: None })];
        board.loaded(1, ranges.to_vec());
        assert_eq!(offered(&mut board), ranges.map(|pages| Piece::Again(1, pages)));
        assert_eq!(board.next(), Next::Done);
    }

    #[test]
    fn what_goes_in_through_a_root_is_read_when_nothing_can_come_any_more() {
        let mut board = board(&[table(50, 1, Some("r")), table(0, 0, Some("r")), table(10, 1, None)]);
        assert_eq!(offered(&mut board), [Piece::Chunk(0, 0), Piece::Whole(2)]);
        assert!(board.went_in(0));
        board.loaded(0, vec![None]);
        assert_eq!(board.next(), Next::Wait);
        assert!(board.went_in(2));
        board.loaded(2, vec![None]);
        assert_eq!(offered(&mut board), [2, 0, 1].map(|table| Piece::Again(table, None)));
        assert_eq!(board.next(), Next::Done);
        let mut empty = self::board(&[table(0, 0, Some("r"))]);
        assert_eq!(offered(&mut empty), [Piece::Again(0, None)]);
    }
}
