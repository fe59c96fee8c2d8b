//! How large a network is, told from its configuration before any memory is spent on it.

use crate::check::wrong;
use crate::config::NetworkConfig;
use crate::error::Error;
use crate::weights::layout::visit;

/// Most numbers in all parameters and buffers: 4 GiB.
const PARAMETERS: f64 = (1u64 << 30) as f64;
/// Most numbers that one frame of one stream becomes: 1 GiB.
const ACTIVATIONS: f64 = (1u64 << 28) as f64;

/// Refuses a network that no machine can hold. Sizes are counted as floats, which do not overflow; each is in its own range.
pub(crate) fn check(config: &NetworkConfig) -> Result<(), Error> {
    let (parameters, largest) = parameters(config);
    if parameters > PARAMETERS {
        return Err(wrong("number of parameters", format!("at most {PARAMETERS:.0}"), format!("{parameters:.3e}, most of them in {largest}")));
    }
    let parts = activations(config);
    let activations: f64 = parts.iter().map(|(_, n)| n).sum();
    match parts.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)) {
        Some((part, _)) if activations > ACTIVATIONS => {
            let size = format!("{} x {}", config.perspective.height, config.perspective.width);
            let expected = format!("a frame of at most {ACTIVATIONS:.0} values within the network, here {activations:.3e}, most of them by {part}");
            Err(wrong("perspective.height and width", expected, size))
        }
        _ => Ok(()),
    }
}

/// Numbers in all tensors, and the key of the largest tensor.
fn parameters(config: &NetworkConfig) -> (f64, String) {
    let mut largest = (0.0, String::new());
    let mut count = |streams| {
        let mut all = 0.0;
        let seen = visit(&NetworkConfig { streams, ..config.clone() }, &mut |entry| {
            let size: f64 = entry.shape.iter().map(|n| *n as f64).product();
            all += size;
            if size > largest.0 {
                largest = (size, entry.key);
            }
            Ok(())
        });
        seen.map_or(f64::INFINITY, |()| all)
    };
    // streams are alike: one more tells what each of the others adds
    let one = count(1);
    let each = if config.streams > 1 { count(2) - one } else { 0.0 };
    (one + each * (config.streams - 1) as f64, largest.1)
}

/// Values of one frame in each part of one stream.
fn activations(config: &NetworkConfig) -> Vec<(&'static str, f64)> {
    let (f, r, p) = (&config.feedforward, &config.recurrent, &config.perspective);
    let mut parts = vec![("the retina", p.height as f64 * p.width as f64 * config.channels as f64)];
    let (mut height, mut width) = (p.height.div_ceil(f.in_stride), p.width.div_ceil(f.in_stride));
    let pixels = |h: usize, w: usize| h as f64 * w as f64;
    for ((channels, layers), pool) in f.block_channels.iter().zip(&f.block_layers).zip(&f.block_pools) {
        parts.push(("feedforward.block_channels and block_layers", pixels(height, width) * *channels as f64 * (layers + 1) as f64));
        (height, width) = (height.div_ceil(*pool), width.div_ceil(*pool));
    }
    let channels = f.out_channels + r.in_channels + 4 * r.hidden_channels + 4 * r.common() + r.out_channels;
    parts.push(("the channels of feedforward.out_channels and recurrent", pixels(height, width) * channels as f64));
    parts
}
