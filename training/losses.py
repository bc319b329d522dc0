"""What the network is trained for: the right bin, a small a*b* error, and the truth's share of colour and of grey."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from metrics import NEUTRAL, PURPLE

VIVID = 15.0  # chroma of the truth from which on the full price of colour is paid


def is_purple(ab, chroma):
    """a*b* [N, 2, h, w] and its chroma [N, h, w] -> which pixels are visibly purple."""
    middle, reach = math.radians(sum(PURPLE) / 2), math.radians((PURPLE[1] - PURPLE[0]) / 2)
    towards = ab[:, 0] * math.cos(middle) + ab[:, 1] * math.sin(middle)
    return (chroma > NEUTRAL) & (towards > chroma * math.cos(reach))


class ColourLoss(nn.Module):
    """Weighted sum of a class-rebalanced bin loss and a squared a*b* error with three prices.

    The squared error alone is smallest for a desaturated average. Three prices (a*b* units, |p| is the predicted
    chroma) move that optimum; each is a dual variable that rises until a running figure of the predictions is met:

    - where the truth has colour, -2 colour v |p|, v growing with its chroma: until the mean chroma is `chroma` times
      the truth's;
    - where the truth is grey, +2 grey |p|: until the share of grey pixels is `neutral` times the truth's;
    - where the prediction is purple and the truth is not, +2 purple |p|: until `purple` times the truth's share.

    rebalance: power of the class weights (Zhang et al. use 1); the decoder takes the same off again.
    """

    def __init__(self, bins, decoder, classify, regress, chroma, neutral=0.0, purple=0.0, rebalance=1.0):
        super().__init__()
        self.bins, self.decoder = bins, decoder
        self.classify, self.regress = classify, regress
        weights = torch.from_numpy(bins.weights) ** rebalance
        weights = weights / (weights * torch.from_numpy(bins.prior).float()).sum()
        self.register_buffer("class_weights", weights, persistent=False)
        self.register_buffer("wanted", torch.tensor([chroma, neutral, purple]), persistent=False)
        self.register_buffer("price", torch.zeros(3))
        self.register_buffer("running", torch.zeros(2, 3))

    def forward(self, logits, ab):
        """logits [N, Q, h, w], true a*b* [N, 2, h, w] -> (loss, parts for the log)."""
        bin_loss = F.cross_entropy(logits, self.bins.nearest(ab), self.class_weights)
        predicted = self.decoder(logits)
        error = (predicted - ab).square().sum(1).mean()
        chroma, truth = (predicted.square().sum(1) + 0.01).sqrt(), ab.square().sum(1).sqrt()
        grey, purple = truth <= NEUTRAL, is_purple(ab, truth)
        mauve = is_purple(predicted.detach(), chroma.detach())
        colour_price, grey_price, purple_price = self.price.tolist()
        vivid = (truth / VIVID).clamp_max(2)  # what is muted gains little, so that colours within a photograph differ
        price = torch.where(grey, grey_price, -colour_price * vivid) + purple_price * (mauve & ~purple)
        colour_loss = (error + 2 * (price * chroma).mean()) / 200
        now = torch.stack([torch.stack([c.mean(), (c <= NEUTRAL).float().mean(), p.float().mean()])
                           for c, p in ((chroma.detach(), mauve), (truth, purple))])
        self._adjust(now)
        parts = {"bin": bin_loss.item(), "rmse": (error.item() / 2) ** 0.5, "truth": now[1, 0].item(),
                 "grey": (ab.square().mean().item()) ** 0.5}
        for name, value in zip(("chroma", "neutral", "purple"), now[0].tolist()):
            parts[name] = value
        for name, value in zip(("colour_price", "grey_price", "purple_price"), self.price.tolist()):
            parts[name] = value
        return self.classify * bin_loss + self.regress * colour_loss, parts

    @torch.no_grad()
    def _adjust(self, now):
        self.running = now if self.running[1, 0] == 0 else self.running.lerp(now, 0.02)
        ratio = self.running[0] / self.running[1].clamp_min(1e-4)
        missing = (self.wanted - ratio).clamp(-1, 1) * torch.tensor([1.0, 1.0, -1.0], device=ratio.device)
        missing[1:] *= self.wanted[1:] > 0
        least = torch.tensor([-2.0, 0.0, 0.0], device=ratio.device)
        self.price = (self.price + 0.05 * missing).clamp_max(12).maximum(least)
