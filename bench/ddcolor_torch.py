"""DDColor in PyTorch, for comparison with the converted graph.

Written from the published architecture (Kang et al., DDColor, ICCV 2023; weights as in
piddnad/DDColor). Weights come straight from a checkpoint; spectral norm is folded beforehand and
every setting known to make PyTorch faster on a CPU is tried, so that the comparison is fair.

  python3 ddcolor_torch.py <checkpoint> <input.f32> <output.f32> --size 512 --runs 3

Reads float32 [3, size, size] (RGB 0..1), writes [2, size, size], prints one JSON line.
"""

import argparse
import json
import math
import os
import resource
import sys
import time

# Before torch is loaded: threads that spin steal the cores from those that work.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def best_core_type():
    """Debian's OpenBLAS may take a new processor for an old one."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        flags = next((line for line in file if line.startswith("flags")), "").split()
    if "avx512f" in flags:
        return "SKYLAKEX"
    return "HASWELL" if "avx2" in flags else None


if best_core_type():
    os.environ.setdefault("OPENBLAS_CORETYPE", best_core_type())

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

HEADS = 8
ENCODER_EPS = 1e-6


def folded(state):
    """Weights under spectral norm divided by sigma = u . (M v)."""
    out = {}
    for key, value in state.items():
        if key.endswith(("weight_u", "weight_v")):
            continue
        if key.endswith("weight_orig"):
            prefix = key[: -len("weight_orig")]
            matrix = value.reshape(value.shape[0], -1).double()
            u, v = (state[f"{prefix}weight_{name}"].double() for name in "uv")
            out[f"{prefix}weight"] = (value.double() / torch.dot(u, matrix @ v)).float()
        else:
            out[key] = value
    return out


class DDColor(torch.nn.Module):
    def __init__(self, state, channels_last):
        super().__init__()
        self.names = {}
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        for i, (key, value) in enumerate(folded(state).items()):
            if value.dim() == 4:
                value = value.contiguous(memory_format=self.format)
            self.names[key] = f"w{i}"
            self.register_buffer(f"w{i}", value)
        self.depths = [
            1 + max(int(k.split(".")[4]) for k in self.names if k.startswith(f"encoder.arch.stages.{i}."))
            for i in range(4)
        ]
        self.head_width = state["decoder.color_decoder.query_feat.weight"].shape[1] // HEADS
        root = "decoder.color_decoder.transformer_ffn_layers."
        self.layers = 1 + max(int(k[len(root) :].split(".")[0]) for k in self.names if k.startswith(root))

    def w(self, key):
        return getattr(self, self.names[key])

    def has(self, key):
        return key in self.names

    def conv(self, x, key, **options):
        bias = self.w(f"{key}.bias") if self.has(f"{key}.bias") else None
        return F.conv2d(x, self.w(f"{key}.weight"), bias, **options)

    def linear(self, x, key):
        return F.linear(x, self.w(f"{key}.weight"), self.w(f"{key}.bias"))

    def norm(self, x, key, eps=1e-5):
        return F.layer_norm(x, x.shape[-1:], self.w(f"{key}.weight"), self.w(f"{key}.bias"), eps)

    def norm_channels(self, x, key):
        return self.norm(x.permute(0, 2, 3, 1), key, ENCODER_EPS).permute(0, 3, 1, 2)

    def batch_norm(self, x, key):
        names = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(self.w(f"{key}.{name}") for name in names), eps=1e-5)

    def encoder(self, x):
        taps = []
        for stage in range(4):
            down = f"encoder.arch.downsample_layers.{stage}"
            if stage == 0:
                x = self.norm_channels(self.conv(x, f"{down}.0", stride=4), f"{down}.1")
            else:
                x = self.conv(self.norm_channels(x, f"{down}.0"), f"{down}.1", stride=2)
            for block in range(self.depths[stage]):
                key = f"encoder.arch.stages.{stage}.{block}"
                y = self.conv(x, f"{key}.dwconv", padding=3, groups=x.shape[1])
                y = self.norm(y.permute(0, 2, 3, 1), f"{key}.norm", ENCODER_EPS)
                y = self.linear(F.gelu(self.linear(y, f"{key}.pwconv1")), f"{key}.pwconv2")
                x = x + (self.w(f"{key}.gamma") * y).permute(0, 3, 1, 2)
            taps.append(self.norm_channels(x, f"encoder.arch.norm{stage}"))
        return taps

    def shuffle(self, x, factor):
        x = F.pixel_shuffle(F.relu(x), factor)
        return F.avg_pool2d(F.pad(x, (1, 0, 1, 0), mode="replicate"), 2, stride=1)

    def unet(self, taps):
        features, x = [], taps[3]
        for block in range(3):
            key = f"decoder.layers.{block}"
            x = self.conv(x, f"{key}.shuf.conv.0")
            up = self.shuffle(self.batch_norm(x, f"{key}.shuf.conv.1"), 2)
            skip = self.batch_norm(taps[2 - block], f"{key}.bn")
            x = self.conv(F.relu(torch.cat((up, skip), 1)), f"{key}.conv.0", padding=1)
            x = self.batch_norm(F.relu(x), f"{key}.conv.2")
            features.append(x)
        return features

    def position(self, height, width, size):
        half = size // 2
        rates = 10000 ** (2 * (torch.arange(half) // 2) / half)

        def wave(count):
            angles = 2 * math.pi * torch.arange(1, count + 1)[:, None] / (count + 1e-6) / rates
            return torch.where(torch.arange(half) % 2 == 0, angles.sin(), angles.cos())

        rows = wave(height)[:, None].expand(height, width, half)
        columns = wave(width)[None].expand(height, width, half)
        return torch.cat((rows, columns), 2).reshape(height * width, size)

    def attention(self, key, query, keys, values):
        weights = self.w(f"{key}.in_proj_weight").chunk(3)
        biases = self.w(f"{key}.in_proj_bias").chunk(3)
        q, k, v = (
            F.linear(x, weight, bias).reshape(x.shape[0], HEADS, -1).transpose(0, 1)
            for x, weight, bias in zip((query, keys, values), weights, biases)
        )
        scores = torch.softmax(q @ k.transpose(1, 2) * (self.head_width**-0.5), -1)
        joined = (scores @ v).transpose(0, 1).reshape(query.shape[0], -1)
        return self.linear(joined, f"{key}.out_proj")

    def colors(self, features):
        root = "decoder.color_decoder"
        place, x = (self.w(f"{root}.query_{name}.weight") for name in ("embed", "feat"))
        memories = []
        for scale, feature in enumerate(features):
            source = self.conv(feature, f"{root}.input_proj.{scale}")
            height, width = source.shape[2:]
            tokens = source[0].flatten(1).t() + self.w(f"{root}.level_embed.weight")[scale]
            memories.append((tokens, tokens + self.position(height, width, x.shape[1])))
        for layer in range(self.layers):
            tokens, placed = memories[layer % 3]
            key = f"{root}.transformer_cross_attention_layers.{layer}"
            y = self.attention(f"{key}.multihead_attn", x + place, placed, tokens)
            x = self.norm(x + y, f"{key}.norm")
            key = f"{root}.transformer_self_attention_layers.{layer}"
            y = self.attention(f"{key}.self_attn", x + place, x + place, x)
            x = self.norm(x + y, f"{key}.norm")
            key = f"{root}.transformer_ffn_layers.{layer}"
            y = self.linear(F.relu(self.linear(x, f"{key}.linear1")), f"{key}.linear2")
            x = self.norm(x + y, f"{key}.norm")
        x = self.norm(x, f"{root}.decoder_norm")
        x = F.relu(self.linear(x, f"{root}.color_embed.layers.0"))
        x = F.relu(self.linear(x, f"{root}.color_embed.layers.1"))
        return self.linear(x, f"{root}.color_embed.layers.2")

    def forward(self, image):
        x = (image - self.w("mean")) / self.w("std")
        features = self.unet(self.encoder(x.contiguous(memory_format=self.format)))
        high = self.shuffle(self.conv(features[2], "decoder.last_shuf.conv.0"), 4)
        maps = torch.einsum("qc,bchw->bqhw", self.colors(features), high)
        return self.conv(torch.cat((maps, x), 1), "refine_net.0.0")


def candidates(state, image):
    """Each way to run the network, made when its turn comes."""
    for channels_last in (False, True):
        layout = "channels_last" if channels_last else "contiguous"
        model = DDColor(state, channels_last).eval()
        yield f"eager, {layout}", model
        traced = torch.jit.freeze(torch.jit.trace(model, image, check_trace=False))
        yield f"traced and frozen, {layout}", traced
        try:
            yield f"optimize_for_inference, {layout}", torch.jit.optimize_for_inference(traced)
        except RuntimeError:
            # Needs a build with oneDNN.
            continue


def reference_blas():
    """Debian installs the slow reference library unless another one is asked for."""
    path = os.path.realpath("/etc/alternatives/libblas.so.3-x86_64-linux-gnu")
    return os.path.exists(path) and "/blas/" in path


def main():
    if reference_blas():
        sys.exit("PyTorch would multiply with the reference BLAS, ten times slower: apt-get install libopenblas0-pthread")
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint")
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", help="run only this configuration, for its peak memory")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    state = torch.load(options.checkpoint, map_location="cpu")
    state = {k: v.float() for k, v in state.get("params", state).items()}
    numbers = np.fromfile(options.input, dtype="<f4").reshape(1, 3, options.size, options.size)
    image = torch.from_numpy(numbers)
    results = []
    with torch.inference_mode():
        for name, model in candidates(state, image):
            if options.only and name != options.only:
                continue
            # Two runs warm up: the first compiles, the second specialises.
            for _ in range(2):
                output = model(image)
            seconds = []
            for _ in range(options.runs):
                start = time.perf_counter()
                model(image)
                seconds.append(time.perf_counter() - start)
            results.append({"name": name, "seconds": min(seconds)})
            output.numpy().astype("<f4").tofile(options.output)
            if options.only:
                break
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    version = f"{torch.__version__}, oneDNN {torch.backends.mkldnn.is_available()}"
    best = min(results, key=lambda result: result["seconds"])
    print(json.dumps({"version": version, "best": best, "all": results, "peakBytes": peak}))


if __name__ == "__main__":
    main()
