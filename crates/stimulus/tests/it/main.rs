//! Stimuli as their users meet them.

mod gratings;
mod natural;
mod noise;
mod poison;
mod video;
