# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
"""What is compared: the meta-steps of the published recipes' shapes. The numbers are random, the work is not."""
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Case:
    name: str
    algorithm: str
    peers: tuple  # all that can do it; see torch_peer.py and jax_peer.py
    filters: int = 64
    image: str = "28,28,1"
    tasks: int = 4
    ways: int = 5
    shots: int = 1
    queries: int = 15  # a class
    inner_steps: int = 5
    inner_rate: float = 0.1
    network: str = "conv4"
    proximal_weight: float = 2.0
    cg_iterations: int = 5
    cg_damping: float = 0.0
    classes: int = 64  # training classes of mtl
    planes: str = "kept"  # what ours keeps of the inner steps, or "recomputed"; the peers keep all
    # Of the small examples on which float has to agree. An evaluation at 84 x 84 has some millions of signs and maxima, of which rounding flips one in every
    # second run of five inner steps, so that the median would tell of the flips and not of the arithmetic: there, and where the
    # network is deep, the examples are smaller still.
    small: dict = field(default_factory=dict)

    def for_float(self):
        return replace(self, name=self.name + "_small", tasks=1, shots=1, queries=1, **self.small)

    def difference_of_small(self):
        """In what the small examples, on which float was compared, differ from the row."""
        small = self.for_float()
        return {key: getattr(small, key) for key in self.__dataclass_fields__
                if key not in ("name", "small") and getattr(small, key) != getattr(self, key)}

    def for_double(self):
        """On a device, where all tasks are one computation whose planes in double are larger than its memory."""
        return replace(self, name=self.name + "_few", tasks=min(self.tasks, 2))

    def settings(self):
        """The arguments that both sides take."""
        return [f"--{name.replace('_', '-')}={getattr(self, name)}" for name in (
            "algorithm", "network", "filters", "inner_steps", "inner_rate", "proximal_weight", "cg_iterations", "cg_damping")]

    def example(self):
        """The arguments that the arrays of an example are made with."""
        return [f"--{name}={getattr(self, name)}" for name in ("image", "tasks", "ways", "shots", "queries", "classes")]

    def on_device(self):
        """On a GPU: 32 tasks at once, and the peers that batch them; TF32 in rows of its own."""
        if self.algorithm == "maml":
            styles = ("functional", "compiled")
        else:
            styles = ("functional" if self.tasks > 1 else "autograd",)
        fp32 = styles + ("jax",)
        return replace(self, tasks=32 if self.tasks > 1 else 1, peers=fp32 + tuple(f"{name}_tf32" for name in fp32))


ALL = ("autograd", "functional", "higher", "torchopt", "jax")
BATCHED = ("autograd", "functional", "jax")  # no other library has these algorithms
UNBATCHED = ("autograd", "higher", "torchopt", "jax")  # at 84 x 84 one task fills a processor, and a vmap's planes its memory
SOME = ("autograd", "jax")
LARGE_IMAGES = dict(image="84,84,3", filters=32, tasks=2, small=dict(inner_steps=1))

CASES = [
    Case("maml_omniglot", "maml", ALL),
    Case("fomaml_omniglot", "fomaml", BATCHED),
    Case("anil_omniglot", "anil", BATCHED),
    Case("maml_84_1shot", "maml", UNBATCHED, **LARGE_IMAGES),
    Case("maml_84_5shot", "maml", UNBATCHED, shots=5, **LARGE_IMAGES),
    Case("fomaml_84_5shot", "fomaml", SOME, shots=5, **LARGE_IMAGES),  # what second order costs beside it
    Case("maml_omniglot_64_steps", "maml", ("autograd",), inner_steps=64, planes="recomputed", small=dict(inner_steps=5)),  # what memory costs
    Case("imaml_omniglot", "imaml", BATCHED, inner_steps=16),
    Case("mtl_omniglot", "mtl", BATCHED),
    Case("mtl_resnet12_32", "mtl", SOME, network="resnet12", image="32,32,3", tasks=1, queries=10, small=dict(ways=2)),
    Case("mtl_resnet12_84", "mtl", SOME, network="resnet12", image="84,84,3", tasks=1, queries=10,
         small=dict(image="32,32,3", ways=2)),
]
