// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "conformance.hpp"
#include "kernels_under_test.hpp"

#include <bilevel/autodiff/dual.hpp>

using namespace bilevel;
using conformance::argument;

namespace {

struct images {
    integer batch, height, width, channels;
    argument all() const { return {batch, {height, width, channels}}; }
    argument by_channel(bool shared = false, bool positive = false) const { return {1, {channels}, shared, positive}; }
    integer positions() const { return batch * height * width; }
};

// One position, one channel, channels that no tile divides, odd and even extents, more positions than a block of a sum.
const images cases[] = {{1, 1, 1, 3}, {2, 1, 1, 1}, {7, 3, 5, 17}, {5, 2, 2, 64}, {3, 9, 7, 33}, {1, 20, 17, 2}, {2, 14, 14, 16}};
constexpr float epsilon = 1e-3f;  // the same in every scalar

/// What follows the batch norm, and the planes of its result.
struct following {
    double slope;
    bool pooled;

    bool fits(const images& c) const { return !pooled || (c.height > 1 && c.width > 1); }
    argument result(const images& c) const { return pooled ? argument{c.batch, {c.height / 2, c.width / 2, c.channels}} : c.all(); }
    template <class Scalar> backend::activation<Scalar> of() const { return {Scalar(float(slope))}; }
};
const following ways[] = {{1, false}, {0, false}, {0.1, false}, {0, true}, {0.1, true}};

/// Positions in a window: the same for every backend.
class positions {
public:
    positions(const argument& result, bool pooled, integer tasks) : result_(result) {
        if (!pooled) return;
        stride_ = result.batch * result.size();
        for (integer i = 0; i < stride_ * tasks; ++i) values_.push_back(static_cast<std::uint8_t>((7 * i + i / 3) % 4));
    }
    view<const std::uint8_t> of(conformance::slice s) const {
        view<const std::uint8_t> v{values_.data() + s.first * stride_,   stride_, s.tasks, result_.batch,
                                   values_.empty() ? 0 : result_.size(), {}};
        std::copy(result_.extents.begin(), result_.extents.end(), v.extents);
        return v;
    }

private:
    argument result_;
    integer stride_ = 0;
    std::vector<std::uint8_t> values_;
};

auto from(auto& k, auto x, auto mean, auto r, auto gain, auto shift) {
    using scalar = typename std::remove_reference_t<decltype(k)>::scalar;
    return backend::normalised<scalar>{x, mean, r, gain, shift};
}

TEST_CASE("batch norm: the kernels of the statistics give what the reference gives") {
    for (const images& c : cases)
        for (const integer tasks : {1, 4}) {
            CAPTURE(c.positions());
            CAPTURE(c.channels);
            const integer terms = c.positions() + 8;  // the sums, then some operations on each element
            const argument channel = c.by_channel(), positive = c.by_channel(false, true);
            conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                tasks, terms, {channel, channel}, {c.all()},
                [&](auto& k, auto out, auto in, auto) { k.moments(out[0], out[1], in[0], epsilon); });
            conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                tasks, 8, {channel}, {c.by_channel(true, true)},
                [&](auto& k, auto out, auto in, auto) { k.inverse_deviation(out[0], in[0], epsilon); });
            conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                tasks, terms, {channel, channel}, {c.all(), c.all(), channel, positive}, [&](auto& k, auto out, auto in, auto) {
                    k.moments_tangent(out[0], out[1], in[0], from(k, in[1], in[2], in[3], in[2], in[2]));
                });
        }
}

TEST_CASE("batch norm: the kernels with what follows it give what the reference gives") {
    for (const images& c : cases)
        for (const following& follows : ways)
            for (const integer tasks : {1, 4}) {
                if (!follows.fits(c)) continue;
                CAPTURE(c.positions());
                CAPTURE(c.channels);
                CAPTURE(follows.slope);
                CAPTURE(follows.pooled);
                const integer terms = c.positions() + 16;
                const argument y = follows.result(c), channel = c.by_channel(), positive = c.by_channel(false, true),
                               shared = c.by_channel(true);
                const positions at(y, follows.pooled, tasks);
                // x, mean, r, gain, shift, and their tangents
                const std::vector<argument> of{c.all(), channel, positive, shared, shared},
                    moved{c.all(), channel, channel, channel, channel};
                const auto with = [](std::vector<argument> all, const std::vector<std::vector<argument>>& more) {
                    for (const auto& some : more) all.insert(all.end(), some.begin(), some.end());
                    return all;
                };
                const auto values = [](auto& k, auto in) { return from(k, in[0], in[1], in[2], in[3], in[4]); };
                const auto activation = [&](auto& k) { return follows.of<typename std::remove_reference_t<decltype(k)>::scalar>(); };

                std::vector<std::uint8_t> argmax(std::size_t(tasks * y.batch * y.size()));
                conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                    tasks, terms, {y}, of, [&](auto& k, auto out, auto in, auto s) {
                        const auto size = follows.pooled ? y.size() : 0;
                        view<std::uint8_t> where{argmax.data() + s.first * y.batch * size, y.batch * size, s.tasks, y.batch, size, {}};
                        std::copy(y.extents.begin(), y.extents.end(), where.extents);
                        k.batch_norm(out[0], where, values(k, in), activation(k));
                    });
                conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                    tasks, terms, {channel, channel}, with(of, {{y, y}}), [&](auto& k, auto out, auto in, auto s) {
                        k.batch_norm_sums(out[0], out[1], in[5], in[6], at.of(s), values(k, in), activation(k));
                    });
                conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                    tasks, terms, {c.all()}, with(of, {{y, y, channel, channel}}), [&](auto& k, auto out, auto in, auto s) {
                        k.batch_norm_backward(out[0], in[7], in[8], in[5], in[6], at.of(s), values(k, in), activation(k));
                    });
                // Where x, the gain or the shift does not move, its tangents have no elements.
                for (const bool x_moves : {false, true})
                    for (const bool parameters_move : {false, true}) {
                        if (!x_moves && !parameters_move) continue;
                        CAPTURE(x_moves);
                        CAPTURE(parameters_move);
                        const auto tangents = [=](auto& k, auto in) {
                            auto all = from(k, in[5], in[6], in[7], in[8], in[9]);
                            if (!x_moves) all.x.size = all.mean.size = all.r.size = 0;
                            if (!parameters_move) all.gain.size = all.shift.size = 0;
                            return all;
                        };
                        // A NaN in a tangent that is not looked at goes nowhere.
                        const auto of_input = x_moves && parameters_move ? conformance::nan::as_reference : conformance::nan::is_not_tried;
                        conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                            tasks, terms, {y}, with(of, {moved, {y}}),
                            [&](auto& k, auto out, auto in, auto s) {
                                k.batch_norm_tangent(out[0], in[10], at.of(s), values(k, in), tangents(k, in), activation(k));
                            },
                            of_input);
                        conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                            tasks, terms, {channel, channel}, with(of, {moved, {y, y, y}}),
                            [&](auto& k, auto out, auto in, auto s) {
                                k.batch_norm_sums_tangent(out[0], out[1], in[11], in[12], in[10], at.of(s), values(k, in), tangents(k, in),
                                                          activation(k));
                            },
                            of_input);
                        conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                            tasks, terms, {c.all()}, with(of, {moved, {y, y, y, channel, channel, channel, channel}}),
                            [&](auto& k, auto out, auto in, auto s) {
                                k.batch_norm_backward_tangent(out[0], in[13], in[14], in[15], in[16], in[11], in[12], in[10], at.of(s),
                                                              values(k, in), tangents(k, in), activation(k));
                            },
                            of_input);
                    }
            }
}

TEST_CASE_TEMPLATE("batch norm: a channel that hardly varies around a large mean keeps its variance", Kernels, backend::reference<float>,
                   FLOAT_KERNELS_UNDER_TEST) {
    // Σx² − (Σx)² in one pass would lose all digits of a variance of 1/4 beside a mean of 4096.
    Kernels kernels;
    float x[600], y[600], mean[1], r[1];
    for (int i = 0; i < 600; ++i) x[i] = 4096.0f + (i % 2 == 0 ? 0.5f : -0.5f);
    const float one[1] = {1}, zero[1] = {0};
    const view<const float> in{x, 0, 1, 600, 1, {1, 1, 1}}, gain{one, 0, 1, 1, 1, {1}}, shift{zero, 0, 1, 1, 1, {1}};
    const view<float> m{mean, 0, 1, 1, 1, {1}}, inverse{r, 0, 1, 1, 1, {1}};
    kernels.moments(m, inverse, in, 0.0f);
    CHECK(mean[0] == 4096);
    CHECK(r[0] == 2);
    kernels.batch_norm({y, 0, 1, 600, 1, {1, 1, 1}}, {}, {in, m, inverse, gain, shift}, {1.0f});
    CHECK(y[0] == 1);
    CHECK(y[1] == -1);
}

TEST_CASE_TEMPLATE("batch norm: pooling takes the first of equal maxima, and any sign of the gain", Kernels, backend::reference<double>,
                   KERNELS_UNDER_TEST) {
    using scalar = typename Kernels::scalar;
    Kernels kernels;
    const scalar x[] = {1, 3, 3, 2, -1, -2, -3, -1};  // two windows of one channel, of 2 x 4 pixels: (1 3; -1 -2) and (3 2; -3 -1)
    const scalar mean[1] = {0}, r[1] = {1}, up[1] = {1}, down[1] = {-1}, flat[1] = {0}, shift[1] = {0};
    const auto channel = [](const scalar* p) { return view<const scalar>{p, 0, 1, 1, 1, {1}}; };
    const view<const scalar> in{x, 0, 1, 1, 8, {2, 4, 1}};
    scalar y[2];
    std::uint8_t argmax[2];
    const auto run = [&](const scalar* gain) {
        kernels.batch_norm({y, 0, 1, 1, 2, {1, 2, 1}}, {argmax, 0, 1, 1, 2, {1, 2, 1}},
                           {in, channel(mean), channel(r), channel(gain), channel(shift)}, {scalar(0)});
    };
    run(up);
    CHECK((y[0] == 3 && argmax[0] == 1 && y[1] == 3 && argmax[1] == 0));
    run(down);
    CHECK((y[0] == 2 && argmax[0] == 3 && y[1] == 3 && argmax[1] == 2));
    run(flat);
    CHECK((y[0] == 0 && argmax[0] == 0 && y[1] == 0 && argmax[1] == 0));
}

TEST_CASE("bias: the kernels give what the reference gives") {
    for (const images& c : cases)
        for (const integer tasks : {1, 4})
            for (const bool accumulate : {false, true}) {
                CAPTURE(c.positions());
                CAPTURE(c.channels);
                CAPTURE(accumulate);
                for (const bool shared : {false, true})
                    conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                        tasks, 1, {c.all()}, {c.by_channel(shared)},
                        [&](auto& k, auto out, auto in, auto) { k.add_bias(out[0], in[0], accumulate); });
                conformance::check<backend::reference<float>, KERNELS_UNDER_TEST>(
                    tasks, c.positions(), {c.by_channel()}, {c.all()},
                    [&](auto& k, auto out, auto in, auto) { k.sum_over_batch(out[0], in[0], accumulate); });
            }
}

}  // namespace
