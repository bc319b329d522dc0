"""The mask network's recipe on drawn pictures: train, resume, evaluate, export."""
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

from test_recipe import HERE, draw, run

sys.path.insert(0, str(HERE / "damage"))

import onnx  # noqa: E402
import torch  # noqa: E402
from draw import CLASSES, DRAWN, damage, lookalikes, photograph  # noqa: E402
from mask_network import MaskNetwork, mask_loss  # noqa: E402


class Damage(unittest.TestCase):
    def test_end_to_end(self):
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            draw(work / "photos", 3)
            run("prepare.py", work / "photos", work / "packed", "--short-side", 64)
            common = ["damage/train.py", work / "packed", work / "run", "--size", 32, "--batch", 2, "--workers", 0,
                      "--threads", 1]
            run(*common, "--steps", 1)
            self.assertIn("resumed", run(*common, "--steps", 2))
            self.assertEqual(torch.load(work / "run" / "last.pt")["step"], 2)
            said = run("damage/evaluate.py", work / "run" / "average.pt", work / "packed", "--size", 64,
                       "--undamaged", work / "photos")
            for word in (*CLASSES, "undamaged: 3 photographs"):
                self.assertIn(word, said)
            run("damage/export.py", work / "run" / "average.pt", work / "masks.onnx")
            graph = onnx.load(str(work / "masks.onnx")).graph
            self.assertEqual([d.dim_param or d.dim_value for d in graph.output[0].type.tensor_type.shape.dim][:2],
                             ["batch", len(CLASSES)])

    def test_size_of_the_network(self):
        weights = sum(p.numel() for p in MaskNetwork().parameters())
        self.assertTrue(0.5e6 <= weights <= 1.5e6, weights)

    def test_every_kind_of_damage_is_drawn_in_range(self):
        for name, kind in DRAWN.items():
            mask = kind(96, np.random.default_rng(3))
            self.assertEqual((mask.shape, mask.dtype), ((96, 96), np.float32), name)
            self.assertTrue(0 <= mask.min() and 0.2 < mask.max() <= 1.01, name)

    def test_truth_lies_where_the_picture_changed(self):
        picture = np.full((96, 96), 0.5, np.float32)
        damaged, truth, weight = damage(picture, np.random.default_rng(4))
        self.assertEqual(truth.shape, (len(CLASSES), 96, 96))
        marked = truth.max(0) > 0
        self.assertTrue(marked.any())
        self.assertGreater(np.abs(damaged - picture)[marked].mean(), 5 * np.abs(damaged - picture)[~marked].mean())
        self.assertTrue((weight[marked] == 1).all())

    def test_lookalikes_are_no_damage_but_change_the_picture(self):
        picture = np.full((64, 64), 0.5, np.float32)
        for seed in range(8):
            self.assertGreater(np.abs(lookalikes(picture, np.random.default_rng(seed)) - picture).max(), 0.05)
        enlarged = photograph(picture, 128, np.random.default_rng(1))
        self.assertEqual((enlarged.shape, enlarged.dtype), ((128, 128), np.float32))

    def test_loss_is_least_for_the_truth_and_ignores_faint_damage(self):
        truth = torch.zeros(1, 4, 8, 8)
        truth[:, 0, 2] = 1
        weight = torch.ones(1, 8, 8)
        right, wrong = (truth * 2 - 1) * 8, (truth * -2 + 1) * 8
        self.assertLess(mask_loss(right, truth, weight), mask_loss(wrong, truth, weight))
        spoiled = right.clone()
        spoiled[:, 0, 5] = 8
        weight[:, 5] = 0
        self.assertLess((mask_loss(spoiled, truth, weight) - mask_loss(right, truth, weight)).abs(), 1e-3)


if __name__ == "__main__":
    unittest.main()
