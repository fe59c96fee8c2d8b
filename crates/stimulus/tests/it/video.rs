//! Video holds what it is given.

use proptest::prelude::*;
use striate_stimulus::{Error, Video};

#[test]
fn refuses_pixels_that_do_not_fit() {
    assert!(matches!(Video::new(vec![0; 5], [1, 2, 3, 1], 30.0), Err(Error::Pixels { got: 5, .. })));
    assert!(Video::new(vec![], [3, 0, 4, 1], 30.0).is_err(), "frames without pixels");
    assert!(Video::new(vec![], [usize::MAX, usize::MAX, 2, 1], 30.0).is_err(), "a product that overflows");
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(Video::new(vec![0; 6], [1, 2, 3, 1], rate), Err(Error::Setting { field: "rate", .. })), "{rate}");
    }
}

#[test]
fn empty_video_has_no_frames() {
    let video = Video::new(vec![], [0, 2, 3, 1], 30.0).unwrap();
    assert!(matches!(video.slice(0..1), Err(Error::Frames { frames: 0, .. })));
    assert_eq!(video.slice(0..0).unwrap(), video);
}

proptest! {
    #[test]
    fn slices_hold_the_frames_of_the_whole(frames in 1usize..6, h in 1usize..4, w in 1usize..4, c in 1usize..4, a in 0usize..6, b in 0usize..7) {
        let pixels: Vec<u8> = (0..frames * h * w * c).map(|v| v as u8).collect();
        let video = Video::new(pixels, [frames, h, w, c], 30.0).unwrap();
        let slice = video.slice(a..b);
        if a <= b && b <= frames {
            let slice = slice.unwrap();
            prop_assert_eq!(slice.shape(), [b - a, h, w, c]);
            for t in a..b {
                prop_assert_eq!(slice.frame(t - a), video.frame(t));
            }
        } else {
            prop_assert!(slice.is_err());
        }
    }
}
