//! Stimuli as their users meet them.

mod bits;
mod gratings;
mod natural;
mod noise;
mod poison;
mod preview;
mod video;
