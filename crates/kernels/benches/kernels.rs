//! Each operation at the sizes of the published network, one frame of one stream: `cargo bench -p striate-kernels`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use striate_kernels::activation::{self, Activation};
use striate_kernels::attention::{self, Heads};
use striate_kernels::conv::{self, Algorithm, ConvShape, Extent};
use striate_kernels::grid_sample;
use striate_kernels::lstm::{Cell, lstm};
use striate_kernels::pad::{Border, Frame};
use striate_kernels::readout::{self, Gather};

fn values(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919) % 1009) as f32 / 504.5 - 1.0).collect()
}

/// Convolutions: name, shape, output height and width.
fn layers() -> [(&'static str, ConvShape, [usize; 2]); 6] {
    let of = |groups, cin, cout, kt, k, stride| ConvShape { groups, cin, cout, kt, k, stride };
    [
        ("input 6x6", of(1, 1, 32, 1, 6, 2), [64, 96]),
        ("block 1", of(1, 32, 32, 3, 3, 1), [64, 96]),
        ("block 2", of(2, 32, 32, 3, 3, 1), [32, 48]),
        ("block 3", of(4, 32, 32, 3, 3, 1), [16, 24]),
        ("conv-lstm gates", of(8, 64, 128, 1, 3, 1), [16, 24]),
        ("out 1x1", of(1, 384, 128, 1, 1, 1), [16, 24]),
    ]
}

fn convolutions(c: &mut Criterion) {
    for (name, s, [height, width]) in layers() {
        let e = Extent { frames: 1, batch: 1, height: (height - 1) * s.stride + s.k, width: (width - 1) * s.stride + s.k };
        let x = values(s.input_frames(&e) * e.height * e.width * s.channels_in());
        let (weights, dy) = (values(s.weights()), values(height * width * s.channels_out()));
        let mut out = vec![0.0; dy.len()];
        let mut group = c.benchmark_group(format!("convolution/{name}"));
        group.throughput(Throughput::Elements((height * width * s.weights()) as u64));
        for algorithm in [Algorithm::Direct, Algorithm::Winograd] {
            if algorithm == Algorithm::Winograd && s.algorithm() != algorithm {
                continue;
            }
            let packed = conv::pack_for(algorithm, &s, &weights);
            group.bench_function(format!("{algorithm:?} forward"), |b| b.iter(|| conv::forward(&s, &e, &x, &packed, None, &mut out, false)));
            group.bench_function(format!("{algorithm:?} weight gradient"), |b| {
                b.iter(|| black_box(conv::weight_gradient_by(algorithm, &s, &e, &x, &dy)));
            });
            group.bench_function(format!("{algorithm:?} pack"), |b| b.iter(|| black_box(conv::pack_for(algorithm, &s, &weights))));
        }
    }
}

fn attention(c: &mut Criterion) {
    let (tokens, dim) = (16 * 24, 64);
    let (heads, qkv, scale) = (Heads { groups: 1, dim, tokens }, values(3 * tokens * dim), vec![1.0; dim]);
    let (mut a, da, mut dqkv, mut dscale) = (vec![0.0; tokens * dim], values(tokens * dim), qkv.clone(), scale.clone());
    let mut group = c.benchmark_group("attention head");
    group.throughput(Throughput::Elements((2 * tokens * tokens * dim) as u64));
    group.bench_function("forward", |b| b.iter(|| attention::forward(heads, &qkv, &scale, &mut a, 0, 1)));
    group.throughput(Throughput::Elements((5 * tokens * tokens * dim) as u64));
    group.bench_function("backward", |b| b.iter(|| attention::backward(heads, &qkv, &scale, &da, 0, 1, &mut dqkv, &mut dscale)));
}

fn pointwise(c: &mut Criterion) {
    let x = values(64 * 96 * 32);
    let mut y = vec![0.0; x.len()];
    let mut group = c.benchmark_group("pointwise");
    group.throughput(Throughput::Elements(x.len() as u64));
    group.bench_function("gelu", |b| b.iter(|| activation::forward(Activation::Gelu, &x, &mut y)));
    group.bench_function("gelu gradient", |b| b.iter(|| activation::gradient(Activation::Gelu, &x, &mut y)));
    let cell = Cell { groups: 8, channels: 32, pixels: 384 };
    let n = 8 * 32 * 384;
    let (gates, mut state, mut hidden) = (values(4 * n), values(n), vec![0.0; n]);
    let mut fresh = gates.clone();
    group.bench_function("lstm cell", |b| {
        b.iter(|| {
            fresh.copy_from_slice(&gates);
            lstm(cell, &mut fresh, &mut state, &mut hidden, None);
        });
    });
}

fn sampling(c: &mut Criterion) {
    let (video, retina) = (Frame { height: 144, width: 256, channels: 1 }, 128 * 192);
    let (x, at) = (values(video.len()), values(2 * retina));
    let points: Vec<[f32; 2]> = at.as_chunks::<2>().0.iter().map(|[x, y]| [128.0 + 140.0 * x, 72.0 + 80.0 * y]).collect();
    let mut out = vec![0.0; retina];
    c.bench_function("grid sample", |b| b.iter(|| grid_sample::forward(video, Border::Zero, &x, &points, &mut out)));
    let (map, units) = (Frame { height: 16, width: 24, channels: 128 }, 8000);
    let (maps, weights, biases, at) = (values(map.len()), values(units * 128), values(units), values(2 * units));
    let gathers: Vec<Gather> = at.as_chunks::<2>().0.iter().map(|[x, y]| Gather::new(map, [12.0 + 12.0 * x, 8.0 + 8.0 * y])).collect();
    let mut out = vec![0.0; units];
    let mut group = c.benchmark_group("readout");
    group.throughput(Throughput::Elements(units as u64));
    group.bench_function("forward", |b| b.iter(|| readout::forward(map, &maps, &gathers, &weights, &biases, &mut out)));
    group.bench_function("backward", |b| b.iter(|| black_box(readout::backward(map, &maps, &gathers, &weights, &biases))));
}

criterion_group!(benches, convolutions, attention, pointwise, sampling);
criterion_main!(benches);
