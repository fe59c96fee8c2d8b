//! Gratings move where they say.

use proptest::prelude::*;
use striate_stimulus::grating::{Grating, Gratings, grating, gratings};

#[test]
fn moves_where_it_says() {
    // one pixel a frame to the right: 64 pixels wide, 8 cycles, 8 pixels a cycle
    let video = grating(&Grating { spatial: 8.0, temporal: 30.0 / 8.0, ..Grating::default() });
    for t in 0..20 {
        for x in 8..60 {
            let (now, next) = (video.frame(t)[x], video.frame(t + 1)[x + 1]);
            assert!(now.abs_diff(next) <= 1, "frame {t}, column {x}");
        }
    }
    // up: rows count down
    let video = grating(&Grating { direction: 90.0, spatial: 8.0, temporal: 30.0 / 8.0, ..Grating::default() });
    assert!((1..30).all(|y| video.frame(3)[y * 64].abs_diff(video.frame(4)[(y - 1) * 64]) <= 1));
}

#[test]
fn has_the_contrast_and_frequency_asked_for() {
    let video = grating(&Grating { spatial: 4.0, contrast: 0.5, ..Grating::default() });
    let line = &video.frame(0)[..64];
    let (low, high) = (*line.iter().min().unwrap(), *line.iter().max().unwrap());
    assert!((f64::from(high - low) / 255.0 - 0.5).abs() < 0.02, "{low} to {high}");
    let rising = (1..64).filter(|x| line[x - 1] < 128 && line[*x] >= 128).count();
    assert!((3..=4).contains(&rising), "{rising} cycles");
}

#[test]
fn many_follow_one_another() {
    let spec = Gratings { height: 36, width: 64, frames: 70, seconds: 1.0, blank: 0.0, ..Gratings::default() };
    let video = gratings(&spec, 4).unwrap();
    assert_eq!(video.shape(), [70, 36, 64, 1]);
    assert_eq!(video, gratings(&spec, 4).unwrap());
    let change = |t: usize| video.frame(t).iter().zip(video.frame(t - 1)).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
    // the change of grating, at the 31st frame, changes more than any movement
    assert!(change(30) > (1..30).map(change).max().unwrap() / 2 && video.frame(29) != video.frame(30));
}

proptest! {
    #[test]
    fn opposite_directions_are_mirror_images_in_time(direction in 0.0f64..360.0, spatial in 1.0f64..12.0, temporal in 0.5f64..8.0) {
        let there = Grating { direction, spatial, temporal, frames: 3, ..Grating::default() };
        let back = Grating { temporal: -temporal, ..there.clone() };
        let turned = Grating { direction: direction + 180.0, temporal, ..there.clone() };
        // turning by 180 degrees is running backwards
        let (a, b) = (grating(&back), grating(&turned));
        prop_assert!(a.pixels().iter().zip(b.pixels()).all(|(a, b)| a.abs_diff(*b) <= 1));
        prop_assert_eq!(grating(&there).frame(0).len(), 36 * 64);
    }
}
