//! Responses to any video.

use ndarray::{Array3, Array5, Axis, concatenate, s};
use striate_insilico::respond::{RespondOptions, fit_video, respond};
use striate_model::{Network, NetworkConfig};

fn network(video: Option<[usize; 2]>) -> Network {
    let mut config = NetworkConfig { units: 4, streams: 2, video, ..NetworkConfig::default() };
    (config.perspective.height, config.perspective.width) = (16, 24);
    let f = &mut config.feedforward;
    (f.block_channels, f.block_groups, f.out_channels) = (vec![4, 4, 4], vec![1, 1, 1], 4);
    let r = &mut config.recurrent;
    (r.in_channels, r.hidden_channels, r.out_channels, r.groups) = (4, 4, 4, 2);
    let mut network = Network::new(config, 3).expect("network");
    for param in network.params_mut().iter_mut().filter(|p| p.name.starts_with("readout.feature")) {
        param.value.iter_mut().enumerate().for_each(|(i, v)| *v = (i % 7) as f32 / 7.0 - 0.4);
    }
    network
}

fn video(frames: usize, batch: usize) -> Array5<u8> {
    Array5::from_shape_fn((frames, batch, 12, 20, 1), |(t, n, y, x, _)| ((t * 37 + n * 91 + y * 11 + x * 5) % 256) as u8)
}

#[test]
fn batch_elements_do_not_see_each_other() {
    let network = network(None);
    let both = video(20, 2);
    let eye = Array3::from_shape_fn((20, 2, 2), |(t, n, k)| ((t + n + k) % 3) as f32 - 1.0);
    let together = respond(&network, both.view(), Some(eye.view()), None, RespondOptions::default()).expect("respond");
    assert_eq!(together.dim(), (20, 2, 4));
    for n in 0..2 {
        let own = both.slice(s![.., n..n + 1, .., .., ..]);
        let own_eye = eye.slice(s![.., n..n + 1, ..]);
        let alone = respond(&network, own, Some(own_eye), None, RespondOptions::default()).expect("respond");
        assert_eq!(alone.index_axis(Axis(1), 0), together.index_axis(Axis(1), n));
    }
}

#[test]
fn one_video_is_shown_to_many_eyes() {
    let network = network(None);
    let eye = Array3::from_shape_fn((6, 3, 2), |(t, n, _)| (t + 2 * n) as f32 / 5.0);
    let out = respond(&network, video(6, 1).view(), Some(eye.view()), None, RespondOptions::default()).expect("respond");
    let repeated = concatenate(Axis(1), &[video(6, 1).view(); 3]).expect("three of it");
    assert_eq!(out, respond(&network, repeated.view(), Some(eye.view()), None, RespondOptions::default()).expect("respond"));
}

#[test]
fn lengths_that_disagree_are_refused() {
    let network = network(None);
    let eye = Array3::zeros((5, 1, 2));
    let error = respond(&network, video(6, 1).view(), Some(eye.view()), None, RespondOptions::default()).expect_err("five eye samples, six frames");
    assert!(error.to_string().contains("eye position"), "{error}");
    let behavior = Array3::zeros((6, 1, 5));
    assert!(respond(&network, video(6, 1).view(), None, Some(behavior.view()), RespondOptions::default()).is_err());
}

#[test]
fn video_is_brought_to_the_size_the_network_knows() {
    let (fitted, done) = fit_video(&network(Some([6, 10])), video(3, 2), false).expect("fit");
    assert_eq!((fitted.dim(), done.len()), ((3, 2, 6, 10, 1), 1));
    let (native, done) = fit_video(&network(Some([6, 10])), video(3, 2), true).expect("fit");
    assert!(native == video(3, 2) && done.is_empty());
}
