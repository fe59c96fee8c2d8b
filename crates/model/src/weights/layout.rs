//! Layout: the key, type and shape of every tensor of a network, parameters and buffers.
//!
//! This is the reference implementation's naming, written out from the configuration alone. Files are checked against it
//! before a network is built, so that a damaged file cannot ask for more memory than it has bytes.

use super::Error;
use crate::config::{FeatureKind, FeedforwardKind, ModulationConfig, ModulationKind, NetworkConfig, PerspectiveKind, RecurrentKind};

/// A tensor a network has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Empty for a scalar.
    pub(crate) shape: Vec<usize>,
}

/// The only tensor of truth values: which groups see each other.
const MASK: &str = "core.recurrent.proj_x.0.mask";

impl Entry {
    /// The type in words.
    pub(super) fn kind(&self) -> &'static str {
        if self.key == MASK { "bool" } else { "float32" }
    }
}

/// Shows every tensor of a network until one is refused.
pub(crate) fn visit(config: &NetworkConfig, see: &mut dyn FnMut(Entry) -> Result<(), Error>) -> Result<(), Error> {
    let mut names = Names { see, stream: 0 };
    for stream in 0..config.streams {
        names.stream = stream;
        feedforward(config, &mut names)?;
        recurrent(config, &mut names)?;
    }
    names.stream = 0;
    perspective(config, &mut names)?;
    for stream in 0..config.streams {
        names.stream = stream;
        modulation(config, &mut names)?;
    }
    names.shared("readout.position.mu", vec![config.units, 2])?;
    names.shared("readout.position.sigma", vec![config.units, 2, 2])?;
    for stream in 0..config.streams {
        names.stream = stream;
        readout(config, &mut names)?;
    }
    Ok(())
}

/// Names the tensors of one stream.
struct Names<'a> {
    see: &'a mut dyn FnMut(Entry) -> Result<(), Error>,
    stream: usize,
}

/// Shape of a convolution's weights: grouped input channels, output channels, temporal and spatial kernel.
#[derive(Clone, Copy)]
struct Kernel {
    groups: usize,
    cin: usize,
    cout: usize,
    time: usize,
    space: usize,
}

impl Kernel {
    fn point(cin: usize, cout: usize) -> Self {
        Self { groups: 1, cin, cout, time: 1, space: 1 }
    }
}

/// Which of gains and biases a convolution has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum With {
    Both,
    Gains,
    Biases,
    Neither,
}

impl Names<'_> {
    /// A tensor of this stream.
    fn tensor(&mut self, name: &str, shape: Vec<usize>) -> Result<(), Error> {
        (self.see)(Entry { key: format!("{name}.{}", self.stream), shape })
    }

    /// A tensor that all streams share.
    fn shared(&mut self, key: &str, shape: Vec<usize>) -> Result<(), Error> {
        (self.see)(Entry { key: key.to_owned(), shape })
    }

    /// Weights, gains and biases; the latter two have one row for each of `rows` groups.
    fn conv(&mut self, name: &str, kernel: Kernel, rows: usize, with: With) -> Result<(), Error> {
        let Kernel { groups, cin, cout, time, space } = kernel;
        self.tensor(&format!("{name}.weights"), vec![cout, cin / groups, time, space, space])?;
        for (part, there) in [("gains", With::Gains), ("biases", With::Biases)] {
            if with == With::Both || with == there {
                self.tensor(&format!("{name}.{part}"), vec![rows, cout / rows])?;
            }
        }
        Ok(())
    }

    fn linear(&mut self, name: &str, inputs: usize, outputs: usize) -> Result<(), Error> {
        self.conv(name, Kernel::point(inputs, outputs), 1, With::Both)
    }

    /// Layers of the widths given, the first one plain.
    fn mlp(&mut self, name: &str, widths: &[usize]) -> Result<(), Error> {
        widths.windows(2).enumerate().try_for_each(|(layer, w)| {
            let with = if layer == 0 { With::Biases } else { With::Both };
            self.conv(&format!("{name}.linears.{layer}"), Kernel::point(w[0], w[1]), 1, with)
        })
    }
}

fn feedforward(config: &NetworkConfig, names: &mut Names) -> Result<(), Error> {
    let f = &config.feedforward;
    let mut inputs = config.channels;
    for (block, (&channels, &groups)) in f.block_channels.iter().zip(&f.block_groups).enumerate() {
        let space = if block == 0 { f.in_spatial } else { 1 };
        let plain = block == 0 && f.kind == FeedforwardKind::InputDense;
        let with = if plain { With::Biases } else { With::Both };
        names.conv(&format!("core.feedforward.inputs.{block}"), Kernel { space, ..Kernel::point(inputs, channels) }, groups, with)?;
        for layer in 0..f.block_layers[block] {
            let name = |part: &str| format!("core.feedforward.blocks.{block}.{part}.{layer}");
            let conv = Kernel { groups, cin: channels, cout: channels, time: f.block_temporals[block], space: f.block_spatials[block] };
            names.conv(&name("convs"), conv, groups, With::Both)?;
            if layer > 0 {
                names.conv(&name("skips"), Kernel { groups, ..Kernel::point(channels * layer, channels) }, groups, With::Gains)?;
            }
        }
        inputs = channels * (f.block_layers[block] + 1);
    }
    names.linear("core.feedforward.out", inputs, f.out_channels)
}

fn recurrent(config: &NetworkConfig, names: &mut Names) -> Result<(), Error> {
    let r = &config.recurrent;
    let (groups, x, h) = (r.groups, r.in_channels / r.groups, r.hidden_channels / r.groups);
    let both = r.in_channels + r.hidden_channels;
    let mut next = 0..; // inputs are numbered; with one group none comes from other groups
    let mut projection = || format!("core.recurrent.proj_x.{}", next.next().unwrap_or(0));
    if groups > 1 {
        let name = projection();
        if names.stream == 0 {
            names.shared(MASK, vec![groups, groups, 1, 1])?;
            names.shared(&format!("{name}.zero"), vec![groups, groups, x, h])?;
        }
        names.tensor(&format!("{name}.weights"), vec![groups, groups - 1, x, h])?;
        names.tensor(&format!("{name}.gains"), vec![groups, x])?;
    }
    names.conv(&projection(), Kernel::point(config.feedforward.out_channels, r.in_channels), groups, With::Both)?;
    names.conv(&projection(), Kernel::point(config.modulation.features(), r.in_channels), groups, With::Gains)?;
    let grouped = |cin, cout, space| Kernel { groups, cin, cout, time: 1, space };
    let mut gate = grouped(both, r.hidden_channels, r.spatial);
    if r.kind != RecurrentKind::ConvLstm {
        let common = r.common();
        names.conv("core.recurrent.conv", grouped(both, common, r.spatial), groups, With::Neither)?;
        names.tensor("core.recurrent.scales", vec![groups, common / groups])?;
        for part in ["proj_q", "proj_k", "proj_v"] {
            names.conv(&format!("core.recurrent.{part}"), grouped(common, common, 1), groups, With::Neither)?;
        }
        gate = grouped(2 * common, r.hidden_channels, 1);
    }
    let gates: &[&str] = if r.kind == RecurrentKind::CvtGru { &["z", "n"] } else { &["i", "f", "g", "o"] };
    gates.iter().try_for_each(|name| names.conv(&format!("core.recurrent.proj_{name}"), gate, groups, With::Both))?;
    names.linear("core.recurrent.out", r.hidden_channels, r.out_channels)
}

fn perspective(config: &NetworkConfig, names: &mut Names) -> Result<(), Error> {
    let p = &config.perspective;
    let vectors = ["center", "angle", "center_std", "angle_std"];
    for vector in if p.kind == PerspectiveKind::None { &vectors[..0] } else { &vectors } {
        names.shared(&format!("perspective.monitor.{vector}"), vec![3])?;
    }
    for scalar in ["power", "scale", "offset"] {
        names.shared(&format!("perspective.monitor_pixel.{scalar}"), vec![])?;
    }
    names.shared("perspective.retina.grid", vec![p.height, p.width, 3])?;
    for scalar in ["logit", "scale", "offset"] {
        names.shared(&format!("perspective.retina_pixel.{scalar}"), vec![1])?;
    }
    match p.kind {
        PerspectiveKind::MlpMonitorRetina => names.mlp("perspective.mlp", &widths(config.eye_features, p.mlp_features, p.mlp_layers, Some(3))),
        PerspectiveKind::MonitorRetina => {
            let mut inputs = config.eye_features;
            for (layer, &features) in p.features.iter().enumerate() {
                names.linear(&format!("perspective.layers.{layer}"), inputs, features)?;
                inputs = features;
            }
            names.linear("perspective.out", inputs, 3)
        }
        PerspectiveKind::None => Ok(()),
    }
}

fn widths(inputs: usize, features: usize, layers: usize, outputs: Option<usize>) -> Vec<usize> {
    std::iter::once(inputs).chain(std::iter::repeat_n(features, layers)).chain(outputs).collect()
}

/// Prefix of the LSTM's keys.
pub(super) fn modulation_lstm(kind: ModulationKind) -> &'static str {
    if kind == ModulationKind::FlatLstm { "modulation" } else { "modulation.lstm" }
}

fn modulation(config: &NetworkConfig, names: &mut Names) -> Result<(), Error> {
    let (m, inputs) = (&config.modulation, config.behavior_features);
    if m.kind == ModulationKind::None {
        return Ok(());
    }
    let lstm = modulation_lstm(m.kind);
    if m.kind == ModulationKind::MlpLstm {
        names.mlp("modulation.mlp", &widths(inputs, m.mlp_features, m.mlp_layers, None))?;
        return gates(m.mlp_features, m.lstm_features, lstm, names);
    }
    if m.kind == ModulationKind::SigmoidLstm {
        names.tensor("modulation.sigmoid.gains", vec![1, inputs])?;
        names.tensor("modulation.sigmoid.biases", vec![1, inputs])?;
    }
    let ModulationConfig { in_features, hidden_features, out_features, .. } = *m;
    names.linear(&format!("{lstm}.proj_x"), inputs, in_features)?;
    gates(in_features, hidden_features, lstm, names)?;
    names.linear(&format!("{lstm}.out"), hidden_features, out_features)
}

fn gates(inputs: usize, hidden: usize, lstm: &str, names: &mut Names) -> Result<(), Error> {
    ["i", "f", "g", "o"].into_iter().try_for_each(|gate| names.linear(&format!("{lstm}.proj_{gate}"), inputs + hidden, hidden))
}

fn readout(config: &NetworkConfig, names: &mut Names) -> Result<(), Error> {
    let (units, channels, groups) = (config.units, config.recurrent.out_channels, config.readout.feature_groups);
    match config.readout.feature {
        FeatureKind::Vanilla => names.tensor("readout.feature.weights", vec![units, 1, channels])?,
        FeatureKind::Norm => {
            names.tensor("readout.feature.weights", vec![units, 1, groups, channels / groups])?;
            names.tensor("readout.feature.gains", vec![units, 1, groups])?;
        }
    }
    names.tensor("readout.biases", vec![units, 1])
}
