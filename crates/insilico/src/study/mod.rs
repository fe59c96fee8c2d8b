//! Studies: the paper's experiments on models, as a design of many trainings and the tables that come out of them.
//!
//! A [`Design`] says which models are to be trained ([`Design::cells`]); whoever trains and evaluates them hands back [`Score`]s, from which
//! [`scaling`], [`lesion`] and [`areas`] make tables. Nothing here trains, so that cells can run in any order, process or machine.

pub mod areas;
pub mod design;
pub mod estimate;
pub mod lesion;
pub mod reliability;
pub mod scaling;
pub mod score;

pub use design::{Cell, Design, Kind, Subject, Trained};
pub use score::Score;
