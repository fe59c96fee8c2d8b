"""The published network in plain PyTorch, timed beside `striate bench` in one run.

    python -m venv /tmp/torch && /tmp/torch/bin/pip install torch
    cargo build --release
    /tmp/torch/bin/python benches/pytorch.py --striate target/release/striate

Layers and sizes are the preset `published`'s (or, with --cell conv_lstm, the paper's core): perspective, modulation, feedforward, recurrent,
readout, Poisson loss, SGD with momentum. Weights are random and weight normalisation happens once per sequence, as in Striate.
All streams run as groups of one convolution, the layout PyTorch is fastest with; a clip goes through the feedforward at once.
Run it with nothing else running. `--fnn CHECKOUT` times the authors' own network from a checkout of their code as well.
"""

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

GELU = 1.7015043497085571


class Conv(nn.Module):
    """Weight-normalised convolution over [N, C, (T,) H, W], `streams` copies as groups."""

    def __init__(self, streams, groups, cin, cout, k=1, kt=1, bias=True):
        super().__init__()
        self.groups, self.k, self.kt = groups * streams if groups > 1 else streams, k, kt
        self.weight = nn.Parameter(torch.empty(streams * cout, cin // groups, kt, k, k).uniform_(-1, 1))
        self.gain = nn.Parameter(torch.ones(streams * cout))
        self.bias = nn.Parameter(torch.zeros(streams * cout)) if bias else None
        self.ready = None

    def prepare(self):
        w = self.weight
        fan_in = w[0].numel()
        var, mean = torch.var_mean(w, dim=(1, 2, 3, 4), keepdim=True, correction=0)
        w = (w - mean) * (var * fan_in + 1e-5).rsqrt() * self.gain.view(-1, 1, 1, 1, 1)
        self.ready = w if self.kt > 1 else w.squeeze(2)

    def forward(self, x):
        if self.kt > 1:  # x carries kt - 1 earlier frames
            return F.conv3d(x, self.ready, self.bias, padding=(0, self.k // 2, self.k // 2), groups=self.groups)
        return F.conv2d(x, self.ready, self.bias, padding=self.k // 2, groups=self.groups)


def cat_groups(parts, groups):
    n, _, h, w = parts[0].shape
    return torch.cat([p.view(n, groups, -1, h, w) for p in parts], 2).view(n, -1, h, w)


class Block(nn.Module):
    def __init__(self, streams, groups, channels, pool):
        super().__init__()
        self.groups, self.pool = groups * streams, pool
        self.convs = nn.ModuleList(Conv(streams, groups, channels, channels, 3, 3) for _ in range(2))
        self.skip = Conv(streams, groups, channels, channels, bias=False)

    def temporal(self, conv, y, history):
        """y [T, C, H, W] of one video after its history, as one 3-D convolution."""
        past = history if history is not None else y.new_zeros(2, *y.shape[1:])
        y = torch.cat([past, y])
        out = conv(y.transpose(0, 1)[None])[0].transpose(0, 1)
        return out, y[-2:]

    def forward(self, x, batch, history):
        """x [T * N, C, H, W], time-major."""
        z, earlier, kept = [x], None, []
        for l, conv in enumerate(self.convs):
            y = GELU * F.gelu(x)
            frames = y.view(-1, batch, *y.shape[1:])
            outs, pasts = zip(*(self.temporal(conv, frames[:, n], None if history is None else history[l][n]) for n in range(batch)))
            x = torch.stack(outs, 1).flatten(0, 1) if batch > 1 else outs[0]
            kept.append(pasts)
            if l == 1:
                x = x + self.skip(earlier)
            earlier = y
            z.append(x)
        z = cat_groups(z, self.groups)
        return (F.avg_pool2d(z, self.pool) if self.pool > 1 else z), kept


class Recurrent(nn.Module):
    def __init__(self, streams, cell, groups=8, hidden=256, common=512, features=16):
        super().__init__()
        self.streams, self.cell, self.groups, self.hidden, self.common = streams, cell, groups * streams, hidden, common
        self.between = Conv(streams, 1, hidden, hidden, bias=False)  # dense, its diagonal blocks would be zero
        self.feedforward = Conv(streams, 1, 128, hidden)
        self.modulation = Conv(streams, 1, features, hidden, bias=False)
        self.out = Conv(streams, 1, hidden, 128)
        if cell == "conv_lstm":
            self.gates = Conv(streams, groups, 2 * hidden, 4 * hidden, 3)
        else:
            self.conv = Conv(streams, groups, 2 * hidden, common, 3, bias=False)
            self.qkv = Conv(streams, groups, common, 3 * common, bias=False)
            self.scales = nn.Parameter(torch.ones(streams * groups, common // groups, 1))
            self.gates = Conv(streams, groups, 2 * common, 4 * hidden)

    def attend(self, z):
        n, _, h, w = z.shape
        d = self.common * self.streams // self.groups
        q, k, v = self.qkv(z).view(n, self.groups, 3, d, h * w).unbind(2)
        q, k = F.normalize(q, dim=2) * self.scales, F.normalize(k, dim=2)
        a = v @ torch.softmax(q.mT @ k, -1).mT  # twice as fast here as scaled_dot_product_attention
        return a.reshape(n, -1, h, w)

    def forward(self, f, m, batch, state):
        """f [T * N, C, H, W], m [T * N, features, 1, 1]."""
        projected = self.feedforward(f) + self.modulation(m)
        h, c = state if state is not None else (projected.new_zeros(batch, self.streams * self.hidden, *f.shape[2:]),) * 2
        outs = []
        for x in projected.split(batch):
            x = torch.tanh(x + self.between(h))
            both = cat_groups([x, h], self.groups)
            if self.cell == "cvt_lstm":
                z = self.conv(both)
                both = cat_groups([z, self.attend(z)], self.groups)
            gates = self.gates(both).view(batch, self.groups, 4, -1, *f.shape[2:])
            i, f_, g, o = (gate.reshape_as(c) for gate in gates.unbind(2))
            c = torch.sigmoid(f_) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            outs.append(h)
        return self.out(torch.cat(outs)), (h, c)


class Twin(nn.Module):
    """Published sizes: retina 128 x 192, core map 16 x 24, 128 channels a stream."""

    def __init__(self, units, streams, cell):
        super().__init__()
        self.streams, self.units = streams, units
        self.eye = nn.Sequential(nn.Linear(2, 16), nn.GELU(), nn.Linear(16, 16), nn.GELU(), nn.Linear(16, 16), nn.GELU(), nn.Linear(16, 3))
        self.behavior, self.lstm = nn.Linear(2, 16 * streams), nn.ModuleList(nn.LSTMCell(16, 16) for _ in range(streams))
        self.center, self.power = nn.Parameter(torch.tensor([0.0, 0.0, 0.5])), nn.Parameter(torch.zeros(1))
        y, x = torch.meshgrid(torch.linspace(-0.66, 0.66, 128), torch.linspace(-1, 1, 192), indexing="ij")
        rho, theta = ((x**2 + y**2).sqrt() * math.radians(75)).clamp(max=math.pi / 2), torch.atan2(y, x)
        self.register_buffer("rays", torch.stack([rho.sin() * theta.cos(), rho.sin() * theta.sin(), rho.cos()], -1))
        self.input = nn.Conv2d(1, 32 * streams, 6, 2, 2, padding_mode="replicate")
        sizes = [(1, 32, 2), (2, 64, 2), (4, 128, 1)]
        self.blocks = nn.ModuleList(Block(streams, g, c, p) for g, c, p in sizes)
        self.between = nn.ModuleList([Conv(streams, 1, 96, 64), Conv(streams, 1, 192, 128), Conv(streams, 1, 384, 128)])
        self.recurrent = Recurrent(streams, cell)
        self.position = nn.Parameter(0.3 * torch.randn(units, 2))
        self.features = nn.Parameter(0.1 * torch.randn(units, 128 * streams))
        self.biases = nn.Parameter(torch.zeros(units))

    def rotate(self, angles):
        (cx, cy, cz), (sx, sy, sz) = angles.cos().unbind(-1), angles.sin().unbind(-1)
        one, zero = torch.ones_like(cx), torch.zeros_like(cx)
        matrix = lambda *rows: torch.stack(rows, -1).view(-1, 3, 3)
        rx = matrix(one, zero, zero, zero, cx, -sx, zero, sx, cx)
        ry = matrix(cy, zero, sy, zero, one, zero, -sy, zero, cy)
        rz = matrix(cz, -sz, zero, sz, cz, zero, zero, zero, one)
        return rz @ ry @ rx

    def see(self, video, eye):
        rays = torch.einsum("nij,hwj->nhwi", self.rotate(self.eye(eye)), self.rays)
        at = self.center[2] / rays[..., 2:].clamp(min=1e-5) * rays[..., :2] - self.center[:2]
        grid = at * at.new_tensor([1.0, video.shape[-1] / video.shape[-2]])
        image = F.grid_sample((video / 255.0) ** 1.7, grid, align_corners=False)
        return (image + 1e-5) ** torch.sigmoid(self.power)

    def start(self):
        for module in self.modules():
            if isinstance(module, Conv):
                module.prepare()
        return None

    def forward(self, video, eye, behavior, batch, state):
        """Frames [T * N, 1, H, W], time-major; returns rates [T * N, U] and the state after them."""
        history, cell, lstm = state if state is not None else (None, None, None)
        x = self.input(self.see(video, eye))
        kept = []
        for b, block in enumerate(self.blocks):
            z, past = block(x, batch, None if history is None else history[b])
            x = self.between[b](z)
            kept.append(past)
        m, steps = GELU * F.gelu(self.behavior(behavior)), []
        lstm = lstm if lstm is not None else [None] * self.streams
        for frame in m.split(batch):
            lstm = [own(x, s) for own, x, s in zip(self.lstm, frame.chunk(self.streams, -1), lstm)]
            steps.append(torch.cat([h for h, _ in lstm], -1))
        maps, cell = self.recurrent(x, torch.cat(steps)[..., None, None], batch, cell)
        grid = torch.tanh(self.position).expand(maps.shape[0], -1, -1)[:, :, None]
        read = F.grid_sample(maps, grid, padding_mode="border", align_corners=False)[..., 0]
        rate = torch.exp((read * self.features.T).sum(1) / self.streams + self.biases)
        return rate, (kept, cell, lstm)


def inputs(frames, size):
    return torch.randint(0, 256, (frames, 1, *size)).float(), torch.randn(frames, 2), torch.randn(frames, 2)


def respond(args, batch):
    net = Twin(args.units, 4, args.cell).eval()
    times = []
    with torch.no_grad():
        state, x = net.start(), inputs(batch, (144, 256))
        for _ in range(args.frames + 3):
            began = time.perf_counter()
            _, state = net(*x, batch, state)
            times.append(time.perf_counter() - began)
    return 1e3 * statistics.median(times[3:])


def train(args):
    batch, frames = 5, 70
    net = Twin(args.units, 1, args.cell)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9, nesterov=True)
    x, times = inputs(batch * frames, (144, 256)), []
    y = torch.rand(batch * frames, args.units)
    for _ in range(args.steps + 1):
        began = time.perf_counter()
        rate, _ = net(*x, batch, net.start())
        loss = (rate - y * torch.log(rate))[10 * batch :].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - began)
    return 1e3 * statistics.median(times[1:])


def authors_network(args):
    """The authors' network out of a checkout of fnn, in the same sizes."""
    sys.path.insert(0, args.fnn)
    from fnn.model import bounds, cores, features, feedforwards, modulations, monitors, networks
    from fnn.model import perspectives, pixels, positions, readouts, recurrents, reductions, retinas, units

    own, kind = {}, recurrents.ConvLstm
    if args.cell == "cvt_lstm":
        own, kind = {"common_channels": 512}, recurrents.CvtLstm
    sizes = {"block_channels": [32, 64, 128], "block_groups": [1, 2, 4], "block_layers": [2, 2, 2], "block_temporals": [3, 3, 3]}
    sizes |= {"block_spatials": [3, 3, 3], "block_pools": [2, 2, 1], "out_channels": 128, "nonlinear": "gelu"}
    network = networks.Visual(
        core=cores.FeedforwardRecurrent(
            feedforwards.InputDense(input_spatial=6, input_stride=2, **sizes),
            kind(in_channels=256, hidden_channels=256, out_channels=128, groups=8, spatial=3, **own),
        ),
        perspective=perspectives.MlpMonitorRetina(
            mlp_features=16,
            mlp_layers=3,
            mlp_nonlinear="gelu",
            monitor=monitors.Plane(),
            monitor_pixel=pixels.StaticPower(power=1.7),
            retina=retinas.Angular(degrees=75),
            retina_pixel=pixels.SigmoidPower(),
            height=128,
            width=192,
        ),
        modulation=modulations.MlpLstm(mlp_features=16, mlp_layers=1, mlp_nonlinear="gelu", lstm_features=16),
        readout=readouts.PositionFeature(positions.Gaussian(), bounds.Tanh(), features.Vanilla()),
        reduce=reductions.Mean(),
        unit=units.Poisson(),
    )
    network._init(stimuli=1, perspectives=2, modulations=2, units=args.units, streams=4)
    return network


def authors_respond(args, batch):
    import numpy as np

    video = np.random.default_rng(0).integers(0, 256, (args.frames + 3, batch, 144, 256, 1), dtype=np.uint8)
    times, began = [], time.perf_counter()
    with torch.no_grad():
        for _ in authors_network(args).generate_response(video):
            times.append(time.perf_counter() - began)
            began = time.perf_counter()
    return 1e3 * statistics.median(times[3:])


def authors_train(args):
    import numpy as np

    batch, frames, rng, times = 5, 70, np.random.default_rng(0), []
    network = authors_network(args)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9, nesterov=True)
    video = rng.integers(0, 256, (frames, batch, 144, 256, 1), dtype=np.uint8)
    y, eye, behavior = rng.random((frames, batch, args.units)), rng.normal(size=(frames, batch, 2)), rng.normal(size=(frames, batch, 2))
    for _ in range(args.steps + 1):
        began = time.perf_counter()
        losses = list(network.generate_loss(y, video, eye, behavior, stream=0, training=True))
        loss = torch.stack(losses[10:]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - began)
    return 1e3 * statistics.median(times[1:])


def striate(args, what, *extra):
    command = [args.striate, "bench", what, f"recurrent.type={args.cell}", "--units", str(args.units), "--threads", str(args.threads), "--json"]
    if what == "respond":
        command += ["--precision", args.precision]
    out = subprocess.run([*command, *extra], check=True, capture_output=True, text=True).stdout
    measured = json.loads(out)
    return measured["figures"][0]["median_ms"], measured["peak_memory_gb"], measured["tier"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--striate", default="target/release/striate", help="the striate binary")
    parser.add_argument("--cell", choices=["conv_lstm", "cvt_lstm"], default="cvt_lstm")
    parser.add_argument("--units", type=int, default=8000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--frames", type=int, default=60, help="frames timed when responding")
    parser.add_argument("--steps", type=int, default=2, help="training steps timed")
    parser.add_argument("--only", choices=["respond", "batch", "train"], help="one measurement instead of all three")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32", help="of Striate's products when responding")
    parser.add_argument("--fnn", metavar="CHECKOUT", help="a checkout of the authors' code, timed as well")
    parser.add_argument("--torch-only", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    runs = {"respond": lambda: respond(args, 1), "batch": lambda: respond(args, 8), "train": lambda: train(args)}
    if args.torch_only and args.fnn:
        runs = {"respond": lambda: authors_respond(args, 1), "batch": lambda: authors_respond(args, 8), "train": lambda: authors_train(args)}
    if args.torch_only:  # a process of its own, so that its peak memory is this measurement's
        ms = runs[args.only]()
        print(json.dumps([ms, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024e-9]))
        return
    extra = {"respond": ["respond"], "batch": ["respond", "--batch", "8"], "train": ["train", "loader.batch_size=5", "loader.sample_size=70"]}
    print(f"{args.cell}, {args.units} units, {args.threads} threads, torch {torch.__version__}, striate in {args.precision} when responding")
    print(f"{'':10} {'':8} {'ms':>10} {'GB':>6} {'striate ms':>11} {'GB':>6} {'ratio':>6}")
    for what in [args.only] if args.only else list(runs):
        plain = [argument for argument in sys.argv if argument not in ("--fnn", args.fnn)]
        calls = [("torch", plain)] + ([("fnn", sys.argv)] if args.fnn else [])
        measured = [(name, measure(call, what)) for name, call in calls]
        ours, our_gb, tier = striate(args, *extra[what])
        for name, (theirs, their_gb) in measured:
            print(f"{what:10} {name:8} {theirs:10.1f} {their_gb:6.2f} {ours:11.1f} {our_gb:6.2f} {theirs / ours:5.2f}x  {tier}")


def measure(call, what):
    """Median ms and peak GB of one measurement, by a process of its own."""
    own = subprocess.run([sys.executable, *call, "--torch-only", "--only", what], check=True, capture_output=True, text=True)
    return json.loads(own.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
