// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT
#include "fake_omniglot.hpp"

#include <bilevel/data/omniglot.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

using bilevel::argument_error;
using bilevel::data_error;
using bilevel::integer;
namespace data = bilevel::data;
namespace fs = std::filesystem;

namespace {

std::string refusal(const fs::path& folder, const data::omniglot_settings& settings) {
    return message_of<data_error>([&] { (void)data::omniglot(folder, settings); });
}

const data::random_split all_training{.training_classes = 7, .validation_classes = 0};

}  // namespace

TEST_CASE("omniglot: pools both parts, sorts by name, and ink is one") {
    const temporary_folder folder;
    make_fake_omniglot(folder.path());
    const auto o = data::omniglot(folder.path(), {.split = all_training, .rotations = data::rotations::none, .drawings = 3});
    REQUIRE(o.training.class_count() == 7);
    CHECK(o.test.class_count() == 0);
    CHECK(o.training.image_count() == 21);
    CHECK(o.training[0].name == "Greek/character01");
    CHECK(o.training[4].name == "Latin/character02");
    CHECK(o.training[6].name == "Runes/character02");
    std::vector<double> image(784);
    for (integer n = 0; n < 7; ++n)
        for (integer d = 0; d < 3; ++d) {
            o.training.gather(o.training[n].images[static_cast<std::size_t>(d)], 0, image.data());
            for (integer y = 0; y < 28; ++y)
                for (integer x = 0; x < 28; ++x)  // 15 pixels of 105 are exactly 4 of 28
                    CHECK(image[static_cast<std::size_t>(28 * y + x)] == (x < 4 * (n + 1) && y < 4 * (d + 1) ? 1 : 0));
        }
}

TEST_CASE("omniglot: other sizes, and areas that are cut") {
    const temporary_folder folder;
    make_fake_omniglot(folder.path());
    const auto o = data::omniglot(folder.path(), {.split = all_training, .rotations = data::rotations::none, .size = 5, .drawings = 3});
    std::vector<double> image(25);
    o.training.gather(o.training[1].images[1], 0, image.data());  // a bar of 30 by 30; a new pixel is 21 wide
    CHECK(image[0] == 1);
    CHECK(image[1] == doctest::Approx(9.0 / 21).epsilon(0.005));  // to a byte
    CHECK(image[6] == doctest::Approx(81.0 / 441).epsilon(0.01));
    CHECK(image[2] == 0);
    CHECK_THROWS_AS((void)data::omniglot(folder.path(), {.split = all_training, .size = 0}), argument_error);
    CHECK_THROWS_AS((void)data::omniglot(folder.path(), {.split = all_training, .size = 106}), argument_error);
}

TEST_CASE("omniglot: random splits and rotations") {
    const temporary_folder folder;
    make_fake_omniglot(folder.path());
    const data::random_split split{.training_classes = 4, .validation_classes = 1, .seed = 5};
    const auto o = data::omniglot(folder.path(), {.split = split, .drawings = 3});
    CHECK(o.training.class_count() == 16);
    CHECK(o.validation.class_count() == 1);
    CHECK(o.test.class_count() == 2);
    CHECK(o.training.images().data() == o.test.images().data());
    const auto everywhere = data::omniglot(folder.path(), {.split = split, .rotate_everywhere = true, .drawings = 3});
    CHECK(everywhere.test.class_count() == 8);
    const auto turning = data::omniglot(folder.path(), {.split = split, .rotations = data::rotations::episode, .drawings = 3});
    CHECK(turning.training.class_count() == 4);
    CHECK(turning.training.turns_in_episodes());
    CHECK_FALSE(turning.test.turns_in_episodes());
    for (integer c = 0; c < 4; ++c) CHECK(turning.training[c].name == o.training[c].name);
    CHECK(refusal(folder.path(), {.split = data::random_split{.training_classes = 8}, .drawings = 3}) ==
          folder.path().string() + ": random_split: expected 8 training and 0 validation classes, found 7");
}

TEST_CASE("omniglot: lists are found in the data set, beside it, or where they are said to be") {
    const temporary_folder folder;
    make_fake_omniglot(folder / "omniglot");
    const data::omniglot_settings settings{.split = data::list_split{}, .rotations = data::rotations::none, .drawings = 3};
    const std::string message = refusal(folder / "omniglot", settings);
    CHECK(contains(message, "no list of training classes; expected train.txt, val.txt and test.txt in one of "));
    CHECK(contains(message, (folder / "splits/omniglot_vinyals").string()));
    const auto place = [&](const fs::path& at, const char* training) {
        write_file(at / "train.txt", training);
        write_file(at / "val.txt", "Latin/character02\n");
        write_file(at / "test.txt", "Runes/character02\n");
    };
    place(folder / "splits/omniglot_vinyals", "Greek/character01\n");
    CHECK(data::omniglot(folder / "omniglot", settings).training[0].name == "Greek/character01");
    CHECK(data::omniglot((folder / "omniglot").string() + "/", settings).training[0].name == "Greek/character01");
    place(folder / "omniglot/splits", "Greek/character02\nRunes/character01\n");
    const auto o = data::omniglot(folder / "omniglot", settings);
    CHECK(o.training[0].name == "Greek/character02");
    CHECK(o.training[1].name == "Runes/character01");
    CHECK(o.validation[0].name == "Latin/character02");
    CHECK(o.test[0].name == "Runes/character02");
    place(folder / "mine", "Greek/character03\n");
    auto mine = settings;
    mine.split = data::list_split{folder / "mine"};
    CHECK(data::omniglot(folder / "omniglot", mine).training[0].name == "Greek/character03");
    write_file(folder / "mine/test.txt", "Runes/character02\nRunes/character99\n");
    CHECK(refusal(folder / "omniglot", mine) == (folder / "mine/test.txt").string() + ":2: class Runes/character99 is not in the data set");
}

TEST_CASE("omniglot: what is missing is named") {
    const temporary_folder folder;
    const data::omniglot_settings settings{.split = all_training, .drawings = 3};
    const auto missing = refusal(folder / "nowhere", settings);
    CHECK(missing.starts_with((folder / "nowhere/images_background").string() + ": No such file"));
    CHECK(contains(missing, "expected the folders images_background and images_evaluation"));
    fs::create_directories(folder / "empty/images_background");
    CHECK(refusal(folder / "empty", settings).starts_with((folder / "empty/images_background").string() + ": holds no characters"));
    make_fake_omniglot(folder / "half");  // of which the second archive was not unpacked
    fs::remove_all(folder / "half/images_evaluation");
    CHECK(refusal(folder / "half", settings).starts_with((folder / "half/images_evaluation").string() + ": No such file"));
    fs::create_directories(folder / "half/images_evaluation");
    CHECK(refusal(folder / "half", settings).starts_with((folder / "half/images_evaluation").string() + ": holds no characters"));
    make_fake_omniglot(folder / "dangling");
    fs::create_directory_symlink("nowhere", folder / "dangling/images_background/link");
    CHECK(data::omniglot(folder / "dangling", settings).training.class_count() > 0);
    make_fake_omniglot(folder / "circle");
    fs::create_directory_symlink("circle", folder / "circle/images_background/circle");
    CHECK(refusal(folder / "circle", settings).starts_with((folder / "circle/images_background/circle").string() + ": "));

    make_fake_omniglot(folder / "o");
    fs::remove(folder / "o/images_background/Latin/character01/03_01.png");
    CHECK(refusal(folder / "o", settings) ==
          (folder / "o/images_background/Latin/character01").string() + ": expected 3 drawings (*.png), found 2");
    fs::create_directories(folder / "o/images_evaluation/Greek/character01");
    fs::remove_all(folder / "o/images_background/Latin");
    CHECK(contains(refusal(folder / "o", settings), "character Greek/character01 is there twice"));
}

TEST_CASE("omniglot: a damaged image is named") {
    const temporary_folder folder;
    make_fake_omniglot(folder.path());
    const data::omniglot_settings settings{.split = all_training, .drawings = 3};
    const auto victim = folder / "images_evaluation/Runes/character02/06_02.png";
    const std::string whole = read_file(victim);
    const auto with = [&](const std::string& bytes) {
        write_file(victim, bytes);
        return refusal(folder.path(), settings);
    };
    CHECK(with(one_bit_png(104, 105, [](int, int) { return true; })) ==
          victim.string() + ": expected an image of 105x105 pixels, found 104x105");
    CHECK(with(one_bit_png(60000, 1, [](int, int) { return true; })) ==
          victim.string() + ": expected an image of 105x105 pixels, found 60000x1");
    CHECK(with("") == victim.string() + ": expected a PNG image");
    CHECK(with("a text that somebody saved here") == victim.string() + ": expected a PNG image");
    CHECK(with(std::string((1 << 20) + 1, 'x')) == victim.string() + ": expected at most 1048576 bytes");
    CHECK(with(whole.substr(0, 700)).starts_with(victim.string() + ": the PNG image is cut short after 700 bytes"));
    std::string flipped = whole;
    flipped[500] = static_cast<char>(flipped[500] ^ 4);
    CHECK(with(flipped).starts_with(victim.string() + ": the PNG image is damaged"));
    fs::remove(victim);
    fs::create_directories(victim);  // a folder in the place of a file
    CHECK(refusal(folder.path(), settings).starts_with(victim.string() + ": cannot be "));
}

TEST_CASE("omniglot: no cut and no flipped bit of an image goes unseen") {
    const std::string whole = one_bit_png(17, 9, [](int x, int y) { return (x + y) % 3 == 0; });
    const auto decode = [](const std::string& s) {
        return data::detail::decode_grey_png({reinterpret_cast<const std::uint8_t*>(s.data()), s.size()}, "a.png", 9, 17);
    };
    const auto pixels = decode(whole);
    REQUIRE(pixels.size() == 153);
    for (int y = 0; y < 9; ++y)
        for (int x = 0; x < 17; ++x) CHECK(pixels[static_cast<std::size_t>(17 * y + x)] == ((x + y) % 3 == 0 ? 255 : 0));
    for (std::size_t n = 0; n < whole.size(); ++n) {
        CHECK(message_of<data_error>([&] { (void)decode(whole.substr(0, n)); }).starts_with("a.png: "));
        for (int bit = 0; bit < 8; ++bit) {
            std::string flipped = whole;
            flipped[n] = static_cast<char>(flipped[n] ^ (1 << bit));
            CHECK(message_of<data_error>([&] { (void)decode(flipped); }).starts_with("a.png: "));
        }
    }
    CHECK(data::detail::crc32({reinterpret_cast<const std::uint8_t*>("123456789"), 9}) == 0xcbf43926);  // the published check value
}

TEST_CASE("omniglot: broken streams under right check sums are refused, not followed") {
    // The chunks of an image whose pixel data are noise, with check sums that fit.
    const std::string whole = one_bit_png(17, 9, [](int, int) { return true; });
    const std::size_t content = whole.find("IDAT") + 4, size = whole.find("IEND") - 8 - content;
    const auto word = [](std::uint32_t v) {
        return std::string{static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)};
    };
    for (std::size_t n = 0; n < size - 4; ++n)  // the last four bytes are zlib's own sum, of which nothing depends
        for (const int change : {1, 0x40, 0xff}) {
            std::string broken = whole;
            broken[content + n] = static_cast<char>(broken[content + n] ^ change);
            const auto sum = data::detail::crc32({reinterpret_cast<const std::uint8_t*>(broken.data()) + content - 4, size + 4});
            broken.replace(content + size, 4, word(sum));
            try {
                const auto pixels =
                    data::detail::decode_grey_png({reinterpret_cast<const std::uint8_t*>(broken.data()), broken.size()}, "a.png", 9, 17);
                CHECK(pixels.size() == 153);
            } catch (const data_error& e) {
                CHECK(contains(e.what(), "a.png: not a PNG image that can be read"));
            }
        }
}

TEST_CASE("omniglot: the real data set") {
    const char* root = std::getenv("BILEVEL_DATA_DIR");
    const fs::path folder = root ? fs::path(root) / "omniglot" : fs::path();
    if (!root || !fs::exists(folder)) {
        MESSAGE("SKIPPED: BILEVEL_DATA_DIR does not name a folder with omniglot/");
        return;
    }
    const auto o = data::omniglot(folder, {.split = data::random_split{.training_classes = 1200, .seed = 7}});
    CHECK(o.training.class_count() == 4800);
    CHECK(o.test.class_count() == 423);
    CHECK(o.training.image_count() == 32460);
    std::set<std::string> alphabets;
    double ink = 0;
    std::vector<float> image(784);
    for (const auto* set : {&o.training, &o.test})
        for (integer c = 0; c < std::min<integer>(set->class_count(), 1200); ++c) {
            CHECK((*set)[c].images.size() == 20);
            alphabets.insert((*set)[c].name.substr(0, (*set)[c].name.find('/')));
            set->gather((*set)[c].images[0], 0, image.data());
            for (const float p : image) ink += static_cast<double>(p);
        }
    CHECK(alphabets.size() == 50);
    ink /= 1623 * 784;
    CHECK(ink > 0.04);  // strokes are thin: were paper the ink, this would be above 0.9
    CHECK(ink < 0.15);

    // One drawing against its file: the mean over areas keeps the mean of all, to the rounding of a byte.
    const auto file = folder / "images_background/Greek/character01/0394_01.png";
    const auto none = data::omniglot(
        folder, {.split = data::random_split{.training_classes = 1623, .validation_classes = 0}, .rotations = data::rotations::none});
    for (integer c = 0; c < 1623; ++c) {
        if (none.training[c].name != "Greek/character01") continue;
        none.training.gather(none.training[c].images[0], 0, image.data());
        double mean = 0, expected = 0;
        for (const float p : image) mean += static_cast<double>(p) / 784;
        for (const auto g : data::detail::decode_grey_png(data::detail::read_bytes(file, 1 << 20), "a", 105, 105))
            expected += (1 - g / 255.0) / 11025;
        CHECK(std::abs(mean - expected) < 0.5 / 255);
        CHECK(expected > 0.01);
    }

    try {
        const auto lists = data::omniglot(folder, {.split = data::list_split{}});
        CHECK(lists.training.class_count() == 4 * 1028);
        CHECK(lists.validation.class_count() == 172);
        CHECK(lists.test.class_count() == 423);
    } catch (const data_error& e) {
        if (!contains(e.what(), "no list of training classes")) throw;
        MESSAGE("SKIPPED the lists: " << e.what());
    }
}
