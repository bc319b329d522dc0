"""The starter colouriser: MobileNetV3 encoder, global context, feature pyramid, a*b* bins at quarter size."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from backbone import CHANNELS, MobileNetV3
from colour import Bins, grey_to_lightness

WIDTH = 128
STRIDE = 4  # the network decides colours on a grid this much coarser than its input


def conv_bn_relu(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs),
                         nn.ReLU(inplace=True))


class ContextBlock(nn.Module):
    """One transformer block over the stride-32 map: every place sees the whole photograph.

    No position code, so it works at any size. Both branches start at zero: a new block changes nothing.
    """

    def __init__(self, width, heads=4):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.GroupNorm(1, width), nn.GroupNorm(1, width)
        self.qkv, self.join = nn.Conv2d(width, 3 * width, 1), nn.Conv2d(width, width, 1)
        self.grow, self.shrink = nn.Conv2d(width, 4 * width, 1), nn.Conv2d(4 * width, width, 1)
        for last in (self.join, self.shrink):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, x):
        n, c, h, w = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(n, 3, self.heads, c // self.heads, h * w).unbind(1)
        attention = F.softmax(q.transpose(2, 3) @ k * (c // self.heads) ** -0.5, -1)
        x = x + self.join((v @ attention.transpose(2, 3)).reshape(n, c, h, w))
        return x + self.shrink(F.hardswish(self.grow(self.norm2(x))))


class Colouriser(nn.Module):
    """L*/100 [N, 1, H, W], sides multiples of 32 -> bin logits [N, Q, H/4, W/4]."""

    def __init__(self, bins=None, width=WIDTH, context_blocks=2, middle_blocks=0):
        super().__init__()
        bins = bins or Bins()
        self.encoder = MobileNetV3()
        self.lateral = nn.ModuleList(nn.Sequential(nn.BatchNorm2d(c), nn.Conv2d(c, width, 1)) for c in CHANNELS)
        self.context = nn.Sequential(*(ContextBlock(width) for _ in range(context_blocks)))
        self.middle = nn.Sequential(*(ContextBlock(width) for _ in range(middle_blocks)))
        self.scene = nn.Sequential(nn.Conv2d(width, 2 * width, 1), nn.Hardswish(),
                                   nn.Conv2d(2 * width, 2 * width * len(CHANNELS), 1))
        nn.init.zeros_(self.scene[-1].weight)
        nn.init.zeros_(self.scene[-1].bias)
        self.smooth = nn.ModuleList(conv_bn_relu(width, width) for _ in CHANNELS)
        self.head = nn.Sequential(conv_bn_relu(width, width), nn.Conv2d(width, len(bins), 1))

    def forward(self, lightness):
        features = self.encoder(lightness)
        y = self.context(self.lateral[-1](features[-1]))
        # One description of the scene, from the coarsest map, scales and shifts every level.
        scene = self.scene(y.mean((2, 3), keepdim=True)).chunk(2 * len(CHANNELS), 1)
        for level in reversed(range(len(CHANNELS))):
            if level < len(CHANNELS) - 1:
                y = self.lateral[level](features[level]) + F.interpolate(y, scale_factor=2.0, mode="nearest")
            y = self.smooth[level](y * (1 + scene[2 * level]) + scene[2 * level + 1])
            if level == len(CHANNELS) - 2:
                y = self.middle(y)
        return self.head(y)


def blocks_in(state, part):
    """How many blocks a state dict has of "context" or "middle"."""
    return len({name.split(".")[1] for name in state if name.startswith(part + ".")})


def network_from(state, context_blocks=0, middle_blocks=0):
    """State dict -> Colouriser of its shape, or grown to at least these many blocks: new ones change nothing yet."""
    network = Colouriser(context_blocks=max(context_blocks, blocks_in(state, "context")),
                         middle_blocks=max(middle_blocks, blocks_in(state, "middle")))
    network.load_state_dict({**network.state_dict(), **state})
    return network


class Decoder(nn.Module):
    """Bin logits -> a*b*: the annealed mean of the bins, stretched where the bins agree.

    debias: class rebalancing at this power makes rare bins likelier than they are; its logarithm is taken off.
    temperature: below 1 favours the likely bins over the average of all.
    sure: how far doubtful colours are held back; 0: not at all. The chroma of the mean over the mean chroma of the
    bins, r, is 1 where all likely bins have one hue and near 0 where they contradict each other, and blue and red
    average to mauve. The mean is multiplied by r^2 (1 + sure^2) / (r^2 + sure^2).
    gain: factor of all chroma.
    """

    def __init__(self, bins, temperature=0.42, gain=1.0, debias=0.0, sure=0.0):
        super().__init__()
        self.temperature, self.gain, self.debias, self.sure = temperature, gain, debias, sure
        self.register_buffer("bias", debias * torch.from_numpy(bins.weights).log()[:, None, None], persistent=False)
        centres = torch.from_numpy(bins.centres).t()
        centres = torch.cat([centres, centres.norm(dim=0, keepdim=True)])
        self.register_buffer("centres", centres[:, :, None, None].contiguous(), persistent=False)

    def forward(self, logits):
        if self.debias:
            logits = logits - self.bias
        mean = F.conv2d(F.softmax(logits / self.temperature, 1), self.centres)
        ab = mean[:, :2] if self.gain == 1 else mean[:, :2] * self.gain
        if not self.sure:
            return ab
        agreement = (mean[:, :2].square().sum(1, keepdim=True) + 1e-6) / (mean[:, 2:].square() + 1e-3)
        return ab * (agreement * (1 + self.sure ** 2) / (agreement + self.sure ** 2))


class StarterModel(nn.Module):
    """The exported graph, DDColor's contract: grey RGB [N, 3, H, W] in 0..1 -> a*b* [N, 2, H, W].

    sight: the network was trained on small pictures; one of more than sight x sight pixels is shrunk to about that
    many (multiples of 32) before it and the colours enlarged after it, so that a large input does not turn patchy.
    0 never shrinks.
    """

    def __init__(self, network, decoder, sight=0):
        super().__init__()
        self.network, self.decoder, self.sight = network, decoder, sight

    def _seen(self, grey):
        """[h, w] the network looks at; tensor arithmetic, so that the exported graph computes it per input."""
        size = torch._shape_as_tensor(grey)[2:].float()
        scale = (self.sight / size.prod().sqrt()).clamp(max=1)
        return ((size * scale / 32).round().clamp(min=1) * 32).long()

    def forward(self, grey):
        grey = grey.mean(1, keepdim=True)
        size = grey.shape[2:]
        if self.sight:
            seen = self._seen(grey)
            grey = F.interpolate(grey, size=[seen[0], seen[1]], mode="bilinear", align_corners=False)
        ab = self.decoder(self.network(grey_to_lightness(grey)))
        if self.sight:
            return F.interpolate(ab, size=size, mode="bilinear", align_corners=False)
        return F.interpolate(ab, scale_factor=float(STRIDE), mode="bilinear", align_corners=False)
