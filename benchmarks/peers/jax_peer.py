# SPDX-FileCopyrightText: 2026 The bilevel authors
# SPDX-License-Identifier: MIT
"""The hypergradients in JAX. What a task needs is compiled as a whole (jit), and the tasks follow one another: on a processor a vmap over them takes several
times as long, and so does lax.map, whose convolutions lie in a loop. On a GPU they are one vmap. Images and parameters have the exchange's own layout.

--peer=jax computes in FP32 (or double), --peer=jax_tf32 in TF32 on a GPU."""
from peer import arguments, keep_to_threads, serve

options = arguments()
if options.device == "cpu":
    keep_to_threads(options.threads)  # before XLA makes its pool

import jax
import jax.numpy as jnp
from jax import lax
import numpy as np

jax.config.update("jax_enable_x64", options.scalar == "double")
jax.config.update("jax_default_matmul_precision", "tensorfloat32" if options.peer == "jax_tf32" else "highest")
EPSILON = 1e-5


def batch_norm(x, gain, shift):
    centred = x - x.mean((0, 1, 2))
    variance = (centred * centred).mean((0, 1, 2))
    return centred * lax.rsqrt(variance + EPSILON) * gain + shift


def max_pool(x):
    """By pairs: behind ReLU, the derivative of a maximum over two axes is right as it is, but wrong once compiled (JAX 0.10.2 on a processor)."""
    n, h, w, c = x.shape
    x = x[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c)
    x = jnp.maximum(x[:, :, 0], x[:, :, 1])
    return jnp.maximum(x[:, :, :, 0], x[:, :, :, 1])


def convolution(x, weight):
    return lax.conv_general_dilated(x, weight, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def residual_block(p, at, x):
    def convolved(x, layers, number):
        x = convolution(x, p[f"{at}{layers}convolution_{number}.weight"])
        return batch_norm(x, p[f"{at}{layers}batch_norm_{number}.gain"], p[f"{at}{layers}batch_norm_{number}.shift"])

    y = x
    for number in (1, 2, 3):
        y = convolved(y, "", number)
        if number < 3:
            y = jax.nn.leaky_relu(y, 0.1)
    return max_pool(jax.nn.leaky_relu(y + convolved(x, "shortcut.", 1), 0.1))


def body(p, x):
    if options.network == "mlp":
        x = x.reshape(len(x), -1)
        for layer in (1, 2):
            x = jax.nn.relu(x @ p[f"linear_{layer}.weight"] + p[f"linear_{layer}.bias"])
        return x
    if options.network == "resnet12":
        for block in (1, 2, 3, 4):
            x = residual_block(p, f"block_{block}.", x)
        return x.mean((1, 2))
    for block in (1, 2, 3, 4):
        x = convolution(x, p[f"convolution_{block}.weight"])
        x = max_pool(jax.nn.relu(batch_norm(x, p[f"batch_norm_{block}.gain"], p[f"batch_norm_{block}.shift"])))
    return x.reshape(len(x), -1)


def cross_entropy(logits, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean()


def head(p, features):
    return features @ p["head.weight"] + p["head.bias"]


def loss_of(p, x, labels):
    return cross_entropy(head(p, body(p, x)), labels)


def moved(p, g):
    return {name: p[name] - options.inner_rate * g[name] if name in g else p[name] for name in p}


def adapted(p, support):
    y = p
    for _ in range(options.inner_steps):
        y = moved(y, jax.grad(loss_of)(y, *support))
    return y


# Of one task: the loss and the hypergradient.
def maml(p, support, query):
    return jax.value_and_grad(lambda x: loss_of(adapted(x, support), *query))(p)


def fomaml(p, support, query):
    return jax.value_and_grad(loss_of)(adapted(p, support), *query)


def anil(p, support, query):
    def outer(x):
        features = body(x, support[0])
        y = {name: t for name, t in x.items() if name.startswith("head.")}
        for _ in range(options.inner_steps):
            y = moved(y, jax.grad(lambda h: cross_entropy(head(h, features), support[1]))(y))
        return cross_entropy(head(y, body(x, query[0])), query[1])

    return jax.value_and_grad(outer)(p)


def dot(a, b):
    return sum(jnp.vdot(a[name], b[name]) for name in a)


def imaml(p, support, query):
    weight = options.proximal_weight
    y = p
    for _ in range(options.inner_steps):
        g = jax.grad(loss_of)(y, *support)
        y = moved(y, {name: g[name] + weight * (y[name] - p[name]) for name in g})
    _, along = jax.linearize(lambda x: jax.grad(loss_of)(x, *support), y)
    loss, b = jax.value_and_grad(loss_of)(y, *query)

    w, r, d = jax.tree.map(jnp.zeros_like, b), b, b
    rr, going = dot(r, r), True
    for _ in range(options.cg_iterations):
        h = along(d)
        ad = {name: h[name] + (weight + options.cg_damping) * d[name] for name in h}
        curvature = dot(d, ad)
        going = jnp.logical_and(going, curvature > 0)
        step = jnp.where(going, rr / curvature, 0)
        w = {name: w[name] + step * d[name] for name in w}
        r = {name: r[name] - step * ad[name] for name in r}
        before, rr = rr, dot(r, r)
        d = {name: r[name] + rr / before * d[name] for name in d}
    return loss, {name: weight * w[name] for name in w}


def mtl(p, classes, query):
    return jax.value_and_grad(lambda x: cross_entropy(body(x, query[0]) @ x["head.weight"][classes].T, query[1]))(p)


def make(parameters, inputs):
    p = {name: jnp.asarray(array) for name, array in parameters.items()}
    query = (jnp.asarray(inputs.query_images), jnp.asarray(inputs.query_labels))
    if options.algorithm == "mtl":
        support = jnp.asarray(inputs.classes)
    else:
        support = (jnp.asarray(inputs.support_images), jnp.asarray(inputs.support_labels))
    of_task = jax.jit(globals()[options.algorithm])
    tasks = len(inputs.query_labels)

    @jax.jit
    def add(total, part):
        return jax.tree.map(lambda a, b: a + b / tasks, total, part)

    @jax.jit
    def mean_over_tasks(p, support, query):  # arrays that it closed over would be constants of the program
        return jax.tree.map(lambda of_tasks: of_tasks.mean(0), jax.vmap(of_task, in_axes=(None, 0, 0))(p, support, query))

    # Sliced before the clock starts, as the tasks of torch_peer.py are.
    of_tasks = [] if options.device != "cpu" else [jax.tree.map(lambda array: array[t], (support, query)) for t in range(tasks)]

    def evaluate():
        if options.device != "cpu":
            loss, gradient = jax.block_until_ready(mean_over_tasks(p, support, query))
            return float(loss), gradient
        total = (jnp.zeros((), query[0].dtype), jax.tree.map(jnp.zeros_like, p))
        for each in of_tasks:
            total = add(total, of_task(p, *each))
        loss, gradient = jax.block_until_ready(total)
        return float(loss), gradient

    return evaluate, lambda gradient: {name: np.asarray(g) for name, g in gradient.items()}


if __name__ == "__main__":
    serve(options, make)
