"""What the network is trained for: the right bin, a small a*b* error, and as much colour as the truth has."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class ColourLoss(nn.Module):
    """Weighted sum of a class-rebalanced bin loss and a squared a*b* error at a held mean chroma.

    The squared error alone is smallest for a desaturated average. Among predictions of a given mean chroma it is
    smallest for the average moved outwards by a constant, which is what rewarding chroma with a price does:
    |p - t|^2 - 2 price |p|. The price (a*b* units) is a dual variable: it rises while the running mean chroma of
    the predictions is below `chroma` times the truth's and falls while it is above.
    """

    def __init__(self, bins, decoder, classify, regress, chroma):
        super().__init__()
        self.bins, self.decoder = bins, decoder
        self.classify, self.regress, self.chroma = classify, regress, chroma
        self.register_buffer("class_weights", torch.from_numpy(bins.weights), persistent=False)
        self.register_buffer("price", torch.tensor(0.0))
        self.register_buffer("running", torch.zeros(2))

    def forward(self, logits, ab):
        """logits [N, Q, h, w], true a*b* [N, 2, h, w] -> (loss, parts for the log)."""
        bin_loss = F.cross_entropy(logits, self.bins.nearest(ab), self.class_weights)
        predicted = self.decoder(logits)
        error = (predicted - ab).square().sum(1).mean()
        chroma = (predicted.square().sum(1) + 0.01).sqrt().mean()
        truth = ab.square().sum(1).sqrt().mean()
        colour_loss = (error - 2 * self.price * chroma) / 200
        self._adjust(chroma.item(), truth.item())
        parts = {"bin": bin_loss.item(), "rmse": (error.item() / 2) ** 0.5, "chroma": chroma.item(),
                 "truth": truth.item(), "grey": (ab.square().mean().item()) ** 0.5, "price": self.price.item()}
        return self.classify * bin_loss + self.regress * colour_loss, parts

    @torch.no_grad()
    def _adjust(self, chroma, truth):
        now = torch.tensor([chroma, truth])
        self.running = now if self.running[1] == 0 else self.running.lerp(now, 0.02)
        ratio = self.running[0] / self.running[1]
        self.price = (self.price + 0.05 * (self.chroma - ratio)).clamp(-2, 12)
