//! Buffers that a run uses again, frame after frame, so that responding asks for no memory once it is under way.
//!
//! Layers take what they need and give it back when they are done; what is handed on is given back by whoever comes last. A backward
//! pass, and a clip of many frames, have no next frame for whom to keep anything: theirs is [`Workspace::passing`].

use std::sync::{Mutex, PoisonError};

/// Buffers of one thread at work; a clone makes its own.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// Whether what is given back is kept.
    keeps: bool,
    /// Buffers nobody uses, and whether somebody has since [`Self::settle`].
    free: Vec<(Vec<f32>, bool)>,
    /// Lists without buffers.
    lists: Vec<Vec<Vec<f32>>>,
}

impl Clone for Workspace {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Workspace {
    /// One that keeps nothing: every buffer is new, and gone when it is given back.
    pub(crate) fn passing() -> Self {
        Self::default()
    }

    /// Keeps what is given back from now on, or keeps nothing any more.
    pub(crate) fn keep(&mut self, keeps: bool) {
        if !keeps {
            *self = Self::default();
        }
        self.keeps = keeps;
    }

    /// A buffer whose values are not defined.
    pub(crate) fn take(&mut self, length: usize) -> Vec<f32> {
        // every frame asks for the same lengths; what came back last is still in the cache
        match self.free.iter().rposition(|(buffer, _)| buffer.len() == length) {
            Some(found) => self.free.swap_remove(found).0,
            None => vec![0.0; length],
        }
    }

    /// A buffer that holds `x`.
    pub(crate) fn copy(&mut self, x: &[f32]) -> Vec<f32> {
        let mut buffer = self.take(x.len());
        buffer.copy_from_slice(x);
        buffer
    }

    /// Takes a buffer back.
    pub(crate) fn give(&mut self, buffer: Vec<f32>) {
        if self.keeps && !buffer.is_empty() {
            self.free.push((buffer, true));
        }
    }

    /// An empty list for buffers.
    pub(crate) fn list(&mut self) -> Vec<Vec<f32>> {
        self.lists.pop().unwrap_or_default()
    }

    /// Takes a list back, and the buffers in it.
    pub(crate) fn give_list(&mut self, mut list: Vec<Vec<f32>>) {
        list.drain(..).for_each(|buffer| self.give(buffer));
        if self.keeps {
            self.lists.push(list);
        }
    }

    /// Ends a frame: buffers that it had no use for are let go.
    pub(crate) fn settle(&mut self) {
        self.free.retain_mut(|(_, used)| std::mem::take(used));
    }
}

/// Workspaces of all threads that were ever at work at the same time. Streams share them in turn: buffers that one has just left are
/// still in the cache.
#[derive(Debug, Default)]
pub(crate) struct Workspaces(Mutex<Vec<Workspace>>);

impl Clone for Workspaces {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Workspaces {
    /// Work in a workspace nobody else is in. It is settled afterwards: all work of a run is alike.
    pub(crate) fn with<R>(&self, keep: bool, work: impl FnOnce(&mut Workspace) -> R) -> R {
        let all = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut space = all().pop().unwrap_or_default();
        space.keep(keep);
        let done = work(&mut space);
        space.settle();
        all().push(space);
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_while_they_are_of_use() {
        let mut space = Workspace::default();
        space.keep(true);
        let first = space.take(10);
        let place = first.as_ptr();
        space.give(first);
        assert_eq!(space.take(9).len(), 9);
        let again = space.take(10);
        assert!(again.as_ptr() == place && again.len() == 10);
        space.give(again);
        space.settle();
        assert_eq!(space.free.len(), 1);
        space.settle();
        assert!(space.free.is_empty(), "nobody asked for it");
    }

    #[test]
    fn nothing_is_kept_in_passing() {
        let mut space = Workspace::passing();
        space.give(vec![0.0; 10]);
        space.give_list(vec![vec![0.0; 10]]);
        assert!(space.free.is_empty() && space.lists.is_empty());
    }
}
