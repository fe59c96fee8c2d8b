//! What can be wrong with a stimulus.

/// An error of this crate.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting no video can be made with.
    #[error("{of}: {field} is {got}, expected {expected}")]
    Setting {
        /// Generator.
        of: &'static str,
        /// Setting.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
    /// Pixels that are not those of the shape.
    #[error("video: expected {expected} pixels for [T, H, W, C] = {shape:?}, got {got}")]
    Pixels {
        /// T, H, W, C.
        shape: [usize; 4],
        /// Their product, if it is a number at all.
        expected: String,
        /// Pixels given.
        got: usize,
    },
    /// Frames a video does not have.
    #[error("video: frames {start} to {end} were asked for, it has {frames}")]
    Frames {
        /// First frame.
        start: usize,
        /// One past the last frame.
        end: usize,
        /// T.
        frames: usize,
    },
}

/// Refuses a setting outside `least..=most`, NaN too.
pub(crate) fn within(of: &'static str, field: &'static str, value: f64, [least, most]: [f64; 2], expected: &'static str) -> Result<(), Error> {
    if (least..=most).contains(&value) { Ok(()) } else { Err(Error::Setting { of, field, expected, got: value.to_string() }) }
}

/// Refuses frames that are empty, larger than any monitor, or more than memory holds, and rates that are not.
pub(crate) fn frames(of: &'static str, [frames, height, width]: [usize; 3], rate: f64) -> Result<(), Error> {
    const SIDE: usize = 4096; // pixels
    const PIXELS: u64 = 1 << 36;
    let bad = |field, expected, got: usize| Err(Error::Setting { of, field, expected, got: got.to_string() });
    for (field, side) in [("height", height), ("width", width)] {
        if !(1..=SIDE).contains(&side) {
            return bad(field, "1 to 4096 pixels", side);
        }
    }
    if frames as u64 > PIXELS / (height * width) as u64 {
        return bad("frames", "fewer: the video would not fit into memory", frames);
    }
    within(of, "rate", rate, [1e-3, 1e6], "a number of frames per second above 0")
}
