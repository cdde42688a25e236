// SPDX-FileCopyrightText: 2026 The bilevel authors
// SPDX-License-Identifier: MIT

// A program of somebody else's: it includes all of the library and uses a little of it.
#include <bilevel/bilevel.hpp>

#include <iostream>

int main() {
    using image = bilevel::shape<28, 28, 1>;
    bilevel::random::generator draw{7, bilevel::random::purpose::user, 0};
    const bilevel::integer pixel = draw.below(image::count());
    std::cout << "bilevel " << bilevel::version.major << "." << bilevel::version.minor << ", pixel " << pixel << "\n";
    return pixel >= 0 && pixel < image::count() ? 0 : 1;
}
