"""Train the mask network; stop it at any time, the same command goes on.

    python3 training/damage/train.py packed/ masks/ --minutes 240 --bf16
"""
import argparse
import json
import math
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from draw import sample
from mask_network import MaskNetwork, mask_loss

sys.path.append(str(Path(__file__).resolve().parent.parent))
from colour import rgb_to_lab  # noqa: E402
from dataset import PackedPhotos  # noqa: E402

HELD_OUT = 37  # every so-many-th photograph is kept for evaluate.py


class Examples(IterableDataset):
    """Endless random batches, seeded by (seed, step): resumable."""

    def __init__(self, photos, batch, size, seed, first_step):
        self.photos, self.batch, self.size, self.seed, self.first_step = photos, batch, size, seed, first_step

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        step, stride = self.first_step + (worker.id if worker else 0), worker.num_workers if worker else 1
        while True:
            rng, examples = np.random.default_rng((self.seed, step)), []
            for _ in range(self.batch):
                index = int(rng.integers(len(self.photos)))
                index += index % HELD_OUT == 0 and (1 if index + 1 < len(self.photos) else -1)
                lightness = rgb_to_lab(np.ascontiguousarray(self.photos[index]))[..., 0] / 100
                examples.append(sample(lightness, self.size, rng))
            yield tuple(torch.from_numpy(np.stack(part)) for part in zip(*examples))
            step += stride


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="folder written by prepare.py")
    parser.add_argument("run", help="folder for checkpoints and log; an unfinished run in it is resumed")
    parser.add_argument("--minutes", type=float, default=240, help="training time (default %(default)s)")
    parser.add_argument("--steps", type=int, help="stop after this many steps instead of by the clock")
    parser.add_argument("--size", type=int, default=256, help="crop in px (default %(default)s)")
    parser.add_argument("--batch", type=int, default=16, help="crops per step (default %(default)s)")
    parser.add_argument("--lr", type=float, default=1e-3, help="peak learning rate (default %(default)s)")
    parser.add_argument("--ema", type=float, default=0.998, help="decay of the averaged weights (default %(default)s)")
    parser.add_argument("--bf16", action="store_true", help="half precision: AVX-512, AMX or a GPU")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw damage (default %(default)s)")
    parser.add_argument("--save-minutes", type=float, default=5, help="between checkpoints (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(argv)


class Trainer:
    """Network, its average, optimiser and clock; saved and restored as one."""

    def __init__(self, options):
        self.options, self.run, self.device = options, Path(options.run), torch.device(options.device)
        self.run.mkdir(parents=True, exist_ok=True)
        self.network = MaskNetwork().to(self.device, memory_format=torch.channels_last)
        self.average = MaskNetwork().to(self.device).requires_grad_(False)
        self.average.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(self.network.parameters(), options.lr, weight_decay=0.01)
        self.step, self.seconds, self.stopping = 0, 0.0, False
        if (self.run / "last.pt").exists():
            state = torch.load(self.run / "last.pt", map_location="cpu")
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.seconds = state["step"], state["seconds"]
            self.log(event="resumed")

    @property
    def progress(self):
        return self.step / self.options.steps if self.options.steps else self.seconds / (60 * self.options.minutes)

    def log(self, **fields):
        line = json.dumps({"step": self.step, "samples": self.step * self.options.batch,
                           "minutes": round(self.seconds / 60, 1), **fields})
        print(line, flush=True)
        with open(self.run / "log.jsonl", "a") as file:
            file.write(line + "\n")

    def save(self):
        state = {"network": self.network.state_dict(), "model": self.average.state_dict(), "step": self.step,
                 "optimiser": self.optimiser.state_dict(), "seconds": self.seconds}
        torch.save(state, self.run / "last.tmp")
        (self.run / "last.tmp").replace(self.run / "last.pt")
        torch.save({"model": state["model"], "step": self.step}, self.run / "average.tmp")
        (self.run / "average.tmp").replace(self.run / "average.pt")

    def update(self, picture, truth, weight):
        share = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, self.progress)))
        self.optimiser.param_groups[0]["lr"] = self.options.lr * share * min(1, (self.step + 1) / 100)
        picture = picture.to(self.device, memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.bf16):
            logits = self.network(picture)
        loss = mask_loss(logits.float(), truth.to(self.device), weight.to(self.device))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        decay = min(self.options.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for kept, new in zip(self.average.state_dict().values(), self.network.state_dict().values()):
                kept.lerp_(new, 1 - decay) if kept.dtype.is_floating_point else kept.copy_(new)
        return loss.item()

    def train(self, photos):
        options, saved, losses = self.options, time.monotonic(), []
        source = Examples(photos, options.batch, options.size, options.seed, self.step)
        ahead = {"prefetch_factor": 4} if options.workers else {}
        batches = iter(DataLoader(source, batch_size=None, num_workers=options.workers, **ahead))
        while self.progress < 1 and not self.stopping:
            begun = time.monotonic()
            losses.append(self.update(*next(batches)))
            self.seconds += time.monotonic() - begun
            if self.step % 50 == 0:
                self.log(loss=round(sum(losses) / len(losses), 4))
                losses = []
            if time.monotonic() - saved > options.save_minutes * 60:
                self.save()
                saved = time.monotonic()
        self.save()
        self.log(event="stopped" if self.stopping else "finished")


def main(argv=None):
    options = parse_arguments(argv)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    trainer = Trainer(options)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: setattr(trainer, "stopping", True))
    trainer.train(PackedPhotos(options.data))


if __name__ == "__main__":
    main()
