# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
"""The hypergradients in PyTorch, as its users write them. --peer says in which style:

autograd    torch.autograd.grad with create_graph, task after task, F.batch_norm: all algorithms
functional  torch.func.grad under torch.func.vmap over the tasks: all algorithms. Batch norm from primitives, since a vmap over F.batch_norm has a
            wrong second derivative
compiled    the same by torch.compile
higher      higher.innerloop_ctx: maml
torchopt    torchopt.MetaSGD: maml

NAME_tf32 is NAME with products and convolutions in TF32 on a GPU; all others compute in FP32 there.
"""
import torch
import torch.nn.functional as F

from peer import arguments, serve

options = arguments()
torch.set_num_threads(options.threads)
style, _, precision = options.peer.partition("_")
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
DEVICE = torch.device(options.device)
EPSILON = 1e-5


def to_torch(name, array):
    """Convolutions are (out, in, height, width) there."""
    tensor = torch.from_numpy(array).to(DEVICE)
    return tensor.permute(3, 2, 0, 1).contiguous() if tensor.dim() == 4 else tensor.clone()


def to_exchange(tensors):
    return {name: (t.permute(2, 3, 1, 0) if t.dim() == 4 else t).detach().cpu().numpy() for name, t in tensors.items()}


def to_images(array):
    return torch.from_numpy(array).to(DEVICE).permute(0, 1, 4, 2, 3).contiguous()  # (tasks, n, h, w, c) -> (tasks, n, c, h, w)


def to_labels(array):
    return torch.from_numpy(array).to(DEVICE)


def finished(loss):
    """The loss, when the gradient is there too."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return float(loss)


def batch_norm(x, gain, shift):
    return F.batch_norm(x, None, None, gain, shift, training=True, eps=EPSILON)


def batch_norm_of_primitives(x, gain, shift):
    mean = x.mean((0, 2, 3), keepdim=True)
    centred = x - mean
    variance = (centred * centred).mean((0, 2, 3), keepdim=True)
    return centred * torch.rsqrt(variance + EPSILON) * gain[:, None, None] + shift[:, None, None]


def residual_block(p, at, x, normalise):
    def convolved(x, layer):
        x = F.conv2d(x, p[f"{at}convolution_{layer}.weight"], padding=1)
        return normalise(x, p[f"{at}batch_norm_{layer}.gain"], p[f"{at}batch_norm_{layer}.shift"])

    y = convolved(F.leaky_relu(convolved(F.leaky_relu(convolved(x, 1), 0.1), 2), 0.1), 3)
    shortcut = F.conv2d(x, p[f"{at}shortcut.convolution_1.weight"])
    shortcut = normalise(shortcut, p[f"{at}shortcut.batch_norm_1.gain"], p[f"{at}shortcut.batch_norm_1.shift"])
    return F.max_pool2d(F.leaky_relu(y + shortcut, 0.1), 2)


def body(p, x, normalise=batch_norm):
    if options.network == "mlp":
        x = x.permute(0, 2, 3, 1).flatten(1)
        for layer in (1, 2):
            x = torch.relu(torch.addmm(p[f"linear_{layer}.bias"], x, p[f"linear_{layer}.weight"]))
        return x
    if options.network == "resnet12":
        for block in (1, 2, 3, 4):
            x = residual_block(p, f"block_{block}.", x, normalise)
        return x.mean((2, 3))
    for block in (1, 2, 3, 4):
        x = F.conv2d(x, p[f"convolution_{block}.weight"], padding=1)
        x = normalise(x, p[f"batch_norm_{block}.gain"], p[f"batch_norm_{block}.shift"])
        x = F.max_pool2d(torch.relu(x), 2)
    return x.permute(0, 2, 3, 1).flatten(1)  # features in the order of the exchange: positions, then channels


def head(p, features):
    return torch.addmm(p["head.bias"], features, p["head.weight"])


def loss_of(p, x, labels, normalise=batch_norm):
    return F.cross_entropy(head(p, body(p, x, normalise)), labels)


def gradient(loss, p, **how):
    return dict(zip(p, torch.autograd.grad(loss, list(p.values()), **how)))


def moved(p, g, names=None):
    return {name: p[name] - options.inner_rate * g[name] if name in g else p[name] for name in p}


def anew(p):
    return {name: t.detach().requires_grad_() for name, t in p.items()}


# Of one task: the loss and the hypergradient.
def maml(p, support, query):
    y = p
    for _ in range(options.inner_steps):
        y = moved(y, gradient(loss_of(y, *support), y, create_graph=True))
    loss = loss_of(y, *query)
    return loss.detach(), gradient(loss, p)


def fomaml(p, support, query):
    y = p
    for _ in range(options.inner_steps):
        y = anew(moved(y, gradient(loss_of(y, *support), y)))
    loss = loss_of(y, *query)
    return loss.detach(), gradient(loss, y)


def anil(p, support, query):
    features = body(p, support[0])
    y = {name: t for name, t in p.items() if name.startswith("head.")}
    for _ in range(options.inner_steps):
        y = moved(y, gradient(F.cross_entropy(head(y, features), support[1]), y, create_graph=True))
    loss = F.cross_entropy(head(y, body(p, query[0])), query[1])
    return loss.detach(), gradient(loss, p)


def dot(a, b):
    return sum((a[name] * b[name]).sum() for name in a)


def imaml(p, support, query):
    weight = options.proximal_weight
    y = anew(p)
    for _ in range(options.inner_steps):
        g = gradient(loss_of(y, *support), y)
        y = anew(moved(y, {name: g[name] + weight * (y[name].detach() - p[name].detach()) for name in g}))
    g = gradient(loss_of(y, *support), y, create_graph=True)
    loss = loss_of(y, *query)
    b = gradient(loss, y)

    def product(v):
        h = dict(zip(y, torch.autograd.grad(list(g.values()), list(y.values()), list(v.values()), retain_graph=True)))
        return {name: h[name] + (weight + options.cg_damping) * v[name] for name in h}

    w, r, d = {name: torch.zeros_like(t) for name, t in b.items()}, dict(b), dict(b)
    rr = dot(r, r)
    for _ in range(options.cg_iterations):
        ad = product(d)
        curvature = dot(d, ad)
        if not curvature > 0:
            break
        step = rr / curvature
        w = {name: w[name] + step * d[name] for name in w}
        r = {name: r[name] - step * ad[name] for name in r}
        before, rr = rr, dot(r, r)
        d = {name: r[name] + rr / before * d[name] for name in d}
    return loss.detach(), {name: weight * w[name] for name in w}


def mtl(p, classes, query):
    loss = F.cross_entropy(body(p, query[0]) @ p["head.weight"][classes].T, query[1])
    return loss.detach(), gradient(loss, p)


def batch_of(inputs):
    """What the tasks read: support sets (of mtl their classes) and query sets."""
    query = to_images(inputs.query_images), to_labels(inputs.query_labels)
    if options.algorithm == "mtl":
        return to_labels(inputs.classes), query
    return (to_images(inputs.support_images), to_labels(inputs.support_labels)), query


def by_autograd(parameters, inputs):
    p = {name: to_torch(name, array).requires_grad_() for name, array in parameters.items()}
    support, query = batch_of(inputs)
    query = list(zip(*query))
    support = list(support) if options.algorithm == "mtl" else list(zip(*support))
    of_task = globals()[options.algorithm]

    def evaluate():
        total, loss = {name: torch.zeros_like(t) for name, t in p.items()}, 0.0
        for s, q in zip(support, query):
            task_loss, g = of_task(p, s, q)
            loss = loss + task_loss / len(query)
            for name in total:
                total[name].add_(g[name], alpha=1 / len(query))
        return finished(loss), total

    return evaluate, to_exchange


# The same from pure functions, without loops that end by what they find: they run under a vmap over the tasks.
def loss_at(examples):
    return lambda y: loss_of(y, *examples, batch_norm_of_primitives)


def descended(p, support):
    y = p
    for _ in range(options.inner_steps):
        y = moved(y, torch.func.grad(loss_at(support))(y))
    return y


def maml_of_functions(p, support, query):
    return torch.func.grad_and_value(lambda p: loss_at(query)(descended(p, support)))(p)


def fomaml_of_functions(p, support, query):
    return torch.func.grad_and_value(loss_at(query))(descended(p, support))


def anil_of_functions(p, support, query):
    def outer(p):
        features = body(p, support[0], batch_norm_of_primitives)
        inner = torch.func.grad(lambda y: F.cross_entropy(head(y, features), support[1]))
        y = {name: t for name, t in p.items() if name.startswith("head.")}
        for _ in range(options.inner_steps):
            y = moved(y, inner(y))
        return F.cross_entropy(head(y, body(p, query[0], batch_norm_of_primitives)), query[1])

    return torch.func.grad_and_value(outer)(p)


def imaml_of_functions(p, support, query):
    weight, of_support = options.proximal_weight, torch.func.grad(loss_at(support))
    y = p
    for _ in range(options.inner_steps):
        g = of_support(y)
        y = moved(y, {name: g[name] + weight * (y[name] - p[name]) for name in g})
    _, along = torch.func.vjp(of_support, y)  # the Hessian is symmetric
    b, loss = torch.func.grad_and_value(loss_at(query))(y)
    w, r, d = {name: torch.zeros_like(t) for name, t in b.items()}, b, b
    rr = dot(r, r)
    going = torch.ones_like(rr, dtype=torch.bool)
    for _ in range(options.cg_iterations):
        h, = along(d)
        ad = {name: h[name] + (weight + options.cg_damping) * d[name] for name in h}
        curvature = dot(d, ad)
        going = going & (curvature > 0)
        step = torch.where(going, rr / curvature, 0)
        w = {name: w[name] + step * d[name] for name in w}
        r = {name: r[name] - step * ad[name] for name in r}
        before, rr = rr, dot(r, r)
        d = {name: r[name] + rr / before * d[name] for name in d}
    return {name: weight * w[name] for name in w}, loss


def mtl_of_functions(p, classes, query):
    return torch.func.grad_and_value(
        lambda p: F.cross_entropy(body(p, query[0], batch_norm_of_primitives) @ p["head.weight"][classes].T, query[1]))(p)


def by_functions(parameters, inputs):
    p = {name: to_torch(name, array) for name, array in parameters.items()}
    support, query = batch_of(inputs)
    of_tasks = torch.func.vmap(globals()[options.algorithm + "_of_functions"], in_dims=(None, 0, 0))

    def whole(p):
        gradient, loss = of_tasks(p, support, query)
        return {name: t.mean(0) for name, t in gradient.items()}, loss.mean()

    if style == "compiled":
        whole = torch.compile(whole)

    def evaluate():
        gradient, loss = whole(p)
        return finished(loss), gradient

    return evaluate, to_exchange


class Network(torch.nn.Module):
    """The parameters under the exchange's names, for the libraries that want a module; a module's names have no dots."""

    def __init__(self, parameters):
        super().__init__()
        for name, array in parameters.items():
            self.register_parameter(name.replace(".", "__"), torch.nn.Parameter(to_torch(name, array)))

    def forward(self, x):
        p = {name.replace("__", "."): t for name, t in self._parameters.items()}
        return head(p, body(p, x))


def by_module(loop):
    """loop(network, xs, ys, xq, yq) leaves the task's query loss, to be differentiated with respect to the network's own parameters."""

    def make(parameters, inputs):
        assert options.algorithm == "maml"
        network = Network(parameters)
        own = list(network.parameters())
        support, query = batch_of(inputs)
        tasks = list(zip(*support, *query))

        def evaluate():
            for t in own:
                t.grad = None
            loss = sum(loop(network, len(tasks), *task) for task in tasks)
            return loss, {name: t.grad for name, t in zip(parameters, own)}

        return evaluate, to_exchange

    return make


def higher_loop(network, tasks, xs, ys, xq, yq):
    import higher

    optimiser = torch.optim.SGD(network.parameters(), lr=options.inner_rate)
    with higher.innerloop_ctx(network, optimiser, copy_initial_weights=False) as (fast, steps):
        for _ in range(options.inner_steps):
            steps.step(F.cross_entropy(fast(xs), ys))
        loss = F.cross_entropy(fast(xq), yq) / tasks
        loss.backward()
        return float(loss.detach())


def torchopt_loop(network, tasks, xs, ys, xq, yq):
    import torchopt

    optimiser = torchopt.MetaSGD(network, lr=options.inner_rate)
    start, optimiser_start = torchopt.extract_state_dict(network, by="reference"), torchopt.extract_state_dict(optimiser, by="reference")
    for _ in range(options.inner_steps):
        optimiser.step(F.cross_entropy(network(xs), ys))
    loss = F.cross_entropy(network(xq), yq) / tasks
    loss.backward()
    torchopt.recover_state_dict(network, start)
    torchopt.recover_state_dict(optimiser, optimiser_start)
    return float(loss.detach())


STYLES = {"autograd": by_autograd, "functional": by_functions, "compiled": by_functions, "higher": by_module(higher_loop), "torchopt": by_module(torchopt_loop)}
if __name__ == "__main__":
    serve(options, STYLES[style])
