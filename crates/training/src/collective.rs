//! Collective: how the members of a cohort hear of each other's gradients, wherever they run.
//!
//! Every process trains some of the members. After each step all of them learn the objectives and the gradients of shared parameters of
//! all members, and compute the same mean in the order of rank: so the bits do not depend on how members are spread.

use crate::error::Error;
use std::sync::mpsc::{Receiver, Sender, channel};
use striate_model::{Gradients, Modules, Params};

/// What one member tells the others after a step, or after validation.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    /// Place of the member in the cohort.
    pub rank: usize,
    /// Objective; NaN where nothing was measured.
    pub objective: f64,
    /// Gradients of shared parameters, by name, of those that had one; in the parameters' order.
    pub gradients: Vec<(String, Vec<f32>)>,
}

/// Joins the members of all processes. Every process must call in the same order.
pub trait Collective {
    /// From the contributions of this process to those of all members, in order of rank.
    ///
    /// # Errors
    /// Another process is gone.
    fn gather(&mut self, own: Vec<Contribution>) -> Result<Vec<Contribution>, Error>;
}

/// One process trains all members.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Collective for Alone {
    fn gather(&mut self, own: Vec<Contribution>) -> Result<Vec<Contribution>, Error> {
        Ok(own)
    }
}

/// One of several threads of one process, joined by channels.
#[derive(Debug)]
pub struct Thread {
    others: Vec<Sender<Vec<Contribution>>>,
    inbox: Vec<Receiver<Vec<Contribution>>>,
}

/// As many ends as threads, each joined to every other.
pub fn threads(count: usize) -> Vec<Thread> {
    let mut ends: Vec<Thread> = (0..count).map(|_| Thread { others: Vec::new(), inbox: Vec::new() }).collect();
    for from in 0..count {
        for to in (0..count).filter(|to| *to != from) {
            let (send, receive) = channel();
            ends[from].others.push(send);
            ends[to].inbox.push(receive);
        }
    }
    ends
}

impl Collective for Thread {
    fn gather(&mut self, mut own: Vec<Contribution>) -> Result<Vec<Contribution>, Error> {
        for other in &self.others {
            other.send(own.clone()).map_err(|_| Error::Gone)?;
        }
        for inbox in &self.inbox {
            own.extend(inbox.recv().map_err(|_| Error::Gone)?);
        }
        own.sort_by_key(|contribution| contribution.rank);
        Ok(own)
    }
}

/// Gradients of the shared parameters a member has.
pub(crate) fn shared(params: &Params, gradients: &Gradients, share: &Modules) -> Vec<(String, Vec<f32>)> {
    let named = params.iter().zip(gradients.iter()).filter(|(param, _)| share.contain(&param.name));
    named.filter_map(|(param, gradient)| Some((param.name.clone(), gradient?.to_vec()))).collect()
}

/// Means of the shared gradients, each over the members that have one (paper Methods; reference implementation): members that drew
/// another stream are not counted.
pub(crate) fn mean(params: &Params, all: &[Contribution]) -> Gradients {
    let mut sums = Gradients::none(params);
    let mut counts = vec![0usize; params.len()];
    for (name, gradient) in all.iter().flat_map(|contribution| &contribution.gradients) {
        let Some(place) = params.place(name) else { continue };
        counts[place] += 1;
        let sum = match sums.get(place) {
            Some(sum) => sum.iter().zip(gradient).map(|(s, g)| s + g).collect(),
            None => gradient.clone(),
        };
        sums.set(place, Some(sum));
    }
    for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 1) {
        let mean = sums.get(place).map(|sum| sum.iter().map(|s| s / *count as f32).collect());
        sums.set(place, mean);
    }
    sums
}

/// Mean objective of the members where anything was measured.
pub(crate) fn mean_objective(all: &[Contribution]) -> Option<f64> {
    let measured: Vec<f64> = all.iter().map(|c| c.objective).filter(|o| !o.is_nan()).collect();
    (!measured.is_empty()).then(|| measured.iter().sum::<f64>() / measured.len() as f64)
}
