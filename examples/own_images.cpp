// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
//
// Images of your own from end to end: pixels and one label an image become a training set, a body is trained by MTL and kept in a file; where it is used, it
// is read, adapted to five classes that it has never seen by three images of each, and asked about others, one at a time.
#include <bilevel/bilevel.hpp>
#include <bilevel/data/episode_sampler.hpp>
#include <bilevel/data/examples.hpp>
#include <bilevel/data/image_set.hpp>
#include <bilevel/solver/checkpoint.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <numbers>
#include <vector>

namespace bl = bilevel;
using task = bl::task<bl::nn::conv4_strided<bl::shape<28, 28, 1>, 16>, bl::objective::cross_entropy>;

struct labelled_images {
    xt::xtensor<std::uint8_t, 4> pixels;  // (images, height, width, channels)
    std::vector<int> labels;
};

// In the place of what you would read: a class is a grating of its own direction and width, whose images differ in phase and noise.
labelled_images gratings(int first_class, int classes, int first_image, int images) {
    constexpr int side = 28;
    labelled_images result{xt::xtensor<std::uint8_t, 4>(std::array<std::size_t, 4>{std::size_t(classes * images), side, side, 1}), {}};
    auto* pixel = result.pixels.data();
    for (int c = 0; c < classes; ++c)
        for (int i = 0; i < images; ++i) {
            const int which = first_class + c;
            bl::random::generator random(7, bl::random::purpose::user, std::uint64_t(which * 1000 + first_image + i));
            const double angle = 2.4 * which, wave = 0.4 + 0.3 * (which % 3), phase = random.uniform(0, 2 * std::numbers::pi);
            for (int y = 0; y < side; ++y)
                for (int x = 0; x < side; ++x) {
                    const double bright = std::sin(wave * (x * std::cos(angle) + y * std::sin(angle)) + phase);
                    *pixel++ = std::uint8_t(std::clamp(128 + 60 * bright + 30 * random.normal(), 0.0, 255.0));
                }
            result.labels.push_back(c);
        }
    return result;
}

constexpr int training_classes = 30;
constexpr const char* trained_with = "algorithm=mtl\nclasses=30\n";  // a file of another training is refused by these lines

void train(const std::filesystem::path& file) {
    const auto data = gratings(0, training_classes, 0, 20);
    auto episodes = bl::data::episodes(bl::data::image_set_from(data.pixels, data.labels), {.ways = 5, .shots = 1, .queries = 5});
    bl::backend::cpu<float> backend;
    auto solver = bl::mtl(backend, task{.outputs = 5}, training_classes);
    auto state = solver.initialise({.seed = 7});
    state.fingerprint = trained_with;
    for (int i = 0; i < 300; ++i) solver.step(state, episodes.batch(i, 4));
    bl::write_checkpoint(file, state);
}

// MTL normalises with the statistics of training, so that an image is seen as the same one alone and among others. The other algorithms use those of the
// images that they are asked about together, unless `adapt` is told otherwise: {.normalisation = bl::autodiff::normalisation::running}.
bool use(const std::filesystem::path& file) {
    bl::backend::cpu<float> backend;
    auto solver = bl::mtl(backend, task{.outputs = 5}, training_classes);
    auto state = solver.initialise({});
    state.fingerprint = trained_with;
    state = bl::read_checkpoint(file, state);

    const auto known = gratings(training_classes, 5, 0, 3), unknown = gratings(training_classes, 5, 3, 20);
    const auto adapted = solver.adapt(state, bl::data::episodes_of(bl::data::image_examples(known.pixels, known.labels, 5)));
    const bl::data::image_examples questions(unknown.pixels, std::vector<int>{}, 5);
    const auto all = questions.view();
    int right = 0;
    for (bl::integer i = 0; i < all.count; ++i)
        right += solver.predict(adapted, all.inputs + i * all.input_size, 1)[0] == unknown.labels[std::size_t(i)];
    std::printf("%d of %d images of five new classes recognised\n", right, int(all.count));
    return right > all.count / 2;  // chance is a fifth
}

int main() {
    const std::filesystem::path file = "own_images.state";
    train(file);
    const bool learned = use(file);
    std::filesystem::remove(file);
    return learned ? EXIT_SUCCESS : EXIT_FAILURE;
}
