//! Modulation: an LSTM turns locomotion and pupil into features that steer the core (paper Methods, "Modulation").

use crate::config::{ModulationKind, NetworkConfig};
use crate::draws::Draws;
use crate::layers::conv::{Conv, Prepared};
use crate::layers::lstm::{Lstm, LstmState, LstmTrace};
use crate::layers::mlp::{Mlp, MlpTrace};
use crate::params::{Gradients, Param, Params};
use crate::workspace::Workspace;
use rand_chacha::ChaCha8Rng;
use striate_kernels::activation::Activation;

/// The modulation network of one stream: (sigmoid of each input,) input layers, LSTM, (output projection).
#[derive(Clone, Debug)]
pub(crate) struct Modulation {
    kind: ModulationKind,
    inputs: usize,
    input: Mlp,
    lstm: Lstm,
    out: Option<Conv>,
    width: usize,
}

/// Modulation ready to run.
#[derive(Clone, Debug)]
pub(crate) struct PreparedModulation {
    sigmoid: Option<(Vec<f32>, Vec<f32>)>,
    input: Vec<Prepared>,
    gates: Prepared,
    out: Option<Prepared>,
}

/// What the backward pass needs.
pub(crate) struct ModulationTrace {
    behavior: Vec<f32>,
    squashed: Vec<f32>,
    input: MlpTrace,
    lstm: LstmTrace,
    hidden: Vec<f32>,
}

impl Modulation {
    pub(crate) fn new(config: &NetworkConfig) -> Self {
        let m = &config.modulation;
        let inputs = config.behavior_features;
        if matches!(m.kind, ModulationKind::MlpLstm | ModulationKind::None) {
            let input = Mlp::published("modulation.mlp", inputs, m.mlp_features, m.mlp_layers, None, m.mlp_nonlinear.activation());
            let lstm = Lstm::new("modulation.lstm", m.mlp_features, m.lstm_features, m.init_input, m.init_forget);
            return Self { kind: m.kind, inputs, input, lstm, out: None, width: m.mlp_features };
        }
        let name = if m.kind == ModulationKind::SigmoidLstm { "modulation.lstm" } else { "modulation" };
        // the reference's tanh of the input projection has no gain
        let input = Mlp::new(vec![Conv::linear(format!("{name}.proj_x"), inputs, m.in_features)], Activation::Tanh, false);
        let lstm = Lstm::new(name, m.in_features, m.hidden_features, m.init_input, m.init_forget);
        let out = Conv::linear(format!("{name}.out"), m.hidden_features, m.out_features).gain(0.0);
        Self { kind: m.kind, inputs, input, lstm, out: Some(out), width: m.in_features }
    }

    pub(crate) fn declare(&self, params: &mut Params, stream: usize, rng: &mut ChaCha8Rng) {
        if self.kind == ModulationKind::None {
            return;
        }
        if self.kind == ModulationKind::SigmoidLstm {
            for (kind, value) in [("gains", 1.0), ("biases", 0.0)] {
                params.push(Param {
                    name: format!("modulation.sigmoid.{kind}.{stream}"),
                    shape: vec![1, self.inputs],
                    value: vec![value; self.inputs].into(),
                    decay: false,
                    scale: 1.0,
                    norm_axes: Some(vec![0]),
                    frozen: false,
                });
            }
        }
        self.input.declare(params, stream, rng);
        self.lstm.declare(params, stream, rng);
        self.out.iter().for_each(|out| out.declare(params, stream, rng));
    }

    /// Nothing where there is no modulation.
    pub(crate) fn prepare(&self, params: &Params, stream: usize) -> Option<PreparedModulation> {
        if self.kind == ModulationKind::None {
            return None;
        }
        let squash = |kind: &str| params.value(&format!("modulation.sigmoid.{kind}.{stream}")).to_vec();
        Some(PreparedModulation {
            sigmoid: (self.kind == ModulationKind::SigmoidLstm).then(|| (squash("gains"), squash("biases"))),
            input: self.input.prepare(params, stream),
            gates: self.lstm.prepare(params, stream),
            out: self.out.as_ref().map(|out| out.prepare(params, stream)),
        })
    }

    pub(crate) fn begin(&self, batch: usize) -> LstmState {
        self.lstm.begin(batch)
    }

    /// Behaviour [T * N, M] to features [T * N, F]: zeros where there is no modulation, and then, or unless asked to `keep` it, nothing to
    /// go back through.
    pub(crate) fn forward(
        &self,
        prepared: Option<&PreparedModulation>,
        behavior: &[f32],
        batch: usize,
        draws: &Draws,
        state: &mut LstmState,
        space: &mut Workspace,
        keep: bool,
    ) -> (Vec<f32>, Option<ModulationTrace>) {
        let Some(prepared) = prepared else {
            let mut none = space.take(behavior.len() / self.inputs * self.lstm.width());
            none.fill(0.0);
            return (none, None);
        };
        let mut squashed = space.copy(behavior);
        if let Some((gains, biases)) = &prepared.sigmoid {
            for row in squashed.chunks_exact_mut(self.inputs) {
                row.iter_mut().zip(gains).zip(biases).for_each(|((m, a), b)| *m = 1.0 / (1.0 + (-(*a * *m + *b)).exp()));
            }
        }
        let (mut x, input) = self.input.forward(&prepared.input, &squashed, |_| {}, space, keep);
        self.scale_tanh(&mut x);
        draws.drop("modulation.x", batch, self.width, self.width, &mut x);
        let (hidden, lstm) = self.lstm.forward(&prepared.gates, &x, batch, draws, state, space, keep);
        space.give(x);
        let out = if let Some(out) = &prepared.out { out.pointwise(&hidden, space) } else { space.copy(&hidden) };
        if !keep {
            space.give(squashed);
            space.give(hidden);
            return (out, None);
        }
        (out, Some(ModulationTrace { behavior: behavior.to_vec(), squashed, input, lstm, hidden }))
    }

    /// The tanh of `proj_x` carries no gain, while [`Activation::Tanh`] does: divides it out.
    fn scale_tanh(&self, x: &mut [f32]) {
        if self.kind != ModulationKind::MlpLstm {
            let scale = 1.0 / Activation::Tanh.gain();
            x.iter_mut().for_each(|x| *x *= scale);
        }
    }

    /// Adds parameter gradients; behaviour itself needs none.
    pub(crate) fn backward(
        &self,
        prepared: Option<&PreparedModulation>,
        params: &Params,
        stream: usize,
        trace: Option<ModulationTrace>,
        batch: usize,
        draws: &Draws,
        dout: &[f32],
        gradients: &mut Gradients,
    ) {
        let (Some(prepared), Some(trace)) = (prepared, trace) else { return };
        let dh = match (&self.out, &prepared.out) {
            (Some(out), Some(prepared)) => {
                let d = prepared.pointwise_gradients(&trace.hidden, dout);
                out.add_gradients(params, stream, &d, gradients);
                prepared.pointwise_gradient(dout)
            }
            _ => dout.to_vec(),
        };
        let mut dx = self.lstm.backward(&prepared.gates, params, stream, trace.lstm, batch, draws, &dh, gradients);
        draws.drop("modulation.x", batch, self.width, self.width, &mut dx);
        self.scale_tanh(&mut dx);
        let dsquashed = self.input.backward(&prepared.input, params, stream, &trace.input, dx, |_| {}, gradients);
        if prepared.sigmoid.is_some() {
            let (mut da, mut db) = (vec![0.0; self.inputs], vec![0.0; self.inputs]);
            for (i, d) in dsquashed.iter().enumerate() {
                let (s, k) = (trace.squashed[i], i % self.inputs);
                let d = d * s * (1.0 - s);
                da[k] += d * trace.behavior[i];
                db[k] += d;
            }
            gradients.add(params, &format!("modulation.sigmoid.gains.{stream}"), &da);
            gradients.add(params, &format!("modulation.sigmoid.biases.{stream}"), &db);
        }
    }
}
