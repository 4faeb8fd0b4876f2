//! Which handles are alive.
//!
//! Each clear or rewind starts an epoch. A handle is the epoch it was made in and its
//! node's number; it lives unless a later rewind went below the number. The lowest
//! length that each later epoch left is kept in a stack, so the question is answered by
//! one search, and by one comparison for handles of the current epoch.

use crate::error::Event;

/// The history of a record's rewinds.
#[derive(Default, Clone, Debug)]
pub(crate) struct Epochs {
    current: u64,
    /// Ascending in epoch and strictly ascending in length.
    floors: Vec<Floor>,
}

#[derive(Clone, Copy, Debug)]
struct Floor {
    epoch: u64,
    len: u32,
    event: Event,
}

impl Epochs {
    /// The epoch of handles that are made now.
    #[inline]
    pub(crate) fn current(&self) -> u64 {
        self.current
    }

    /// What ended the life of a handle of `epoch` on node `index`, if anything did.
    #[inline]
    pub(crate) fn death(&self, epoch: u64, index: u32) -> Option<Event> {
        // Nodes below all floors, such as what a loop rewinds to, have never died.
        if epoch == self.current || index < self.floors.first()?.len {
            return None;
        }
        self.search(epoch, index)
    }

    fn search(&self, epoch: u64, index: u32) -> Option<Event> {
        let later = self.floors.partition_point(|floor| floor.epoch <= epoch);
        let lowest = self.floors.get(later)?;
        (index >= lowest.len).then_some(lowest.event)
    }

    /// What ended the life of a mark of `epoch` after `len` nodes, if anything did.
    pub(crate) fn mark_death(&self, epoch: u64, len: u32) -> Option<Event> {
        match len.checked_sub(1) {
            Some(last) => self.death(epoch, last),
            None => None,
        }
    }

    /// Starts an epoch with `len` nodes left.
    pub(crate) fn rewind(&mut self, len: u32, event: Event) {
        self.current += 1;
        while self.floors.last().is_some_and(|floor| floor.len >= len) {
            self.floors.pop();
        }
        self.floors.push(Floor { epoch: self.current, len, event });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_rewind_kills_what_is_above_it_only() {
        let mut epochs = Epochs::default();
        epochs.rewind(10, Event::Rewound);
        assert_eq!(epochs.death(0, 9), None);
        assert_eq!(epochs.death(0, 10), Some(Event::Rewound));
        assert_eq!(epochs.death(1, 10), None);
        epochs.rewind(0, Event::Cleared);
        assert_eq!(epochs.death(0, 0), Some(Event::Cleared));
        assert_eq!(epochs.death(1, 10), Some(Event::Cleared));
    }

    proptest! {
        /// Against a model that remembers for every handle whether it still lives.
        #[test]
        fn agrees_with_a_list_of_living_handles(
            steps in prop::collection::vec((0_u32..6, 0_u32..20), 1..60)
        ) {
            let mut epochs = Epochs::default();
            let mut len = 0;
            let mut handles: Vec<(u64, u32, bool)> = Vec::new();
            for (grow, to) in steps {
                for _ in 0..grow {
                    handles.push((epochs.current(), len, true));
                    len += 1;
                }
                let to = to.min(len);
                epochs.rewind(to, Event::Rewound);
                len = to;
                for (_, index, alive) in &mut handles {
                    *alive = *alive && *index < to;
                }
                for &(epoch, index, alive) in &handles {
                    prop_assert_eq!(epochs.death(epoch, index).is_none(), alive);
                }
            }
        }
    }
}
