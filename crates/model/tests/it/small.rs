//! A network of a few thousand parameters, and something to show it.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use striate_model::{Clip, Network, NetworkConfig, Periphery, Pixels};

/// A small network whose every parameter is away from its initial value.
pub fn network(change: impl FnOnce(&mut NetworkConfig)) -> Network {
    let mut config = NetworkConfig { units: 5, streams: 2, ..NetworkConfig::default() };
    (config.perspective.height, config.perspective.width) = (16, 24);
    let f = &mut config.feedforward;
    (f.block_channels, f.block_groups, f.block_layers) = (vec![4, 8], vec![1, 2], vec![2, 3]);
    (f.block_temporals, f.block_spatials, f.block_pools, f.out_channels) = (vec![3, 2], vec![3, 3], vec![2, 1], 8);
    let r = &mut config.recurrent;
    (r.in_channels, r.hidden_channels, r.out_channels, r.groups) = (8, 8, 8, 2);
    change(&mut config);
    let mut network = Network::new(config, 7).expect("a sound configuration");
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    for param in network.params_mut().iter_mut() {
        let spread = if param.name.starts_with("perspective.monitor") { 0.02 } else { 0.2 };
        param.value.iter_mut().for_each(|v| *v += rng.random_range(-spread..spread));
    }
    network
}

/// Pixels [T, N, 12, 20, C], eye position and behaviour.
pub fn video(network: &Network, frames: usize, batch: usize) -> (Vec<u8>, Vec<f32>, Vec<f32>) {
    let c = network.config();
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let pixels = (0..frames * batch * 12 * 20 * c.channels).map(|_| rng.random()).collect();
    let mut series = |width: usize| (0..frames * batch * width).map(|_| rng.random_range(-1.0..1.0)).collect();
    (pixels, series(c.eye_features), series(c.behavior_features))
}

/// A clip of 12 x 20 pixels.
pub fn clip<'a>(_network: &Network, pixels: &'a [u8], eye: &'a [f32], behavior: &'a [f32]) -> Clip<'a> {
    Clip { video: Pixels::U8(pixels), size: [12, 20], eye, behavior, periphery: Periphery::Dark }
}
