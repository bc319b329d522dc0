"""The whole recipe on drawn pictures: prepare, train, resume, export, evaluate, sheets.

    python3 -m unittest discover -s training/tests        (Debian: python3-torch python3-opencv python3-onnx)
"""
import csv
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

import onnx  # noqa: E402
import torch  # noqa: E402

from augment import STEPS, age, mount  # noqa: E402
from backbone import MobileNetV3  # noqa: E402
from blend import blend  # noqa: E402
from colour import Bins, grey_rgb, grey_to_lightness, lab_to_rgb, rgb_to_lab  # noqa: E402
from evaluate import load_checkpoint  # noqa: E402
from losses import ColourLoss, is_purple  # noqa: E402
from metrics import ciede2000, colourfulness, neutral_share, purple_share, spread  # noqa: E402
from network import Colouriser, Decoder, StarterModel, network_from  # noqa: E402


def draw(folder, count):
    """Landscapes: blue over green with a red house, each a little different."""
    rng = np.random.default_rng(1)
    for number in range(count):
        picture = np.zeros((70, 90, 3), np.uint8)
        horizon = int(rng.integers(25, 45))
        picture[:horizon], picture[horizon:] = (200, 150, 110), (60, 130, 80)
        cv2.rectangle(picture, (30, horizon - 12), (55, horizon + 8), (50, 50, 170), -1)
        picture = np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)
        target = folder / ("hills" if number % 2 else "plains")
        target.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target / f"{number}.png"), picture)


def run(script, *arguments):
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
    done = subprocess.run([sys.executable, str(HERE / script), *map(str, arguments)], capture_output=True, text=True,
                          env=environment)
    if done.returncode:
        raise AssertionError(f"{script}: {done.stderr[-2000:]}")
    return done.stdout


class Recipe(unittest.TestCase):
    def test_end_to_end(self):
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            draw(work / "photos", 6)
            cv2.imwrite(str(work / "photos" / "hills" / "grey.png"), np.full((64, 64, 3), 90, np.uint8))
            (work / "photos" / "hills" / "broken.jpg").write_bytes(b"not a picture")
            said = run("prepare.py", work / "photos", work / "packed", "--short-side", 64)
            self.assertIn("6 photographs packed", said)
            self.assertIn("1 unreadable", said)
            self.assertIn("1 without colour", said)
            with open(work / "packed" / "index.csv", newline="") as file:
                self.assertEqual({row["source"] for row in csv.DictReader(file)}, {"hills", "plains"})
            common = [work / "packed", work / "run", "--phases", "32:0.5,64:0.5", "--batch", 4, "--workers", 0,
                      "--threads", 1]
            run("train.py", *common, "--steps", 2)
            said = run("train.py", *common, "--steps", 3, "--val", work / "photos")
            self.assertIn("resumed", said)
            self.assertIn('"event": "val"', said)
            state = torch.load(work / "run" / "last.pt")
            self.assertEqual((state["step"], state["samples"]), (3, 12))
            average = work / "run" / "average.pt"
            table = run("evaluate.py", average, work / "photos", "--size", 64)
            for row in ("grey", "sepia", "model", "truth"):
                self.assertIn(f"hills       {row}", table)
            self.assertIn("spread", run("tradeoff.py", average, work / "photos", "--show", 1))
            run("sheets.py", average, work / "photos", work / "sheet.png", "--limit", 2, "--sizes", 64, "--truth")
            self.assertEqual(cv2.imread(str(work / "sheet.png")).shape, (200, 1800, 3))
            run("blend.py", work / "packed", work / "mixed.pt", f"{average}=0.5", f"{average}=0.5", "--batches", 1,
                "--size", 32)
            run("sheets.py", work / "mixed.pt", work / "photos", work / "pair.png", "--limit", 1, "--sizes", 64,
                "--against", average)
            self.assertEqual(cv2.imread(str(work / "pair.png")).shape, (200, 1800, 3))
            run("export.py", average, work / "model.onnx", "--sight", 256, "--parity", work / "parity")
            self.check_contract(work / "model.onnx")
            run("restore.py", work / "model.onnx", work / "packed", work / "restored.pt", "--batches", 1)
            self.check_same(average, work / "restored.pt")
            folds = run("leave_one_out.py", work / "packed", work / "folds", "--sources", "hills", "--", "--steps", 1,
                        "--phases", "32:1", "--batch", 2, "--workers", 0)
            self.assertIn("| hills | 2 |", folds)

    def check_same(self, *checkpoints):
        """The exported model as a checkpoint computes what the first one did, but for float16 weights."""
        before, after = (load_checkpoint(file) for file in checkpoints)
        picture = torch.rand(1, 1, 64, 96)
        with torch.no_grad():
            difference = (before(picture) - after(picture)).abs().max()
        self.assertLess(difference, 0.02)
        self.assertGreater((before.head[0][1].weight - after.head[0][1].weight).abs().max(), 0.1)

    def check_contract(self, file):
        self.assertLess(file.stat().st_size, 10_000_000)
        model = onnx.load(str(file))
        self.assertLessEqual(max(o.version for o in model.opset_import), 17)
        shape = lambda value: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        self.assertEqual([(v.name, shape(v)) for v in model.graph.input],
                         [("input", ["batch", 3, "height", "width"])])
        self.assertEqual([v.name for v in model.graph.output], ["output"])


class Parts(unittest.TestCase):
    def test_lab_goes_there_and_back(self):
        rgb = np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        self.assertLessEqual(np.abs(lab_to_rgb(rgb_to_lab(rgb)).astype(int) - rgb).max(), 2)

    def test_lightness_in_the_graph_is_that_of_the_grey_picture(self):
        lightness = np.linspace(0, 100, 64, dtype=np.float32).reshape(8, 8)
        grey = torch.from_numpy(grey_rgb(lightness)[None, None, ..., 0])
        self.assertLess(np.abs(grey_to_lightness(grey)[0, 0].numpy() * 100 - lightness).max(), 0.5)

    def test_nearest_bin_is_the_closest_centre(self):
        bins = Bins()
        centres = torch.from_numpy(bins.centres)
        found = bins.nearest(centres[:, :, None, None])[:, 0, 0]
        self.assertTrue(torch.equal(found, torch.arange(len(bins))))

    def test_ageing_keeps_shape_and_range_and_is_seeded(self):
        lightness = np.random.default_rng(1).random((48, 64), dtype=np.float32)
        for step, _ in STEPS:
            aged = step(lightness, np.random.default_rng(2))
            self.assertEqual((aged.shape, aged.dtype), (lightness.shape, lightness.dtype), step.__name__)
            self.assertFalse(np.array_equal(aged, lightness), step.__name__)
        twice = [age(lightness, np.random.default_rng(3)) for _ in range(2)]
        self.assertTrue(np.array_equal(*twice))
        self.assertTrue(0 <= twice[0].min() and twice[0].max() <= 1)

    def test_a_mounted_photograph_has_a_colourless_card(self):
        lab = np.full((64, 64, 3), 40, np.float32)
        mounted = mount(lab, np.random.default_rng(1))
        self.assertEqual(np.abs(mounted[:2, :, 1:]).max(), 0)
        self.assertEqual(mounted[32, 32, 1], 40)

    def test_encoder_strides(self):
        features = MobileNetV3().eval()(torch.rand(1, 1, 64, 96))
        self.assertEqual([tuple(f.shape[1:]) for f in features],
                         [(24, 16, 24), (32, 8, 12), (88, 4, 6), (120, 2, 3)])

    def test_ciede2000_of_published_pairs(self):
        # Sharma, Wu and Dalal, The CIEDE2000 color-difference formula (2005), pairs 1, 16, 20, 24, 28 and 34
        first = np.array([[50, 2.6772, -79.7751], [50, 2.5, 0], [50, 2.5, 0], [60.2574, -34.0099, 36.2677],
                          [22.7233, 20.0904, -46.694], [2.0776, 0.0795, -1.135]])
        second = np.array([[50, 0, -82.7485], [73, 25, -18], [58, 24, 15], [60.4626, -34.1751, 39.4387],
                           [23.0331, 14.973, -42.5619], [0.9033, -0.0636, -0.5514]])
        known = [2.0425, 27.1492, 19.4535, 1.2644, 2.0373, 0.9082]
        self.assertLess(np.abs(ciede2000(first, second) - known).max(), 1e-4)

    def test_shares_and_spread(self):
        ab = np.zeros((4, 4, 2), np.float32)
        ab[0] = (18, -8)  # hue 336
        ab[1] = (20, 20)
        self.assertEqual((neutral_share(ab), purple_share(ab)), (0.5, 0.25))
        self.assertTrue(is_purple(torch.tensor([[[[18.0]], [[-8.0]]]]), torch.tensor([[[20.0]]])).all())
        self.assertFalse(is_purple(torch.tensor([[[[20.0]], [[20.0]]]]), torch.tensor([[[28.0]]])).any())
        self.assertGreater(spread(ab), 0)
        self.assertEqual(spread(np.full((4, 4, 2), 9, np.float32)), 0)

    def test_grown_network_computes_the_same(self):
        small = Colouriser(context_blocks=2).eval()
        grown = network_from(small.state_dict(), context_blocks=3, middle_blocks=1).eval()
        picture = torch.rand(1, 1, 64, 64)
        with torch.no_grad():
            self.assertTrue(torch.equal(small(picture), grown(picture)))
        self.assertGreater(len(grown.state_dict()), len(small.state_dict()))
        self.assertEqual(len(network_from(grown.state_dict()).middle), 1)

    def test_blend_lies_between_and_takes_new_blocks_in_proportion(self):
        small = Colouriser(context_blocks=2).state_dict()
        grown = network_from(small, context_blocks=3).state_dict()
        grown["context.2.join.weight"] = torch.ones_like(grown["context.2.join.weight"])
        grown["head.1.bias"] = small["head.1.bias"] + 2
        mixed = blend([small, grown], [3, 1])
        self.assertTrue(torch.allclose(mixed["head.1.bias"], small["head.1.bias"] + 0.5))
        self.assertTrue((mixed["context.2.join.weight"] == 0.25).all())
        self.assertTrue(torch.equal(mixed["context.2.qkv.weight"], grown["context.2.qkv.weight"]))

    def test_prices_rise_until_the_figures_are_met(self):
        bins = Bins()
        loss = ColourLoss(bins, Decoder(bins, 0.7, debias=0.5), 0.3, 1.0, 0.9, 0.9, 1.2, 0.5)
        grey = torch.zeros(1, 2, 8, 8)
        half = grey.clone()
        half[:, :, :4] = 20.0
        everywhere = torch.full_like(half, 15.0) * torch.tensor([1.0, -0.4])[:, None, None]
        logits = (-(everywhere[:, None] - torch.from_numpy(bins.centres)[None, :, :, None, None]).square().sum(2))
        for _ in range(3):
            loss(logits, half)
        _, neutral, purple = loss.price.tolist()
        self.assertGreater(neutral, 0.1)  # half of the truth is grey, nothing of the prediction
        self.assertGreater(purple, 0.1)  # all of the prediction is purple, nothing of the truth
        right = ColourLoss(bins, Decoder(bins, 0.7, debias=0.5), 0.3, 1.0, 0.9, 0.9, 1.2, 0.5)
        right(logits, everywhere)
        self.assertEqual(right.price[2], 0)  # the truth is as purple

    def test_rebalancing_is_taken_off_when_decoding(self):
        bins = Bins()
        likelihood = torch.randn(1, len(bins), 2, 2)
        biased = likelihood + 0.5 * torch.from_numpy(bins.weights).log()[:, None, None]
        wanted, found = Decoder(bins, 0.7)(likelihood), Decoder(bins, 0.7, debias=0.5)(biased)
        self.assertLess((wanted - found).abs().max(), 1e-3)

    def test_colours_that_contradict_each_other_turn_grey(self):
        bins = Bins()
        centres = torch.from_numpy(bins.centres)
        bin_at = lambda a, b: int((centres - torch.tensor([a, b])).norm(dim=1).argmin())
        logits = torch.full((1, len(bins), 1, 2), -30.0)
        logits[0, [bin_at(30.0, 20.0), bin_at(10.0, -40.0)], 0, 0] = 0  # red or blue
        logits[0, [bin_at(30.0, 20.0), bin_at(40.0, 30.0)], 0, 1] = 0  # red in any case
        plain, held = (Decoder(bins, 1.0, sure=sure)(logits).norm(dim=1)[0, 0] for sure in (0.0, 0.8))
        self.assertLess(held[0], 0.8 * plain[0])
        self.assertGreater(held[1], 0.98 * plain[1])

    def test_gain_stretches_all_chroma(self):
        logits = torch.randn(1, len(Bins()), 4, 4)
        plain, stronger = Decoder(Bins())(logits), Decoder(Bins(), gain=1.2)(logits)
        self.assertLess((stronger - 1.2 * plain).abs().max(), 1e-4)

    def test_any_multiple_of_32(self):
        model = StarterModel(Colouriser().eval(), Decoder(Bins())).eval()
        with torch.no_grad():
            self.assertEqual(model(torch.rand(2, 3, 64, 96)).shape, (2, 2, 64, 96))

    def test_sight_shrinks_only_large_pictures(self):
        network, decoder = Colouriser().eval(), Decoder(Bins())
        free, limited = StarterModel(network, decoder).eval(), StarterModel(network, decoder, 64).eval()
        small, large = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 128, 256)
        self.assertEqual(limited._seen(large).tolist(), [32, 96])
        with torch.no_grad():
            self.assertLess((limited(small) - free(small)).abs().max(), 1e-3)
            self.assertEqual(limited(large).shape, (1, 2, 128, 256))

    def test_colourfulness_of_grey_is_zero(self):
        self.assertEqual(colourfulness(np.full((8, 8, 3), 77, np.uint8)), 0)


if __name__ == "__main__":
    unittest.main()
