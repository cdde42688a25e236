// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "conformance.hpp"

#include <bilevel/autodiff/dual.hpp>
#include <bilevel/backend/cpu.hpp>

using namespace bilevel;
using conformance::argument;

namespace {

struct images {
    integer batch, height, width, channels;
    argument all() const { return {batch, {height, width, channels}}; }
    argument by_channel(bool shared = false, bool positive = false) const { return {1, {channels}, shared, positive}; }
    integer positions() const { return batch * height * width; }
};

// One position, one channel, channels that no tile divides, more positions than a block of a sum.
const images cases[] = {{1, 1, 1, 3}, {2, 1, 1, 1}, {7, 3, 5, 17}, {5, 2, 2, 64}, {3, 9, 7, 33}, {1, 20, 17, 2}};
constexpr float epsilon = 1e-3f;  // the same in every scalar

TEST_CASE_TEMPLATE("normalisation: the channel kernels give what the reference gives", Kernels, backend::reference<float>,
                   backend::cpu_kernels<float>, backend::cpu_kernels<double>) {
    for (const images& c : cases)
        for (const integer tasks : {1, 3})
            for (const bool accumulate : {false, true}) {
                CAPTURE(c.positions());
                CAPTURE(c.channels);
                CAPTURE(accumulate);
                for (const bool shared : {false, true}) {
                    conformance::check<Kernels>(
                        tasks, 1, {c.all()}, {c.all(), c.by_channel(shared)},
                        [&](auto& k, auto out, auto in, auto) { k.channel_scale(out[0], in[0], in[1], accumulate); });
                    conformance::check<Kernels>(tasks, 1, {c.all()}, {c.by_channel(shared)},
                                                [&](auto& k, auto out, auto in, auto) { k.channel_shift(out[0], in[0], accumulate); });
                    conformance::check<Kernels>(tasks, 1, {c.all()}, {c.by_channel(shared)},
                                                [&](auto& k, auto out, auto in, auto) { k.add_bias(out[0], in[0], accumulate); });
                }
                conformance::check<Kernels>(tasks, c.positions(), {c.by_channel()}, {c.all()},
                                            [&](auto& k, auto out, auto in, auto) { k.channel_sum(out[0], in[0], accumulate); });
                conformance::check<Kernels>(tasks, c.positions(), {c.by_channel()}, {c.all()},
                                            [&](auto& k, auto out, auto in, auto) { k.sum_over_batch(out[0], in[0], accumulate); });
                conformance::check<Kernels>(tasks, c.positions(), {c.by_channel()}, {c.all(), c.all()},
                                            [&](auto& k, auto out, auto in, auto) { k.channel_dot(out[0], in[0], in[1], accumulate); });
            }
}

TEST_CASE_TEMPLATE("normalisation: the batch norm kernels give what the reference gives", Kernels, backend::reference<float>,
                   backend::cpu_kernels<float>, backend::cpu_kernels<double>) {
    using scalar = typename Kernels::scalar;
    for (const images& c : cases)
        for (const integer tasks : {1, 3}) {
            CAPTURE(c.positions());
            CAPTURE(c.channels);
            // Sums of `positions` terms, then some operations on each element.
            const integer terms = c.positions() + 8;
            const argument channel = c.by_channel(), running = c.by_channel(true), positive = c.by_channel(false, true);
            conformance::check<Kernels>(tasks, terms, {c.all(), channel, channel}, {c.all()}, [&](auto& k, auto out, auto in, auto) {
                k.normalise(out[0], out[1], out[2], in[0], scalar(epsilon));
            });
            conformance::check<Kernels>(
                tasks, terms, {c.all(), channel}, {c.all(), running, c.by_channel(true, true)},
                [&](auto& k, auto out, auto in, auto) { k.normalise_with(out[0], out[1], in[0], in[1], in[2], scalar(epsilon)); });
            conformance::check<Kernels>(
                tasks, terms, {c.all(), channel}, {c.all(), c.all(), positive},
                [&](auto& k, auto out, auto in, auto) { k.normalise_tangent(out[0], out[1], in[0], in[1], in[2]); });
            conformance::check<Kernels>(
                tasks, terms, {c.all()}, {running, positive, c.all(), channel},
                [&](auto& k, auto out, auto in, auto) { k.batch_norm_backward_moved(out[0], in[0], in[1], in[2], in[3]); });
            for (const bool accumulate : {false, true})
                conformance::check<Kernels>(tasks, terms, {c.all()}, {running, positive, c.all(), channel, c.all(), channel},
                                            [&](auto& k, auto out, auto in, auto) {
                                                k.batch_norm_backward(out[0], in[0], in[1], in[2], in[3], in[4], in[5], accumulate);
                                            });
        }
}

TEST_CASE_TEMPLATE("normalisation: a channel that hardly varies around a large mean keeps its variance", Kernels, backend::reference<float>,
                   backend::cpu_kernels<float>) {
    // Σx² − (Σx)² in one pass would lose all digits of a variance of 1/4 beside a mean of 4096.
    Kernels kernels;
    float x[600], n[600], mean[1], r[1];
    for (int i = 0; i < 600; ++i) x[i] = 4096.0f + (i % 2 == 0 ? 0.5f : -0.5f);
    const view<const float> in{x, 0, 1, 600, 1, {1, 1, 1}};
    kernels.normalise({n, 0, 1, 600, 1, {1, 1, 1}}, {mean, 0, 1, 1, 1, {1}}, {r, 0, 1, 1, 1, {1}}, in, 0.0f);
    CHECK(mean[0] == 4096);
    CHECK(r[0] == 2);
    CHECK(n[0] == 1);
    CHECK(n[1] == -1);
}

TEST_CASE("normalisation: normalise_tangent is the derivative of normalise") {
    for (const images& c : cases) {
        const conformance::slice one{0, 1};
        conformance::plane<double> x(c.all(), 1, 1), dx(c.all(), 1, 2), n(c.all(), 1, 3), dn(c.all(), 1, 4);
        conformance::plane<double> mean(c.by_channel(), 1, 5), r(c.by_channel(), 1, 6), dr(c.by_channel(), 1, 7);
        conformance::plane<dual<double>> moving(c.all(), 1, 1), result(c.all(), 1, 1), mean_result(c.by_channel(), 1, 1),
            r_result(c.by_channel(), 1, 1);
        for (integer i = 0; i < x.per_task(); ++i) moving.at(0, i) = {x.at(0, i), dx.at(0, i)};
        backend::reference<dual<double>> over_duals;
        backend::reference<double> kernels;
        over_duals.normalise(result.of(one), mean_result.of(one), r_result.of(one), moving.of(one), dual<double>(epsilon));
        kernels.normalise(n.of(one), mean.of(one), r.of(one), x.of(one), epsilon);
        kernels.normalise_tangent(dn.of(one), dr.of(one), dx.of(one), n.of(one), r.of(one));
        for (integer i = 0; i < x.per_task(); ++i) CHECK(result.at(0, i).derivative == doctest::Approx(dn.at(0, i)).epsilon(1e-12));
        for (integer q = 0; q < c.channels; ++q) CHECK(r_result.at(0, q).derivative == doctest::Approx(dr.at(0, q)).epsilon(1e-12));
    }
}

TEST_CASE_TEMPLATE("normalisation: transposes", Kernels, backend::reference<double>, backend::cpu_kernels<float>,
                   backend::cpu_kernels<double>) {
    using scalar = typename Kernels::scalar;
    for (const images& c : cases) {
        if (c.positions() < 3) continue;  // of one or two positions, normalised ones do not move
        const integer tasks = 2;
        const conformance::slice every{0, tasks};
        const auto from = [](auto& plane, auto s) { return view<const scalar>(plane.of(s)); };
        conformance::plane<scalar> x(c.all(), tasks, 1), n(c.all(), tasks, 2), mean(c.by_channel(), tasks, 3), r(c.by_channel(), tasks, 4);
        conformance::plane<scalar> gain(c.by_channel(false, true), tasks, 5), dn(c.all(), tasks, 6), dr(c.by_channel(), tasks, 7);
        conformance::plane<scalar> dbeta(c.by_channel(), tasks, 8), dgamma(c.by_channel(), tasks, 9);
        Kernels prepared;
        prepared.normalise(n.of(every), mean.of(every), r.of(every), from(x, every), scalar(epsilon));

        conformance::check_adjoint<Kernels>(
            tasks, c.positions() * c.channels, c.all(), c.all(),
            [&](auto& k, auto y, auto v, auto s) {
                k.normalise_tangent(dn.of(s), dr.of(s), v, from(n, s), from(r, s));
                k.channel_scale(y, from(dn, s), from(gain, s), false);
            },
            [&](auto& k, auto v, auto y, auto s) {
                k.channel_sum(dbeta.of(s), y, false);
                k.channel_dot(dgamma.of(s), y, from(n, s), false);
                k.batch_norm_backward(v, from(gain, s), from(r, s), y, from(dbeta, s), from(n, s), from(dgamma, s), false);
            });
        conformance::check_adjoint<Kernels>(
            tasks, c.positions() * c.channels, c.by_channel(), c.all(),
            [&](auto& k, auto y, auto v, auto) { k.channel_shift(y, v, false); },
            [&](auto& k, auto v, auto y, auto) { k.channel_sum(v, y, false); });
        conformance::check_adjoint<Kernels>(
            tasks, c.positions() * c.channels, c.by_channel(), c.all(),
            [&](auto& k, auto y, auto v, auto s) { k.channel_scale(y, from(n, s), v, false); },
            [&](auto& k, auto v, auto y, auto s) { k.channel_dot(v, y, from(n, s), false); });
    }
}

TEST_CASE_TEMPLATE("normalisation: the moved kernel is the backward one in its n alone", Kernels, backend::reference<double>,
                   backend::cpu_kernels<double>) {
    const images c{3, 2, 5, 7};
    const conformance::slice one{0, 1};
    conformance::plane<double> gain(c.by_channel(), 1, 1), r(c.by_channel(), 1, 2), a(c.all(), 1, 3), dgamma(c.by_channel(), 1, 4);
    conformance::plane<double> zero(c.all(), 1, 5), none(c.by_channel(), 1, 6), moved(c.all(), 1, 7), expected(c.all(), 1, 7);
    for (integer i = 0; i < zero.per_task(); ++i) zero.at(0, i) = 0;
    for (integer q = 0; q < c.channels; ++q) none.at(0, q) = 0;
    Kernels kernels;
    kernels.batch_norm_backward_moved(moved.of(one), gain.of(one), r.of(one), a.of(one), dgamma.of(one));
    kernels.batch_norm_backward(expected.of(one), gain.of(one), r.of(one), zero.of(one), none.of(one), a.of(one), dgamma.of(one), true);
    CHECK(conformance::largest_error(moved.data(), expected.data()) <= testing::tolerance<double>(8));
}

}  // namespace
