//! Stimuli as their users meet them.

mod bits;
mod films;
mod gratings;
mod motion;
mod natural;
mod noise;
mod places;
mod poison;
mod uniform;
mod video;
